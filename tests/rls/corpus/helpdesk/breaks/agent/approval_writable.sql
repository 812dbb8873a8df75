-- Class:    Approval written as a plain update
-- Culprit:  public.tool_calls
-- Command:  update
--
-- The status of a call is a column that members may write.

create policy tool_calls_decide on public.tool_calls for update to authenticated
  using (org_id in (select private.my_org_ids())) with check (org_id in (select private.my_org_ids()));
grant update (status, decided_by, decided_at) on public.tool_calls to authenticated;

-- @as vera
update tool_calls set status = 'approved' where org_id = :acme
