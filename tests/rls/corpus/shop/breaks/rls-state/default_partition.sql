-- Class:    Partition child reachable directly
-- Culprit:  public.orders_rest
-- Command:  select

alter table public.orders_rest disable row level security;
grant select on public.orders_rest to authenticated;

-- @as bert
select * from orders_rest where company_id = 1
