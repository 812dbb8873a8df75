-- Made from sql/ by `ringfence db migration`: every file in order. Edit sql/, never this file.

-- ==== 010_roles.sql ====
-- Roles. They belong to the whole cluster, so each is made only where it is missing; everything else in sql/ is plain DDL.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'ringfence_owner') then
    create role ringfence_owner nologin nobypassrls noinherit;
  end if;
  -- The two log-ins for background work are members of nothing. Their passwords are set by whoever deploys them.
  if not exists (select from pg_catalog.pg_roles where rolname = 'ringfence_worker') then
    create role ringfence_worker login nobypassrls noinherit;
  end if;
  if not exists (select from pg_catalog.pg_roles where rolname = 'ringfence_analyst') then
    create role ringfence_analyst login nobypassrls noinherit;
  end if;
end
$$;

-- The migration role may hand functions over to the owner role, but does not act with its rights.
grant ringfence_owner to current_user with set true, inherit false;

comment on role ringfence_owner is 'Owns the SECURITY DEFINER functions listed in sql/DEFINERS.md; has no login, no BYPASSRLS, and meets policies like anyone else.';
comment on role ringfence_worker is 'Logs in to run background jobs as the owner of the job; a member of no role, without BYPASSRLS.';
comment on role ringfence_analyst is 'Logs in to run model-written SQL as the owner of the job, read-only; a member of no role, without BYPASSRLS.';

-- ==== 020_privileges.sql ====
-- What the migration role creates from now on is closed until a grant beside the object opens it (R7, R8).
-- The revoke is global, not "in schema": a per-schema revoke cannot take back PostgreSQL's built-in default for PUBLIC.
alter default privileges revoke execute on functions from public;

-- Nobody shadows our names with a temporary table (R6). The name of the database differs between projects.
do $$
begin
  execute pg_catalog.format('revoke temporary on database %I from public', pg_catalog.current_database());
end
$$;

-- PostgREST reads its settings from the role it logs in with: the only exposed schema, and the check before every request.
alter role authenticator set pgrst.db_schemas = 'api';
alter role authenticator set pgrst.db_pre_request = 'authz.pre_request';
alter role authenticator set idle_in_transaction_session_timeout = '10s';
alter role ringfence_worker set idle_in_transaction_session_timeout = '60s';
alter role ringfence_analyst set idle_in_transaction_session_timeout = '60s';
alter role ringfence_analyst set default_transaction_read_only = on;

-- ==== 030_schemas.sql ====
-- Three schemas: api is reachable over HTTP and holds functions only, app holds the tables, authz what policies call.
create schema api;
create schema app;
create schema authz;

comment on schema api is 'Functions people, apps and bots call; the only schema PostgREST exposes.';
comment on schema app is 'Tables: row security enabled and forced on every one; not reachable over HTTP.';
comment on schema authz is 'Identity and permission helpers that policies call; not reachable over HTTP.';

grant usage on schema api, app, authz to authenticated;
grant usage on schema app, authz to ringfence_owner;
grant usage on schema authz to ringfence_worker, ringfence_analyst;

-- Needed only while this file set hands its definer functions over; 900_close.sql takes it back.
grant create on schema authz to ringfence_owner;

create extension if not exists vector with schema extensions;

-- ==== 100_identity.sql ====
-- Who is asking. authz.uid() is the only reader of identity; every policy comes down to it.

create function authz.claims() returns jsonb
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  -- session_user cannot be changed by SQL: a worker or analyst session never takes its identity from a setting.
  select case
    when session_user in ('ringfence_worker', 'ringfence_analyst') then '{}'::jsonb
    when not coalesce(pg_catalog.pg_input_is_valid(setting.claims, 'jsonb'), false) then '{}'::jsonb
    when pg_catalog.jsonb_typeof(setting.claims::jsonb) <> 'object' then '{}'::jsonb
    else setting.claims::jsonb
  end
  from (select pg_catalog.current_setting('request.jwt.claims', true) as claims) setting
$$;
comment on function authz.claims() is 'The verified claims of this request as an object; empty without a request, when malformed (R36), and in worker and analyst sessions.';
revoke all on function authz.claims() from public;
grant execute on function authz.claims() to authenticated, ringfence_owner, ringfence_worker, ringfence_analyst;

create function authz.uid() returns uuid
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  -- auth.uid() prefers the legacy setting request.jwt.claim.sub, which would make identity forgeable (R37).
  select case when pg_catalog.pg_input_is_valid(claim.sub, 'uuid') then claim.sub::uuid end
  from (select authz.claims() ->> 'sub' as sub) claim
$$;
comment on function authz.uid() is 'The signed-in person, or null. The only reader of identity: the claim sub of request.jwt.claims and nothing else.';
revoke all on function authz.uid() from public;
grant execute on function authz.uid() to authenticated, ringfence_owner, ringfence_worker, ringfence_analyst;

create function authz.require(condition boolean, message text) returns void
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  if require.condition is not true then
    raise sqlstate '22023' using message = require.message;
  end if;
end
$$;
comment on function authz.require(boolean, text) is 'Raise 22023 with the message unless the condition is true; null counts as false (F09).';
revoke all on function authz.require(boolean, text) from public;
grant execute on function authz.require(boolean, text) to authenticated;

create function authz.require_org(org_id uuid) returns void
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  if require_org.org_id is null then
    raise sqlstate '22004' using message = 'name the organization: org_id is required';
  end if;
end
$$;
comment on function authz.require_org(uuid) is 'Raise 22004 when no organization is named: a missing organization never means all of them (F20).';
revoke all on function authz.require_org(uuid) from public;
grant execute on function authz.require_org(uuid) to authenticated;

-- ==== 110_session.sql ====
-- Whether the session behind a token still lives. The tables are Supabase Auth's; it enables row security on them without
-- a policy, so the owner role is given one each, bound to the person asking.
grant select on auth.users, auth.sessions to ringfence_owner;
create policy ringfence_users_select_owner on auth.users for select to ringfence_owner
  using (id = (select authz.uid()));
create policy ringfence_sessions_select_owner on auth.sessions for select to ringfence_owner
  using (user_id = (select authz.uid()));

create function authz.session_is_live() returns boolean
language sql stable security definer
set search_path = pg_catalog, pg_temp
begin atomic
  -- Parsed now, by the migration role: hosted Supabase lets that role pass on SELECT on these tables but not USAGE on their
  -- schema, which the owner therefore neither has nor needs.
  select exists (
    select from auth.sessions s join auth.users u on u.id = s.user_id
    where s.id = (
        select case when pg_catalog.pg_input_is_valid(claim.session_id, 'uuid') then claim.session_id::uuid end
        from (select authz.claims() ->> 'session_id' as session_id) claim)
      and u.id = (select authz.uid())
      and (s.not_after is null or s.not_after > now())
      and u.deleted_at is null
      and (u.banned_until is null or u.banned_until <= now())
      and not coalesce(u.is_anonymous, false));
end;
comment on function authz.session_is_live() is 'Whether the session of this token exists, is not over, and belongs to a person who is neither deleted, banned nor anonymous (R41).';
revoke all on function authz.session_is_live() from public;
grant execute on function authz.session_is_live() to authenticated;
alter function authz.session_is_live() owner to ringfence_owner;

create function authz.pre_request() returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_reason text := case
    when authz.claims() ->> 'role' is distinct from 'authenticated' then 'sign in to continue'
    when coalesce(current_setting('request.jwt.claim.sub', true), '') <> '' then 'a legacy identity setting is present'
    when authz.claims() -> 'is_anonymous' = 'true'::jsonb then 'create an account to continue'
    when not authz.session_is_live() then 'the session has ended: sign in again'
  end;
begin
  if v_reason is not null then
    -- PostgREST's own form for an error with a status: PT401 is kept for "a stronger login is needed".
    raise sqlstate 'PGRST' using
      message = json_build_object('code', '28000', 'message', v_reason)::text,
      detail = json_build_object('status', 401,
        'headers', json_build_object('WWW-Authenticate', 'Bearer error="invalid_token"'))::text;
  end if;
end
$$;
comment on function authz.pre_request() is 'PostgREST calls this before every request: refuses ended sessions, banned, deleted and anonymous users, and any role but authenticated (code 28000, status 401).';
revoke all on function authz.pre_request() from public;
grant execute on function authz.pre_request() to authenticated;

-- ==== 115_second_factor.sql ====
-- How strongly the person proved who they are. What wants more than a password asks one of these; none takes an answer from a caller.
grant select (user_id, status) on auth.mfa_factors to ringfence_owner;
create policy ringfence_mfa_factors_select_owner on auth.mfa_factors for select to ringfence_owner
  using (user_id = (select authz.uid()));

create function authz.has_second_factor() returns boolean
language sql stable security definer
set search_path = pg_catalog, pg_temp
begin atomic
  -- Parsed now, as in authz.session_is_live(): the owner needs no USAGE on Supabase Auth's schema.
  select exists (select from auth.mfa_factors f where f.user_id = (select authz.uid()) and f.status = 'verified');
end;
comment on function authz.has_second_factor() is 'Whether the signed-in person has a verified second factor, used in this session or not.';
revoke all on function authz.has_second_factor() from public;
grant execute on function authz.has_second_factor() to authenticated;
alter function authz.has_second_factor() owner to ringfence_owner;

create function authz.is_aal2() returns boolean
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(authz.claims() ->> 'aal' = 'aal2', false)
$$;
comment on function authz.is_aal2() is 'Whether a second factor was used in this session, however long ago.';
revoke all on function authz.is_aal2() from public;
grant execute on function authz.is_aal2() to authenticated, ringfence_owner;

create function authz.step_up_lasts() returns interval
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
return interval '15 minutes';
comment on function authz.step_up_lasts() is 'How long after a second factor was used the sensitive functions take it. The one place that says so.';
revoke all on function authz.step_up_lasts() from public;
grant execute on function authz.step_up_lasts() to authenticated;

create function authz.has_recent_second_factor() returns boolean
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  -- A time ahead of ours by more than clocks differ is no time; an entry that is not as Supabase Auth writes it does not count.
  select authz.is_aal2() and exists (
    select from jsonb_array_elements(case when jsonb_typeof(claim.amr) = 'array' then claim.amr else '[]' end) entry
    where entry.value ->> 'method' in ('totp', 'mfa/phone', 'mfa/webauthn')
      and case when jsonb_typeof(entry.value -> 'timestamp') = 'number'
        then extract(epoch from now()) - (entry.value ->> 'timestamp')::numeric between -60 and extract(epoch from authz.step_up_lasts())
        else false end)
  from (select authz.claims() -> 'amr' as amr) claim
$$;
comment on function authz.has_recent_second_factor() is 'Whether a second factor was used in this session within authz.step_up_lasts(): level aal2 and a time in the claim amr.';
revoke all on function authz.has_recent_second_factor() from public;
grant execute on function authz.has_recent_second_factor() to authenticated;

create function authz.require_step_up() returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if authz.has_recent_second_factor() is not true then
    raise sqlstate 'PT401' using
      message = 'confirm your second factor and try again: verify a code of your authenticator app, or enrol one first';
  end if;
end
$$;
comment on function authz.require_step_up() is 'Raise PT401, which says what to do, unless a second factor was used within authz.step_up_lasts() (F07).';
revoke all on function authz.require_step_up() from public;
grant execute on function authz.require_step_up() to authenticated;

-- ==== 120_permission_helpers.sql ====
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

-- ==== 200_organization.sql ====
-- An organization: the unit of tenancy. Its slug is not unique across organizations, or taking one would tell who exists (R51).
create table app.organization (
  id uuid not null default gen_random_uuid() primary key,
  slug text not null constraint organization_slug_check check (slug ~ '^[a-z0-9][a-z0-9-]{1,39}$'),
  name text not null constraint organization_name_check check (char_length(name) between 1 and 120),
  created_by uuid not null,
  created_at timestamptz not null default now(),
  require_mfa boolean not null default false
);
comment on table app.organization is 'An organization; everything else belongs to exactly one.';
comment on column app.organization.id is 'Random identifier; org_id everywhere else.';
comment on column app.organization.slug is 'Short name its members use; 2..40 of a-z 0-9 -; unique only among the organizations of one person.';
comment on column app.organization.name is 'Display name; 1..120 characters.';
comment on column app.organization.created_by is 'The person who founded it.';
comment on column app.organization.created_at is 'When it was founded.';
comment on column app.organization.require_mfa is 'True: to a token without a second factor this organization does not exist (F06); authz.org_ids() sees to it.';

alter table app.organization enable row level security;
alter table app.organization force row level security;
create policy organization_select_member on app.organization for select to authenticated
  using (id = any (array(select authz.org_ids())));
create policy organization_insert_nobody on app.organization for insert to authenticated
  with check (false);
create policy organization_update_manager on app.organization for update to authenticated
  using (id = any (array(select authz.orgs_with('organization.manage'))))
  with check (id = any (array(select authz.orgs_with('organization.manage'))));
create policy organization_delete_nobody on app.organization for delete to authenticated
  using (false);
create policy organization_floor on app.organization as restrictive for all to authenticated
  using (id = any (array(select authz.org_ids())))
  with check (id = any (array(select authz.org_ids())));
create policy organization_select_owner on app.organization for select to ringfence_owner
  using (created_by = (select authz.uid()));
create policy organization_select_joined_owner on app.organization for select to ringfence_owner
  using (id in (select authz.joined_org_ids()));
create policy organization_insert_owner on app.organization for insert to ringfence_owner
  with check (created_by = (select authz.uid()));
comment on policy organization_select_member on app.organization is 'Members see their organization.';
comment on policy organization_insert_nobody on app.organization is 'Organizations are founded through api.create_organization only.';
comment on policy organization_update_manager on app.organization is 'organization.manage may rename it and, after a step-up, change whether it requires a second factor.';
comment on policy organization_delete_nobody on app.organization is 'Nobody deletes an organization through the API.';
comment on policy organization_floor on app.organization is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy organization_select_owner on app.organization is 'Founding needs to see the organization just founded.';
comment on policy organization_select_joined_owner on app.organization is 'authz.org_ids() sees which of the person''s organizations require a second factor.';
comment on policy organization_insert_owner on app.organization is 'Founding is bound to the person asking.';

grant select on app.organization to authenticated;
grant update (slug, name, require_mfa) on app.organization to authenticated;
grant select, insert (slug, name, created_by) on app.organization to ringfence_owner;

-- ==== 210_permission.sql ====
-- The permission registry: an append-only contract (F10). It belongs to no organization.
create table app.permission (
  name text not null primary key constraint permission_name_check check (name ~ '^[a-z_]+\.[a-z_]+$'),
  description text not null
);
comment on table app.permission is 'Every permission there is; roles can carry no other.';
comment on column app.permission.name is 'resource.action';
comment on column app.permission.description is 'What holding it allows, in one sentence.';

alter table app.permission enable row level security;
alter table app.permission force row level security;
create policy permission_select_person on app.permission for select to authenticated
  using ((select authz.uid()) is not null);
create policy permission_insert_nobody on app.permission for insert to authenticated with check (false);
create policy permission_update_nobody on app.permission for update to authenticated using (false) with check (false);
create policy permission_delete_nobody on app.permission for delete to authenticated using (false);
create policy permission_select_owner on app.permission for select to ringfence_owner
  using ((select authz.uid()) is not null);
comment on policy permission_select_person on app.permission is 'Every signed-in person may read the registry.';
comment on policy permission_insert_nobody on app.permission is 'The registry changes by migration only.';
comment on policy permission_update_nobody on app.permission is 'The registry changes by migration only.';
comment on policy permission_delete_nobody on app.permission is 'The registry changes by migration only.';
comment on policy permission_select_owner on app.permission is 'Founding reads the registry to fill the built-in roles.';
grant select on app.permission to authenticated, ringfence_owner;

insert into app.permission (name, description) values
  ('organization.manage', 'Rename the organization and change its settings.'),
  ('members.read', 'See who belongs to the organization and with which role.'),
  ('members.manage', 'Add, change and remove members, within the permissions one holds.'),
  ('documents.read', 'Read documents shared with the organization, and search them.'),
  ('documents.manage', 'Create knowledge bases; add, replace and delete documents.'),
  ('bots.run', 'Run the bots one is a runner of.'),
  ('bots.manage', 'Create bots, share them and bind them to resources.'),
  ('orders.place', 'Place orders of one''s own.'),
  ('orders.read', 'Read every order of the organization.'),
  ('tickets.create', 'Open support tickets of one''s own.'),
  ('tickets.read', 'Read every support ticket of the organization.'),
  ('tickets.manage', 'Answer and close every support ticket of the organization.'),
  ('runs.read', 'Read the record of every run of the organization, without its text.'),
  ('audit.read', 'Read the audit trail of the organization.');

