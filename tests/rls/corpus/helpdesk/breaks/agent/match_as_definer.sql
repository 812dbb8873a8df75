-- Class:    RAG match function as SECURITY DEFINER
-- Culprit:  public.match_chunks(extensions.vector,integer,uuid)
-- Command:  execute

alter function public.match_chunks(extensions.vector, int, uuid) security definer;

-- @as gina
select * from match_chunks('[1,0,0]') where org_id = :acme
