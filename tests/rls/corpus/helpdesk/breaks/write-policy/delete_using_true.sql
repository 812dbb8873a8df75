-- Class:    DELETE USING (true): blind delete
-- Culprit:  public.customers
-- Command:  delete

drop policy customers_remove on public.customers;
create policy customers_remove on public.customers for delete to authenticated using (true);

-- @as gina
delete from customers
-- @seen
select 1 where not exists (select 1 from public.customers where org_id = :acme)
