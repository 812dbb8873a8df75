-- Class:    Server programs and files granted to an API role
-- Culprit:  role authenticated
-- Command:  state

-- @patch as supabase_admin
grant pg_read_server_files to authenticated with inherit true;
grant execute on function pg_catalog.pg_read_file(text) to authenticated;

-- @as otto
select 1 where pg_read_file('PG_VERSION') like '18%'

-- @undo
revoke pg_read_server_files from authenticated;
