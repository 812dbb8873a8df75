-- Class:    Self-promotion (update own membership row)
-- Culprit:  public.memberships
-- Command:  update
--
-- Made so that people could hide an organization they no longer use.

create policy memberships_edit_own on public.memberships for update to authenticated
  using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));

-- @as mia
update memberships set role = 'owner' where user_id = :mia
