-- Class:    "service role full access" policy with no TO clause
-- Culprit:  public.agent_runs
-- Command:  select
--
-- service_role needs no policy at all; this one is for everybody.

create policy "Service role has full access" on public.agent_runs using (true) with check (true);

-- @as gina
select * from agent_runs where org_id = :acme
