-- Class:    Secret in a database setting
-- Culprit:  database | role authenticator
-- Command:  state
--
-- Every session reads it with current_setting, and with the JWT secret makes a token for anybody.

-- @patch as supabase_admin
alter database "{database}" set app.settings.jwt_secret = 'super-secret-jwt-token-with-at-least-32-characters';

-- @as anon
select 1 where current_setting('app.settings.jwt_secret', true) like 'super-secret%'
