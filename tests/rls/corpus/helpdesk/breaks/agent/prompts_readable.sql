-- Class:    System prompts readable across tenants
-- Culprit:  public.agents
-- Command:  select
--
-- A gallery of agents, with their prompts and what the prompts say about customers.

create policy agents_gallery on public.agents for select to authenticated using (name is not null);

-- @as otto
select system_prompt from agents where org_id = :acme