-- ==== 220_role.sql ====
-- Roles: rows of each organization, so that a membership, its role and its permissions share one org_id.
create table app.role (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  name text not null constraint role_name_check check (name ~ '^[a-z][a-z0-9_-]{1,39}$'),
  built_in boolean not null default false,
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint role_org_id_name_key unique (org_id, name)
);
comment on table app.role is 'A named set of permissions inside one organization.';
comment on column app.role.org_id is 'The organization.';
comment on column app.role.id is 'Random identifier.';
comment on column app.role.name is 'Name within the organization; 2..40 of a-z 0-9 _ -.';
comment on column app.role.built_in is 'True for the roles every organization has.';
comment on column app.role.created_at is 'When it was made.';

create table app.role_permission (
  org_id uuid not null references app.organization (id) on delete cascade,
  role_id uuid not null,
  permission text not null references app.permission (name),
  primary key (org_id, role_id, permission),
  constraint role_permission_org_id_role_id_fkey foreign key (org_id, role_id) references app.role (org_id, id) on delete cascade
);
comment on table app.role_permission is 'The permissions of a role; a foreign key keeps unknown ones out (F10).';
comment on column app.role_permission.org_id is 'The organization.';
comment on column app.role_permission.role_id is 'The role.';
comment on column app.role_permission.permission is 'A name from the registry.';

alter table app.role enable row level security;
alter table app.role force row level security;
create policy role_select_member on app.role for select to authenticated
  using (org_id = any (array(select authz.org_ids())));
create policy role_insert_nobody on app.role for insert to authenticated with check (false);
create policy role_update_nobody on app.role for update to authenticated using (false) with check (false);
create policy role_delete_nobody on app.role for delete to authenticated using (false);
create policy role_floor on app.role as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy role_select_owner on app.role for select to ringfence_owner
  using (org_id = any (array(select authz.org_ids()))
    or org_id in (select o.id from app.organization o where o.created_by = (select authz.uid())));
create policy role_insert_owner on app.role for insert to ringfence_owner
  with check (org_id in (select o.id from app.organization o where o.created_by = (select authz.uid())));
comment on policy role_select_member on app.role is 'Members see the roles of their organization.';
comment on policy role_insert_nobody on app.role is 'Custom roles are not made through the API yet.';
comment on policy role_update_nobody on app.role is 'Roles are not changed through the API yet.';
comment on policy role_delete_nobody on app.role is 'Roles are not deleted through the API yet.';
comment on policy role_floor on app.role is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy role_select_owner on app.role is 'The audit trail names the role at the time; founding needs the role just made.';
comment on policy role_insert_owner on app.role is 'Founding gives the new organization its built-in roles.';
grant select on app.role to authenticated;
grant select, insert (org_id, name, built_in) on app.role to ringfence_owner;

alter table app.role_permission enable row level security;
alter table app.role_permission force row level security;
create policy role_permission_select_member on app.role_permission for select to authenticated
  using (org_id = any (array(select authz.org_ids())));
create policy role_permission_insert_nobody on app.role_permission for insert to authenticated with check (false);
create policy role_permission_update_nobody on app.role_permission for update to authenticated using (false) with check (false);
create policy role_permission_delete_nobody on app.role_permission for delete to authenticated using (false);
create policy role_permission_floor on app.role_permission as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy role_permission_select_owner on app.role_permission for select to ringfence_owner
  using (org_id = any (array(select authz.org_ids())));
create policy role_permission_insert_owner on app.role_permission for insert to ringfence_owner
  with check (org_id in (select o.id from app.organization o where o.created_by = (select authz.uid())));
comment on policy role_permission_select_member on app.role_permission is 'Members see what each role of their organization may do.';
comment on policy role_permission_insert_nobody on app.role_permission is 'Roles are not changed through the API yet.';
comment on policy role_permission_update_nobody on app.role_permission is 'Roles are not changed through the API yet.';
comment on policy role_permission_delete_nobody on app.role_permission is 'Roles are not changed through the API yet.';
comment on policy role_permission_floor on app.role_permission is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy role_permission_select_owner on app.role_permission is 'authz.orgs_with reads the permissions of the person''s own organizations.';
comment on policy role_permission_insert_owner on app.role_permission is 'Founding gives the built-in roles their permissions.';
grant select on app.role_permission to authenticated;
grant select, insert (org_id, role_id, permission) on app.role_permission to ringfence_owner;

create function authz.built_in_roles() returns table (role text, permission text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select 'owner', p.name from app.permission p
  union all
  select 'admin', p.name from app.permission p where p.name <> 'organization.manage'
  union all
  select r.role, unnest(r.permissions) from (values
    ('builder', array['members.read', 'documents.read', 'documents.manage', 'bots.run', 'bots.manage', 'orders.place', 'tickets.create']),
    ('analyst', array['members.read', 'documents.read', 'bots.run', 'orders.read', 'tickets.read']),
    ('agent', array['members.read', 'documents.read', 'bots.run', 'orders.read', 'tickets.create', 'tickets.read', 'tickets.manage']),
    ('member', array['documents.read', 'bots.run', 'orders.place', 'tickets.create']),
    ('auditor', array['members.read', 'bots.run', 'runs.read', 'audit.read'])
  ) r (role, permissions)
$$;
comment on function authz.built_in_roles() is 'The roles every organization starts with, one row a permission. Members of an organization choose none of it.';
revoke all on function authz.built_in_roles() from public;
grant execute on function authz.built_in_roles() to ringfence_owner;

-- ==== 230_audit_event.sql ====
-- The audit trail. Rows are written by triggers only, in the transaction of the act they record: no act without its record.
create table app.audit_event (
  org_id uuid not null references app.organization (id) on delete restrict,
  id uuid not null default gen_random_uuid(),
  at timestamptz not null default clock_timestamp(),
  actor_id uuid,
  actor_kind text not null constraint audit_event_actor_kind_check check (actor_kind in ('user', 'service', 'schedule', 'operator')),
  actor_role text,
  action text not null constraint audit_event_action_check check (action ~ '^[a-z_]+\.(insert|update|delete)$'),
  object_id text,
  run_id uuid,
  changed text[] not null default '{}',
  primary key (org_id, id)
);
create index audit_event_org_id_at_idx on app.audit_event (org_id, at desc);
comment on table app.audit_event is 'What was done, by whom, with which role at the time. Digests and names only, no content.';
comment on column app.audit_event.org_id is 'The organization it happened in.';
comment on column app.audit_event.id is 'Random identifier.';
comment on column app.audit_event.at is 'When the row was written, inside the transaction of the act.';
comment on column app.audit_event.actor_id is 'The person; null for an operator working in the database.';
comment on column app.audit_event.actor_kind is 'user, service, schedule, or operator (someone with a database login).';
comment on column app.audit_event.actor_role is 'The name of the role the actor had in the organization at that moment.';
comment on column app.audit_event.action is 'table.command';
comment on column app.audit_event.object_id is 'The identifier of the row acted on.';
comment on column app.audit_event.run_id is 'The run it was part of, if any.';
comment on column app.audit_event.changed is 'Names of the columns that an update changed.';

alter table app.audit_event enable row level security;
alter table app.audit_event force row level security;
create policy audit_event_select_actor on app.audit_event for select to authenticated
  using (actor_id = (select authz.uid()) or org_id = any (array(select authz.orgs_with('audit.read'))));
create policy audit_event_insert_nobody on app.audit_event for insert to authenticated with check (false);
create policy audit_event_update_nobody on app.audit_event for update to authenticated using (false) with check (false);
create policy audit_event_delete_nobody on app.audit_event for delete to authenticated using (false);
create policy audit_event_floor on app.audit_event as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy audit_event_insert_owner on app.audit_event for insert to ringfence_owner
  with check (actor_id is not distinct from (select authz.uid()));
comment on policy audit_event_select_actor on app.audit_event is 'One sees what one did; audit.read sees the organization''s.';
comment on policy audit_event_insert_nobody on app.audit_event is 'Only the trigger writes here.';
comment on policy audit_event_update_nobody on app.audit_event is 'Append-only.';
comment on policy audit_event_delete_nobody on app.audit_event is 'Append-only.';
comment on policy audit_event_floor on app.audit_event is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy audit_event_insert_owner on app.audit_event is 'Even the trigger cannot write in another person''s name.';
grant select on app.audit_event to authenticated;
grant insert (org_id, actor_id, actor_kind, actor_role, action, object_id, run_id, changed) on app.audit_event to ringfence_owner;

create function authz.tg_audit() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_old jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  v_row jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) else v_old end;
  v_org uuid := coalesce(v_row ->> 'org_id', v_row ->> 'id')::uuid;
begin
  insert into app.audit_event (org_id, actor_id, actor_kind, actor_role, action, object_id, run_id, changed)
  values (
    v_org,
    authz.uid(),
    case when authz.uid() is null then 'operator' else 'user' end,
    (select r.name from app.membership m join app.role r on r.org_id = m.org_id and r.id = m.role_id
      where m.org_id = v_org and m.user_id = authz.uid()),
    tg_table_name || '.' || lower(tg_op),
    coalesce(v_row ->> 'id', v_row ->> 'user_id'),
    case when tg_table_name = 'run' then v_row ->> 'id' else v_row ->> 'run_id' end::uuid,
    case when tg_op = 'UPDATE' then array(
      select n.key from jsonb_each(v_row) n where v_old -> n.key is distinct from n.value order by n.key) else '{}' end);
  return case when tg_op = 'DELETE' then old else new end;
end
$$;
comment on function authz.tg_audit() is 'Trigger: record an insert, update or delete in app.audit_event, in the same transaction.';
revoke all on function authz.tg_audit() from public;
create trigger _900_audit after insert or update or delete on app.organization
  for each row execute function authz.tg_audit();

-- ==== 240_membership.sql ====
-- Who belongs to which organization, with which role. Deleting the row is removing the member: it works on the next request.
create table app.membership (
  org_id uuid not null references app.organization (id) on delete cascade,
  user_id uuid not null references auth.users (id) on delete cascade,
  role_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (org_id, user_id),
  constraint membership_org_id_role_id_fkey foreign key (org_id, role_id) references app.role (org_id, id)
);
-- Every statement starts from the person, so this one index leads with user_id.
create index membership_user_id_idx on app.membership (user_id, org_id) include (role_id);
create index membership_org_id_role_id_idx on app.membership (org_id, role_id);
comment on table app.membership is 'A person''s place in an organization; carries one role.';
comment on column app.membership.org_id is 'The organization.';
comment on column app.membership.user_id is 'The person, as known to Supabase Auth.';
comment on column app.membership.role_id is 'The one role held.';
comment on column app.membership.created_at is 'Since when.';

alter table app.membership enable row level security;
alter table app.membership force row level security;
create policy membership_select_member on app.membership for select to authenticated
  using (user_id = (select authz.uid()) or org_id = any (array(select authz.orgs_with('members.read'))));
create policy membership_insert_manager on app.membership for insert to authenticated
  with check (org_id = any (array(select authz.orgs_with('members.manage'))));
create policy membership_update_manager on app.membership for update to authenticated
  using (org_id = any (array(select authz.orgs_with('members.manage'))))
  with check (org_id = any (array(select authz.orgs_with('members.manage'))));
create policy membership_delete_manager on app.membership for delete to authenticated
  using (user_id = (select authz.uid()) or org_id = any (array(select authz.orgs_with('members.manage'))));
create policy membership_floor on app.membership as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy membership_select_owner on app.membership for select to ringfence_owner
  using (user_id = (select authz.uid()));
create policy membership_insert_owner on app.membership for insert to ringfence_owner
  with check (user_id = (select authz.uid()));
comment on policy membership_select_member on app.membership is 'One sees one''s own memberships; members.read sees the organization''s.';
comment on policy membership_insert_manager on app.membership is 'members.manage adds members, within what the guard trigger lets them grant.';
comment on policy membership_update_manager on app.membership is 'members.manage changes roles, within what the guard trigger lets them grant.';
comment on policy membership_delete_manager on app.membership is 'One may leave; members.manage removes members; the guard trigger keeps the last owner.';
comment on policy membership_floor on app.membership is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy membership_select_owner on app.membership is 'The permission helpers see the memberships of the person asking and no others.';
comment on policy membership_insert_owner on app.membership is 'Founding makes the founder a member.';
grant select, delete on app.membership to authenticated;
grant insert (org_id, user_id, role_id) on app.membership to authenticated;
grant update (role_id) on app.membership to authenticated;
grant select, insert (org_id, user_id, role_id) on app.membership to ringfence_owner;

create function authz.tg_membership_guard() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_org uuid := case when tg_op = 'INSERT' then new.org_id else old.org_id end;
begin
  -- Changes of one organization's members are put in line, so that nobody's own place goes while it is being looked at.
  perform pg_advisory_xact_lock(hashtextextended(v_org::text, 0));
  -- Where policies do not apply (an operator, a restore) or the founder takes the first seat, there is no granter to bound.
  if row_security_active('app.membership') and current_user <> 'ringfence_owner' then
    -- What waited in that line must see what was committed meanwhile.
    if current_setting('transaction_isolation') <> 'read committed' then
      raise sqlstate '25001' using message = 'members are changed in a transaction of isolation level read committed';
    end if;
    -- A granter must hold every permission of the role it gives, and of the role it takes away (F12). Someone whose own place
    -- is gone, perhaps by this very statement, no longer sees any of this and is refused.
    if not v_org = any (array(select authz.org_ids())) or exists (
      select from app.role_permission p
      where p.org_id = v_org
        and (tg_op <> 'INSERT' and p.role_id = old.role_id or tg_op <> 'DELETE' and p.role_id = new.role_id)
        and not v_org = any (array(select authz.orgs_with(p.permission))))
    then
      raise sqlstate '42501' using message = 'you can give or take only roles whose permissions you hold yourself';
    end if;
  end if;
  if tg_op <> 'INSERT' and exists (
    select from app.role r where r.org_id = v_org and r.id = old.role_id and r.name = 'owner' and r.built_in)
  then
    if tg_op = 'DELETE' or new.role_id <> old.role_id then
      if not exists (select from app.membership m where m.org_id = v_org and m.role_id = old.role_id and m.user_id <> old.user_id) then
        raise sqlstate 'PT409' using message = 'an organization keeps at least one owner';
      end if;
    end if;
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end
$$;
comment on function authz.tg_membership_guard() is 'Trigger: nobody grants or takes a role beyond their own permissions (42501), and the last owner stays (PT409).';
revoke all on function authz.tg_membership_guard() from public;
create trigger _100_guard before insert or update or delete on app.membership
  for each row execute function authz.tg_membership_guard();
-- Before a change, not after it: who gives up their own role is recorded with the role they had.
create trigger _900_audit before update or delete on app.membership
  for each row execute function authz.tg_audit();
create trigger _910_audit after insert on app.membership
  for each row execute function authz.tg_audit();

-- ==== 245_step_up.sql ====
-- Which acts need a fresh second factor (F07), said by triggers: the table refuses, whatever function the write comes through.
--   always      organization policy: whether a second factor is required
--   if_enrolled who belongs, with which role: asked of everybody who has a second factor, and where the organization requires one.
--               Asking it of those who have none would stop no thief of a session: with no factor yet, whoever holds it can enrol one.

create function authz.tg_step_up() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_row jsonb := case when tg_op = 'INSERT' then to_jsonb(new) else to_jsonb(old) end;
begin
  -- Where policies do not apply there is no token to look at (an operator, a restore); a founder takes the first seat as ringfence_owner.
  if row_security_active(tg_relid) and current_user <> 'ringfence_owner' then
    if authz.claims() ? 'client_id' then
      raise sqlstate '42501' using message = 'an app acting for you cannot do this: sign in yourself';  -- R44
    end if;
    if tg_argv[0] = 'always'
      or authz.has_second_factor()
      or exists (select from app.organization o where o.id = (v_row ->> 'org_id')::uuid and o.require_mfa)
    then
      -- Leaving takes nothing from anybody else.
      if not coalesce(tg_op = 'DELETE' and (v_row ->> 'user_id')::uuid = authz.uid(), false) then
        perform authz.require_step_up();
      end if;
    end if;
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end
$$;
comment on function authz.tg_step_up() is 'Trigger: PT401 without a fresh second factor, where one is asked for (argument always or if_enrolled); 42501 for an OAuth client.';
revoke all on function authz.tg_step_up() from public;
create trigger _110_step_up before insert or update or delete on app.membership
  for each row execute function authz.tg_step_up('if_enrolled');
