-- Class:    Agent memory readable across tenants
-- Culprit:  public.agent_memories
-- Command:  select

create policy agent_memories_for_agents on public.agent_memories for select to authenticated using (agent_id is not null);

-- @as gina
select * from agent_memories where org_id = :acme
