-- Class:    TEMPORARY granted on the database
-- Culprit:  database | role authenticated
-- Command:  state
--
-- Revoked from PUBLIC in this project, granted again to the API role: what a function finds first is again the caller's to choose.

grant temporary on database "{database}" to authenticated;

-- @as walt
create temporary table mine (id int);
select 1 where has_database_privilege(current_database(), 'temporary')
