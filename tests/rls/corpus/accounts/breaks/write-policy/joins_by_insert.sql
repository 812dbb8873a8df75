-- Class:    Self-service membership (user_id = auth.uid())
-- Culprit:  public.accounts_memberships
-- Command:  insert

create policy accounts_memberships_insert on public.accounts_memberships for insert to authenticated
  with check (user_id = (select auth.uid()));
grant insert on public.accounts_memberships to authenticated;

-- @as otto
insert into accounts_memberships (user_id, account_id, account_role) values (:otto, :red, 'owner')
