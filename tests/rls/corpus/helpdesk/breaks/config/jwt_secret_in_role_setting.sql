-- Class:    Secret in a setting of the API role
-- Culprit:  role authenticator
-- Command:  state
--
-- pg_db_role_setting is readable by every role.

-- @patch as supabase_admin
alter role authenticator in database "{database}" set pgrst.jwt_secret = 'super-secret-jwt-token-with-at-least-32-characters';

-- @as anon
select 1 from pg_catalog.pg_db_role_setting where array_to_string(setconfig, ' ') like '%jwt_secret=super-secret%'
