-- Class:    Unqualified column captured by sub-select (org_id = org_id)
-- Culprit:  public.projects
-- Command:  select
--
-- Inside the sub-select org_id is the membership's own column, so the comparison is always true.

drop policy projects_read on public.projects;
create policy projects_read on public.projects for select to authenticated
  using (exists (select 1 from public.memberships m where m.user_id = (select auth.uid()) and m.org_id = org_id));

-- @as gina
select * from projects where org_id = :acme
