-- Class:    Default privileges give every new function to PUBLIC again
-- Culprit:  public.reset_usage(uuid) | schema public
-- Command:  execute
--
-- The line that revoked it was lost in a squash; the function was meant for the server.

alter default privileges grant execute on functions to public;
create function public.reset_usage(org uuid) returns void language sql volatile security definer set search_path = '' as $$
  delete from public.usage_events e where e.org_id = org
$$;
grant execute on function public.reset_usage(uuid) to service_role;

-- @as otto
select reset_usage(:acme)
-- @seen
select 1 where not exists (select 1 from public.usage_events where org_id = :acme)
