-- Class:    Column grant widened (secret column)
-- Culprit:  public.agent_tools
-- Command:  select
--
-- The members of the organization read the credentials its tools use.

grant select on public.agent_tools to authenticated;

-- @as vera
select credentials from agent_tools where org_id = :acme
