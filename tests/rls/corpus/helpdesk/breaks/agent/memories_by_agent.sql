-- Class:    Agent memory by agent and not by person
-- Culprit:  public.agent_memories
-- Command:  select
--
-- What one person told the agent, it knows for all.

drop policy agent_memories_own on public.agent_memories;
create policy agent_memories_own on public.agent_memories for all to authenticated
  using (exists (select 1 from public.agents a where a.id = agent_memories.agent_id))
  with check (user_id = (select auth.uid()) and org_id in (select private.my_org_ids()));

-- @as vera
select * from agent_memories where org_id = :acme and user_id = :olga
