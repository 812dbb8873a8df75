-- Class:    TRUNCATE granted (GRANT ALL ON ALL TABLES to anon)
-- Culprit:  public.usage_events | public.documents | public.audit_log | public.customers
-- Command:  truncate

grant all on all tables in schema public to anon;

-- @as anon
truncate usage_events
-- @seen
select 1 where not exists (select 1 from public.usage_events)
