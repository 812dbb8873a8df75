-- Class:    UPDATE USING (true): blind overwrite
-- Culprit:  public.customers
-- Command:  update
--
-- No WHERE on a column is needed to overwrite what cannot be read.

drop policy customers_edit on public.customers;
create policy customers_edit on public.customers for update to authenticated using (true) with check (true);

-- @as gus
update customers set full_name = 'overwritten'
-- @seen
select * from public.customers where org_id = :acme and full_name = 'overwritten'
