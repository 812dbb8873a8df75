-- Class:    SECURITY DEFINER RPC that sets roles without asking who calls
-- Culprit:  public.set_member_role(uuid,uuid,public.org_role)
-- Command:  execute

create function public.set_member_role(org uuid, person uuid, new_role public.org_role) returns void
language sql volatile security definer set search_path = '' as $$
  update public.memberships m set role = new_role where m.org_id = org and m.user_id = person
$$;
grant execute on function public.set_member_role(uuid, uuid, public.org_role) to authenticated;

-- @as mia
select set_member_role(:acme, :mia, 'owner')
-- @seen
select 1 from public.memberships where org_id = :acme and user_id = :mia and role = 'owner'
