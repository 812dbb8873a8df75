-- Class:    REPLICA IDENTITY FULL on a published tenant table
-- Culprit:  public.tickets
-- Command:  state
--
-- Policies cannot be asked about a row that is gone: events of DELETE go to all, now with every column of the old row.

alter table public.tickets replica identity full;

-- @seen
select 1 from pg_class c join pg_publication_tables p on p.tablename = c.relname
  where p.pubname = 'supabase_realtime' and c.relname = 'tickets' and c.relreplident = 'f'
