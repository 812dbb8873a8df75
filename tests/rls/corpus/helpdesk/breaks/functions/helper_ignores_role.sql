-- Class:    Membership helper ignores the role argument
-- Culprit:  private.has_org_role(uuid,public.org_role[]) | public.documents | public.projects
-- Command:  execute

create or replace function private.has_org_role(org uuid, roles public.org_role[]) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (select 1 from public.memberships m where m.org_id = org and m.user_id = (select auth.uid()) and m.status = 'active')
$$;

-- @as vera
delete from documents where org_id = :acme
