-- Class:    SECURITY DEFINER RPC that deletes by id without a tenant check
-- Culprit:  public.delete_agent(uuid)
-- Command:  execute

create function public.delete_agent(agent uuid) returns void language sql volatile security definer set search_path = '' as $$
  delete from public.agents where id = agent
$$;
grant execute on function public.delete_agent(uuid) to authenticated;
insert into public.agents (id, org_id, name, created_by) values
  ('d0000000-0000-4000-8000-000000000002', 'aaaaaaaa-0000-4000-8000-000000000001', 'Known', 'a1111111-0000-4000-8000-000000000001');

-- @as gina
select delete_agent('d0000000-0000-4000-8000-000000000002')
-- @seen
select 1 from pg_proc where proname = 'delete_agent' and not exists (select 1 from public.agents where id = 'd0000000-0000-4000-8000-000000000002')
