-- Class:    Membership EXISTS without tenant correlation (WITH CHECK)
-- Culprit:  public.customers
-- Command:  insert

drop policy customers_write on public.customers;
create policy customers_write on public.customers for insert to authenticated
  with check (exists (select 1 from public.memberships m where m.user_id = (select auth.uid()) and m.role <> 'viewer'));

-- @as gina
insert into customers (org_id, email) values (:acme, 'planted@acme.test')
