-- Class:    Table of an unexposed schema published
-- Culprit:  private.agent_jobs | publication supabase_realtime
-- Command:  state

alter publication supabase_realtime add table private.agent_jobs;

-- @seen
select 1 from pg_publication_tables where pubname = 'supabase_realtime' and schemaname = 'private'
