-- Class:    Role compared as text
-- Culprit:  private.has_org_role(uuid,public.org_role[]) | public.documents | public.projects
-- Command:  execute
--
-- "At least this role", in the order of the alphabet: viewer is more than admin.

create or replace function private.has_org_role(org uuid, roles public.org_role[]) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select 1 from public.memberships m where m.org_id = org and m.user_id = (select auth.uid()) and m.status = 'active'
      and m.role::text >= (select min(r::text) from unnest(roles) r))
$$;

-- @as vera
delete from documents where org_id = :acme