create trigger _110_step_up before update of require_mfa on app.organization
  for each row when (old.require_mfa is distinct from new.require_mfa)
  execute function authz.tg_step_up('always');

create function authz.second_factor_missing() returns boolean
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select not authz.is_aal2() and exists (
    select from app.membership m join app.organization o on o.id = m.org_id
    where m.user_id = (select authz.uid()) and o.require_mfa
      and (not (select authz.claims() ? 'org_id') or m.org_id::text = (select authz.claims() ->> 'org_id')))
$$;
comment on function authz.second_factor_missing() is 'Whether an organization of the person is out of sight only because this session used no second factor. Says that, not which.';
revoke all on function authz.second_factor_missing() from public;
grant execute on function authz.second_factor_missing() to authenticated;
alter function authz.second_factor_missing() owner to ringfence_owner;

-- ==== 250_access_token_hook.sql ====
-- Supabase Auth's custom access token hook: organizations in the token, for apps to show, and the choice of one of them.
-- Nothing is allowed because of these claims. org_roles is information, as old as the token; org_id narrows (authz.org_ids()).
grant usage on schema authz to supabase_auth_admin;

create function authz.access_token_hook(event jsonb) returns jsonb
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_person uuid := (access_token_hook.event ->> 'user_id')::uuid;
  -- app_metadata is the operator's: Supabase Auth lets nobody write their own. user_metadata is never read.
  v_chosen text := access_token_hook.event #>> '{claims,app_metadata,org_id}';
  v_claims jsonb := access_token_hook.event -> 'claims';
  v_roles jsonb;
  v_before text := coalesce(current_setting('request.jwt.claims', true), '');
begin
  if v_person is null or jsonb_typeof(v_claims) is distinct from 'object' then
    raise sqlstate '22023' using message = 'the event has no person or no claims';
  end if;
  v_claims := v_claims - 'org_roles' || jsonb_build_object('sub', v_person);
  if v_chosen is not null then
    -- A choice that is no organization of theirs, or no identifier at all, stays in the token: it narrows to nothing.
    if pg_input_is_valid(v_chosen, 'uuid') then
      v_chosen := v_chosen::uuid::text;
    end if;
    v_claims := v_claims || jsonb_build_object('org_id', v_chosen);
  end if;
  -- What the holder of this token would see is what it says: the policies for ringfence_owner answer as for their request.
  perform set_config('request.jwt.claims', v_claims::text, true);
  select jsonb_object_agg(held.org_id, held.role) into v_roles
  from (
    select m.org_id, r.name as role, count(*) over () as organizations
    from app.membership m join app.role r on r.org_id = m.org_id and r.id = m.role_id
    where m.user_id = (select authz.uid()) and m.org_id = any (array(select authz.org_ids()))
  ) held
  where held.organizations <= 32;  -- a token travels with every request
  -- An error undoes the setting with everything else; this is for the call that succeeds.
  perform set_config('request.jwt.claims', v_before, true);
  if v_roles is not null then
    v_claims := v_claims || jsonb_build_object('org_roles', v_roles);
  end if;
  return jsonb_set(access_token_hook.event, '{claims}', v_claims);
end
$$;
comment on function authz.access_token_hook(jsonb) is 'Add to the claims of a token: org_roles {organization id: role name} of what it lets its holder see, left out when that is nothing or more than 32 organizations; org_id when app_metadata.org_id names one, which narrows the token to it.';
revoke all on function authz.access_token_hook(jsonb) from public;
grant execute on function authz.access_token_hook(jsonb) to supabase_auth_admin;
alter function authz.access_token_hook(jsonb) owner to ringfence_owner;

