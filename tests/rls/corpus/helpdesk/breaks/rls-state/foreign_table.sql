-- Class:    Foreign table in an exposed schema
-- Culprit:  public.server_file
-- Command:  select
--
-- Row security does not exist for foreign tables: whoever may select sees everything that comes.

-- @patch as supabase_admin
create extension file_fdw with schema extensions;
create server local_files foreign data wrapper file_fdw;
create foreign table public.server_file (line text) server local_files options (filename 'PG_VERSION');
grant select on public.server_file to authenticated;

-- @as otto
select * from server_file
