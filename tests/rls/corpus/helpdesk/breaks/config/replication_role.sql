-- Class:    Triggers switched off for the API role
-- Culprit:  role authenticated
-- Command:  state
--
-- session_replication_role may be set by the role, and with it every ordinary trigger is off: guards, audit, foreign keys.

-- @patch as supabase_admin
grant set on parameter session_replication_role to authenticated;

-- @as mia
set local session_replication_role = replica;
insert into documents (org_id, title) values (:acme, 'unrecorded');
reset session_replication_role;
select 1
-- @seen
select 1 from public.documents where title = 'unrecorded' and not exists (select 1 from public.audit_log where actor_id = :mia)

-- @undo
revoke set on parameter session_replication_role from authenticated;
