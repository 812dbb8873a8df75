-- Class:    Self-promotion (update own membership row)
-- Culprit:  public.tenant_users
-- Command:  update
-- Named by: self-promotion
--
-- What a member may do is a flag here, is_admin, and there is no column called role.

create policy tenant_users_self on public.tenant_users for update to authenticated
  using (tenant_id = (select app_private.tenant_id()) and user_id = (select auth.uid()))
  with check (tenant_id = (select app_private.tenant_id()) and user_id = (select auth.uid()));
update public.tenant_users set is_admin = false where tenant_id = 'aaaaaaaa-0000-4000-8000-000000000003';

-- @as nina
update tenant_users set is_admin = true where is_admin = false
