-- Class:    Partition child reachable directly
-- Culprit:  public.usage_events_2026_h1
-- Command:  select
--
-- Policies of the parent bind only who reads through the parent.

alter table public.usage_events_2026_h1 disable row level security;
grant select on public.usage_events_2026_h1 to authenticated;

-- @as gina
select * from usage_events_2026_h1 where org_id = :acme
