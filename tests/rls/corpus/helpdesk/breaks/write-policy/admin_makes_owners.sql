-- Class:    Role ceiling dropped: who may set roles may set any
-- Culprit:  public.memberships
-- Command:  update
--
-- Admins may manage memberships; without "and not my own row" an admin becomes owner.

drop policy memberships_manage on public.memberships;
create policy memberships_manage on public.memberships for update to authenticated
  using (private.has_org_role(org_id, '{admin,owner}')) with check (private.has_org_role(org_id, '{admin,owner}'));

-- @as adam
update memberships set role = 'owner' where org_id = :acme and user_id = :adam
