-- Class:    Wrong segment of the path compared
-- Culprit:  storage.objects
-- Command:  insert
--
-- The second folder is the caller's to choose.

drop policy org_files_upload on storage.objects;
create policy org_files_upload on storage.objects for insert to authenticated
  with check (bucket_id = 'org-files' and (storage.foldername(name))[2] = (select auth.uid())::text);

-- @as otto
insert into storage.objects (bucket_id, name)
  values ('org-files', 'aaaaaaaa-0000-4000-8000-000000000001/c1111111-0000-4000-8000-000000000002/planted.pdf')
