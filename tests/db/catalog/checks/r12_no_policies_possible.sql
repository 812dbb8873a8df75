-- Materialized views and foreign tables know no policies: none of ours, and none anywhere that a request can read. R12
select c.oid::regclass::text as object, case c.relkind when 'm' then 'a materialized view' else 'a foreign table' end as finding
from pg_class c
where c.relkind in ('m', 'f') and (c.relnamespace::regnamespace::text in ('api', 'app', 'authz')
  or exists (select from pg_roles r where r.rolname in ('anon', 'authenticated') and has_any_column_privilege(r.oid, c.oid, 'select')))
