-- Class:    storage.objects upload policy without tenant folder check
-- Culprit:  storage.objects
-- Command:  insert

drop policy org_files_upload on storage.objects;
create policy org_files_upload on storage.objects for insert to authenticated with check (bucket_id = 'org-files');

-- @as otto
insert into storage.objects (bucket_id, name) values ('org-files', 'aaaaaaaa-0000-4000-8000-000000000001/planted.pdf')
