-- Class:    Invoker function turned into a definer
-- Culprit:  public.search_documents(text,uuid)
-- Command:  execute
--
-- "permission denied" in a new environment; this made it go away.

alter function public.search_documents(text, uuid) security definer;

-- @as gina
select * from search_documents('secret') where org_id = :acme
