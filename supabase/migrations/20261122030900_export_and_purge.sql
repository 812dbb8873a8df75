-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

CREATE TABLE "app"."organization_export" (
  "org_id"       uuid                     NOT NULL,
  "id"           uuid                     NOT NULL DEFAULT gen_random_uuid(),
  "requested_at" timestamp with time zone NOT NULL DEFAULT now(),
  "tables"       jsonb                    NOT NULL,
  CONSTRAINT "organization_export_pkey" PRIMARY KEY (org_id, id),
  "requested_by" uuid                     NOT NULL DEFAULT authz.uid()
);

ALTER TABLE "app"."organization_export"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."organization_export"
  FORCE ROW LEVEL SECURITY;

CREATE TABLE "authz"."ended_session" (
  "session_id" uuid                     NOT NULL,
  "ended_at"   timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT "ended_session_pkey" PRIMARY KEY (session_id)
);

ALTER TABLE "authz"."ended_session"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "authz"."ended_session"
  FORCE ROW LEVEL SECURITY;

CREATE TABLE "authz"."purge_receipt" (
  "id"              uuid                     NOT NULL DEFAULT gen_random_uuid(),
  "organization_id" uuid                     NOT NULL,
  "purged_at"       timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  "purged_in"       xid8                     NOT NULL DEFAULT pg_current_xact_id(),
  "tables"          jsonb                    NOT NULL DEFAULT '{}'::jsonb,
  "total"           bigint                   NOT NULL DEFAULT 0,
  "sha256"          text,
  CONSTRAINT "purge_receipt_pkey" PRIMARY KEY (id),
  CONSTRAINT "purge_receipt_sha256_check" CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text))
);

ALTER TABLE "authz"."purge_receipt"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "authz"."purge_receipt"
  FORCE ROW LEVEL SECURITY;

