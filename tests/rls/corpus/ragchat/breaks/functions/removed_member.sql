-- Class:    Membership helper ignores status (revoked/suspended)
-- Culprit:  util.visible_workspaces() | public.knowledge_bases
-- Command:  execute

create or replace function util.visible_workspaces() returns uuid[] language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(m.workspace_id), '{}') from public.workspace_members m where m.member_id = (select auth.uid())
$$;

-- @as past
select * from knowledge_bases where workspace_id = :oak
