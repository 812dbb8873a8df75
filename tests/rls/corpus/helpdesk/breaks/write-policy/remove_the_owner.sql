-- Class:    Any member removes any member
-- Culprit:  public.memberships
-- Command:  delete

create policy memberships_remove on public.memberships for delete to authenticated using (org_id in (select private.my_org_ids()));

-- @as vera
delete from memberships where org_id = :acme and user_id = :olga
