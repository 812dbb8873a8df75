-- Class:    Definer count across tenants
-- Culprit:  public.ticket_total()
-- Command:  execute
--
-- A number that grows when a competitor works.

create function public.ticket_total() returns bigint language sql stable security definer set search_path = '' as $$
  select count(*) from public.tickets
$$;
grant execute on function public.ticket_total() to authenticated;

-- @as otto
select 1 where ticket_total() > 0