CREATE OR REPLACE FUNCTION api.export_organization (
  org_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET statement_timeout TO '60s'
  AS $function$
declare
  v_table record;
  v_rows bigint;
  v_tables jsonb := '{}';
  v_export app.organization_export;
begin
  perform authz.require_org(export_organization.org_id);
  -- Asked before anything is looked up, so the answer is the same for every organization there is or is not.
  perform authz.require_step_up();
  if (export_organization.org_id = any (array(select authz.orgs_with('organization.manage')))) is not true then
    raise sqlstate 'PT404' using message = 'no such organization, or not yours to manage';
  end if;
  for v_table in select t.name from authz.organization_tables() t order by t.name loop
    execute format('select count(*) from app.%I t where t.%I = $1', v_table.name, case v_table.name when 'organization' then 'id' else 'org_id' end)
      into v_rows using export_organization.org_id;
    v_tables := v_tables || jsonb_build_object(v_table.name, v_rows);
  end loop;
  insert into app.organization_export (org_id, tables) values (export_organization.org_id, v_tables) returning * into v_export;
  return jsonb_build_object('export_id', v_export.id, 'org_id', v_export.org_id, 'requested_at', v_export.requested_at,
    'until', v_export.requested_at + authz.export_lasts(), 'tables', v_export.tables);
end
$function$;

CREATE OR REPLACE FUNCTION api.export_rows (
  org_id     uuid,
  export_id  uuid,
  table_name text,
  after      text[]  DEFAULT NULL::text[],
  max_rows   integer DEFAULT 500
)
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_table record;
  v_row record;
  v_rows text[] := '{}';
  v_size integer := 0;
  v_next text[];
begin
  perform authz.require_org(export_rows.org_id);
  perform authz.require(max_rows between 1 and 1000, 'max_rows: 1..1000');
  perform authz.require_person();
  if not exists (select from app.organization_export e
    where e.org_id = export_rows.org_id and e.id = export_rows.export_id and e.requested_by = authz.uid()
      and e.requested_at > now() - authz.export_lasts())
  then
    raise sqlstate 'PT404' using message = 'no such export of yours, or it is over: begin one with export_organization';
  end if;
  select t.* into v_table from authz.organization_tables() t where t.name = export_rows.table_name;
  perform authz.require(found, 'table_name: one of the tables that export_organization told');
  perform authz.require(export_rows.after is null or cardinality(export_rows.after) = cardinality(v_table.keys) and array_position(export_rows.after, null) is null,
    'after: next of the page before');
  -- Names and types are the catalog's; what the caller says is only ever a quoted value.
  for v_row in execute format(
    'select (to_jsonb(t) - array[''token_sha256'', ''session_id''])::text as line, array[%s] as place from app.%I t where t.%I = $1%s order by %s limit $2',
    (select string_agg(format('t.%I::text', k.name), ', ' order by k.n) from unnest(v_table.keys) with ordinality k (name, n)),
    v_table.name, case v_table.name when 'organization' then 'id' else 'org_id' end,
    case when export_rows.after is not null then format(' and (%s) > (%s)',
      (select string_agg(format('t.%I', k.name), ', ' order by k.n) from unnest(v_table.keys) with ordinality k (name, n)),
      (select string_agg(format('%L::%s', export_rows.after[k.n], v_table.types[k.n]), ', ' order by k.n)
        from unnest(v_table.keys) with ordinality k (name, n))) else '' end,
    (select string_agg(format('t.%I', k.name), ', ' order by k.n) from unnest(v_table.keys) with ordinality k (name, n)))
    using export_rows.org_id, max_rows + 1
  loop
    -- A page is at most so many rows, and so large that the edge lets it through; one row always goes.
    if cardinality(v_rows) = max_rows or cardinality(v_rows) > 0 and v_size + octet_length(v_row.line) > 400000 then
      return jsonb_build_object('table', v_table.name, 'rows', to_jsonb(v_rows), 'next', to_jsonb(v_next),
        'sha256', encode(sha256(convert_to(array_to_string(v_rows, E'\n'), 'UTF8')), 'hex'));
    end if;
    v_rows := v_rows || v_row.line;
    v_size := v_size + octet_length(v_row.line);
    v_next := v_row.place;
  end loop;
  return jsonb_build_object('table', v_table.name, 'rows', to_jsonb(v_rows), 'next', null,
    'sha256', encode(sha256(convert_to(array_to_string(v_rows, E'\n'), 'UTF8')), 'hex'));
end
$function$;

CREATE OR REPLACE FUNCTION api.purge_organization (
  org_id       uuid,
  confirm_slug text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET statement_timeout TO '60s'
  AS $function$
begin
  perform authz.require_org(purge_organization.org_id);
  return authz.purge(purge_organization.org_id, purge_organization.confirm_slug);
end
$function$;

CREATE OR REPLACE FUNCTION authz.api_token_is_over()
  RETURNS boolean
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select coalesce((
    select t.revoked_at is not null or t.expires_at <= now() from app.api_token t
    where t.session_id = (select authz.session_id()) and t.user_id = (select authz.uid())), false)
    or exists (select from authz.ended_session e where e.session_id = (select authz.session_id()))
$function$;

CREATE OR REPLACE FUNCTION authz.deleted_rows()
  RETURNS jsonb
  LANGUAGE sql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select coalesce(jsonb_object_agg(s.relname, s.n_tup_del), '{}') from pg_stat_xact_user_tables s where s.schemaname = 'app' and s.n_tup_del > 0
$function$;

CREATE OR REPLACE FUNCTION authz.export_lasts()
  RETURNS interval
  LANGUAGE sql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
RETURN '01:00:00'::interval;

CREATE OR REPLACE FUNCTION authz.is_purging (
  org_id uuid
)
  RETURNS boolean
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select exists (select from authz.purge_receipt r
    where r.organization_id = is_purging.org_id and r.purged_in = pg_current_xact_id_if_assigned())
$function$;

ALTER FUNCTION "authz"."is_purging"(uuid) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.organization_tables()
  RETURNS TABLE (
    name  text,
    keys  text[],
    types text[]
  )
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select c.relname::text, k.keys, k.types
  from pg_class c
  join pg_index i on i.indrelid = c.oid and i.indisprimary
  cross join lateral (
    select array_agg(a.attname::text order by u.n), array_agg(format_type(a.atttypid, a.atttypmod) order by u.n)
    from unnest(i.indkey::smallint[]) with ordinality u (attnum, n) join pg_attribute a on a.attrelid = c.oid and a.attnum = u.attnum
    where a.attname <> 'org_id'
  ) k (keys, types)
  where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p') and has_table_privilege(c.oid, 'select')
    and (c.relname = 'organization' or exists (
      select from pg_attribute a where a.attrelid = c.oid and a.attname = 'org_id' and not a.attisdropped))
$function$;

CREATE OR REPLACE FUNCTION authz.purge (
  org_id uuid,
  slug   text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
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
$function$;

ALTER FUNCTION "authz"."purge"(uuid, text) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.purging_org_ids()
  RETURNS SETOF uuid
  LANGUAGE sql
  STABLE
  ROWS 1
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select r.organization_id from authz.purge_receipt r where r.purged_in = pg_current_xact_id_if_assigned()
$function$;

CREATE OR REPLACE FUNCTION authz.tg_audit()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_old jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  v_row jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) else v_old end;
  v_org uuid := coalesce(v_row ->> 'org_id', v_row ->> 'id')::uuid;
  v_owner uuid;
  v_role text;
begin
  -- An organization that goes keeps no record of going: its receipt is elsewhere (F23).
  if authz.is_purging(v_org) then
    return case when tg_op = 'DELETE' then old else new end;
  end if;
  select m.service_owner_id, r.name into v_owner, v_role
  from app.membership m join app.role r on r.org_id = m.org_id and r.id = m.role_id
  where m.org_id = v_org and m.user_id = authz.uid();
  insert into app.audit_event (
    org_id, actor_id, actor_kind, actor_role, on_behalf_of, api_token_id, client_id, action, object_id, run_id, bot_id, changed)
  values (
    v_org,
    authz.uid(),
    case when authz.uid() is null then 'operator' when v_owner is not null then 'service' else 'user' end,
    v_role,
    v_owner,
    authz.api_token_id(),
    left(authz.claims() ->> 'client_id', 100),
    tg_table_name || '.' || lower(tg_op),
    coalesce(v_row ->> 'id', v_row ->> 'user_id', (v_row ->> 'role_id') || ' ' || (v_row ->> 'permission')),
    case when tg_table_name = 'run' then v_row ->> 'id' else v_row ->> 'run_id' end::uuid,
    case when tg_table_name = 'bot' then v_row ->> 'id' else v_row ->> 'bot_id' end::uuid,
    case when tg_op = 'UPDATE' then array(
      select n.key from jsonb_each(v_row) n where v_old -> n.key is distinct from n.value order by n.key) else '{}' end);
  return case when tg_op = 'DELETE' then old else new end;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_document_forget()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_cited jsonb := jsonb_build_array(jsonb_build_object('document_id', old.id));
  v_redacted integer := 0;
begin
  if authz.is_purging(old.org_id) then
    return null;
  end if;
  select coalesce(sum((select count(*) from jsonb_array_elements(m.citations) c where c.value ->> 'document_id' = old.id::text)), 0)
    into v_redacted
  from app.message m where m.org_id = old.org_id and m.citations @> v_cited;
  update app.message m set citations = (
    select jsonb_agg(case when c.value ->> 'document_id' = old.id::text
        then jsonb_strip_nulls(jsonb_build_object('n', c.value -> 'n', 'redacted', true)) else c.value end order by c.ordinality)
    from jsonb_array_elements(m.citations) with ordinality c)
  where m.org_id = old.org_id and m.citations @> v_cited;
  update app.deletion_receipt r set citations_redacted = v_redacted
  where r.org_id = old.org_id and r.document_id = old.id and r.citations_redacted is null;
  return null;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_document_inherit()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_next uuid;
begin
  if authz.is_purging(old.org_id) then
    return old;
  end if;
  -- The version that takes this one's place is the person's own.
  for v_next in
    select d.id from app.document d
    where d.org_id = old.org_id and d.knowledge_base_id = old.knowledge_base_id and d.uri = old.uri
      and d.owner_id = authz.uid() and d.state = 'loading'
      and (d.visibility = 'private') = (old.visibility = 'private')
  loop
    insert into app.document_grant (org_id, document_id, user_id, team_id, level)
      select g.org_id, v_next, g.user_id, g.team_id, g.level from app.document_grant g
      -- Nothing for the earlier owner: they may have lost the knowledge base, and could have shared it with themselves before.
      where g.org_id = old.org_id and g.document_id = old.id and g.user_id is distinct from old.owner_id
    on conflict do nothing;
    insert into app.deny_rule (org_id, user_id, team_id, role_id, document_id, reason)
      select r.org_id, r.user_id, r.team_id, r.role_id, v_next, r.reason from app.deny_rule r
      where r.org_id = old.org_id and r.document_id = old.id
    on conflict do nothing;
  end loop;
  return old;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_document_receipt()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  if authz.is_purging(old.org_id) then
    return old;
  end if;
  insert into app.deletion_receipt (org_id, document_id, knowledge_base_id, sha256, chunks, parts)
  select old.org_id, old.id, old.knowledge_base_id, old.sha256,
    (select count(*) from app.chunk c where c.org_id = old.org_id and c.document_id = old.id),
    (select count(*) from app.document_part p where p.org_id = old.org_id and p.document_id = old.id);
  return old;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_end_session()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  insert into authz.ended_session (session_id) values (old.session_id) on conflict do nothing;
  return old;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_membership_departure()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  if authz.is_purging(old.org_id) then
    return old;
  end if;
  update app.run r set status = 'cancelled', error_code = 'membership_ended', finished_at = clock_timestamp()
  where r.org_id = old.org_id and r.user_id = old.user_id and r.status = 'running';
  if authz.uid() <> old.user_id and not exists (select from app.departure d
    where d.org_id = old.org_id and d.user_id = old.user_id and d.ended_in = pg_current_xact_id())
  then
    insert into app.departure (org_id, user_id, how) values (old.org_id, old.user_id, 'removed');
  end if;
  return old;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_membership_guard()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_org uuid := case when tg_op = 'INSERT' then new.org_id else old.org_id end;
begin
  if tg_op = 'INSERT' and new.user_id = authz.uid() then
    new.email := authz.verified_email();
  end if;
  -- Changes of one organization's members are put in line, so that nobody's own place goes while it is being looked at.
  perform pg_advisory_xact_lock(hashtextextended(v_org::text, 0));
  -- Where policies do not apply (an operator, a restore) or the founder takes the first seat, there is no granter to bound.
  if row_security_active('app.membership') and current_user <> 'ringfence_owner' then
    -- What waited in that line must see what was committed meanwhile.
    if current_setting('transaction_isolation') <> 'read committed' then
      raise sqlstate '25001' using message = 'members are changed in a transaction of isolation level read committed';
    end if;
    -- The policy asked the same when the statement began; by now the right may be gone (R46). Leaving needs none.
    if (v_org = any (array(select authz.orgs_with('members.manage')))) is not true and not coalesce(tg_op = 'DELETE' and old.user_id = authz.uid(), false) then
      raise sqlstate '42501' using message = 'giving and taking roles needs members.manage';
    end if;
    -- A granter must hold every permission of the role it gives, and of the role it takes away (F12). Someone whose own place
    -- is gone, perhaps by this very statement, no longer sees any of this and is refused.
    if (v_org = any (array(select authz.org_ids()))) is not true or exists (
      select from app.role_permission p
      where p.org_id = v_org
        and (tg_op <> 'INSERT' and p.role_id = old.role_id or tg_op <> 'DELETE' and p.role_id = new.role_id)
        and not v_org = any (array(select authz.orgs_with(p.permission))))
    then
      raise sqlstate '42501' using message = 'you can give or take only roles whose permissions you hold yourself';
    end if;
  end if;
  -- An owner is a person: a service account keeps no organization.
  if tg_op <> 'INSERT' and old.status = 'active' and old.service_owner_id is null and not authz.is_purging(v_org) and exists (
    select from app.role r where r.org_id = v_org and r.id = old.role_id and r.name = 'owner' and r.built_in)
  then
    if tg_op = 'DELETE' or new.role_id <> old.role_id or new.status <> 'active' then
      -- One who is suspended could not act as one.
      if not exists (select from app.membership m
        where m.org_id = v_org and m.role_id = old.role_id and m.user_id <> old.user_id and m.status = 'active' and m.service_owner_id is null)
      then
        raise sqlstate 'PT409' using message = 'an organization keeps at least one owner';
      end if;
    end if;
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_usage()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_sign integer := case tg_op when 'DELETE' then -1 else 1 end;
begin
  if tg_op = 'DELETE' then
    if exists (select from (select distinct t.org_id from touched t) d where authz.is_purging(d.org_id)) then
      return null;
    end if;
  end if;
  if tg_table_name = 'chunk' then
    insert into app.usage_entry (org_id, actor_id, measure, amount)
      select t.org_id, authz.uid(), m.measure, v_sign * m.amount
      from (select s.org_id, count(*) as passages, sum(char_length(s.content)) as characters from touched s group by s.org_id) t
      cross join lateral (values ('passages', t.passages), ('characters', t.characters)) m (measure, amount);
  elsif tg_table_name = 'run_step' then
    insert into app.usage_entry (org_id, actor_id, measure, amount)
      select t.org_id, authz.uid(), m.measure, m.amount
      from (select s.org_id, count(*) as calls, sum(s.input_tokens) as input, sum(s.output_tokens) as output
        from touched s where s.kind = 'model' group by s.org_id) t
      cross join lateral (values ('model_calls', t.calls), ('input_tokens', t.input), ('output_tokens', t.output)) m (measure, amount)
      where m.amount > 0;
  else
    insert into app.usage_entry (org_id, actor_id, measure, amount)
      select t.org_id, authz.uid(), tg_argv[0], v_sign * count(*) from touched t group by t.org_id;
  end if;
  return null;
end
$function$;

ALTER TABLE "app"."organization_export"
  ADD CONSTRAINT "organization_export_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

CREATE INDEX purge_receipt_organization_id_idx ON authz.purge_receipt USING btree (organization_id);

CREATE TRIGGER _500_end_session
  BEFORE DELETE ON app.api_token
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_end_session();

CREATE TRIGGER _050_in_person
  BEFORE INSERT ON app.organization_export
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_person();

CREATE TRIGGER _110_step_up
  BEFORE INSERT ON app.organization_export
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_step_up('if_enrolled');

CREATE TRIGGER _900_audit
  AFTER INSERT ON app.organization_export
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE POLICY "audit_event_delete_purging_owner" ON "app"."audit_event"
  FOR DELETE
  TO "ringfence_owner"
  USING ((org_id IN ( SELECT authz.purging_org_ids() AS purging_org_ids)));

CREATE POLICY "audit_event_select_purging_owner" ON "app"."audit_event"
  FOR SELECT
  TO "ringfence_owner"
  USING ((org_id IN ( SELECT authz.purging_org_ids() AS purging_org_ids)));

CREATE POLICY "organization_delete_owner" ON "app"."organization"
  FOR DELETE
  TO "ringfence_owner"
  USING ((id IN ( SELECT authz.purging_org_ids() AS purging_org_ids)));

CREATE POLICY "organization_export_delete_nobody" ON "app"."organization_export"
  FOR DELETE
  TO "authenticated"
  USING (false);

CREATE POLICY "organization_export_floor" ON "app"."organization_export"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "organization_export_select_manager" ON "app"."organization_export"
  FOR SELECT
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.orgs_with('organization.manage'::text) AS orgs_with))));

