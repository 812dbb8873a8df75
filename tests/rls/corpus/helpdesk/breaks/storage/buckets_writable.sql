-- Class:    storage.buckets writable
-- Culprit:  storage.buckets
-- Command:  update
--
-- Anybody makes any bucket public.

create policy "Users manage buckets" on storage.buckets for all to authenticated using (true) with check (true);

-- @as otto
update storage.buckets set public = true where id = 'org-files'
