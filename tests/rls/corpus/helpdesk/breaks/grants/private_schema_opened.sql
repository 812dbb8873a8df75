-- Class:    Unexposed schema opened with GRANT ALL
-- Culprit:  private.settings | private.agent_jobs
-- Command:  select
--
-- "permission denied for table agent_jobs": granted, and RLS switched off as it answered with no rows.

alter table private.agent_jobs disable row level security;
grant select on all tables in schema private to authenticated;

-- @as gina
select * from private.agent_jobs where org_id = :acme