-- ==== 300_bot.sql ====
-- Bots. A bot is never a principal: it holds no rights, it only narrows what its runner's rights reach.
create table app.bot (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  slug text not null constraint bot_slug_check check (slug ~ '^[a-z0-9][a-z0-9-]{1,39}$'),
  name text not null constraint bot_name_check check (char_length(name) between 1 and 120),
  instructions text not null default '' constraint bot_instructions_check check (char_length(instructions) <= 8000),
  version integer not null default 1,
  created_by uuid not null default authz.uid(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint bot_org_id_slug_key unique (org_id, slug)
);
comment on table app.bot is 'An assistant of one organization.';
comment on column app.bot.org_id is 'The organization.';
comment on column app.bot.id is 'Random identifier.';
comment on column app.bot.slug is 'Short name within the organization; 2..40 of a-z 0-9 -.';
comment on column app.bot.name is 'Display name; 1..120 characters.';
comment on column app.bot.instructions is 'What the model is told to do; at most 8000 characters.';
comment on column app.bot.version is 'Counts changes of name or instructions; a run records the version it used.';
comment on column app.bot.created_by is 'Who made it.';
comment on column app.bot.created_at is 'When it was made.';
comment on column app.bot.updated_at is 'When name or instructions last changed.';

-- Who may run it: one person, everyone with a role, or (both null) everyone in the organization.
create table app.bot_runner (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  bot_id uuid not null,
  user_id uuid,
  role_id uuid,
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint bot_runner_bot_id_fkey foreign key (org_id, bot_id) references app.bot (org_id, id) on delete cascade,
  constraint bot_runner_user_id_fkey foreign key (org_id, user_id) references app.membership (org_id, user_id) on delete cascade,
  constraint bot_runner_role_id_fkey foreign key (org_id, role_id) references app.role (org_id, id) on delete cascade,
  constraint bot_runner_one_principal_check check (num_nonnulls(user_id, role_id) <= 1),
  constraint bot_runner_principal_key unique nulls not distinct (org_id, bot_id, user_id, role_id)
);
comment on table app.bot_runner is 'Who may run a bot. Being a runner adds nothing to what one may read (F13).';
comment on column app.bot_runner.org_id is 'The organization.';
comment on column app.bot_runner.id is 'Random identifier.';
comment on column app.bot_runner.bot_id is 'The bot.';
comment on column app.bot_runner.user_id is 'One member, or null.';
comment on column app.bot_runner.role_id is 'Everyone with this role, or null. Both null: everyone in the organization.';
comment on column app.bot_runner.created_at is 'Since when.';

alter table app.bot_runner enable row level security;
alter table app.bot_runner force row level security;
create policy bot_runner_select_runner on app.bot_runner for select to authenticated
  using (org_id = any (array(select authz.orgs_with('bots.manage')))
    or org_id = any (array(select authz.orgs_with('bots.run')))
      and (user_id = (select authz.uid()) or role_id = any (array(select authz.role_ids()))
        or user_id is null and role_id is null));
create policy bot_runner_insert_manager on app.bot_runner for insert to authenticated
  with check (org_id = any (array(select authz.orgs_with('bots.manage'))));
create policy bot_runner_update_nobody on app.bot_runner for update to authenticated using (false) with check (false);
create policy bot_runner_delete_manager on app.bot_runner for delete to authenticated
  using (org_id = any (array(select authz.orgs_with('bots.manage'))));
create policy bot_runner_floor on app.bot_runner as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
comment on policy bot_runner_select_runner on app.bot_runner is 'bots.manage sees all of them; others the rows that let them run a bot.';
comment on policy bot_runner_insert_manager on app.bot_runner is 'bots.manage shares bots.';
comment on policy bot_runner_update_nobody on app.bot_runner is 'Sharing is added and withdrawn, not edited.';
comment on policy bot_runner_delete_manager on app.bot_runner is 'bots.manage withdraws sharing.';
comment on policy bot_runner_floor on app.bot_runner is 'Whatever else is allowed, never outside one''s own organizations.';
grant select, delete on app.bot_runner to authenticated;
grant insert (org_id, bot_id, user_id, role_id) on app.bot_runner to authenticated;
create trigger _900_audit after insert or update or delete on app.bot_runner
  for each row execute function authz.tg_audit();

create function authz.runnable_bots() returns setof uuid
language sql stable rows 10
set search_path = pg_catalog, pg_temp
as $$
  -- Managing a bot is not running it: bots.manage shows more rows of bot_runner than apply to the person.
  select r.bot_id from app.bot_runner r
  where r.org_id = any (array(select authz.orgs_with('bots.run')))
    and (r.user_id = (select authz.uid()) or r.role_id = any (array(select authz.role_ids()))
      or r.user_id is null and r.role_id is null)
$$;
comment on function authz.runnable_bots() is 'The bots the signed-in person may run now.';
revoke all on function authz.runnable_bots() from public;
grant execute on function authz.runnable_bots() to authenticated;

alter table app.bot enable row level security;
alter table app.bot force row level security;
create policy bot_select_runner on app.bot for select to authenticated
  using (org_id = any (array(select authz.orgs_with('bots.manage')))
    or org_id = any (array(select authz.orgs_with('bots.run'))) and id = any (array(select r.bot_id from app.bot_runner r)));
create policy bot_insert_manager on app.bot for insert to authenticated
  with check (org_id = any (array(select authz.orgs_with('bots.manage'))) and created_by = (select authz.uid()));
create policy bot_update_manager on app.bot for update to authenticated
  using (org_id = any (array(select authz.orgs_with('bots.manage'))))
  with check (org_id = any (array(select authz.orgs_with('bots.manage'))));
create policy bot_delete_nobody on app.bot for delete to authenticated using (false);
create policy bot_floor on app.bot as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
comment on policy bot_select_runner on app.bot is 'bots.manage sees every bot; others those shared with them.';
comment on policy bot_insert_manager on app.bot is 'bots.manage makes bots, in their own name.';
comment on policy bot_update_manager on app.bot is 'bots.manage changes bots.';
comment on policy bot_delete_nobody on app.bot is 'The record of its runs names it; withdrawing the sharing puts it out of use.';
comment on policy bot_floor on app.bot is 'Whatever else is allowed, never outside one''s own organizations.';
grant select on app.bot to authenticated;
grant insert (org_id, slug, name, instructions) on app.bot to authenticated;
grant update (slug, name, instructions) on app.bot to authenticated;

create function authz.tg_bot_version() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if (new.name, new.instructions) is distinct from (old.name, old.instructions) then
    new.version := old.version + 1;
    new.updated_at := now();
  end if;
  return new;
end
$$;
comment on function authz.tg_bot_version() is 'Trigger: count a change of name or instructions as a new version.';
revoke all on function authz.tg_bot_version() from public;
create trigger _500_version before update on app.bot for each row execute function authz.tg_bot_version();
create trigger _900_audit after insert or update or delete on app.bot
  for each row execute function authz.tg_audit();

-- ==== 310_knowledge_base.sql ====
-- A knowledge base: a named set of documents. Who may read a document is decided on the document, never by the base.
create table app.knowledge_base (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  slug text not null constraint knowledge_base_slug_check check (slug ~ '^[a-z0-9][a-z0-9-]{1,39}$'),
  name text not null constraint knowledge_base_name_check check (char_length(name) between 1 and 120),
  created_by uuid not null default authz.uid(),
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint knowledge_base_org_id_slug_key unique (org_id, slug)
);
comment on table app.knowledge_base is 'A named set of documents of one organization.';
comment on column app.knowledge_base.org_id is 'The organization.';
comment on column app.knowledge_base.id is 'Random identifier.';
comment on column app.knowledge_base.slug is 'Short name within the organization; 2..40 of a-z 0-9 -.';
comment on column app.knowledge_base.name is 'Display name; 1..120 characters.';
comment on column app.knowledge_base.created_by is 'Who made it.';
comment on column app.knowledge_base.created_at is 'When it was made.';

alter table app.knowledge_base enable row level security;
alter table app.knowledge_base force row level security;
create policy knowledge_base_select_reader on app.knowledge_base for select to authenticated
  using (org_id = any (array(select authz.orgs_with('documents.read'))));
create policy knowledge_base_insert_manager on app.knowledge_base for insert to authenticated
  with check (org_id = any (array(select authz.orgs_with('documents.manage'))) and created_by = (select authz.uid()));
create policy knowledge_base_update_manager on app.knowledge_base for update to authenticated
  using (org_id = any (array(select authz.orgs_with('documents.manage'))))
  with check (org_id = any (array(select authz.orgs_with('documents.manage'))));
create policy knowledge_base_delete_nobody on app.knowledge_base for delete to authenticated using (false);
create policy knowledge_base_floor on app.knowledge_base as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
comment on policy knowledge_base_select_reader on app.knowledge_base is 'documents.read sees the knowledge bases.';
comment on policy knowledge_base_insert_manager on app.knowledge_base is 'documents.manage makes them, in their own name.';
comment on policy knowledge_base_update_manager on app.knowledge_base is 'documents.manage renames them.';
comment on policy knowledge_base_delete_nobody on app.knowledge_base is 'Its documents go one by one: a cascade would pass by the policy on other people''s private ones.';
comment on policy knowledge_base_floor on app.knowledge_base is 'Whatever else is allowed, never outside one''s own organizations.';
grant select on app.knowledge_base to authenticated;
grant insert (org_id, slug, name) on app.knowledge_base to authenticated;
grant update (slug, name) on app.knowledge_base to authenticated;
create trigger _900_audit after insert or update or delete on app.knowledge_base
  for each row execute function authz.tg_audit();

-- ==== 320_document.sql ====
-- Documents. The access rule of a document and of its chunks is the same expression over the same two columns; the foreign key
-- in 330_chunk.sql keeps the copies equal, so retrieval, listing and citation cannot disagree (F26).
create table app.document (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  knowledge_base_id uuid not null,
  title text not null constraint document_title_check check (char_length(title) between 1 and 300),
  uri text not null constraint document_uri_check check (char_length(uri) between 1 and 1000),
  sha256 text not null constraint document_sha256_check check (sha256 ~ '^[0-9a-f]{64}$'),
  visibility text not null default 'organization' constraint document_visibility_check check (visibility in ('organization', 'private')),
  owner_id uuid not null default authz.uid(),
  state text not null default 'loading' constraint document_state_check check (state in ('loading', 'ready')),
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint document_knowledge_base_id_fkey foreign key (org_id, knowledge_base_id) references app.knowledge_base (org_id, id),
  constraint document_access_key unique (org_id, id, knowledge_base_id, visibility, owner_id)
);
-- One ready document a place: a new version loads beside the old one and takes its place in one statement. A private document's
-- place is its owner's own, so that it does not tell others that it exists.
create unique index document_shared_key on app.document (org_id, knowledge_base_id, uri)
  where state = 'ready' and visibility = 'organization';
create unique index document_private_key on app.document (org_id, knowledge_base_id, owner_id, uri)
  where state = 'ready' and visibility = 'private';
create index document_loading_idx on app.document (org_id, owner_id) where state = 'loading';
comment on table app.document is 'A text of a knowledge base.';
comment on column app.document.org_id is 'The organization.';
comment on column app.document.id is 'Random identifier.';
comment on column app.document.knowledge_base_id is 'The knowledge base it is in.';
comment on column app.document.title is 'Title; 1..300 characters.';
comment on column app.document.uri is 'Where it came from; names its place in the knowledge base; 1..1000 characters.';
comment on column app.document.sha256 is 'SHA-256 of the source, hexadecimal.';
comment on column app.document.visibility is 'organization: all with documents.read; private: its owner only.';
comment on column app.document.owner_id is 'Who added it.';
comment on column app.document.state is 'loading until all chunks are in, then ready; only ready documents are found.';
comment on column app.document.created_at is 'When loading began.';

alter table app.document enable row level security;
alter table app.document force row level security;
create policy document_select_reader on app.document for select to authenticated
  using (org_id = any (array(select authz.orgs_with('documents.read')))
    and (visibility = 'organization' or owner_id = (select authz.uid())));
create policy document_insert_manager on app.document for insert to authenticated
  with check (org_id = any (array(select authz.orgs_with('documents.manage'))) and owner_id = (select authz.uid()));
create policy document_update_manager on app.document for update to authenticated
  using (org_id = any (array(select authz.orgs_with('documents.manage')))
    and (visibility = 'organization' or owner_id = (select authz.uid())))
  with check (org_id = any (array(select authz.orgs_with('documents.manage')))
    and (visibility = 'organization' or owner_id = (select authz.uid())));
create policy document_delete_manager on app.document for delete to authenticated
  using (org_id = any (array(select authz.orgs_with('documents.manage')))
    and (visibility = 'organization' or owner_id = (select authz.uid())));
create policy document_floor on app.document as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
comment on policy document_select_reader on app.document is 'documents.read sees shared documents; a private one is its owner''s.';
comment on policy document_insert_manager on app.document is 'documents.manage adds documents, in their own name.';
comment on policy document_update_manager on app.document is 'documents.manage changes documents they can see.';
comment on policy document_delete_manager on app.document is 'documents.manage deletes documents they can see.';
comment on policy document_floor on app.document is 'Whatever else is allowed, never outside one''s own organizations.';
grant select, delete on app.document to authenticated;
grant insert (org_id, knowledge_base_id, title, uri, sha256, visibility) on app.document to authenticated;
grant update (title, visibility, state) on app.document to authenticated;
create trigger _900_audit after insert or update or delete on app.document
  for each row execute function authz.tg_audit();

-- ==== 330_chunk.sql ====
-- Chunks: the passages retrieval ranks. knowledge_base_id, visibility and owner_id are the document's own, held equal by the
-- foreign key, so that the policy stands in the scan of this table and needs no join (F27).
create table app.chunk (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  document_id uuid not null,
  knowledge_base_id uuid not null,
  visibility text not null,
  owner_id uuid not null,
  position integer not null constraint chunk_position_check check (position >= 0),
  content text not null constraint chunk_content_check check (char_length(content) between 1 and 4000),
  start_char integer not null constraint chunk_start_char_check check (start_char >= 0),
  end_char integer not null,
  embedding extensions.vector(384) not null,
  terms tsvector not null generated always as (to_tsvector('pg_catalog.english', content)) stored,
  primary key (org_id, id),
  -- All zero has no direction: its distance to anything is no number.
  constraint chunk_embedding_check check (extensions.vector_norm(embedding) between 0.5 and 2),
  constraint chunk_range_check check (end_char > start_char),
  constraint chunk_document_access_fkey foreign key (org_id, document_id, knowledge_base_id, visibility, owner_id)
    references app.document (org_id, id, knowledge_base_id, visibility, owner_id) on update cascade on delete cascade,
  constraint chunk_org_id_document_id_position_key unique (org_id, document_id, position)
);
create index chunk_org_id_knowledge_base_id_idx on app.chunk (org_id, knowledge_base_id);
comment on table app.chunk is 'A passage of a document, with its embedding and its search terms.';
comment on column app.chunk.org_id is 'The organization.';
comment on column app.chunk.id is 'Random identifier.';
comment on column app.chunk.document_id is 'The document.';
comment on column app.chunk.knowledge_base_id is 'The document''s knowledge base.';
comment on column app.chunk.visibility is 'The document''s visibility.';
comment on column app.chunk.owner_id is 'The document''s owner.';
comment on column app.chunk.position is 'Place among the document''s chunks, from 0.';
comment on column app.chunk.content is 'The passage; 1..4000 characters.';
comment on column app.chunk.start_char is 'First character in the source text, from 0.';
comment on column app.chunk.end_char is 'One past the last character in the source text.';
comment on column app.chunk.embedding is 'Unit vector of 384 numbers (all-MiniLM-L6-v2).';
comment on column app.chunk.terms is 'English full-text terms of the passage.';

alter table app.chunk enable row level security;
alter table app.chunk force row level security;
create policy chunk_select_reader on app.chunk for select to authenticated
  using (org_id = any (array(select authz.orgs_with('documents.read')))
    and (visibility = 'organization' or owner_id = (select authz.uid())));
create policy chunk_insert_manager on app.chunk for insert to authenticated
  with check (org_id = any (array(select authz.orgs_with('documents.manage')))
    and document_id in (select d.id from app.document d where d.state = 'loading' and d.owner_id = (select authz.uid())));
create policy chunk_update_nobody on app.chunk for update to authenticated using (false) with check (false);
create policy chunk_delete_nobody on app.chunk for delete to authenticated using (false);
create policy chunk_floor on app.chunk as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
comment on policy chunk_select_reader on app.chunk is 'The same rule as document_select_reader.';
comment on policy chunk_insert_manager on app.chunk is 'documents.manage adds chunks to a document they are loading themselves; a ready one is never added to.';
comment on policy chunk_update_nobody on app.chunk is 'A changed document is loaded anew.';
comment on policy chunk_delete_nobody on app.chunk is 'Chunks go with their document.';
comment on policy chunk_floor on app.chunk is 'Whatever else is allowed, never outside one''s own organizations.';
grant select on app.chunk to authenticated;
grant insert (org_id, document_id, knowledge_base_id, visibility, owner_id, position, content, start_char, end_char, embedding)
  on app.chunk to authenticated;

-- ==== 340_bot_binding.sql ====
-- What a bot may reach: knowledge bases and tools. A binding narrows a run; it changes nobody's rights (F13, F35).
create table app.bot_binding (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  bot_id uuid not null,
  knowledge_base_id uuid,
  tool text constraint bot_binding_tool_check check (tool ~ '^[a-z_][a-z0-9_]{0,62}$'),
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint bot_binding_bot_id_fkey foreign key (org_id, bot_id) references app.bot (org_id, id) on delete cascade,
  constraint bot_binding_knowledge_base_id_fkey foreign key (org_id, knowledge_base_id)
    references app.knowledge_base (org_id, id) on delete cascade,
  constraint bot_binding_one_target_check check (num_nonnulls(knowledge_base_id, tool) = 1),
  constraint bot_binding_target_key unique nulls not distinct (org_id, bot_id, knowledge_base_id, tool)
);
comment on table app.bot_binding is 'A knowledge base or a tool that runs of a bot may use.';
comment on column app.bot_binding.org_id is 'The organization.';
comment on column app.bot_binding.id is 'Random identifier.';
comment on column app.bot_binding.bot_id is 'The bot.';
comment on column app.bot_binding.knowledge_base_id is 'The knowledge base, or null.';
comment on column app.bot_binding.tool is 'The name of a function of schema api whose comment says @audience bot, or null.';
comment on column app.bot_binding.created_at is 'Since when.';

alter table app.bot_binding enable row level security;
alter table app.bot_binding force row level security;
create policy bot_binding_select_runner on app.bot_binding for select to authenticated
  using (org_id = any (array(select authz.orgs_with('bots.manage')))
    or org_id = any (array(select authz.orgs_with('bots.run'))) and bot_id = any (array(select b.id from app.bot b)));
create policy bot_binding_insert_manager on app.bot_binding for insert to authenticated
  with check (org_id = any (array(select authz.orgs_with('bots.manage'))));
create policy bot_binding_update_nobody on app.bot_binding for update to authenticated using (false) with check (false);
create policy bot_binding_delete_manager on app.bot_binding for delete to authenticated
  using (org_id = any (array(select authz.orgs_with('bots.manage'))));
create policy bot_binding_floor on app.bot_binding as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
comment on policy bot_binding_select_runner on app.bot_binding is 'bots.manage sees all; a runner sees what the bot reaches.';
comment on policy bot_binding_insert_manager on app.bot_binding is 'bots.manage binds.';
comment on policy bot_binding_update_nobody on app.bot_binding is 'Bindings are added and withdrawn, not edited.';
comment on policy bot_binding_delete_manager on app.bot_binding is 'bots.manage unbinds.';
comment on policy bot_binding_floor on app.bot_binding is 'Whatever else is allowed, never outside one''s own organizations.';
grant select, delete on app.bot_binding to authenticated;
grant insert (org_id, bot_id, knowledge_base_id, tool) on app.bot_binding to authenticated;
create trigger _900_audit after insert or update or delete on app.bot_binding
  for each row execute function authz.tg_audit();

-- ==== 400_conversation.sql ====
-- Conversations: private to one person in one organization (F56). There is no argument or column by which to name another.
create table app.conversation (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  user_id uuid not null default authz.uid(),
  bot_id uuid not null,
  digest_key uuid not null default gen_random_uuid(),
  title text not null constraint conversation_title_check check (char_length(title) between 1 and 120),
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint conversation_user_id_key unique (org_id, id, user_id),
  constraint conversation_bot_id_fkey foreign key (org_id, bot_id) references app.bot (org_id, id)
);
create index conversation_org_id_user_id_idx on app.conversation (org_id, user_id, created_at desc);
comment on table app.conversation is 'A person''s conversation with a bot.';
comment on column app.conversation.org_id is 'The organization.';
comment on column app.conversation.id is 'Random identifier.';
comment on column app.conversation.user_id is 'Whose it is.';
comment on column app.conversation.bot_id is 'The bot.';
comment on column app.conversation.digest_key is 'Goes into every digest of its runs: who reads the record but not the conversation cannot check a guess.';
comment on column app.conversation.title is 'The beginning of the first question; 1..120 characters.';
comment on column app.conversation.created_at is 'When it began.';

alter table app.conversation enable row level security;
alter table app.conversation force row level security;
create policy conversation_select_self on app.conversation for select to authenticated
  using (user_id = (select authz.uid()));
create policy conversation_insert_self on app.conversation for insert to authenticated
  with check (user_id = (select authz.uid()) and bot_id = any (array(select b.id from app.bot b)));
create policy conversation_update_nobody on app.conversation for update to authenticated using (false) with check (false);
create policy conversation_delete_nobody on app.conversation for delete to authenticated using (false);
create policy conversation_floor on app.conversation as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
comment on policy conversation_select_self on app.conversation is 'One''s own only.';
comment on policy conversation_insert_self on app.conversation is 'In one''s own name, with a bot one can see.';
comment on policy conversation_update_nobody on app.conversation is 'A conversation does not change hands.';
comment on policy conversation_delete_nobody on app.conversation is 'Retention and erasure come with their own rules.';
comment on policy conversation_floor on app.conversation is 'Whatever else is allowed, never outside one''s own organizations.';
grant select on app.conversation to authenticated;
grant insert (org_id, bot_id, title) on app.conversation to authenticated;

-- ==== 410_run.sql ====
-- Runs: with their steps, the record from which an answer can be reconstructed. It holds names, digests and identifiers; the
-- texts are in the conversation, which only its person reads.
create table app.run (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  user_id uuid not null default authz.uid(),
  bot_id uuid not null,
  bot_version integer not null,
  conversation_id uuid not null,
  question_sha256 text not null constraint run_question_sha256_check check (question_sha256 ~ '^[0-9a-f]{64}$'),
  request_id text constraint run_request_id_check check (request_id ~ '^[A-Za-z0-9._:-]{0,100}$'),
  status text not null default 'running' constraint run_status_check check (status in ('running', 'succeeded', 'failed', 'cancelled')),
  error_code text constraint run_error_code_check check (error_code ~ '^[A-Za-z0-9_]{0,60}$'),
  answer_sha256 text constraint run_answer_sha256_check check (answer_sha256 ~ '^[0-9a-f]{64}$'),
  started_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  primary key (org_id, id),
  constraint run_user_id_key unique (org_id, id, user_id),
  constraint run_bot_id_fkey foreign key (org_id, bot_id) references app.bot (org_id, id),
  constraint run_conversation_id_fkey foreign key (org_id, conversation_id, user_id)
    references app.conversation (org_id, id, user_id) on delete cascade
);
create index run_org_id_user_id_idx on app.run (org_id, user_id, started_at desc);
comment on table app.run is 'One answer being made: a person, a bot and its version, a question.';
comment on column app.run.org_id is 'The organization.';
comment on column app.run.id is 'Random identifier.';
comment on column app.run.user_id is 'The person in whose name everything in the run is done.';
comment on column app.run.bot_id is 'The bot.';
comment on column app.run.bot_version is 'The version of the bot at the start.';
comment on column app.run.conversation_id is 'Where question and answer are kept.';
comment on column app.run.question_sha256 is 'authz.digest() of the question.';
comment on column app.run.request_id is 'The request at the edge that began it.';
comment on column app.run.status is 'running, then once and for all succeeded, failed or cancelled.';
comment on column app.run.error_code is 'Why it failed, as a code.';
comment on column app.run.answer_sha256 is 'authz.digest() of the answer.';
comment on column app.run.started_at is 'When it began.';
comment on column app.run.finished_at is 'When it ended.';

alter table app.run enable row level security;
alter table app.run force row level security;
create policy run_select_self on app.run for select to authenticated
  using (user_id = (select authz.uid()) or org_id = any (array(select authz.orgs_with('runs.read'))));
create policy run_insert_self on app.run for insert to authenticated
  with check (user_id = (select authz.uid()) and org_id = any (array(select authz.orgs_with('bots.run')))
    and bot_id = any (array(select authz.runnable_bots())));
create policy run_update_self on app.run for update to authenticated
  using (user_id = (select authz.uid()) and status = 'running')
  with check (user_id = (select authz.uid()));
create policy run_delete_nobody on app.run for delete to authenticated using (false);
create policy run_floor on app.run as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
comment on policy run_select_self on app.run is 'One''s own; runs.read sees the organization''s.';
comment on policy run_insert_self on app.run is 'In one''s own name, with a bot one is a runner of.';
comment on policy run_update_self on app.run is 'One finishes one''s own run, once.';
comment on policy run_delete_nobody on app.run is 'The record stays.';
comment on policy run_floor on app.run is 'Whatever else is allowed, never outside one''s own organizations.';
grant select on app.run to authenticated;
grant insert (org_id, bot_id, bot_version, conversation_id, question_sha256, request_id) on app.run to authenticated;
grant update (status, error_code, answer_sha256, finished_at) on app.run to authenticated;
create trigger _900_audit after insert or update or delete on app.run
  for each row execute function authz.tg_audit();

-- ==== 420_run_step.sql ====
-- The steps of a run, in order.
create table app.run_step (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  run_id uuid not null,
  user_id uuid not null default authz.uid(),
  position integer not null,
  kind text not null constraint run_step_kind_check check (kind in ('tool', 'model')),
  name text not null constraint run_step_name_check check (name ~ '^[A-Za-z0-9._:/@?-]{1,200}$'),
  provider text constraint run_step_provider_check check (provider ~ '^[A-Za-z0-9._:/@-]{0,200}$'),
  arguments_sha256 text constraint run_step_arguments_sha256_check check (arguments_sha256 ~ '^[0-9a-f]{64}$'),
  sources jsonb not null default '[]' constraint run_step_sources_check check (jsonb_typeof(sources) = 'array'),
  row_count integer constraint run_step_row_count_check check (row_count >= 0),
  input_tokens integer constraint run_step_input_tokens_check check (input_tokens >= 0),
  output_tokens integer constraint run_step_output_tokens_check check (output_tokens >= 0),
  duration_ms integer constraint run_step_duration_ms_check check (duration_ms >= 0),
  outcome text not null constraint run_step_outcome_check check (outcome in ('ok', 'denied', 'not_found', 'invalid', 'conflict', 'failed')),
  sqlstate text,
  created_at timestamptz not null default clock_timestamp(),
  primary key (org_id, id),
  constraint run_step_run_id_fkey foreign key (org_id, run_id, user_id) references app.run (org_id, id, user_id) on delete cascade,
  constraint run_step_position_key unique (org_id, run_id, position)
);
comment on table app.run_step is 'One tool call or model call of a run; a tool call is written in the transaction that made it.';
comment on column app.run_step.org_id is 'The organization.';
comment on column app.run_step.id is 'Random identifier.';
comment on column app.run_step.run_id is 'The run.';
comment on column app.run_step.user_id is 'The person of the run.';
comment on column app.run_step.position is 'Order within the run, from 1.';
comment on column app.run_step.kind is 'tool or model.';
comment on column app.run_step.name is 'The tool or the model; letters, digits and . _ : / @ ? -: a model''s name is what the person''s client says it was.';
comment on column app.run_step.provider is 'Who served the model.';
comment on column app.run_step.arguments_sha256 is 'authz.digest() of the tool''s name and arguments in canonical JSON.';
comment on column app.run_step.sources is 'What was returned: identifiers of documents, chunks and rows, no content.';
comment on column app.run_step.row_count is 'Rows returned.';
comment on column app.run_step.input_tokens is 'Tokens sent to the model.';
comment on column app.run_step.output_tokens is 'Tokens received from the model.';
comment on column app.run_step.duration_ms is 'Milliseconds it took.';
comment on column app.run_step.outcome is 'ok, denied, not_found, invalid, conflict or failed.';
comment on column app.run_step.sqlstate is 'The SQLSTATE of a tool call that did not succeed.';
comment on column app.run_step.created_at is 'When it was written.';

alter table app.run_step enable row level security;
alter table app.run_step force row level security;
create policy run_step_select_self on app.run_step for select to authenticated
  using (user_id = (select authz.uid()) or org_id = any (array(select authz.orgs_with('runs.read'))));
create policy run_step_insert_self on app.run_step for insert to authenticated
  with check (user_id = (select authz.uid())
    and run_id in (select r.id from app.run r where r.user_id = (select authz.uid()) and r.status = 'running'));
create policy run_step_update_nobody on app.run_step for update to authenticated using (false) with check (false);
create policy run_step_delete_nobody on app.run_step for delete to authenticated using (false);
create policy run_step_floor on app.run_step as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
comment on policy run_step_select_self on app.run_step is 'One''s own; runs.read sees the organization''s.';
comment on policy run_step_insert_self on app.run_step is 'Into one''s own running run.';
comment on policy run_step_update_nobody on app.run_step is 'Append-only.';
comment on policy run_step_delete_nobody on app.run_step is 'Append-only.';
comment on policy run_step_floor on app.run_step is 'Whatever else is allowed, never outside one''s own organizations.';
grant select on app.run_step to authenticated;
grant insert (org_id, run_id, position, kind, name, provider, arguments_sha256, sources, row_count, input_tokens, output_tokens,
  duration_ms, outcome, sqlstate) on app.run_step to authenticated;

-- ==== 430_message.sql ====
-- Messages: what was asked and answered. Like the conversation, for its person only.
create table app.message (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  conversation_id uuid not null,
  user_id uuid not null default authz.uid(),
  run_id uuid not null,
  role text not null constraint message_role_check check (role in ('user', 'assistant')),
  content text not null constraint message_content_check check (char_length(content) <= 100000),
  citations jsonb not null default '[]' constraint message_citations_check check (jsonb_typeof(citations) = 'array'),
  created_at timestamptz not null default clock_timestamp(),
  primary key (org_id, id),
  constraint message_conversation_id_fkey foreign key (org_id, conversation_id, user_id)
    references app.conversation (org_id, id, user_id) on delete cascade,
  constraint message_run_id_fkey foreign key (org_id, run_id, user_id) references app.run (org_id, id, user_id) on delete cascade
);
create index message_org_id_conversation_id_idx on app.message (org_id, conversation_id, created_at);
comment on table app.message is 'A question or an answer.';
comment on column app.message.org_id is 'The organization.';
comment on column app.message.id is 'Random identifier.';
comment on column app.message.conversation_id is 'The conversation.';
comment on column app.message.user_id is 'Whose conversation it is.';
comment on column app.message.run_id is 'The run that took the question or made the answer.';
comment on column app.message.role is 'user or assistant.';
comment on column app.message.content is 'The text; at most 100000 characters.';
comment on column app.message.citations is 'What an answer cites: document, chunk, range, hash, score.';
comment on column app.message.created_at is 'When it was written.';

alter table app.message enable row level security;
alter table app.message force row level security;
create policy message_select_self on app.message for select to authenticated
  using (user_id = (select authz.uid()));
create policy message_insert_self on app.message for insert to authenticated
  with check (user_id = (select authz.uid()));
create policy message_update_nobody on app.message for update to authenticated using (false) with check (false);
create policy message_delete_nobody on app.message for delete to authenticated using (false);
create policy message_floor on app.message as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
comment on policy message_select_self on app.message is 'One''s own only.';
comment on policy message_insert_self on app.message is 'Into one''s own conversations; the foreign key carries the person.';
comment on policy message_update_nobody on app.message is 'What was said stays said.';
comment on policy message_delete_nobody on app.message is 'Retention and erasure come with their own rules.';
comment on policy message_floor on app.message is 'Whatever else is allowed, never outside one''s own organizations.';
grant select on app.message to authenticated;
grant insert (org_id, conversation_id, run_id, role, content, citations) on app.message to authenticated;

-- ==== 500_customer_order.sql ====
-- Orders of the example domain: a customer sees their own; staff with orders.read see the organization's.
create table app.customer_order (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  user_id uuid not null default authz.uid(),
  order_number text not null constraint customer_order_order_number_check check (order_number ~ '^[A-Z]{2,6}-[0-9]{3,10}$'),
  status text not null default 'placed' constraint customer_order_status_check
    check (status in ('placed', 'paid', 'shipped', 'delivered', 'cancelled')),
  total_cents bigint not null constraint customer_order_total_cents_check check (total_cents between 0 and 100000000),
  currency text not null constraint customer_order_currency_check check (currency ~ '^[A-Z]{3}$'),
  items jsonb not null default '[]' constraint customer_order_items_check
    check (jsonb_typeof(items) = 'array' and octet_length(items::text) <= 8192),
  placed_at timestamptz not null default now(),
  primary key (org_id, id),
  -- The person is part of the key: placing an order must not tell whether somebody else has that number.
  constraint customer_order_order_number_key unique (org_id, user_id, order_number)
);
comment on table app.customer_order is 'An order of a customer.';
comment on column app.customer_order.org_id is 'The organization that sells.';
comment on column app.customer_order.id is 'Random identifier.';
comment on column app.customer_order.user_id is 'The customer.';
comment on column app.customer_order.order_number is 'As printed on the order, like ORD-1042.';
comment on column app.customer_order.status is 'placed, paid, shipped, delivered or cancelled.';
comment on column app.customer_order.total_cents is 'Total in hundredths of the currency; 0..100000000.';
comment on column app.customer_order.currency is 'ISO 4217 code.';
comment on column app.customer_order.items is 'What was ordered: a list of {name, quantity}; at most 8192 bytes.';
comment on column app.customer_order.placed_at is 'When it was placed.';

alter table app.customer_order enable row level security;
alter table app.customer_order force row level security;
create policy customer_order_select_customer on app.customer_order for select to authenticated
  using (user_id = (select authz.uid()) or org_id = any (array(select authz.orgs_with('orders.read'))));
create policy customer_order_insert_customer on app.customer_order for insert to authenticated
  with check (user_id = (select authz.uid()) and org_id = any (array(select authz.orgs_with('orders.place'))));
create policy customer_order_update_nobody on app.customer_order for update to authenticated using (false) with check (false);
create policy customer_order_delete_nobody on app.customer_order for delete to authenticated using (false);
create policy customer_order_floor on app.customer_order as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
comment on policy customer_order_select_customer on app.customer_order is 'One''s own; orders.read sees the organization''s.';
comment on policy customer_order_insert_customer on app.customer_order is 'orders.place, in one''s own name.';
comment on policy customer_order_update_nobody on app.customer_order is 'The shop''s own system changes orders.';
comment on policy customer_order_delete_nobody on app.customer_order is 'Orders stay.';
comment on policy customer_order_floor on app.customer_order is 'Whatever else is allowed, never outside one''s own organizations.';
grant select on app.customer_order to authenticated;
grant insert (org_id, order_number, total_cents, currency, items) on app.customer_order to authenticated;
create trigger _900_audit after insert or update or delete on app.customer_order
  for each row execute function authz.tg_audit();

-- ==== 510_support_ticket.sql ====
-- Support tickets of the example domain: a customer sees their own; staff with tickets.read see the organization's.
create table app.support_ticket (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  user_id uuid not null default authz.uid(),
  order_id uuid,
  subject text not null constraint support_ticket_subject_check check (char_length(subject) between 1 and 200),
  body text not null constraint support_ticket_body_check check (char_length(body) between 1 and 8000),
  status text not null default 'open' constraint support_ticket_status_check check (status in ('open', 'pending', 'closed')),
  idempotency_key uuid not null default gen_random_uuid(),
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint support_ticket_order_id_fkey foreign key (org_id, order_id) references app.customer_order (org_id, id),
  constraint support_ticket_idempotency_key_key unique (org_id, user_id, idempotency_key)
);
comment on table app.support_ticket is 'A customer''s request for help.';
comment on column app.support_ticket.org_id is 'The organization asked.';
comment on column app.support_ticket.id is 'Random identifier.';
comment on column app.support_ticket.user_id is 'The customer.';
comment on column app.support_ticket.order_id is 'The order it is about, or null.';
comment on column app.support_ticket.subject is 'One line; 1..200 characters.';
comment on column app.support_ticket.body is 'The request; 1..8000 characters.';
comment on column app.support_ticket.status is 'open, pending or closed.';
comment on column app.support_ticket.idempotency_key is 'Chosen by the caller: the same key again is the same ticket.';
comment on column app.support_ticket.created_at is 'When it was opened.';

alter table app.support_ticket enable row level security;
alter table app.support_ticket force row level security;
create policy support_ticket_select_customer on app.support_ticket for select to authenticated
  using (user_id = (select authz.uid()) or org_id = any (array(select authz.orgs_with('tickets.read'))));
create policy support_ticket_insert_customer on app.support_ticket for insert to authenticated
  with check (user_id = (select authz.uid()) and org_id = any (array(select authz.orgs_with('tickets.create')))
    -- A ticket names only an order its author can see: the foreign key alone would accept a colleague's.
    and (order_id is null or order_id in (select o.id from app.customer_order o)));
create policy support_ticket_update_staff on app.support_ticket for update to authenticated
  using (org_id = any (array(select authz.orgs_with('tickets.manage'))))
  with check (org_id = any (array(select authz.orgs_with('tickets.manage'))));
create policy support_ticket_delete_nobody on app.support_ticket for delete to authenticated using (false);
create policy support_ticket_floor on app.support_ticket as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
comment on policy support_ticket_select_customer on app.support_ticket is 'One''s own; tickets.read sees the organization''s.';
comment on policy support_ticket_insert_customer on app.support_ticket is 'tickets.create, in one''s own name, about an order one can see.';
comment on policy support_ticket_update_staff on app.support_ticket is 'tickets.manage changes the status.';
comment on policy support_ticket_delete_nobody on app.support_ticket is 'Tickets stay.';
comment on policy support_ticket_floor on app.support_ticket is 'Whatever else is allowed, never outside one''s own organizations.';
grant select on app.support_ticket to authenticated;
grant insert (org_id, order_id, subject, body, idempotency_key) on app.support_ticket to authenticated;
grant update (status) on app.support_ticket to authenticated;
create trigger _900_audit after insert or update or delete on app.support_ticket
  for each row execute function authz.tg_audit();

-- ==== 600_api_catalog.sql ====
-- What can be called, and by whom: the one catalog the edge, the agent and the docs read. The comment of a function is its schema:
--   first line   what it does                 @param NAME    meaning; bounds      @context NAME  supplied by the run, never by a model
--   @audience    bot (may be bound to a bot; apps may call it too) or app         @returns, @errors, @effect read|write|destructive

create function authz.is_tool(name text) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from pg_proc p
    where p.pronamespace = 'api'::regnamespace and p.proname = is_tool.name
      and obj_description(p.oid, 'pg_proc') ~ '(^|\n)@audience +bot\M')
