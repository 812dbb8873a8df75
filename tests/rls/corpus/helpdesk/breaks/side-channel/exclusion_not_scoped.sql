-- Class:    Exclusion constraint not scoped by tenant
-- Culprit:  public.maintenance_windows
-- Command:  insert

alter table public.maintenance_windows drop constraint maintenance_windows_no_overlap;
alter table public.maintenance_windows add constraint maintenance_windows_no_overlap
  exclude using gist (resource with operator(pg_catalog.=), during with operator(pg_catalog.&&));

-- @as gina differs
insert into maintenance_windows (org_id, resource, during) values (:globex, 'ACME database', '[2026-12-01 11:00+00,2026-12-01 11:30+00)')
-- @or
insert into maintenance_windows (org_id, resource, during) values (:globex, 'nobody database', '[2026-12-01 11:00+00,2026-12-01 11:30+00)')
