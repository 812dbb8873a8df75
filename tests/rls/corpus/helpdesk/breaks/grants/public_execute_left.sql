-- Class:    PUBLIC EXECUTE left after REVOKE … FROM anon
-- Culprit:  public.claim_agent_job()
-- Command:  execute
--
-- PUBLIC still has it, so anon has it.

grant execute on function public.claim_agent_job() to public;
revoke execute on function public.claim_agent_job() from anon, authenticated;

-- @as anon
select * from claim_agent_job()