$$;
comment on function authz.is_tool(text) is 'Whether schema api has a function of this name that may be bound to bots.';
revoke all on function authz.is_tool(text) from public;
grant execute on function authz.is_tool(text) to authenticated;

create function api.tool_catalog() returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'name', p.proname,
    'comment', obj_description(p.oid, 'pg_proc'),
    'volatility', case p.provolatile when 'v' then 'volatile' else 'stable' end,
    'returns', pg_get_function_result(p.oid),
    'arguments', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'name', p.proargnames[a.n], 'type', format_type(a.type, null), 'required', a.n <= p.pronargs - p.pronargdefaults)
        order by a.n), '[]')
      from unnest(p.proargtypes) with ordinality a (type, n))
  ) order by p.proname), '[]')
  from pg_proc p
  where p.pronamespace = 'api'::regnamespace and has_function_privilege(p.oid, 'execute')
$$;
comment on function api.tool_catalog() is $c$List the functions you may call, with their arguments and descriptions.

@audience app
@returns  array of {name, comment, volatility, returns, arguments: [{name, type, required}]}; by name
@effect   read$c$;
revoke all on function api.tool_catalog() from public;
grant execute on function api.tool_catalog() to authenticated;

create function api.whoami() returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object(
    'user_id', authz.uid(),
    'email', authz.claims() ->> 'email',
    'aal', case when authz.is_aal2() then 'aal2' else 'aal1' end,
    'second_factor_missing', authz.second_factor_missing(),
    'organizations', coalesce((
      select jsonb_agg(jsonb_build_object('id', o.id, 'slug', o.slug, 'name', o.name, 'role', r.name,
        'permissions', (select coalesce(jsonb_agg(p.permission order by p.permission), '[]') from app.role_permission p
          where p.org_id = m.org_id and p.role_id = m.role_id)) order by o.slug, o.id)
      from app.membership m
      join app.organization o on o.id = m.org_id
      join app.role r on r.org_id = m.org_id and r.id = m.role_id
      where m.user_id = authz.uid()), '[]'))
$$;
comment on function api.whoami() is $c$Tell who you are, and your organizations with your role and permissions in each.

@audience app
@returns  {user_id, email, aal, second_factor_missing (true: sign in with it to see more), organizations: [{id, slug, name, role, permissions}]}
@effect   read$c$;
revoke all on function api.whoami() from public;
grant execute on function api.whoami() to authenticated;

-- ==== 605_run_helpers.sql ====
-- What a run may use: read at every call, so that unsharing or unbinding works in the middle of a run.

create function authz.running(run_id uuid) returns app.run
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run app.run;
begin
  -- runs.read shows other people's runs; only one's own can be acted in, and only while one may still run its bot.
  select r.* into v_run from app.run r
  where r.id = running.run_id and r.user_id = authz.uid() and r.status = 'running'
    and r.bot_id = any (array(select authz.runnable_bots()));
  if not found then
    raise sqlstate 'PT404' using message = 'no such running run of yours';
  end if;
  return v_run;
end
$$;
comment on function authz.running(uuid) is 'The caller''s own running run; PT404 for any other, or when the bot is no longer theirs to run.';
revoke all on function authz.running(uuid) from public;
grant execute on function authz.running(uuid) to authenticated;

create function authz.digest(org_id uuid, conversation_id uuid, content text) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select encode(sha256(convert_to(c.digest_key || ' ' || digest.content, 'UTF8')), 'hex')
  from app.conversation c where c.org_id = digest.org_id and c.id = digest.conversation_id
$$;
comment on function authz.digest(uuid, uuid, text) is 'SHA-256, hexadecimal, of the key of one''s own conversation, a space and the content; null for another''s conversation. An order number has so few values that a bare hash would give it back.';
revoke all on function authz.digest(uuid, uuid, text) from public;
grant execute on function authz.digest(uuid, uuid, text) to authenticated;

