-- Class:    Arguments of a tool call writable after the decision
-- Culprit:  public.tool_calls
-- Command:  update
--
-- What was approved is not what runs.

create policy tool_calls_fix on public.tool_calls for update to authenticated
  using (requested_by = (select auth.uid())) with check (requested_by = (select auth.uid()));
grant update (arguments) on public.tool_calls to authenticated;
update public.tool_calls set status = 'approved', decided_by = 'a1111111-0000-4000-8000-000000000002', decided_at = now()
  where requested_by = 'a1111111-0000-4000-8000-000000000003';

-- @as mia
update tool_calls set arguments = '{"amount": 1000000}' where status = 'approved'
