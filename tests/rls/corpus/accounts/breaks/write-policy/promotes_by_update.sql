-- Class:    Self-promotion (update own membership row)
-- Culprit:  public.accounts_memberships
-- Command:  update

create policy accounts_memberships_update on public.accounts_memberships for update to authenticated
  using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
grant update (account_role) on public.accounts_memberships to authenticated;

-- @as ray
update accounts_memberships set account_role = 'owner' where user_id = :ray
