-- Class:    db-pre-request removed
-- Culprit:  role authenticator | private.check_request()
-- Command:  state
--
-- Banned people's tokens work until they end.

alter role authenticator in database "{database}" reset pgrst.db_pre_request;

-- @seen
select 1 where not exists (select 1 from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase
  where d.datname = current_database() and array_to_string(s.setconfig, ' ') like '%db_pre_request%')
