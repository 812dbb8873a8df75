-- Class:    Restrictive policy recreated as permissive
-- Culprit:  core.finding
-- Command:  select

drop policy finding_strong on core.finding;
create policy finding_strong on core.finding for all to authenticated
  using (((select auth.jwt()) ->> 'aal') = 'aal2') with check (((select auth.jwt()) ->> 'aal') = 'aal2');

-- @as walt2
select * from core.finding where practice_id = :east
