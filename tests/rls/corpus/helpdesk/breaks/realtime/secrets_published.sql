-- Class:    Table with secrets published
-- Culprit:  public.api_keys | publication supabase_realtime
-- Command:  state
--
-- Column grants do not all bind the stream as they bind SELECT: what must not be read has no place in the publication.

alter publication supabase_realtime add table public.api_keys;

-- @seen
select 1 from pg_publication_tables where pubname = 'supabase_realtime' and tablename = 'api_keys' and 'key_hash' = any (attnames)
