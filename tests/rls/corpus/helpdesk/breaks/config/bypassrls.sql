-- Class:    BYPASSRLS given to an API role
-- Culprit:  role authenticated
-- Command:  state

-- @patch as supabase_admin
alter role authenticated bypassrls;

-- @as gina
select * from documents where org_id = :acme

-- @undo
alter role authenticated nobypassrls;
