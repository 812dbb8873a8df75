-- Class:    SECURITY DEFINER RPC without tenant filter
-- Culprit:  public.recent_tickets()
-- Command:  execute

create function public.recent_tickets() returns setof public.tickets
language sql stable security definer set search_path = '' as $$
  select t.* from public.tickets t order by t.created_at desc limit 20
$$;
grant execute on function public.recent_tickets() to authenticated;

-- @as gina
select * from recent_tickets() where org_id = :acme