CREATE POLICY "organization_export_update_nobody" ON "app"."organization_export"
  FOR UPDATE
  TO "authenticated"
  USING (false)
  WITH CHECK (false);

CREATE POLICY "ended_session_select_owner" ON "authz"."ended_session"
  FOR SELECT
  TO "ringfence_owner"
  USING (((session_id = ( SELECT authz.session_id() AS session_id)) AND (( SELECT authz.uid() AS uid) IS NOT NULL)));

CREATE POLICY "purge_receipt_insert_owner" ON "authz"."purge_receipt"
  FOR INSERT
  TO "ringfence_owner"
  WITH CHECK ((organization_id IN ( SELECT authz.owned_org_ids() AS owned_org_ids)));

CREATE POLICY "purge_receipt_select_owner" ON "authz"."purge_receipt"
  FOR SELECT
  TO "ringfence_owner"
  USING (((purged_in = pg_current_xact_id_if_assigned()) AND (( SELECT authz.uid() AS uid) IS NOT NULL)));

CREATE POLICY "purge_receipt_update_owner" ON "authz"."purge_receipt"
  FOR UPDATE
  TO "ringfence_owner"
  USING (((purged_in = pg_current_xact_id_if_assigned()) AND (( SELECT authz.uid() AS uid) IS NOT NULL)))
  WITH CHECK (((purged_in = pg_current_xact_id_if_assigned()) AND (( SELECT authz.uid() AS uid) IS NOT NULL)));

