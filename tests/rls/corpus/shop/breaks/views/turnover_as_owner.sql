-- Class:    CREATE OR REPLACE VIEW silently drops security_invoker
-- Culprit:  public.turnover
-- Command:  select

create or replace view public.turnover as
  select company_id, ordered_on, sum(total) as total from public.orders group by company_id, ordered_on;

-- @as bert
select * from turnover where company_id = 1
