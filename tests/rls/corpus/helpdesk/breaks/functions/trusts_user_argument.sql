-- Class:    SECURITY DEFINER RPC trusting a user-id argument
-- Culprit:  public.organizations_of(uuid)
-- Command:  execute

create function public.organizations_of(person uuid) returns table (org_id uuid, name text, role public.org_role)
language sql stable security definer set search_path = '' as $$
  select o.id, o.name, m.role from public.memberships m join public.organizations o on o.id = m.org_id
  where m.user_id = organizations_of.person and m.status = 'active'
$$;
grant execute on function public.organizations_of(uuid) to authenticated;

-- @as gina
select * from organizations_of(:mia)