COMMENT ON COLUMN "app"."organization_export"."id" IS 'Random identifier.';

COMMENT ON COLUMN "app"."organization_export"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."organization_export"."requested_at" IS 'When.';

COMMENT ON COLUMN "app"."organization_export"."tables" IS 'Rows they could read then, by table.';

COMMENT ON COLUMN "authz"."ended_session"."ended_at" IS 'When its token went.';

COMMENT ON COLUMN "authz"."ended_session"."session_id" IS 'The session.';

COMMENT ON COLUMN "authz"."purge_receipt"."id" IS 'Random identifier.';

COMMENT ON COLUMN "authz"."purge_receipt"."organization_id" IS 'The organization that was. No foreign key: there is nothing left to refer to.';

COMMENT ON COLUMN "authz"."purge_receipt"."purged_at" IS 'When.';

COMMENT ON COLUMN "authz"."purge_receipt"."purged_in" IS 'The transaction that did it: in it alone the row opens anything.';

COMMENT ON COLUMN "authz"."purge_receipt"."sha256" IS 'SHA-256, hexadecimal, of organization_id, a space and tables.';

COMMENT ON COLUMN "authz"."purge_receipt"."tables" IS 'Rows deleted, by table, as PostgreSQL counted them.';

COMMENT ON COLUMN "authz"."purge_receipt"."total" IS 'Rows deleted altogether.';

