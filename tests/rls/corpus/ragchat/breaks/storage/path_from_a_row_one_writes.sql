-- Class:    File readable because a row one wrote oneself names it
-- Culprit:  storage.objects
-- Command:  select
--
-- The policy asks kb_files for the path, and the path in kb_files is what its writer says.

drop policy kb_read on storage.objects;
create policy kb_read on storage.objects for select to authenticated
  using (bucket_id = 'kb' and exists (select 1 from public.kb_files f where f.storage_path = objects.name));

-- @as ella
insert into kb_files (kb_id, storage_path, sha256) select id, 'aaaaaaaa-0000-4000-8000-000000000004/file.pdf', 'x' from knowledge_bases
-- @as ella
select * from storage.objects where name like 'aaaaaaaa%'
