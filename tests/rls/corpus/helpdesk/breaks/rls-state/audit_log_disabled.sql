-- Class:    RLS disabled on the audit log
-- Culprit:  public.audit_log
-- Command:  select
--
-- "It is only a log."

alter table public.audit_log disable row level security;

-- @as gina
select * from audit_log where org_id = :acme