COMMENT ON FUNCTION "api"."export_organization"(uuid) IS 'Begin to take an organization along: the tables there are and how many rows of each you may read. Their rows come from export_rows.

@audience app
@param org_id  the organization; needs organization.manage and a recent second factor of your own
@returns       {export_id, org_id, requested_at, until (when export_rows stops), tables: {table: rows}}
@errors        22004, 42501, PT401, PT404
@effect        write';

COMMENT ON FUNCTION "api"."export_rows"(uuid, uuid, text, text[], integer) IS 'Give one page of one table of an export: the rows you may read, as texts of JSON, without what checks a secret.

@audience app
@param org_id      the organization
@param export_id   as export_organization gave it, within an hour
@param table_name  name of a table that export_organization told
@param after       next of the page before; leave it out for the first page
@param max_rows    number of rows; 1..1000
@returns           {table, rows: [text], next (null: that was the last page), sha256 (of the rows with a line feed between them)}; by key
@errors            22004, 22023, 42501, PT404
@effect            read';

COMMENT ON FUNCTION "api"."purge_organization"(uuid, text) IS 'Delete an organization with everything in it, for good: members, documents, conversations, records. Export it first. Keep the receipt, which is shown this once.

@audience app
@param org_id        the organization, suspended or not; needs its built-in role owner and a recent second factor of your own
@param confirm_slug  name of an organization: its slug, typed to say that you mean it
@returns             {receipt_id, organization_id, purged_at, tables: {table: rows deleted}, total, sha256}
@errors              22004, 22023, 42501, PT401, PT404
@effect              destructive';

