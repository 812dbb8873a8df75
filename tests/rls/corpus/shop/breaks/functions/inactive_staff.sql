-- Class:    Membership helper ignores status (revoked/suspended)
-- Culprit:  internal.my_company() | public.orders
-- Command:  execute

create or replace function internal.my_company() returns bigint language sql stable security definer set search_path = '' as $$
  select s.company_id from public.staff s where s.id = (select auth.uid())
$$;

-- @seen
update public.staff set active = false where id = :carl
-- @as carl
select * from orders where company_id = 1
