-- Class:    SECURITY DEFINER RPC that writes into any tenant
-- Culprit:  public.record_usage(uuid,text,integer)
-- Command:  execute
--
-- Nothing is read, so a test that looks for foreign rows in results sees nothing.

create function public.record_usage(org uuid, kind text, amount int) returns void
language sql volatile security definer set search_path = '' as $$
  insert into public.usage_events (org_id, kind, amount) values (org, record_usage.kind, record_usage.amount)
$$;
grant execute on function public.record_usage(uuid, text, int) to authenticated;

-- @as gina
select record_usage(:acme, 'tokens', 1000000)
-- @seen
select * from public.usage_events where org_id = :acme and amount = 1000000