COMMENT ON FUNCTION "authz"."api_token_is_over"() IS 'Whether this is the session of an API token that was revoked or has expired, or is gone with its organization.';

COMMENT ON FUNCTION "authz"."deleted_rows"() IS 'How many rows this transaction deleted so far, by table of schema app, as PostgreSQL counts them.';

COMMENT ON FUNCTION "authz"."export_lasts"() IS 'How long after it began the rows of an export are given. The one place that says so.';

COMMENT ON FUNCTION "authz"."is_purging"(uuid) IS 'Whether this transaction purges that organization; for the triggers on what goes with it.';

COMMENT ON FUNCTION "authz"."organization_tables"() IS 'Every table of organizations that the person may read rows of, with the columns of its key but org_id, and their types: from the catalog, not from a list.';

COMMENT ON FUNCTION "authz"."purge"(uuid, text) IS 'Delete an organization that the person asking is an active owner of, with everything in it, after a step-up and its slug typed; bound to authz.uid().';

COMMENT ON FUNCTION "authz"."purging_org_ids"() IS 'The organizations that this transaction purges; for the policies by which authz.purge() does.';

COMMENT ON FUNCTION "authz"."tg_end_session"() IS 'Trigger: where the row of an API token goes, with its organization or by an operator, its session opens nothing any more.';

