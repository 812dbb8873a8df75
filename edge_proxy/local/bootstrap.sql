-- The schemas of a new Supabase project. Run as the superuser in every database (through template1).

create schema extensions authorization postgres;
create extension vector with schema extensions;
grant usage on schema extensions to anon, authenticated, service_role;

create schema auth authorization supabase_auth_admin;
grant usage on schema auth to anon, authenticated, service_role, postgres;

grant usage on schema public to anon, authenticated, service_role;
