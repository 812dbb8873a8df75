-- Class:    Invoker view over a definer view in an unexposed schema
-- Culprit:  public.customer_list | private.customer_facts
-- Command:  select
--
-- The view one sees has the option; the one below it does not, and runs as its owner.

create view private.customer_facts as select id, org_id, email from public.customers;
grant select on private.customer_facts to authenticated;
create view public.customer_list with (security_invoker = on) as select * from private.customer_facts;
grant select on public.customer_list to authenticated;

-- @as gina
select * from customer_list where org_id = :acme
