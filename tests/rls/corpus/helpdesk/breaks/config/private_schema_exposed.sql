-- Class:    Unexposed schema added to the exposed ones
-- Culprit:  role authenticator | schema private
-- Command:  state
--
-- Helpers become RPCs, and tables lack only a grant.

alter role authenticator in database "{database}" set pgrst.db_schemas = 'public, private';

-- @seen
select 1 from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase
  where d.datname = current_database() and array_to_string(s.setconfig, ' ') like '%db_schemas=public, private%'
