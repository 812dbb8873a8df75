-- Class:    Table swap / LIKE copy loses RLS and policies
-- Culprit:  public.customers
-- Command:  select
--
-- A table is rewritten by copying it. LIKE … INCLUDING ALL copies indexes and defaults, neither RLS nor policies.

create table public.customers_new (like public.customers including all);
insert into public.customers_new select * from public.customers;
alter table public.tickets drop constraint tickets_org_id_customer_id_fkey;
alter table public.customers rename to customers_old;
revoke all on public.customers_old from authenticated;
alter table public.customers_new rename to customers;
alter table public.tickets add foreign key (org_id, customer_id) references public.customers (org_id, id) on delete cascade;
grant select, insert, update, delete on public.customers to authenticated;

-- @as gina
select * from customers where org_id = :acme
