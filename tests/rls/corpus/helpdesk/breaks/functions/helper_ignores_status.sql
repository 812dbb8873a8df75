-- Class:    Membership helper ignores status (revoked/suspended)
-- Culprit:  private.my_org_ids() | public.documents
-- Command:  execute

create or replace function private.my_org_ids() returns setof uuid
language sql stable security definer set search_path = '' as $$
  select m.org_id from public.memberships m where m.user_id = (select auth.uid())
$$;

-- @as rex
select * from documents where org_id = :acme
