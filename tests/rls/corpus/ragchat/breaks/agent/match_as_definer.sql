-- Class:    RAG match function as SECURITY DEFINER
-- Culprit:  public.match_passages(extensions.vector,double precision,integer)
-- Command:  execute

alter function public.match_passages(extensions.vector, float, int) security definer;

-- @as ella
select * from match_passages('[1,0,0]') where content like 'OAK%'
