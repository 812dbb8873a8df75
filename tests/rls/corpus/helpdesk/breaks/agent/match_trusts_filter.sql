-- Class:    RAG match function trusting the tenant in a filter argument
-- Culprit:  public.match_documents(extensions.vector,integer,jsonb)
-- Command:  execute
--
-- The form of the tutorials: `filter jsonb` with the organization in it, as a definer for speed.

create function public.match_documents(query_embedding extensions.vector, match_count int, filter jsonb default '{}')
returns table (id uuid, content text, similarity double precision)
language sql stable security definer set search_path = pg_catalog, extensions, pg_temp as $$
  select c.id, c.content, 1 - (c.embedding <=> query_embedding) from public.document_chunks c
  where filter ->> 'org_id' is null or c.org_id::text = filter ->> 'org_id'
  order by c.embedding <=> query_embedding limit match_count
$$;
grant execute on function public.match_documents(extensions.vector, int, jsonb) to authenticated;

-- @as otto
select * from match_documents('[1,0,0]', 10) where content like 'ACME%'
