-- Class:    Files readable without signing in
-- Culprit:  storage.objects
-- Command:  select
--
-- The dashboard's template "give anon users access to images", with the bucket changed.

create policy "Give anon users access to files" on storage.objects for select to public using (bucket_id = 'run-artifacts');

-- @as anon
select * from storage.objects where bucket_id = 'run-artifacts'
