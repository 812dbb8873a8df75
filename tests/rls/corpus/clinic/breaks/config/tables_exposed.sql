-- Class:    Unexposed schema added to the exposed ones
-- Culprit:  role authenticator | schema core
-- Command:  state

alter role authenticator in database "{database}" set pgrst.db_schemas = 'api, core, authz';

-- @seen
select 1 from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase
  where d.datname = current_database() and array_to_string(s.setconfig, ' ') like '%api, core%'
