-- Class:    Requests without a token run as service_role
-- Culprit:  role authenticator
-- Command:  state
--
-- db-anon-role names the role of a request without a token.

-- @patch as supabase_admin
alter role authenticator in database "{database}" set pgrst.db_anon_role = 'service_role';

-- @seen
select 1 from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase
  where d.datname = current_database() and array_to_string(s.setconfig, ' ') like '%db_anon_role=service_role%'
