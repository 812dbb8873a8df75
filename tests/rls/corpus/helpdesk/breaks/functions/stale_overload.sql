-- Class:    Stale unsafe overload
-- Culprit:  public.export_customers(uuid,text)
-- Command:  execute
--
-- The fix gave the function another argument list, so the old one stayed beside it.

create function public.export_customers(org uuid, format text) returns setof public.customers
language sql stable security definer set search_path = '' as $$
  select c.* from public.customers c where c.org_id = export_customers.org
$$;
grant execute on function public.export_customers(uuid, text) to authenticated;

-- @as gina
select * from export_customers(:acme, 'csv')
