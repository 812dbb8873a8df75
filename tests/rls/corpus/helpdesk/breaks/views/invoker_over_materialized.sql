-- Class:    Invoker view over a materialized view in an unexposed schema
-- Culprit:  public.daily_usage | private.daily_usage_data
-- Command:  select

create materialized view private.daily_usage_data as
  select org_id, occurred_at::date as day, sum(amount) as amount from public.usage_events group by 1, 2;
grant select on private.daily_usage_data to authenticated;
create view public.daily_usage with (security_invoker = on) as select * from private.daily_usage_data;
grant select on public.daily_usage to authenticated;

-- @as gina
select * from daily_usage where org_id = :acme
