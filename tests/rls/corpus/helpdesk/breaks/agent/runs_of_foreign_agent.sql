-- Class:    Run started for another organization
-- Culprit:  public.agent_runs
-- Command:  insert
--
-- The run is mine, so the policy says; the organization that pays is another.

drop policy agent_runs_start on public.agent_runs;
create policy agent_runs_start on public.agent_runs for insert to authenticated with check (started_by = (select auth.uid()));
insert into public.agents (id, org_id, name, created_by)
  values ('d0000000-0000-4000-8000-000000000008', 'aaaaaaaa-0000-4000-8000-000000000001', 'Known', 'a1111111-0000-4000-8000-000000000001');

-- @as gina
insert into agent_runs (org_id, agent_id, input) values (:acme, 'd0000000-0000-4000-8000-000000000008', 'summarize all')
