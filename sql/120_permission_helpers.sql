-- What the person may do, read from tables at every statement: a removed member has nothing on the next request (F04, F17).
-- Policies wrap these as  org_id = any (array(select authz.orgs_with('...')))  so that each runs once a statement.
-- The bodies name tables of later files, so they are checked when first called instead of now.
set check_function_bodies = off;

create function authz.joined_org_ids() returns setof uuid
language sql stable rows 10
set search_path = pg_catalog, pg_temp
as $$
  select m.org_id from app.membership m where m.user_id = (select authz.uid())
$$;
comment on function authz.joined_org_ids() is 'The organizations the signed-in person belongs to, whatever their token lets them see; for the policy by which authz.org_ids() reads those.';
revoke all on function authz.joined_org_ids() from public;
grant execute on function authz.joined_org_ids() to ringfence_owner;

create function authz.org_ids() returns setof uuid
language sql stable security definer rows 10
set search_path = pg_catalog, pg_temp
as $$
  select m.org_id from app.membership m
  where m.user_id = (select authz.uid())
    -- A token made for one organization sees that one only; a claim can narrow, never widen. Malformed narrows to nothing.
    and (not (select authz.claims() ? 'org_id') or m.org_id::text = (select authz.claims() ->> 'org_id'))
    -- To a token without a second factor an organization that requires one does not exist (F06, R42): here, so everywhere.
    and ((select authz.is_aal2()) or not exists (select from app.organization o where o.id = m.org_id and o.require_mfa))
$$;
comment on function authz.org_ids() is 'The organizations the signed-in person belongs to now: narrowed by the token''s org_id claim when it has one, and without those that require a second factor the token lacks.';
revoke all on function authz.org_ids() from public;
grant execute on function authz.org_ids() to authenticated, ringfence_owner;
alter function authz.org_ids() owner to ringfence_owner;

create function authz.orgs_with(permission text) returns setof uuid
language sql stable security definer rows 10
set search_path = pg_catalog, pg_temp
as $$
  select m.org_id from app.membership m
  join app.role_permission p on p.org_id = m.org_id and p.role_id = m.role_id
  where m.user_id = (select authz.uid())
    and p.permission = orgs_with.permission
    and m.org_id = any (array(select authz.org_ids()))
$$;
comment on function authz.orgs_with(text) is 'The organizations in which the signed-in person''s role carries this permission now; none for an unknown permission.';
revoke all on function authz.orgs_with(text) from public;
grant execute on function authz.orgs_with(text) to authenticated;
alter function authz.orgs_with(text) owner to ringfence_owner;

create function authz.role_ids() returns setof uuid
language sql stable security definer rows 10
set search_path = pg_catalog, pg_temp
as $$
  select m.role_id from app.membership m
  where m.user_id = (select authz.uid()) and m.org_id = any (array(select authz.org_ids()))
$$;
comment on function authz.role_ids() is 'The roles the signed-in person holds now, one an organization.';
revoke all on function authz.role_ids() from public;
grant execute on function authz.role_ids() to authenticated;
alter function authz.role_ids() owner to ringfence_owner;

reset check_function_bodies;
