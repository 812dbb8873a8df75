-- Class:    Self-reactivation (own status writable)
-- Culprit:  public.memberships
-- Command:  update
--
-- "Accept the invitation" is an update of one's own row from suspended to active.

create policy memberships_activate on public.memberships for update to authenticated
  using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()) and status = 'active');
revoke update on public.memberships from authenticated;
grant update (status) on public.memberships to authenticated;
create policy memberships_read_own on public.memberships for select to authenticated using (user_id = (select auth.uid()));

-- @as rex
update memberships set status = 'active' where user_id = :rex
-- @as rex
select * from documents where org_id = :acme
