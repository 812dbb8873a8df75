-- Class:    Unqualified column captured by sub-select (org_id = org_id)
-- Culprit:  public.labels
-- Command:  select

drop policy "members see labels" on public.labels;
create policy "members see labels" on public.labels for select to authenticated
  using (exists (select 1 from public.org_people p where p.org_id = org_id and p.person_id = (select auth.uid())));

-- @as jane
select * from labels where org_id = :iron
