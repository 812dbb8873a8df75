-- Class:    SECURITY DEFINER RPC trusting a row id argument
-- Culprit:  public.acknowledge(uuid)
-- Command:  execute
-- Named by: definer-writes-foreign-rows
--
-- It asks whether the caller belongs to the tenant of the token, and forgets to ask whose alert it is. Nobody whose token names no tenant gets as far.

create function public.acknowledge(alert uuid) returns void language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
  if app_private.tenant_id() is null then
    raise exception 'not allowed' using errcode = '42501';
  end if;
  update public.alerts set acknowledged_by = auth.uid() where alert_id = alert;
end
$$;
revoke execute on function public.acknowledge(uuid) from public;
grant execute on function public.acknowledge(uuid) to authenticated;
update public.alerts set alert_id = 'd0000000-0000-4000-8000-000000000002' where message like 'SOUTH%';

-- @as nina
select acknowledge('d0000000-0000-4000-8000-000000000002')
-- @seen
select 1 from public.alerts where message like 'SOUTH%' and acknowledged_by = :nina
