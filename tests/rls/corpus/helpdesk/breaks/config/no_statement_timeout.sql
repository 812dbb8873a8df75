-- Class:    statement_timeout switched off for an API role
-- Culprit:  role anon | role authenticated | role authenticator
-- Command:  state
--
-- Anybody keeps a connection busy for as long as they like; the pool is small.

-- @patch as supabase_admin
alter role anon in database "{database}" set statement_timeout = 0;

-- @seen
select 1 from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase
  where d.datname = current_database() and array_to_string(s.setconfig, ' ') like '%statement_timeout=0%'
