-- Class:    storage.objects DELETE policy without tenant folder check
-- Culprit:  storage.objects
-- Command:  delete
--
-- No WHERE: with one, the files would have to be readable too.

drop policy avatars_delete on storage.objects;
create policy avatars_delete on storage.objects for delete to authenticated using (bucket_id = 'avatars');

-- @as otto
delete from storage.objects
-- @seen
select 1 where not exists (select 1 from storage.objects where bucket_id = 'avatars')
