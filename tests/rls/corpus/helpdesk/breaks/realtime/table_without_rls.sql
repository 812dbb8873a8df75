-- Class:    Published table without RLS
-- Culprit:  public.presence_log
-- Command:  state
--
-- No API role may select it, so tools that look at grants are content; Realtime has its own way only for what is granted, and the
-- next GRANT opens both.

create table public.presence_log (id uuid primary key default gen_random_uuid(), org_id uuid not null, user_id uuid, seen_at timestamptz default now());
grant select on public.presence_log to authenticated;
insert into public.presence_log (org_id) select id from public.organizations;
alter publication supabase_realtime add table public.presence_log;

-- @as gina
select * from presence_log where org_id = :acme
