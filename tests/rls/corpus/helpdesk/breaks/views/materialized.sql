-- Class:    Materialized view
-- Culprit:  public.customer_stats
-- Command:  select

create materialized view public.customer_stats as
  select c.org_id, c.email, count(t.id) as tickets from public.customers c left join public.tickets t on t.customer_id = c.id group by 1, 2;
grant select on public.customer_stats to authenticated;

-- @as gina
select * from customer_stats where org_id = :acme
