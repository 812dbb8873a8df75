-- Class:    Membership helper ignores the tenant argument
-- Culprit:  private.has_org_role(uuid,public.org_role[]) | public.projects | public.documents | public.tickets
-- Command:  execute
--
-- `m.org_id = m.org_id`: whoever has the role somewhere has it everywhere.

create or replace function private.has_org_role(org uuid, roles public.org_role[]) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select 1 from public.memberships m
    where m.org_id = m.org_id and m.user_id = (select auth.uid()) and m.status = 'active' and m.role = any (roles))
$$;

-- @as gina
insert into documents (org_id, title) values (:acme, 'planted')
