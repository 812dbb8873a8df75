-- Class:    Denial by a list: everybody who is not on it
-- Culprit:  public.customers
-- Command:  select
--
-- "Not one of the suspended": strangers are not suspended.

drop policy customers_read on public.customers;
create policy customers_read on public.customers for select to authenticated
  using (org_id not in (select m.org_id from public.memberships m where m.user_id = (select auth.uid()) and m.status = 'suspended'));

-- @as otto
select * from customers where org_id = :acme
