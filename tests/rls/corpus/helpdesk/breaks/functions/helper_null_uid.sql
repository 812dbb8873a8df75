-- Class:    Helper returns all when uid is NULL
-- Culprit:  private.my_org_ids() | public.documents
-- Command:  execute
--
-- "For the server." A token without sub has no uid either.

create or replace function private.my_org_ids() returns setof uuid
language plpgsql stable security definer set search_path = '' as $$
begin
  if (select auth.uid()) is null then
    return query select o.id from public.organizations o;
  end if;
  return query select m.org_id from public.memberships m where m.user_id = (select auth.uid()) and m.status = 'active';
end
$$;

-- @as nosub
select * from documents where org_id = :acme
