-- Class:    Nullable tenant column + "org_id is null or" branch
-- Culprit:  public.customers
-- Command:  select
--
-- As before, with no such row yet: only a test that makes one sees it.

alter table public.customers alter column org_id drop not null;
drop policy customers_read on public.customers;
create policy customers_read on public.customers for select to authenticated
  using (org_id is null or org_id in (select private.my_org_ids()));
drop policy customers_write on public.customers;
create policy customers_write on public.customers for insert to authenticated
  with check (org_id is null or private.has_org_role(org_id, '{member,admin,owner}'));

-- @as mia
insert into customers (org_id, email, full_name) values (null, 'x@acme.test', 'ACME imported')
-- @as otto
select * from customers where full_name = 'ACME imported'
