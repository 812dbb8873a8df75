-- Class:    Membership EXISTS without tenant correlation
-- Culprit:  public.projects
-- Command:  select
--
-- A member of something is taken for a member of this.

drop policy projects_read on public.projects;
create policy projects_read on public.projects for select to authenticated
  using (exists (select 1 from public.memberships m where m.user_id = (select auth.uid()) and m.status = 'active'));

-- @as gina
select * from projects where org_id = :acme
