-- Class:    Rows broadcast on a channel that is not private
-- Culprit:  private.announce_run() | public.agent_runs
-- Command:  state
--
-- private is false: no policy is asked who listens, and the topic is one for all.

create or replace function private.announce_run() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform realtime.send(to_jsonb(new), 'run', 'runs', false);
  return null;
end
$$;

-- @as mia
insert into agent_runs (org_id, agent_id, input) select org_id, id, 'ACME question' from agents where org_id = :acme
-- @seen
select 1 from realtime.messages where topic = 'runs' and not private and payload::text like '%ACME question%'
