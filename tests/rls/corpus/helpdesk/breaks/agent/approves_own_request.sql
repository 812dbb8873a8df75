-- Class:    Approval by the person who asked
-- Culprit:  public.decide_tool_call(uuid,boolean)
-- Command:  execute
--
-- An agent that acts for an admin asks and approves in one breath.

create or replace function public.decide_tool_call(call_id uuid, approve boolean) returns text
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_status text;
begin
  update public.tool_calls c
    set status = case when decide_tool_call.approve then 'approved' else 'rejected' end, decided_by = (select auth.uid()), decided_at = now()
    where c.id = decide_tool_call.call_id and c.status = 'waiting' and private.has_org_role(c.org_id, '{admin,owner}')
    returning c.status into v_status;
  if v_status is null then
    raise exception 'no such tool call' using errcode = 'PT404';
  end if;
  return v_status;
end
$$;

-- @as olga
select decide_tool_call(id, true) from tool_calls where requested_by = :olga
