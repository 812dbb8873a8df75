-- Class:    storage.objects policy without tenant folder check
-- Culprit:  storage.objects
-- Command:  select

drop policy org_files_read on storage.objects;
create policy org_files_read on storage.objects for select to authenticated using (bucket_id = 'org-files');

-- @as gina
select * from storage.objects where name like 'aaaaaaaa-%'
