-- Class:    Invitation accepted by its id
-- Culprit:  public.join_organization(uuid)
-- Command:  execute
--
-- The organization's id is enough to join it.

create function public.join_organization(org uuid) returns void language sql volatile security definer set search_path = '' as $$
  insert into public.memberships (org_id, user_id) values (org, (select auth.uid())) on conflict do nothing
$$;
grant execute on function public.join_organization(uuid) to authenticated;

-- @as otto
select join_organization(:acme)
-- @as otto
select * from documents where org_id = :acme
