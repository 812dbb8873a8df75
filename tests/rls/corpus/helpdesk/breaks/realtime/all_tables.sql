-- Class:    Publication for all tables
-- Culprit:  publication supabase_realtime
-- Command:  state
--
-- Every table of every schema, those of auth and private among them, goes to whoever subscribes and passes that table's policies;
-- DELETE events pass none.

-- @patch as supabase_admin
drop publication supabase_realtime;
create publication supabase_realtime for all tables;

-- @seen
select 1 from pg_publication_tables where pubname = 'supabase_realtime' and schemaname = 'private' and tablename = 'settings'
