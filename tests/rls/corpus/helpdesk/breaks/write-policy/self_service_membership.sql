-- Class:    Self-service membership (user_id = auth.uid())
-- Culprit:  public.memberships
-- Command:  insert
--
-- People write their own membership, of whatever organization and with whatever role.

create policy memberships_join on public.memberships for insert to authenticated with check (user_id = (select auth.uid()));
grant insert on public.memberships to authenticated;

-- @as otto
insert into memberships (org_id, user_id, role) values (:acme, :otto, 'owner')
-- @as otto
select * from documents where org_id = :acme
