-- Class:    Tool credentials shown by a view
-- Culprit:  public.tool_catalog
-- Command:  select

create view public.tool_catalog as
  select t.org_id, t.name, t.endpoint, t.credentials from public.agent_tools t where t.org_id in (select private.my_org_ids());
grant select on public.tool_catalog to authenticated;

-- @as vera
select credentials from tool_catalog where org_id = :acme
