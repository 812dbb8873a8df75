-- The roles of a new Supabase project, created by its superuser (supabase_admin). Run once per cluster.

create role anon nologin noinherit;
create role authenticated nologin noinherit;
create role service_role nologin noinherit bypassrls;
create role authenticator login noinherit;
create role supabase_auth_admin login noinherit createrole;

-- Supabase's `postgres` is not a superuser, but it bypasses row security: nothing we own may run as it (N1).
create role postgres login nosuperuser inherit createrole createdb replication bypassrls;

grant anon, authenticated, service_role to authenticator;
grant anon, authenticated, service_role, authenticator to postgres with admin option;

-- Stand-in for supautils.policy_grants: hosted Supabase lets `postgres` reference, index and put policies and triggers on
-- the tables of schema auth without owning them. Inherited privileges come closest; `set role` stays impossible.
grant supabase_auth_admin to postgres with inherit true, set false;

-- Also supautils' work there: `alter role authenticator set pgrst.…` by a role that is not a superuser.
grant set on parameter
  "pgrst.db_schemas", "pgrst.db_extra_search_path", "pgrst.db_pre_request", "pgrst.db_max_rows", "pgrst.openapi_mode"
  to postgres;

alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';
alter role postgres set search_path = "$user", public, extensions;
alter role postgres set statement_timeout = '2min';
alter role supabase_auth_admin set search_path = auth;
