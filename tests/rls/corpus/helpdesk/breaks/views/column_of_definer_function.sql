-- Class:    Invoker view with a column from a definer function
-- Culprit:  public.agent_cards | private.prompt_of(uuid)
-- Command:  select
--
-- The rows are the caller's, the column is fetched by id past every policy: here of the next organization's agent.

create function private.all_prompts() returns table (org_id uuid, system_prompt text)
language sql stable security definer set search_path = '' as $$ select a.org_id, a.system_prompt from public.agents a $$;
grant execute on function private.all_prompts() to authenticated;
create view public.agent_cards with (security_invoker = on) as select * from private.all_prompts();
grant select on public.agent_cards to authenticated;

-- @as gina
select * from agent_cards where org_id = :acme
