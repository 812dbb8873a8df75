-- Class:    Approval RPC without a tenant check
-- Culprit:  public.decide_tool_call(uuid,boolean)
-- Command:  execute
--
-- The id of a waiting call is in a notification, a log, a URL.

create or replace function public.decide_tool_call(call_id uuid, approve boolean) returns text
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_status text;
begin
  update public.tool_calls c
    set status = case when decide_tool_call.approve then 'approved' else 'rejected' end, decided_by = (select auth.uid()), decided_at = now()
    where c.id = decide_tool_call.call_id and c.status = 'waiting' and c.requested_by <> (select auth.uid())
    returning c.status into v_status;
  if v_status is null then
    raise exception 'no such tool call' using errcode = 'PT404';
  end if;
  return v_status;
end
$$;
update public.tool_calls set id = 'd0000000-0000-4000-8000-000000000007'
  where org_id = 'aaaaaaaa-0000-4000-8000-000000000001' and requested_by = 'a1111111-0000-4000-8000-000000000003';

-- @as otto
select decide_tool_call('d0000000-0000-4000-8000-000000000007', true)
-- @seen
select 1 from public.tool_calls where status = 'approved' and decided_by = :otto
