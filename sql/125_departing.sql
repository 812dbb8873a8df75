-- Whose membership the person asking is ending in this very transaction, for the policies of the trigger that carries it out (F05).
-- The bodies name tables of later files, so they are checked when first called instead of now.
set check_function_bodies = off;

create function authz.departing_org_ids() returns setof uuid
language sql stable rows 1
set search_path = pg_catalog, pg_temp
as $$
  select d.org_id from app.departure d
  where d.ended_by = (select authz.uid()) and d.how = 'deprovisioned' and d.ended_in = pg_current_xact_id_if_assigned()
$$;
comment on function authz.departing_org_ids() is 'The organizations in which the person asking deprovisions somebody in this transaction.';
revoke all on function authz.departing_org_ids() from public;
grant execute on function authz.departing_org_ids() to ringfence_owner;

create function authz.departing_user_ids() returns setof uuid
language sql stable rows 1
set search_path = pg_catalog, pg_temp
as $$
  select d.user_id from app.departure d
  where d.ended_by = (select authz.uid()) and d.how = 'deprovisioned' and d.ended_in = pg_current_xact_id_if_assigned()
$$;
comment on function authz.departing_user_ids() is 'Whom the person asking deprovisions in this transaction.';
revoke all on function authz.departing_user_ids() from public;
grant execute on function authz.departing_user_ids() to ringfence_owner;

create function authz.is_departing() returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if current_user <> 'ringfence_owner' then
    return false;
  end if;
  -- A statement of its own: in one with the condition before it, everybody would need the right to call it.
  return exists (select authz.departing_user_ids());
end
$$;
comment on function authz.is_departing() is 'Whether the trigger of a deprovisioning is at work, which a directory orders with an API token.';
revoke all on function authz.is_departing() from public;
grant execute on function authz.is_departing() to authenticated, ringfence_owner;

reset check_function_bodies;
