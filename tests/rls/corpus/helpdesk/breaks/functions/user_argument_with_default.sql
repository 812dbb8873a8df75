-- Class:    SECURITY DEFINER RPC trusting a user-id argument (default auth.uid())
-- Culprit:  public.my_memories(uuid)
-- Command:  execute
--
-- The default is right, and anybody may pass another value.

create function public.my_memories(person uuid default auth.uid()) returns setof public.agent_memories
language sql stable security definer set search_path = '' as $$
  select m.* from public.agent_memories m where m.user_id = my_memories.person
$$;
grant execute on function public.my_memories(uuid) to authenticated;

-- @as gina
select * from my_memories(:olga)
