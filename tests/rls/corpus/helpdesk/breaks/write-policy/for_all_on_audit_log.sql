-- Class:    FOR ALL policy where FOR SELECT was meant (audit log)
-- Culprit:  public.audit_log
-- Command:  delete
--
-- With the grant that "all tables" brought, admins remove what they did from the record.

drop policy audit_log_read on public.audit_log;
create policy audit_log_read on public.audit_log for all to authenticated using (private.has_org_role(org_id, '{admin,owner}'));
grant select, insert, update, delete on public.audit_log to authenticated;

-- @as adam
delete from audit_log where org_id = :acme
