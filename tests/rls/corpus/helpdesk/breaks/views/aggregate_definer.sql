-- Class:    Definer view of counts across tenants
-- Culprit:  public.platform_numbers
-- Command:  select
--
-- "Only numbers": each competitor's numbers, by id.

create view public.platform_numbers as select org_id, count(*) as tickets, max(created_at) as latest from public.tickets group by org_id;
grant select on public.platform_numbers to authenticated;

-- @as gina
select * from platform_numbers where org_id = :acme
