-- Class:    Optional tenant argument (NULL = all tenants)
-- Culprit:  public.list_agents(uuid)
-- Command:  execute

create function public.list_agents(org uuid default null) returns table (org_id uuid, name text, system_prompt text)
language sql stable security definer set search_path = '' as $$
  select a.org_id, a.name, a.system_prompt from public.agents a
  where list_agents.org is null or (a.org_id = list_agents.org and private.has_org_role(list_agents.org, '{viewer,member,admin,owner}'))
$$;
grant execute on function public.list_agents(uuid) to authenticated;

-- @as gina
select * from list_agents() where org_id = :acme
