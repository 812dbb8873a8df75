-- Class:    Column name captured by a sub-select in a storage policy
-- Culprit:  storage.objects
-- Command:  select
--
-- projects has a column name too, so the folder is taken of the project's name, which its organization chooses.

drop policy org_files_read on storage.objects;
create policy org_files_read on storage.objects for select to authenticated
  using (bucket_id = 'org-files' and exists (
    select 1 from public.projects p where p.org_id::text = (storage.foldername(name))[1] and p.org_id in (select private.my_org_ids())));

-- @as gina
insert into projects (org_id, name) values (:globex, 'bbbbbbbb-0000-4000-8000-000000000001/x')
-- @as gina
select * from storage.objects where bucket_id = 'org-files' and name like 'aaaaaaaa-%'
