-- Class:    Lookup table that decides about permissions is writable
-- Culprit:  core.job_permission
-- Command:  insert

create policy job_permission_insert on core.job_permission for insert to authenticated
  with check (exists (select 1 from core.assignment a where a.person_id = (select auth.uid())));
grant insert on core.job_permission to authenticated;

-- @as dina
insert into core.job_permission values ('desk', 'invoice.read')
-- @as dina
select * from core.invoice where practice_id = :east
