-- Class:    Identity helper reads something a client sends
-- Culprit:  private.current_person() | private.my_org_ids() | public.documents
-- Command:  execute
--
-- For tests one could name the person in a header; the branch went to production.

create function private.current_person() returns uuid language sql stable set search_path = '' as $$
  select coalesce(nullif(current_setting('request.headers', true)::json ->> 'x-user-id', '')::uuid, auth.uid())
$$;
grant execute on function private.current_person() to authenticated;
create or replace function private.my_org_ids() returns setof uuid
language sql stable security definer set search_path = '' as $$
  select m.org_id from public.memberships m where m.user_id = (select private.current_person()) and m.status = 'active'
$$;

-- @as otto header x-user-id=a1111111-0000-4000-8000-000000000003
select * from documents where org_id = :acme
