-- Class:    SECURITY DEFINER RPC trusting a tenant-id argument
-- Culprit:  public.usage_summary(uuid)
-- Command:  execute

create or replace function public.usage_summary(org uuid) returns table (kind text, amount bigint)
language sql stable security definer set search_path = '' as $$
  select e.kind, sum(e.amount) from public.usage_events e where e.org_id = usage_summary.org group by e.kind
$$;

-- @as gina
select * from usage_summary(:acme)
