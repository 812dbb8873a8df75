-- Class:    Partition child reachable directly
-- Culprit:  public.readings_0 | public.readings_1
-- Command:  select

alter table public.readings_0 disable row level security;
alter table public.readings_1 disable row level security;
grant select on public.readings_0, public.readings_1 to authenticated;

-- @as sam
select * from (select * from readings_0 union all select * from readings_1) r where tenant_id = :north