create function authz.run_knowledge_bases(org_id uuid, run_id uuid) returns uuid[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run app.run := authz.running(run_knowledge_bases.run_id);
begin
  if v_run.org_id is distinct from run_knowledge_bases.org_id then
    raise sqlstate 'PT404' using message = 'no such running run of yours';
  end if;
  return array(select b.knowledge_base_id from app.bot_binding b
    where b.org_id = v_run.org_id and b.bot_id = v_run.bot_id and b.knowledge_base_id is not null);
end
$$;
comment on function authz.run_knowledge_bases(uuid, uuid) is 'The knowledge bases the bot of a running run is bound to now; PT404 when the run is not the caller''s in that organization.';
revoke all on function authz.run_knowledge_bases(uuid, uuid) from public;
grant execute on function authz.run_knowledge_bases(uuid, uuid) to authenticated;

create function authz.run_tools(org_id uuid, bot_id uuid) returns text[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(b.tool order by b.tool), '{}') from app.bot_binding b
  where b.org_id = run_tools.org_id and b.bot_id = run_tools.bot_id and b.tool is not null and authz.is_tool(b.tool)
$$;
comment on function authz.run_tools(uuid, uuid) is 'The tools a bot is bound to now.';
revoke all on function authz.run_tools(uuid, uuid) from public;
grant execute on function authz.run_tools(uuid, uuid) to authenticated;

-- ==== 610_api_organization.sql ====
-- Founding an organization, and its members.

create function authz.found_organization(slug text, name text) returns uuid
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_org uuid;
begin
  if authz.uid() is null or authz.claims() -> 'is_anonymous' = 'true' then
    raise sqlstate '42501' using message = 'sign in to found an organization';
  end if;
  -- One at a time for one person, or the count could be passed.
  perform pg_advisory_xact_lock(hashtextextended(authz.uid()::text, 1));
  if (select count(*) from app.organization o where o.created_by = authz.uid()) >= 50 then
    raise sqlstate 'PT429' using message = 'you have founded 50 organizations, the most one person may';
  end if;
  insert into app.organization (slug, name, created_by) values (found_organization.slug, found_organization.name, authz.uid())
    returning id into v_org;
  insert into app.role (org_id, name, built_in) select v_org, b.role, true from authz.built_in_roles() b group by b.role;
  insert into app.role_permission (org_id, role_id, permission)
    select v_org, r.id, b.permission from authz.built_in_roles() b join app.role r on r.org_id = v_org and r.name = b.role;
  insert into app.membership (org_id, user_id, role_id)
    select v_org, authz.uid(), r.id from app.role r where r.org_id = v_org and r.name = 'owner';
  return v_org;
end
$$;
comment on function authz.found_organization(text, text) is 'Make an organization with its built-in roles and the person asking as its owner; bound to authz.uid(), returns the new id.';
revoke all on function authz.found_organization(text, text) from public;
grant execute on function authz.found_organization(text, text) to authenticated;
alter function authz.found_organization(text, text) owner to ringfence_owner;

create function api.create_organization(slug text, name text) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require(slug ~ '^[a-z0-9][a-z0-9-]{1,39}$', 'slug: 2..40 of a-z, 0-9 and -');
  perform authz.require(char_length(name) between 1 and 120, 'name: 1..120 characters');
  if exists (select from app.organization o where o.slug = create_organization.slug) then
    -- Only one's own organizations are visible here, so this tells nothing about anyone else's.
    raise sqlstate 'PT409' using message = 'you already belong to an organization of that slug';
  end if;
  return jsonb_build_object('id', authz.found_organization(create_organization.slug, create_organization.name), 'slug', slug);
end
$$;
comment on function api.create_organization(text, text) is $c$Found an organization and become its owner.

@audience app
@param slug  short name; 2..40 of a-z, 0-9 and -
@param name  display name; 1..120 characters
@returns     {id, slug}
@errors      22023, PT409, PT429
@effect      write$c$;
revoke all on function api.create_organization(text, text) from public;
grant execute on function api.create_organization(text, text) to authenticated;

create function authz.role_named(org_id uuid, role text) returns uuid
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_role uuid := (select r.id from app.role r where r.org_id = role_named.org_id and r.name = role_named.role);
begin
  if v_role is null then
    raise sqlstate 'PT404' using message = 'no such role in this organization';
  end if;
  return v_role;
end
$$;
comment on function authz.role_named(uuid, text) is 'The id of a role the person can see, by its name; PT404 otherwise.';
revoke all on function authz.role_named(uuid, text) from public;
grant execute on function authz.role_named(uuid, text) to authenticated;

create function api.list_members(org_id uuid) returns table (user_id uuid, role text, since timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_members.org_id);
  return query
    select m.user_id, r.name, m.created_at
    from app.membership m join app.role r on r.org_id = m.org_id and r.id = m.role_id
    where m.org_id = list_members.org_id
    order by m.created_at, m.user_id;
end
$$;
comment on function api.list_members(uuid) is $c$List the members of an organization; without members.read, only yourself.

@audience app
@param org_id  the organization
@returns       array of {user_id, role, since}; oldest first
@errors        22004
@effect        read$c$;
revoke all on function api.list_members(uuid) from public;
grant execute on function api.list_members(uuid) to authenticated;

create function api.add_member(org_id uuid, user_id uuid, role text) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(add_member.org_id);
  perform authz.require(add_member.user_id is not null, 'user_id: name the person');
  insert into app.membership (org_id, user_id, role_id)
  values (add_member.org_id, add_member.user_id, authz.role_named(add_member.org_id, add_member.role));
  return jsonb_build_object('user_id', add_member.user_id, 'role', add_member.role);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'already a member';
  when foreign_key_violation then raise sqlstate 'PT404' using message = 'no such person';
end
$$;
comment on function api.add_member(uuid, uuid, text) is $c$Add a person to an organization with a role whose permissions you hold yourself.

@audience app
@param org_id   the organization
@param user_id  the person, as known to Supabase Auth
@param role     name of a role of the organization
@returns        {user_id, role}
@errors         22004, 22023, 42501, PT401, PT404, PT409
@effect         write$c$;
revoke all on function api.add_member(uuid, uuid, text) from public;
grant execute on function api.add_member(uuid, uuid, text) to authenticated;

create function api.change_member(org_id uuid, user_id uuid, role text) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(change_member.org_id);
  update app.membership m set role_id = authz.role_named(change_member.org_id, change_member.role)
  where m.org_id = change_member.org_id and m.user_id = change_member.user_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such member, or not yours to change';
  end if;
  return jsonb_build_object('user_id', change_member.user_id, 'role', change_member.role);
end
$$;
comment on function api.change_member(uuid, uuid, text) is $c$Give a member another role; you must hold every permission of both roles.

@audience app
@param org_id   the organization
@param user_id  the member
@param role     name of a role of the organization
@returns        {user_id, role}
@errors         22004, 42501, PT401, PT404, PT409
@effect         write$c$;
revoke all on function api.change_member(uuid, uuid, text) from public;
grant execute on function api.change_member(uuid, uuid, text) to authenticated;

create function api.remove_member(org_id uuid, user_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(remove_member.org_id);
  delete from app.membership m where m.org_id = remove_member.org_id and m.user_id = remove_member.user_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such member, or not yours to change';
  end if;
  return jsonb_build_object('user_id', remove_member.user_id, 'role', null);
end
$$;
comment on function api.remove_member(uuid, uuid) is $c$Remove a member, or leave the organization yourself; it takes effect on the next request, whatever the token says.

@audience app
@param org_id   the organization
@param user_id  the member
@returns        {user_id, role: null}
@errors         22004, 42501, PT401, PT404, PT409
@effect         destructive$c$;
revoke all on function api.remove_member(uuid, uuid) from public;
grant execute on function api.remove_member(uuid, uuid) to authenticated;

-- ==== 615_api_security.sql ====
-- What an organization asks of its members' sign-in.

create function api.set_mfa_policy(org_id uuid, required boolean) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(set_mfa_policy.org_id);
  perform authz.require(set_mfa_policy.required is not null, 'required: true or false');
  -- Asked before anything is looked up, so the answer is the same for every organization there is or is not.
  perform authz.require_step_up();
  update app.organization o set require_mfa = set_mfa_policy.required where o.id = set_mfa_policy.org_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such organization, or not yours to manage';
  end if;
  return jsonb_build_object('org_id', set_mfa_policy.org_id, 'require_mfa', set_mfa_policy.required);
end
$$;
comment on function api.set_mfa_policy(uuid, boolean) is $c$Say whether an organization can be seen only by members who signed in with a second factor; works on their next request.

@audience app
@param org_id    the organization; needs organization.manage and a recent second factor of your own
@param required  true or false
@returns         {org_id, require_mfa}
@errors          22004, 22023, 42501, PT401, PT404
@effect          write$c$;
revoke all on function api.set_mfa_policy(uuid, boolean) from public;
grant execute on function api.set_mfa_policy(uuid, boolean) to authenticated;

-- ==== 620_api_documents.sql ====
-- Knowledge bases and documents: loading a text in batches, and taking the place of its earlier version in one statement.

create function api.create_knowledge_base(org_id uuid, slug text, name text) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform authz.require_org(create_knowledge_base.org_id);
  insert into app.knowledge_base (org_id, slug, name)
  values (create_knowledge_base.org_id, create_knowledge_base.slug, create_knowledge_base.name) returning id into v_id;
  return jsonb_build_object('id', v_id);
exception when unique_violation then
  raise sqlstate 'PT409' using message = 'the organization has a knowledge base of that slug';
end
$$;
comment on function api.create_knowledge_base(uuid, text, text) is $c$Create a knowledge base.

@audience app
@param org_id  the organization
@param slug    short name; 2..40 of a-z, 0-9 and -
@param name    display name; 1..120 characters
@returns       {id}
@errors        22004, 23514, 42501, PT409
@effect        write$c$;
revoke all on function api.create_knowledge_base(uuid, text, text) from public;
grant execute on function api.create_knowledge_base(uuid, text, text) to authenticated;

create function api.list_knowledge_bases(org_id uuid)
returns table (id uuid, slug text, name text, documents bigint, chunks bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_knowledge_bases.org_id);
  return query
    select k.id, k.slug, k.name,
      (select count(*) from app.document d where d.org_id = k.org_id and d.knowledge_base_id = k.id and d.state = 'ready'),
      (select count(*) from app.chunk c join app.document d on d.org_id = c.org_id and d.id = c.document_id
        where c.org_id = k.org_id and c.knowledge_base_id = k.id and d.state = 'ready')
    from app.knowledge_base k
    where k.org_id = list_knowledge_bases.org_id
    order by k.slug;
end
$$;
comment on function api.list_knowledge_bases(uuid) is $c$List the knowledge bases of an organization, counting the documents and chunks you may read.

@audience app
@param org_id  the organization
@returns       array of {id, slug, name, documents, chunks}; by slug
@errors        22004
@effect        read$c$;
revoke all on function api.list_knowledge_bases(uuid) from public;
grant execute on function api.list_knowledge_bases(uuid) to authenticated;

create function api.list_documents(org_id uuid, knowledge_base_id uuid)
returns table (id uuid, title text, uri text, sha256 text, visibility text, owner_id uuid, state text, created_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_documents.org_id);
  return query
    select d.id, d.title, d.uri, d.sha256, d.visibility, d.owner_id, d.state, d.created_at
    from app.document d
    where d.org_id = list_documents.org_id and d.knowledge_base_id = list_documents.knowledge_base_id
    order by d.uri, d.id
    limit 1000;
end
$$;
comment on function api.list_documents(uuid, uuid) is $c$List the documents of a knowledge base that you may read.

@audience app
@param org_id             the organization
@param knowledge_base_id  the knowledge base
@returns                  array of at most 1000 {id, title, uri, sha256, visibility, owner_id, state, created_at}; by uri
@errors                   22004
@effect                   read$c$;
revoke all on function api.list_documents(uuid, uuid) from public;
grant execute on function api.list_documents(uuid, uuid) to authenticated;

create function api.begin_document(
  org_id uuid, knowledge_base_id uuid, title text, uri text, sha256 text, visibility text default 'organization')
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform authz.require_org(begin_document.org_id);
  if not exists (select from app.knowledge_base k where k.org_id = begin_document.org_id and k.id = begin_document.knowledge_base_id) then
    raise sqlstate 'PT404' using message = 'no such knowledge base';
  end if;
  select d.id into v_id from app.document d
  where d.org_id = begin_document.org_id and d.knowledge_base_id = begin_document.knowledge_base_id and d.state = 'ready'
    and d.uri = begin_document.uri and d.sha256 = begin_document.sha256
    and d.visibility = begin_document.visibility and (d.visibility = 'organization' or d.owner_id = authz.uid());
  if found then
    return jsonb_build_object('document_id', v_id, 'state', 'unchanged');
  end if;
  -- What this person left half loaded at this place is of no use to anyone.
  delete from app.document d
  where d.org_id = begin_document.org_id and d.knowledge_base_id = begin_document.knowledge_base_id and d.state = 'loading'
    and d.uri = begin_document.uri and d.owner_id = authz.uid();
  insert into app.document (org_id, knowledge_base_id, title, uri, sha256, visibility)
  values (begin_document.org_id, begin_document.knowledge_base_id, begin_document.title, begin_document.uri, begin_document.sha256,
    begin_document.visibility)
  returning id into v_id;
  return jsonb_build_object('document_id', v_id, 'state', 'loading');
end
$$;
comment on function api.begin_document(uuid, uuid, text, text, text, text) is $c$Begin to load a document, or learn that it is there unchanged.

@audience app
@param org_id             the organization
@param knowledge_base_id  the knowledge base
@param title              title; 1..300 characters
@param uri                where it comes from; names its place; 1..1000 characters
@param sha256             SHA-256 of the source, hexadecimal; 64..64 characters
@param visibility         organization or private
@returns                  {document_id, state: loading or unchanged}
@errors                   22004, 23514, 42501, PT404
@effect                   write$c$;
revoke all on function api.begin_document(uuid, uuid, text, text, text, text) from public;
grant execute on function api.begin_document(uuid, uuid, text, text, text, text) to authenticated;

create function api.add_chunks(org_id uuid, document_id uuid, chunks jsonb) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_document app.document;
begin
  perform authz.require_org(add_chunks.org_id);
  perform authz.require(jsonb_typeof(chunks) = 'array', 'chunks: an array');
  perform authz.require(jsonb_array_length(chunks) between 1 and 64, 'chunks: 1..64 a call');
  select d.* into v_document from app.document d
  where d.org_id = add_chunks.org_id and d.id = add_chunks.document_id and d.state = 'loading' and d.owner_id = authz.uid();
  if not found then
    raise sqlstate 'PT404' using message = 'no such document being loaded by you';
  end if;
  insert into app.chunk (org_id, document_id, knowledge_base_id, visibility, owner_id, position, content, start_char, end_char, embedding)
  select v_document.org_id, v_document.id, v_document.knowledge_base_id, v_document.visibility, v_document.owner_id,
    (c ->> 'position')::integer, c ->> 'content', (c ->> 'start_char')::integer, (c ->> 'end_char')::integer,
    (c ->> 'embedding')::extensions.vector
  from jsonb_array_elements(chunks) c;
  return jsonb_build_object('chunks',
    (select count(*) from app.chunk c where c.org_id = v_document.org_id and c.document_id = v_document.id));
end
$$;
comment on function api.add_chunks(uuid, uuid, jsonb) is $c$Add passages to a document being loaded.

@audience app
@param org_id       the organization
@param document_id  the document, as begin_document answered
@param chunks       array of 1..64 {position, content: 1..4000 characters, start_char, end_char, embedding: 384 numbers}
@returns            {chunks: how many the document has now}
@errors             22004, 22023, 22P02, 23505, 23514, 42501, PT404
@effect             write$c$;
revoke all on function api.add_chunks(uuid, uuid, jsonb) from public;
grant execute on function api.add_chunks(uuid, uuid, jsonb) to authenticated;

create function api.finish_document(org_id uuid, document_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_document app.document;
  v_chunks bigint;
  v_replaced uuid;
begin
  perform authz.require_org(finish_document.org_id);
  select d.* into v_document from app.document d
  where d.org_id = finish_document.org_id and d.id = finish_document.document_id and d.state = 'loading' and d.owner_id = authz.uid();
  if not found then
    raise sqlstate 'PT404' using message = 'no such document being loaded by you';
  end if;
  select count(*) into v_chunks from app.chunk c where c.org_id = v_document.org_id and c.document_id = v_document.id;
  perform authz.require(v_chunks > 0, 'the document has no chunks');
  delete from app.document d
  where d.org_id = v_document.org_id and d.knowledge_base_id = v_document.knowledge_base_id and d.uri = v_document.uri
    and d.visibility = v_document.visibility and (d.visibility = 'organization' or d.owner_id = v_document.owner_id)
    and d.state = 'ready'
  returning d.id into v_replaced;
  update app.document d set state = 'ready' where d.org_id = v_document.org_id and d.id = v_document.id;
  return jsonb_build_object('document_id', v_document.id, 'chunks', v_chunks, 'replaced', v_replaced);
end
$$;
comment on function api.finish_document(uuid, uuid) is $c$Make a loaded document findable, replacing the earlier version at the same uri in the same transaction.

@audience app
@param org_id       the organization
@param document_id  the document, as begin_document answered
@returns            {document_id, chunks, replaced: the earlier version or null}
@errors             22004, 22023, 42501, PT404
@effect             write$c$;
revoke all on function api.finish_document(uuid, uuid) from public;
grant execute on function api.finish_document(uuid, uuid) to authenticated;

-- ==== 630_api_search.sql ====
-- Retrieval: dense and full-text candidates fused by reciprocal rank in one statement, under the same policies as everything else.
-- The fusion is Cormack, Clarke and Buettcher (SIGIR 2009): score = sum over lists of 1 / (60 + rank).

create function api.search_documents(
  org_id uuid, query text, query_embedding extensions.vector default null, max_rows integer default 8, run_id uuid default null)
returns table (
  document_id uuid, chunk_id uuid, knowledge_base_id uuid, title text, uri text, content text, start_char integer, end_char integer,
  chunk_sha256 text, score double precision, similarity double precision, retrieved_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set statement_timeout = '5s'
as $$
#variable_conflict use_column
declare
  -- A question is rarely a sentence of the text: any of its words may match, and the rank says how well. The first 32 different
  -- words count: ranking by hundreds takes seconds.
  v_terms tsquery := (
    select string_agg(w.word, ' | ' order by w.place)::tsquery
    from (select u.word, min(u.place) as place
      from unnest(string_to_array(plainto_tsquery('pg_catalog.english', query)::text, ' & ')) with ordinality u (word, place)
      group by u.word order by 2 limit 32) w);
  v_bases uuid[];
begin
  perform authz.require_org(search_documents.org_id);
  perform authz.require(char_length(query) between 1 and 2000, 'query: 1..2000 characters');
  perform authz.require(max_rows between 1 and 50, 'max_rows: 1..50');
  if query_embedding is not null then
    perform authz.require(extensions.vector_dims(query_embedding) = 384, 'query_embedding: 384 numbers');
    perform authz.require(extensions.vector_norm(query_embedding) > 0, 'query_embedding: not all zero');
  end if;
  if search_documents.run_id is not null then
    -- Inside a run: what the person may read, and of that only what the bot is bound to (F13).
    v_bases := authz.run_knowledge_bases(search_documents.org_id, search_documents.run_id);
  end if;
  return query
    with readable as not materialized (
      select c.id, c.document_id, c.knowledge_base_id, c.content, c.start_char, c.end_char, c.terms,
        c.embedding operator(extensions.<=>) query_embedding as distance, d.title, d.uri
      from app.chunk c
      join app.document d on d.org_id = c.org_id and d.id = c.document_id
      where c.org_id = search_documents.org_id and d.state = 'ready'
        and (search_documents.run_id is null or c.knowledge_base_id = any (v_bases))
    ), dense as (
      select r.id, row_number() over (order by r.distance, r.id) as place
      from readable r where r.distance is not null
      order by r.distance, r.id limit 50
    ), lexical as (
      select r.id, row_number() over (order by ts_rank(r.terms, v_terms, 1) desc, r.id) as place
      from readable r where r.terms @@ v_terms
      order by ts_rank(r.terms, v_terms, 1) desc, r.id limit 50
    ), fused as (
      select u.id, sum(1.0 / (60 + u.place))::double precision as score
      from (select * from dense union all select * from lexical) u
      group by u.id
      order by score desc, u.id limit max_rows
    )
    select r.document_id, r.id, r.knowledge_base_id, r.title, r.uri, r.content, r.start_char, r.end_char,
      encode(sha256(convert_to(r.content, 'UTF8')), 'hex'), f.score, 1 - r.distance, now()
    from fused f join readable r on r.id = f.id
    order by f.score desc, r.id;
end
$$;
comment on function api.search_documents(uuid, text, extensions.vector, integer, uuid) is $c$Search the documents of the organization for passages that answer a question: how something works, what a text says, terms, instructions.

@audience bot
@context org_id           the organization
@context query_embedding  the query as 384 numbers; without it only words are compared
@context run_id           narrows the search to what the run's bot is bound to
@param query              the question in plain words; 1..2000 characters
@param max_rows           number of passages; 1..50
@returns                  array of {document_id, chunk_id, knowledge_base_id, title, uri, content, start_char, end_char, chunk_sha256, score, similarity, retrieved_at}; best first
@errors                   22004, 22023, PT404
@effect                   read$c$;
revoke all on function api.search_documents(uuid, text, extensions.vector, integer, uuid) from public;
grant execute on function api.search_documents(uuid, text, extensions.vector, integer, uuid) to authenticated;

-- ==== 640_api_bots.sql ====
-- Bots: making, sharing and binding them, and finding those one may run.

create function api.create_bot(org_id uuid, slug text, name text, instructions text default '') returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform authz.require_org(create_bot.org_id);
  insert into app.bot (org_id, slug, name, instructions)
  values (create_bot.org_id, create_bot.slug, create_bot.name, create_bot.instructions) returning id into v_id;
  return jsonb_build_object('id', v_id);
exception when unique_violation then
  raise sqlstate 'PT409' using message = 'the organization has a bot of that slug';
end
$$;
comment on function api.create_bot(uuid, text, text, text) is $c$Create a bot. It reaches nothing until it is bound, and nobody runs it until it is shared.

@audience app
@param org_id        the organization
@param slug          short name; 2..40 of a-z, 0-9 and -
@param name          display name; 1..120 characters
@param instructions  what the model is told to do; 0..8000 characters
@returns             {id}
@errors              22004, 23514, 42501, PT409
@effect              write$c$;
revoke all on function api.create_bot(uuid, text, text, text) from public;
grant execute on function api.create_bot(uuid, text, text, text) to authenticated;

create function api.share_bot(org_id uuid, bot_id uuid, role text default null, user_id uuid default null) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform authz.require_org(share_bot.org_id);
  perform authz.require(num_nonnulls(share_bot.role, share_bot.user_id) <= 1, 'name a role, or a person, or neither for everyone');
  insert into app.bot_runner (org_id, bot_id, role_id, user_id)
  values (share_bot.org_id, share_bot.bot_id,
    case when share_bot.role is not null then authz.role_named(share_bot.org_id, share_bot.role) end, share_bot.user_id)
  returning id into v_id;
  return jsonb_build_object('id', v_id);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'already shared so';
  when foreign_key_violation then raise sqlstate 'PT404' using message = 'no such bot, or no such member';
end
$$;
comment on function api.share_bot(uuid, uuid, text, uuid) is $c$Let a role, a member or (naming neither) everyone in the organization run a bot. It gives nobody any access to data.

@audience app
@param org_id   the organization
@param bot_id   the bot
@param role     name of a role
@param user_id  a member
@returns        {id}
@errors         22004, 22023, 42501, PT404, PT409
@effect         write$c$;
revoke all on function api.share_bot(uuid, uuid, text, uuid) from public;
grant execute on function api.share_bot(uuid, uuid, text, uuid) to authenticated;

create function api.bind_bot(org_id uuid, bot_id uuid, knowledge_base_id uuid default null, tool text default null) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform authz.require_org(bind_bot.org_id);
  perform authz.require(num_nonnulls(bind_bot.knowledge_base_id, bind_bot.tool) = 1, 'name a knowledge base or a tool');
  perform authz.require(bind_bot.tool is null or authz.is_tool(bind_bot.tool), 'tool: not a function that may be bound to bots');
  insert into app.bot_binding (org_id, bot_id, knowledge_base_id, tool)
  values (bind_bot.org_id, bind_bot.bot_id, bind_bot.knowledge_base_id, bind_bot.tool) returning id into v_id;
  return jsonb_build_object('id', v_id);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'already bound so';
  when foreign_key_violation then raise sqlstate 'PT404' using message = 'no such bot, or no such knowledge base';
end
$$;
comment on function api.bind_bot(uuid, uuid, uuid, text) is $c$Let runs of a bot use a knowledge base or a tool, within what the person running it may do.

@audience app
@param org_id             the organization
@param bot_id             the bot
@param knowledge_base_id  a knowledge base
@param tool               name of a function whose audience is bot
@returns                  {id}
@errors                   22004, 22023, 42501, PT404, PT409
@effect                   write$c$;
revoke all on function api.bind_bot(uuid, uuid, uuid, text) from public;
grant execute on function api.bind_bot(uuid, uuid, uuid, text) to authenticated;

create function api.list_bots()
returns table (id uuid, org_id uuid, organization text, bot text, name text, version integer, created_at timestamptz)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select b.id, b.org_id, o.slug, b.slug, b.name, b.version, b.created_at
  from app.bot b
  join app.organization o on o.id = b.org_id
  join app.membership m on m.org_id = b.org_id and m.user_id = authz.uid()
  where b.id = any (array(select authz.runnable_bots()))
  -- By how long one has been a member: an organization one was added to yesterday pushes nothing out of the answer.
  order by m.created_at, o.id, b.slug
  limit 1000
$$;
comment on function api.list_bots() is $c$List the bots you may run, in all your organizations.

@audience app
@returns  array of {id, org_id, organization, bot, name, version, created_at}, at most 1000; of the organization joined first, first
@effect   read$c$;
revoke all on function api.list_bots() from public;
grant execute on function api.list_bots() to authenticated;

-- ==== 650_api_runs.sql ====
-- Runs: start, call a tool, record a model call, finish. The record is written by the function that does the work.

create function api.start_run(bot text, question text, conversation_id uuid default null, request_id text default null) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_bots app.bot[];
  v_bot app.bot;
  v_conversation uuid := start_run.conversation_id;
  v_run uuid;
  v_history jsonb;
begin
  perform authz.require(char_length(question) between 1 and 8000, 'question: 1..8000 characters');
  select array_agg(b) into v_bots from app.bot b join app.organization o on o.id = b.org_id
  where b.id = any (array(select authz.runnable_bots()))
    and start_run.bot in (o.slug || '/' || b.slug, o.id || '/' || b.id, o.id || '/' || b.slug);
  if v_bots is null then
    raise sqlstate 'PT404' using message = 'no such bot, or not yours to run';
  elsif cardinality(v_bots) > 1 then
    raise sqlstate 'PT409' using message = 'several of your organizations have that name: use the id of the organization instead';
  end if;
  v_bot := v_bots[1];
  if v_conversation is null then
    insert into app.conversation (org_id, bot_id, title) values (v_bot.org_id, v_bot.id, left(question, 120)) returning id into v_conversation;
  elsif not exists (
    select from app.conversation c where c.org_id = v_bot.org_id and c.id = v_conversation and c.bot_id = v_bot.id)
  then
    raise sqlstate 'PT404' using message = 'no such conversation with this bot';
  end if;
  -- The last 20 messages, as many as make at most 40,000 characters, oldest first.
  select coalesce(jsonb_agg(jsonb_build_object('role', h.role, 'content', h.content) order by h.created_at, h.id)
    filter (where h.characters <= 40000), '[]') into v_history
  from (select m.*, sum(char_length(m.content)) over (order by m.created_at desc, m.id) as characters
    from app.message m where m.org_id = v_bot.org_id and m.conversation_id = v_conversation
    order by m.created_at desc, m.id limit 20) h;
  insert into app.run (org_id, bot_id, bot_version, conversation_id, question_sha256, request_id)
  values (v_bot.org_id, v_bot.id, v_bot.version, v_conversation, authz.digest(v_bot.org_id, v_conversation, question), start_run.request_id)
  returning id into v_run;
  insert into app.message (org_id, conversation_id, run_id, role, content) values (v_bot.org_id, v_conversation, v_run, 'user', question);
  return jsonb_build_object(
    'run_id', v_run, 'org_id', v_bot.org_id, 'conversation_id', v_conversation,
    'bot', jsonb_build_object('id', v_bot.id, 'slug', v_bot.slug, 'name', v_bot.name, 'version', v_bot.version, 'instructions', v_bot.instructions),
    'tools', to_jsonb(authz.run_tools(v_bot.org_id, v_bot.id)),
    'history', v_history);
end
$$;
comment on function api.start_run(text, text, uuid, text) is $c$Start a run: put a question to a bot you may run.

@audience app
@param bot              organization/bot, by slug or by id
@param question         the question; 1..8000 characters
@param conversation_id  a conversation of yours with this bot to go on with
@param request_id       the request this belongs to; 0..100 characters
@returns                {run_id, org_id, conversation_id, bot: {id, slug, name, version, instructions}, tools, history: [{role, content}]}
@errors                 22023, PT404, PT409
@effect                 write$c$;
revoke all on function api.start_run(text, text, uuid, text) from public;
grant execute on function api.start_run(text, text, uuid, text) to authenticated;

create function authz.next_position(org_id uuid, run_id uuid) returns integer
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Calls of one run made side by side are put in line here, so that positions have no gap and no double.
  perform from app.run r where r.org_id = next_position.org_id and r.id = next_position.run_id for update;
  return (select count(*) + 1 from app.run_step s where s.org_id = next_position.org_id and s.run_id = next_position.run_id);
end
$$;
comment on function authz.next_position(uuid, uuid) is 'The position of the next step of a run, holding the run until the transaction ends.';
revoke all on function authz.next_position(uuid, uuid) from public;
grant execute on function authz.next_position(uuid, uuid) to authenticated;

create function authz.tool_statement(tool text, arguments jsonb, context jsonb) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_function pg_proc;
  v_comment text;
  v_argument record;
  v_allowed text[] := '{}';
  v_list text[] := '{}';
  v_source text;
begin
  select p.* into strict v_function from pg_proc p where p.pronamespace = 'api'::regnamespace and p.proname = tool_statement.tool;
  v_comment := obj_description(v_function.oid, 'pg_proc');
  for v_argument in
    select v_function.proargnames[a.n] as name, format_type(a.type, null) as type,
      a.n <= v_function.pronargs - v_function.pronargdefaults as required,
      v_comment ~ ('(^|\n)@context +' || v_function.proargnames[a.n] || '\M') as context
    from unnest(v_function.proargtypes) with ordinality a (type, n)
  loop
    if not v_argument.context then
      v_allowed := v_allowed || v_argument.name;
    end if;
    v_source := case when v_argument.context then '$2' else '$1' end;
    if coalesce(case when v_argument.context then context else arguments end -> v_argument.name, 'null') <> 'null' then
      v_list := v_list || format('%I => (%s %s %L)::%s', v_argument.name, v_source,
        case when v_argument.type in ('json', 'jsonb') then '->' else '->>' end, v_argument.name, v_argument.type);
    elsif v_argument.required then
      raise sqlstate '22023' using message = format('%s: required', v_argument.name);
    end if;
  end loop;
  perform authz.require(not exists (select from jsonb_object_keys(arguments) k (name) where k.name <> all (v_allowed)),
    'arguments: a name this tool does not have');
  -- Every identifier comes from the catalog; values go in as parameters.
  return format('select coalesce(jsonb_agg(to_jsonb(t)), ''[]'') from api.%I(%s) t', v_function.proname, array_to_string(v_list, ', '));
end
$$;
comment on function authz.tool_statement(text, jsonb, jsonb) is 'The statement that calls a tool by name: identifiers from the catalog, values as parameters $1 (arguments) and $2 (context); 22023 for a missing or unknown argument.';
revoke all on function authz.tool_statement(text, jsonb, jsonb) from public;
grant execute on function authz.tool_statement(text, jsonb, jsonb) to authenticated;

create function api.call_tool(run_id uuid, tool text, arguments jsonb default '{}', query_embedding extensions.vector default null) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run app.run := authz.running(call_tool.run_id);
  v_position integer := authz.next_position(v_run.org_id, v_run.id);
  v_started timestamptz := clock_timestamp();
  v_digest text := authz.digest(v_run.org_id, v_run.conversation_id, jsonb_build_array(call_tool.tool, call_tool.arguments)::text);
  v_context jsonb := jsonb_strip_nulls(jsonb_build_object(
    'org_id', v_run.org_id, 'run_id', v_run.id, 'query_embedding', call_tool.query_embedding::text,
    -- The same call again in the same run is the same act (R103).
    'idempotency_key', left(encode(sha256(convert_to(v_run.id || v_digest, 'UTF8')), 'hex'), 32)));
  v_rows jsonb := '[]';
  v_outcome text := 'ok';
  v_code text;
  v_message text;
  v_step uuid;
begin
  begin
    perform authz.require(jsonb_typeof(call_tool.arguments) = 'object', 'arguments: an object');
    if call_tool.tool = any (authz.run_tools(v_run.org_id, v_run.bot_id)) is not true then
      raise sqlstate '42501';
    end if;
    execute authz.tool_statement(call_tool.tool, call_tool.arguments, v_context) into v_rows using call_tool.arguments, v_context;
  exception when others then
    -- The failed call is undone; that it was tried stays in the record (F34). A cancelled statement is not caught by "others".
    get stacked diagnostics v_code = returned_sqlstate, v_message = message_text;
    v_outcome := case
      when v_code = '42501' then 'denied'
      when v_code = 'PT404' then 'not_found'
      when v_code in ('PT409', '23505') then 'conflict'
      when v_code like '22%' or v_code in ('23502', '23514') then 'invalid'
      else 'failed' end;
    -- PostgreSQL's own sentences about tables and policies are for the log, not for a model.
    v_message := case v_outcome
      when 'denied' then 'not allowed: the bot is not bound to this tool, or your role lacks the permission'
      when 'failed' then 'the tool failed'
      else v_message end;
  end;
  insert into app.run_step (org_id, run_id, position, kind, name, arguments_sha256, sources, row_count, duration_ms, outcome, sqlstate)
  values (v_run.org_id, v_run.id, v_position, 'tool',
    -- A name a model made up is not a place for it to write text for an auditor.
    case when call_tool.tool ~ '^[a-z_][a-z0-9_]{0,62}$' then call_tool.tool else '?' end, v_digest,
    (select coalesce(jsonb_agg(distinct case
        when r ? 'chunk_id' then jsonb_build_object('document_id', r -> 'document_id', 'chunk_id', r -> 'chunk_id')
        else jsonb_build_object('id', r -> 'id') end) filter (where r ?| array['chunk_id', 'id']), '[]')
      from jsonb_array_elements(v_rows) r),
    jsonb_array_length(v_rows), extract(milliseconds from clock_timestamp() - v_started)::integer, v_outcome, v_code)
  returning id into v_step;
  return jsonb_build_object('step_id', v_step, 'outcome', v_outcome, 'code', v_code, 'message', v_message,
    'row_count', jsonb_array_length(v_rows), 'rows', v_rows);
end
$$;
comment on function api.call_tool(uuid, text, jsonb, extensions.vector) is $c$Call a tool inside your running run, as yourself; the call and its record are one transaction.

@audience app
@param run_id           your running run
@param tool             name of a tool the run's bot is bound to
@param arguments        an object with the tool's arguments, without those the run supplies
@param query_embedding  the argument named query as 384 numbers, for tools that take one
@returns                {step_id, outcome: ok, denied, not_found, invalid, conflict or failed, code, message, row_count, rows}
@errors                 PT404, 57014
@effect                 write$c$;
revoke all on function api.call_tool(uuid, text, jsonb, extensions.vector) from public;
grant execute on function api.call_tool(uuid, text, jsonb, extensions.vector) to authenticated;

create function api.record_step(
  run_id uuid, model text, provider text, input_tokens integer, output_tokens integer, duration_ms integer, outcome text default 'ok')
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run app.run := authz.running(record_step.run_id);
  v_position integer := authz.next_position(v_run.org_id, v_run.id);
  v_step uuid;
begin
  insert into app.run_step (org_id, run_id, position, kind, name, provider, input_tokens, output_tokens, duration_ms, outcome)
  values (v_run.org_id, v_run.id, v_position, 'model', record_step.model, record_step.provider, record_step.input_tokens,
    record_step.output_tokens, record_step.duration_ms, record_step.outcome)
  returning id into v_step;
  return jsonb_build_object('step_id', v_step);
end
$$;
comment on function api.record_step(uuid, text, text, integer, integer, integer, text) is $c$Record a model call of your running run.

@audience app
@param run_id         your running run
@param model          the model; 1..200 characters
@param provider       who served it; 0..200 characters
@param input_tokens   tokens sent; 0..2147483647
@param output_tokens  tokens received; 0..2147483647
@param duration_ms    milliseconds; 0..2147483647
@param outcome        ok, invalid or failed
@returns              {step_id}
@errors               23514, PT404
@effect               write$c$;
revoke all on function api.record_step(uuid, text, text, integer, integer, integer, text) from public;
grant execute on function api.record_step(uuid, text, text, integer, integer, integer, text) to authenticated;

create function api.finish_run(
  run_id uuid, outcome text, answer text, citations jsonb default '[]', error_code text default null)
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run app.run;
  v_message uuid;
begin
  perform authz.require(outcome in ('succeeded', 'failed', 'cancelled'), 'outcome: succeeded, failed or cancelled');
  perform authz.require(jsonb_typeof(citations) = 'array', 'citations: an array');
  perform authz.require(jsonb_array_length(citations) <= 100 and octet_length(citations::text) <= 100000, 'citations: at most 100, 100000 bytes');
  -- Not authz.running(): a run whose bot was withdrawn in the middle can still be closed.
  update app.run r set status = finish_run.outcome, error_code = finish_run.error_code, finished_at = clock_timestamp(),
    answer_sha256 = authz.digest(r.org_id, r.conversation_id, coalesce(answer, ''))
  where r.id = finish_run.run_id and r.user_id = authz.uid() and r.status = 'running'
  returning r.* into v_run;
  if not found then
    raise sqlstate 'PT404' using message = 'no such running run of yours';
  end if;
  -- A citation names a passage that a step of this very run returned, or the answer is not kept (F28).
  perform authz.require(not exists (
    select from jsonb_array_elements(citations) c
    where not exists (select from app.run_step s where s.org_id = v_run.org_id and s.run_id = v_run.id
      and s.sources @> jsonb_build_array(jsonb_build_object('document_id', c -> 'document_id', 'chunk_id', c -> 'chunk_id')))),
    'citations: one names a passage this run did not retrieve');
  if coalesce(answer, '') <> '' then
    insert into app.message (org_id, conversation_id, run_id, role, content, citations)
    values (v_run.org_id, v_run.conversation_id, v_run.id, 'assistant', answer, citations) returning id into v_message;
  end if;
  return jsonb_build_object('message_id', v_message);
end
$$;
comment on function api.finish_run(uuid, text, text, jsonb, text) is $c$Finish your running run and keep its answer.

@audience app
@param run_id      your running run
@param outcome     succeeded, failed or cancelled
@param answer      the answer; 0..100000 characters
@param citations   array of at most 100 {document_id, chunk_id, ...}, each retrieved in this run
@param error_code  why it failed; 0..60 characters
@returns           {message_id: null without an answer}
@errors            22023, PT404
@effect            write$c$;
revoke all on function api.finish_run(uuid, text, text, jsonb, text) from public;
grant execute on function api.finish_run(uuid, text, text, jsonb, text) to authenticated;

create function api.list_run_steps(org_id uuid, run_id uuid)
returns table (
  "position" integer, kind text, name text, provider text, arguments_sha256 text, sources jsonb, row_count integer, input_tokens integer,
  output_tokens integer, duration_ms integer, outcome text, sqlstate text, created_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_run_steps.org_id);
  return query
    select s.position, s.kind, s.name, s.provider, s.arguments_sha256, s.sources, s.row_count, s.input_tokens, s.output_tokens,
      s.duration_ms, s.outcome, s.sqlstate, s.created_at
    from app.run_step s
    where s.org_id = list_run_steps.org_id and s.run_id = list_run_steps.run_id
    order by s.position;
end
$$;
comment on function api.list_run_steps(uuid, uuid) is $c$List what a run did: model calls, tool calls and the passages and rows they returned, by identifier.

@audience app
@param org_id  the organization
@param run_id  a run of yours, or with runs.read any of the organization
@returns       array of {position, kind, name, provider, arguments_sha256, sources, row_count, input_tokens, output_tokens, duration_ms, outcome, sqlstate, created_at}; in order
@errors        22004
@effect        read$c$;
revoke all on function api.list_run_steps(uuid, uuid) from public;
grant execute on function api.list_run_steps(uuid, uuid) to authenticated;

-- ==== 660_api_conversations.sql ====
-- Reading one's own conversations. No argument names a person.

create function api.list_conversations(org_id uuid)
returns table (id uuid, bot_id uuid, bot text, title text, messages bigint, created_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_conversations.org_id);
  return query
    select c.id, c.bot_id, b.slug, c.title,
      (select count(*) from app.message m where m.org_id = c.org_id and m.conversation_id = c.id), c.created_at
    from app.conversation c
    left join app.bot b on b.org_id = c.org_id and b.id = c.bot_id
    where c.org_id = list_conversations.org_id
    order by c.created_at desc, c.id
    limit 200;
end
$$;
comment on function api.list_conversations(uuid) is $c$List your conversations in an organization.

@audience app
@param org_id  the organization
@returns       array of at most 200 {id, bot_id, bot, title, messages, created_at}; newest first; bot is null once it is not shared with you
@errors        22004
@effect        read$c$;
revoke all on function api.list_conversations(uuid) from public;
grant execute on function api.list_conversations(uuid) to authenticated;

create function api.list_messages(org_id uuid, conversation_id uuid)
returns table (id uuid, run_id uuid, role text, content text, citations jsonb, created_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_messages.org_id);
  if not exists (select from app.conversation c where c.org_id = list_messages.org_id and c.id = list_messages.conversation_id) then
    raise sqlstate 'PT404' using message = 'no such conversation';
  end if;
  return query
    select m.id, m.run_id, m.role, m.content,
      -- A passage that its reader may no longer read is not quoted again (F28).
      coalesce((select jsonb_agg(case
          when exists (select from app.chunk k where k.org_id = m.org_id and k.id::text = c.value ->> 'chunk_id') then c.value
          else jsonb_build_object('redacted', true) end order by c.ordinality)
        from jsonb_array_elements(m.citations) with ordinality c), '[]'),
      m.created_at
    from app.message m
    where m.org_id = list_messages.org_id and m.conversation_id = list_messages.conversation_id
    order by m.created_at desc, m.id
    limit 200;
end
$$;
comment on function api.list_messages(uuid, uuid) is $c$List the messages of one of your conversations.

@audience app
@param org_id           the organization
@param conversation_id  the conversation
@returns                array of at most 200 {id, run_id, role, content, citations, created_at}; newest first
@errors                 22004, PT404
@effect                 read$c$;
revoke all on function api.list_messages(uuid, uuid) from public;
grant execute on function api.list_messages(uuid, uuid) to authenticated;

-- ==== 670_api_support.sql ====
-- The example domain: orders and tickets of the customer-support bot.

create function api.place_order(org_id uuid, order_number text, total_cents bigint, currency text, items jsonb default '[]') returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform authz.require_org(place_order.org_id);
  insert into app.customer_order (org_id, order_number, total_cents, currency, items)
  values (place_order.org_id, place_order.order_number, place_order.total_cents, place_order.currency, place_order.items) returning id into v_id;
  return jsonb_build_object('id', v_id, 'order_number', order_number);
exception when unique_violation then
  raise sqlstate 'PT409' using message = 'you have an order of that number';
end
$$;
comment on function api.place_order(uuid, text, bigint, text, jsonb) is $c$Place an order in your own name.

@audience app
@param org_id        the organization that sells
@param order_number  like ORD-1042; 2..6 capital letters, a dash, 3..10 digits
@param total_cents   total in hundredths of the currency; 0..100000000
@param currency      ISO 4217 code
@param items         array of {name, quantity}; at most 8192 bytes
@returns             {id, order_number}
@errors              22004, 23514, 42501, PT409
@effect              write$c$;
revoke all on function api.place_order(uuid, text, bigint, text, jsonb) from public;
grant execute on function api.place_order(uuid, text, bigint, text, jsonb) to authenticated;

create function api.my_orders(org_id uuid, max_rows integer default 20)
returns table (id uuid, order_number text, status text, total_cents bigint, currency text, items jsonb, placed_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(my_orders.org_id);
  perform authz.require(max_rows between 1 and 100, 'max_rows: 1..100');
  return query
    select o.id, o.order_number, o.status, o.total_cents, o.currency, o.items, o.placed_at
    from app.customer_order o
    where o.org_id = my_orders.org_id and o.user_id = authz.uid()
    order by o.placed_at desc, o.id
    limit max_rows;
end
$$;
comment on function api.my_orders(uuid, integer) is $c$List my own orders: what I have ordered, with number, status, total and date.

@audience bot
@context org_id  the organization
@param max_rows  number of orders; 1..100
@returns         array of {id, order_number, status, total_cents, currency, items, placed_at}; newest first
@errors          22004, 22023
@effect          read$c$;
revoke all on function api.my_orders(uuid, integer) from public;
grant execute on function api.my_orders(uuid, integer) to authenticated;

create function api.get_order(org_id uuid, number text)
returns table (id uuid, order_number text, status text, total_cents bigint, currency text, items jsonb, placed_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(get_order.org_id);
  perform authz.require(char_length(get_order.number) between 1 and 20, 'number: 1..20 characters');
  return query
    select o.id, o.order_number, o.status, o.total_cents, o.currency, o.items, o.placed_at
    from app.customer_order o
    where o.org_id = get_order.org_id and o.order_number = upper(get_order.number)
    order by o.placed_at desc, o.id;
  if not found then
    raise sqlstate 'PT404' using message = 'no order of that number that you may see';
  end if;
end
$$;
comment on function api.get_order(uuid, text) is $c$Look up one order by its order number: its status, total, items and date.

@audience bot
@context org_id  the organization
@param number    the order number, like ORD-1042; 1..20 characters
@returns         array of {id, order_number, status, total_cents, currency, items, placed_at}; one, or for staff one a customer
@errors          22004, 22023, PT404
@effect          read$c$;
revoke all on function api.get_order(uuid, text) from public;
grant execute on function api.get_order(uuid, text) to authenticated;

create function api.create_ticket(
  org_id uuid, subject text, body text, order_number text default null, idempotency_key uuid default null)
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ticket app.support_ticket;
  v_orders uuid[];
  v_order uuid;
begin
  perform authz.require_org(create_ticket.org_id);
  perform authz.require(char_length(subject) between 1 and 200, 'subject: 1..200 characters');
  perform authz.require(char_length(body) between 1 and 8000, 'body: 1..8000 characters');
  if create_ticket.order_number is not null then
    perform authz.require(char_length(create_ticket.order_number) between 1 and 20, 'order_number: 1..20 characters');
    v_orders := array(select o.id from app.customer_order o
      where o.org_id = create_ticket.org_id and o.order_number = upper(create_ticket.order_number)
      order by o.user_id = authz.uid() desc);
    v_order := v_orders[1];
    if v_order is null then
      raise sqlstate 'PT404' using message = 'no order of that number that you may see';
    elsif cardinality(v_orders) > 1 and not exists (
      select from app.customer_order o where o.org_id = create_ticket.org_id and o.id = v_order and o.user_id = authz.uid())
    then
      -- A number is the customer's own: two may have the same, and staff must not be made to mean the wrong one.
      raise sqlstate 'PT409' using message = 'several customers have an order of that number';
    end if;
  end if;
  begin
    insert into app.support_ticket (org_id, order_id, subject, body, idempotency_key)
    values (create_ticket.org_id, v_order, create_ticket.subject, create_ticket.body, coalesce(create_ticket.idempotency_key, gen_random_uuid()))
    returning * into v_ticket;
  exception when unique_violation then
    -- The key is the caller's own: it is the ticket this very call made before.
    select t.* into strict v_ticket from app.support_ticket t
    where t.org_id = create_ticket.org_id and t.user_id = authz.uid() and t.idempotency_key = create_ticket.idempotency_key;
  end;
  return jsonb_build_object('id', v_ticket.id, 'subject', v_ticket.subject, 'status', v_ticket.status, 'created_at', v_ticket.created_at);
end
$$;
comment on function api.create_ticket(uuid, text, text, text, uuid) is $c$Open a support ticket: ask the staff for help, report a problem, request a refund or complain.

@audience bot
@context org_id           the organization
@context idempotency_key  the same key again is the same ticket
@param subject            one line; 1..200 characters
@param body               what is wrong and what is wanted; 1..8000 characters
@param order_number       the order it is about, like ORD-1042; 1..20 characters
@returns                  {id, subject, status, created_at}
@errors                   22004, 22023, 42501, PT404, PT409
@effect                   write$c$;
revoke all on function api.create_ticket(uuid, text, text, text, uuid) from public;
grant execute on function api.create_ticket(uuid, text, text, text, uuid) to authenticated;

-- ==== 900_close.sql ====
-- Handed over only here: making a trigger takes EXECUTE on its function, which the migration role has while it owns it.
alter function authz.tg_audit() owner to ringfence_owner;

-- The definer functions have been handed over: their owner creates nothing more.
revoke create on schema authz from ringfence_owner;

-- A running PostgREST reads the new functions and its settings.
notify pgrst, 'reload schema';
notify pgrst, 'reload config';
