-- Class:    Organization founded in another person's name, or taken from them
-- Culprit:  public.orgs
-- Command:  update

drop policy "owner renames" on public.orgs;
create policy "owner renames" on public.orgs for update to authenticated
  using (exists (select 1 from public.org_people p where p.org_id = orgs.id and p.person_id = (select auth.uid())));
grant update (owner_id) on public.orgs to authenticated;

-- @as ivan
update orgs set owner_id = :ivan where id = :iron
