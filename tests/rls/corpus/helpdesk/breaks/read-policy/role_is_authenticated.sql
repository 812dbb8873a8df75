-- Class:    "Signed in" instead of "member" (auth.role() = 'authenticated')
-- Culprit:  public.customers
-- Command:  select
--
-- The form that Supabase's own templates used for years, without TO.

drop policy customers_read on public.customers;
create policy customers_read on public.customers for select using (auth.role() = 'authenticated');

-- @as otto
select * from customers where org_id = :acme