COMMENT ON POLICY "audit_event_delete_purging_owner" ON "app"."audit_event" IS 'A purge takes it along.';

COMMENT ON POLICY "audit_event_select_purging_owner" ON "app"."audit_event" IS 'A purge finds the trail of the organization that goes.';

COMMENT ON POLICY "organization_delete_nobody" ON "app"."organization" IS 'Organizations end through api.purge_organization only.';

COMMENT ON POLICY "organization_delete_owner" ON "app"."organization" IS 'A purge deletes what its receipt is about.';

COMMENT ON POLICY "organization_export_delete_nobody" ON "app"."organization_export" IS 'The record stays.';

COMMENT ON POLICY "organization_export_floor" ON "app"."organization_export" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "organization_export_select_manager" ON "app"."organization_export" IS 'organization.manage sees who took the organization along.';

COMMENT ON POLICY "organization_export_update_nobody" ON "app"."organization_export" IS 'The record stays as it is.';

COMMENT ON POLICY "ended_session_select_owner" ON "authz"."ended_session" IS 'authz.api_token_is_over() looks for the session that asks.';

COMMENT ON POLICY "purge_receipt_insert_owner" ON "authz"."purge_receipt" IS 'A purge begins with its receipt, for an organization whose owner asks.';

COMMENT ON POLICY "purge_receipt_select_owner" ON "authz"."purge_receipt" IS 'What an organization takes along sees that it is being purged.';

COMMENT ON POLICY "purge_receipt_update_owner" ON "authz"."purge_receipt" IS 'A purge ends with its numbers.';

COMMENT ON TABLE "app"."organization_export" IS 'An export that somebody began.';

COMMENT ON TABLE "authz"."ended_session" IS 'Sessions of Supabase Auth that were behind API tokens of organizations purged since; authz.pre_request() refuses them.';

COMMENT ON TABLE "authz"."purge_receipt" IS 'Proof that an organization was purged: rows deleted by table. Kept by the operator; nobody reads it through the API but who purged, once.';

