-- Class:    The workers' function callable by people
-- Culprit:  public.claim_agent_job()
-- Command:  execute

grant execute on function public.claim_agent_job() to authenticated;

-- @as otto
select * from claim_agent_job()
