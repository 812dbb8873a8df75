-- The end of an organization (F23): one statement on its row, which every table of organizations goes with by its foreign key. The
-- audit trail does not go with it by itself, so that nothing but a purge takes it.

create function authz.deleted_rows() returns jsonb
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_object_agg(s.relname, s.n_tup_del), '{}') from pg_stat_xact_user_tables s where s.schemaname = 'app' and s.n_tup_del > 0
$$;
comment on function authz.deleted_rows() is 'How many rows this transaction deleted so far, by table of schema app, as PostgreSQL counts them.';
revoke all on function authz.deleted_rows() from public;
grant execute on function authz.deleted_rows() to ringfence_owner;

create function authz.purge(org_id uuid, slug text) returns jsonb
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_slug text;
  v_before jsonb;
  v_tables jsonb;
  v_total bigint;
  v_receipt authz.purge_receipt;
begin
  perform authz.require_person();
  perform authz.require_step_up();
  if purge.org_id in (select authz.owned_org_ids()) then
    -- In line with whoever changes members; then nobody adds anything to it any more: they wait, and find no organization.
    perform pg_advisory_xact_lock(hashtextextended(purge.org_id::text, 0));
    select o.slug into v_slug from app.organization o
    where o.id = purge.org_id and o.id in (select authz.owned_org_ids()) for update;
  end if;
  if v_slug is null then
    raise sqlstate 'PT404' using message = 'no such organization that you own';
  end if;
  if purge.slug is distinct from v_slug then
    raise sqlstate '22023' using message = 'confirm_slug: the slug of the organization, to say that you mean it';
  end if;
  perform authz.require_no_hold(purge.org_id, null);
  insert into authz.purge_receipt (organization_id) values (purge.org_id) returning * into v_receipt;
  v_before := authz.deleted_rows();
  delete from app.audit_event e where e.org_id = purge.org_id;
  delete from app.organization o where o.id = purge.org_id;
  select jsonb_object_agg(d.key, d.value::bigint - coalesce((v_before ->> d.key)::bigint, 0)),
    sum(d.value::bigint - coalesce((v_before ->> d.key)::bigint, 0))
    into v_tables, v_total
  from jsonb_each_text(authz.deleted_rows()) d
  where d.value::bigint > coalesce((v_before ->> d.key)::bigint, 0);
  if (v_tables ->> 'organization') is distinct from '1' then
    raise sqlstate '55000' using message = 'the database does not count what it deletes (track_counts): nothing was purged';
  end if;
  update authz.purge_receipt r set tables = v_tables, total = v_total,
    sha256 = encode(sha256(convert_to(r.organization_id || ' ' || v_tables, 'UTF8')), 'hex')
  where r.id = v_receipt.id
  returning * into v_receipt;
  return jsonb_build_object('receipt_id', v_receipt.id, 'organization_id', v_receipt.organization_id, 'purged_at', v_receipt.purged_at,
    'tables', v_receipt.tables, 'total', v_receipt.total, 'sha256', v_receipt.sha256);
end
$$;
comment on function authz.purge(uuid, text) is 'Delete an organization that the person asking is an active owner of, with everything in it, after a step-up and its slug typed; bound to authz.uid().';
revoke all on function authz.purge(uuid, text) from public;
grant execute on function authz.purge(uuid, text) to authenticated;
alter function authz.purge(uuid, text) owner to ringfence_owner;
