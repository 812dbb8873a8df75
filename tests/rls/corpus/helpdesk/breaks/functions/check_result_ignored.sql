-- Class:    Permission check whose NULL result passes
-- Culprit:  public.read_audit(uuid)
-- Command:  execute
--
-- For a stranger the role is NULL, `NULL not in (…)` is NULL, and IF takes NULL for false.

create function public.read_audit(org uuid) returns setof public.audit_log
language plpgsql stable security definer set search_path = '' as $$
declare
  v_role public.org_role;
begin
  select m.role into v_role from public.memberships m where m.org_id = org and m.user_id = (select auth.uid());
  if v_role not in ('admin', 'owner') then
    raise exception 'not allowed' using errcode = '42501';
  end if;
  return query select a.* from public.audit_log a where a.org_id = org;
end
$$;
grant execute on function public.read_audit(uuid) to authenticated;

-- @as gina
select * from read_audit(:acme)
