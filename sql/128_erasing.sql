-- Whose data is being erased in this very transaction (F68), and whether it is the job that deletes what is over (F72): for the policies by
-- which the two do it.
-- The body names a table of a later file, so it is checked when first called instead of now.
set check_function_bodies = off;

create function authz.erasing_org_ids() returns setof uuid
language sql stable rows 1
set search_path = pg_catalog, pg_temp
as $$
  select e.org_id from app.erasure e
  where e.requested_by = (select authz.uid()) and e.erased_in = pg_current_xact_id_if_assigned()
$$;
comment on function authz.erasing_org_ids() is 'The organizations in which the person asking has somebody''s data erased in this transaction.';
revoke all on function authz.erasing_org_ids() from public;
grant execute on function authz.erasing_org_ids() to ringfence_owner;

create function authz.erasing_user_ids() returns setof uuid
language sql stable rows 1
set search_path = pg_catalog, pg_temp
as $$
  select e.user_id from app.erasure e
  where e.requested_by = (select authz.uid()) and e.erased_in = pg_current_xact_id_if_assigned()
$$;
comment on function authz.erasing_user_ids() is 'Whose data the person asking has erased in this transaction.';
revoke all on function authz.erasing_user_ids() from public;
grant execute on function authz.erasing_user_ids() to ringfence_owner;

create function authz.kept_until(org_id uuid, class text) returns timestamptz
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (select now() - make_interval(days => r.days) from app.retention_rule r where r.org_id = kept_until.org_id and r.class = kept_until.class);
end
$$;
comment on function authz.kept_until(uuid, text) is 'What is older than this is over in this organization; null where nothing says how long it is kept. For the job.';
revoke all on function authz.kept_until(uuid, text) from public;
grant execute on function authz.kept_until(uuid, text) to ringfence_owner;

create function authz.used_since(org_id uuid, conversation_id uuid, since timestamptz) returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (select from app.run r
    where r.org_id = used_since.org_id and r.conversation_id = used_since.conversation_id and r.started_at >= used_since.since);
end
$$;
comment on function authz.used_since(uuid, uuid, timestamptz) is 'Whether something ran in a conversation since then. For the job.';
revoke all on function authz.used_since(uuid, uuid, timestamptz) from public;
grant execute on function authz.used_since(uuid, uuid, timestamptz) to ringfence_owner;

create function authz.is_held(org_id uuid, user_id uuid, conversation_id uuid) returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (select from app.legal_hold h where h.org_id = is_held.org_id and h.released_at is null
    and (num_nonnulls(h.user_id, h.conversation_id) = 0 or h.user_id = is_held.user_id or h.conversation_id = is_held.conversation_id));
end
$$;
comment on function authz.is_held(uuid, uuid, uuid) is 'Whether a legal hold keeps what is this person''s or in this conversation; null for neither. For the job.';
revoke all on function authz.is_held(uuid, uuid, uuid) from public;
grant execute on function authz.is_held(uuid, uuid, uuid) to ringfence_owner;

reset check_function_bodies;
