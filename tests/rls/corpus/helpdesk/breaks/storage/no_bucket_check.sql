-- Class:    storage.objects policy without bucket_id
-- Culprit:  storage.objects
-- Command:  delete
--
-- Made for one bucket, valid for all: members may now delete what only the workers write.

drop policy org_files_delete on storage.objects;
create policy org_files_delete on storage.objects for delete to authenticated
  using ((storage.foldername(name))[1] in (select id::text from private.my_org_ids() as id));

-- @as vera
delete from storage.objects where bucket_id = 'run-artifacts'
-- @seen
select 1 where not exists (select 1 from storage.objects where bucket_id = 'run-artifacts' and name like 'aaaaaaaa-%')
