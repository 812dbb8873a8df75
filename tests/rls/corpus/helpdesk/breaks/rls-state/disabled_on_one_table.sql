-- Class:    RLS disabled on one table
-- Culprit:  public.customers
-- Command:  select
--
-- Switched off while debugging a slow import, never switched on again. Its policies still stand there and look right.

alter table public.customers disable row level security;

-- @as gina
select * from customers where org_id = :acme
