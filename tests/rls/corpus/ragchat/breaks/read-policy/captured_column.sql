-- Class:    Unqualified column captured by sub-select
-- Culprit:  public.kb_files
-- Command:  select
--
-- `b.id = id` compares the knowledge base with itself.

drop policy kb_files_select on public.kb_files;
create policy kb_files_select on public.kb_files for select to authenticated
  using (exists (select 1 from public.knowledge_bases b where b.id = id));

-- @as ella
select * from kb_files where sha256 like 'OAK%'
