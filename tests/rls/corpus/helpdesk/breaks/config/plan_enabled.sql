-- Class:    EXPLAIN over HTTP switched on
-- Culprit:  role authenticator
-- Command:  state
--
-- Plans tell row estimates of everything, and the filters of policies.

-- @patch as supabase_admin
alter role authenticator in database "{database}" set pgrst.db_plan_enabled = 'true';

-- @seen
select 1 from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase
  where d.datname = current_database() and array_to_string(s.setconfig, ' ') like '%db_plan_enabled=true%'
