-- Class:    Traces of agent runs without RLS
-- Culprit:  public.agent_traces
-- Command:  select
--
-- Made by the tracing library at its first start, with prompts and tool results in it.

create table public.agent_traces (id bigint generated always as identity primary key, run_id uuid, payload jsonb);
grant select, insert on public.agent_traces to anon, authenticated;
insert into public.agent_traces (run_id, payload) select id, jsonb_build_object('output', output) from public.agent_runs;

-- @as anon
select * from agent_traces where payload::text like '%ACME%'
