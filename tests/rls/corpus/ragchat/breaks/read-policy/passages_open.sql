-- Class:    Embeddings readable although their documents are not
-- Culprit:  public.kb_passages
-- Command:  select

drop policy kb_passages_select on public.kb_passages;
create policy kb_passages_select on public.kb_passages for select to authenticated using (file_id is not null);

-- @as ella
select * from kb_passages where content like 'OAK%'
