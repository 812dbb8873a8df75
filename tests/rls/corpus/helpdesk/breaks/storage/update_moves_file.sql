-- Class:    storage.objects UPDATE check without tenant folder check
-- Culprit:  storage.objects
-- Command:  move
--
-- A file of one's own is renamed into another organization's folder.

drop policy org_files_change on storage.objects;
create policy org_files_change on storage.objects for update to authenticated
  using (bucket_id = 'org-files' and (storage.foldername(name))[1] in (select id::text from private.my_org_ids() as id))
  with check (bucket_id = 'org-files');

-- @as gina
update storage.objects set name = 'aaaaaaaa-0000-4000-8000-000000000001/planted.pdf'
-- @seen
select 1 from storage.objects where name like 'aaaaaaaa-%/planted.pdf'
