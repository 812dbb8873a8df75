-- Class:    Table without RLS in a second exposed schema
-- Culprit:  reporting.monthly_usage
-- Command:  select
--
-- Tools that look at schema public alone say nothing.

create schema reporting;
grant usage on schema reporting to authenticated;
create table reporting.monthly_usage as select org_id, kind, sum(amount) as amount from public.usage_events group by org_id, kind;
grant select on all tables in schema reporting to authenticated;
alter role authenticator in database "{database}" set pgrst.db_schemas = 'public, reporting';

-- @as gina
select * from reporting.monthly_usage where org_id = :acme
