-- Class:    Role check dropped from a definer's body
-- Culprit:  public.export_customers(uuid)
-- Not found: the body still asks for membership; that it asked for the owner once is written nowhere else
-- Command:  execute
--
-- Still only members of the organization, but all of them, and without the second factor.

create or replace function public.export_customers(org uuid) returns setof public.customers
language plpgsql stable security definer set search_path = '' as $$
begin
  if export_customers.org not in (select private.my_org_ids()) then
    raise exception 'not allowed' using errcode = '42501';
  end if;
  return query select c.* from public.customers c where c.org_id = export_customers.org;
end
$$;

-- @as vera
select * from export_customers(:acme)
