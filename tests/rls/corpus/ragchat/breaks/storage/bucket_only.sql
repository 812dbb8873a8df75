-- Class:    storage.objects policy without tenant folder check
-- Culprit:  storage.objects
-- Command:  select

drop policy kb_read on storage.objects;
create policy kb_read on storage.objects for select to authenticated using (bucket_id = 'kb');

-- @as ella
select * from storage.objects where name like 'aaaaaaaa%'
