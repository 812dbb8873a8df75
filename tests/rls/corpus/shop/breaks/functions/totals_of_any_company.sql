-- Class:    SECURITY DEFINER RPC trusting a tenant-id argument
-- Culprit:  public.company_totals(bigint)
-- Command:  execute

create function public.company_totals(company bigint) returns table (orders bigint, revenue numeric)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select count(*), sum(o.total) from public.orders o where o.company_id = company
$$;
grant execute on function public.company_totals(bigint) to authenticated;

-- @as bert
select * from company_totals(1) where revenue > 0
