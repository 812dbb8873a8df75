-- Class:    authenticator inherits service_role
-- Culprit:  role authenticator
-- Command:  state
--
-- Before the role is switched, and whenever it is not, the session has all that service_role has.

-- @patch as supabase_admin
grant select on all tables in schema public to service_role;
alter role authenticator bypassrls;

-- @seen
select 1 from pg_roles where rolname = 'authenticator' and rolbypassrls

-- @undo
alter role authenticator nobypassrls;
