-- Class:    Purge by a definer without any check
-- Culprit:  public.purge_memories(uuid)
-- Command:  execute

create or replace function public.purge_memories(org uuid) returns int
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_count int;
begin
  delete from public.agent_memories m where m.org_id = purge_memories.org;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

-- @as gina
select purge_memories(:acme)
-- @seen
select 1 where not exists (select 1 from public.agent_memories where org_id = :acme)
