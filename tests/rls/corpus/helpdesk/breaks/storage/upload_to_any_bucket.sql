-- Class:    storage.objects upload policy without bucket_id
-- Culprit:  storage.objects
-- Command:  insert
--
-- Into the public bucket too, where strangers read it.

drop policy avatars_upload on storage.objects;
create policy avatars_upload on storage.objects for insert to authenticated
  with check ((storage.foldername(name))[1] = (select auth.uid())::text);

-- @as otto
insert into storage.objects (bucket_id, name) values ('run-artifacts', 'c1111111-0000-4000-8000-000000000002/x.html')
