-- Class:    Policy ignores the status of the membership
-- Culprit:  public.documents
-- Command:  select
--
-- The helper asked for active members; the policy that replaced it for speed does not.

drop policy documents_read on public.documents;
create policy documents_read on public.documents for select to authenticated
  using (org_id in (select m.org_id from public.memberships m where m.user_id = (select auth.uid())));
create policy memberships_read_own on public.memberships for select to authenticated using (user_id = (select auth.uid()));

-- @as rex
select * from documents where org_id = :acme
