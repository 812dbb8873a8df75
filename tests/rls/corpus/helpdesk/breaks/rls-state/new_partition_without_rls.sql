-- Class:    Partition child reachable directly
-- Culprit:  public.usage_events_2027_h1
-- Command:  select
--
-- The job that adds a partition every half year grants it like its parent, and that is all it does.

create table public.usage_events_2027_h1 partition of public.usage_events for values from ('2027-01-01') to ('2027-07-01');
grant select on public.usage_events_2027_h1 to authenticated;
insert into public.usage_events values ('aaaaaaaa-0000-4000-8000-000000000001', '2027-02-01', 'ACME tokens', 5);

-- @as gina
select * from usage_events_2027_h1 where org_id = :acme
