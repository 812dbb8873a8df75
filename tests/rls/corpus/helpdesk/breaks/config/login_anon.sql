-- Class:    API role may log in
-- Culprit:  role anon | role authenticated
-- Command:  state
--
-- A direct connection as authenticated sets its own claims.

-- @patch as supabase_admin
alter role authenticated login password 'easy';

-- @seen
select 1 from pg_roles where rolname = 'authenticated' and rolcanlogin

-- @undo
alter role authenticated nologin password null;
