-- Class:    Owner column of the tenant writable
-- Culprit:  public.accounts
-- Command:  update
--
-- WITH CHECK asks for what the caller has just written.

drop policy accounts_update on public.accounts;
create policy accounts_update on public.accounts for update to authenticated
  using (public.has_role_on_account(id)) with check (public.has_role_on_account(id));
grant update (primary_owner_user_id) on public.accounts to authenticated;

-- @as ray
update accounts set primary_owner_user_id = :ray where id = :red
