-- Class:    Tenant looked for anywhere in the path
-- Culprit:  storage.objects
-- Command:  insert
--
-- `name like '%<my organization>%'`: in any folder, by naming the file so.

drop policy org_files_upload on storage.objects;
create policy org_files_upload on storage.objects for insert to authenticated
  with check (bucket_id = 'org-files' and exists (select 1 from private.my_org_ids() as o where objects.name like '%' || o::text || '%'));

-- @as gina
insert into storage.objects (bucket_id, name)
  values ('org-files', 'aaaaaaaa-0000-4000-8000-000000000001/bbbbbbbb-0000-4000-8000-000000000001.pdf')
