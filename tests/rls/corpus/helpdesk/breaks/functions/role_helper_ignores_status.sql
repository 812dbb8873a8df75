-- Class:    Membership helper ignores status (revoked/suspended), role form
-- Culprit:  private.has_org_role(uuid,public.org_role[]) | public.documents
-- Command:  execute
--
-- The list of organizations asks for active members, the role check no longer does: who is suspended still writes.

create or replace function private.has_org_role(org uuid, roles public.org_role[]) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select 1 from public.memberships m where m.org_id = org and m.user_id = (select auth.uid()) and m.role = any (roles))
$$;

-- @as rex
insert into documents (org_id, title) values (:acme, 'by a suspended admin')
