-- Class:    storage.objects policy asks who uploaded, for every bucket and folder
-- Culprit:  storage.objects
-- Command:  insert
--
-- A file of one's own in anybody's folder: other members of that organization take it for theirs.

create policy "Users upload their own files" on storage.objects for insert to authenticated
  with check (owner_id = (select auth.uid())::text);

-- @as gina
insert into storage.objects (bucket_id, name, owner_id)
  values ('org-files', 'aaaaaaaa-0000-4000-8000-000000000001/invoice.pdf', :gina)