REVOKE ALL ON FUNCTION "api"."export_organization"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."export_organization"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."export_organization"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."export_organization"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."export_rows"(uuid, uuid, text, text[], integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."export_rows"(uuid, uuid, text, text[], integer) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."export_rows"(uuid, uuid, text, text[], integer) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."export_rows"(uuid, uuid, text, text[], integer) TO "postgres";

REVOKE ALL ON FUNCTION "api"."purge_organization"(uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."purge_organization"(uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."purge_organization"(uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."purge_organization"(uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."deleted_rows"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."deleted_rows"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."deleted_rows"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."deleted_rows"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."export_lasts"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."export_lasts"() TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."export_lasts"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."export_lasts"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."is_purging"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."is_purging"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."is_purging"(uuid) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."is_purging"(uuid) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."organization_tables"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."organization_tables"() TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."organization_tables"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."organization_tables"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."purge"(uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."purge"(uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."purge"(uuid, text) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."purge"(uuid, text) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."purging_org_ids"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."purging_org_ids"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."purging_org_ids"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."purging_org_ids"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."tg_end_session"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_end_session"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_end_session"() TO "postgres";

REVOKE ALL ON TABLE "app"."audit_event" FROM "ringfence_owner";

REVOKE ALL ("action") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("action") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("actor_id") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("actor_id") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("actor_kind") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("actor_kind") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("actor_role") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("actor_role") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("api_token_id") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("api_token_id") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("bot_id") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("bot_id") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("changed") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("changed") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("client_id") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("client_id") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("object_id") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("object_id") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("on_behalf_of") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("on_behalf_of") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("org_id") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("org_id"), SELECT ("org_id") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("run_id") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("run_id") ON TABLE "app"."audit_event" TO "ringfence_owner";

GRANT DELETE ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ON TABLE "app"."organization" FROM "ringfence_owner";

REVOKE ALL ("created_by") ON TABLE "app"."organization" FROM "ringfence_owner";

GRANT INSERT ("created_by") ON TABLE "app"."organization" TO "ringfence_owner";

REVOKE ALL ("name") ON TABLE "app"."organization" FROM "ringfence_owner";

GRANT INSERT ("name") ON TABLE "app"."organization" TO "ringfence_owner";

REVOKE ALL ("slug") ON TABLE "app"."organization" FROM "ringfence_owner";

GRANT INSERT ("slug") ON TABLE "app"."organization" TO "ringfence_owner";

REVOKE ALL ("suspended_at") ON TABLE "app"."organization" FROM "ringfence_owner";

GRANT UPDATE ("suspended_at") ON TABLE "app"."organization" TO "ringfence_owner";

GRANT DELETE, SELECT ON TABLE "app"."organization" TO "ringfence_owner";

GRANT INSERT ("org_id") ON TABLE "app"."organization_export" TO "authenticated";

GRANT INSERT ("tables") ON TABLE "app"."organization_export" TO "authenticated";

GRANT SELECT ON TABLE "app"."organization_export" TO "authenticated";

GRANT SELECT ON TABLE "authz"."ended_session" TO "ringfence_owner";

GRANT INSERT ("organization_id") ON TABLE "authz"."purge_receipt" TO "ringfence_owner";

GRANT UPDATE ("sha256") ON TABLE "authz"."purge_receipt" TO "ringfence_owner";

GRANT UPDATE ("tables") ON TABLE "authz"."purge_receipt" TO "ringfence_owner";

GRANT UPDATE ("total") ON TABLE "authz"."purge_receipt" TO "ringfence_owner";

GRANT SELECT ON TABLE "authz"."purge_receipt" TO "ringfence_owner";

CREATE POLICY "organization_export_insert_manager" ON "app"."organization_export"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (((requested_by = ( SELECT authz.uid() AS uid)) AND (org_id = ANY (ARRAY( SELECT authz.orgs_with('organization.manage'::text) AS orgs_with)))));

COMMENT ON COLUMN "app"."organization_export"."requested_by" IS 'Who began it, after a step-up; nobody else reads its rows.';

COMMENT ON POLICY "organization_export_insert_manager" ON "app"."organization_export" IS 'organization.manage begins an export, in its own name.';

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
