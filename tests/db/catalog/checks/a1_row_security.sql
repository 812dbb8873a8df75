-- Row security is enabled and forced on every table and partition. R1
select c.oid::regclass::text as object,
  case when c.relrowsecurity then 'row security is not forced' else 'row security is not enabled' end as finding
from pg_class c
where c.relnamespace::regnamespace::text in ('api', 'app', 'authz', 'public') and c.relkind in ('r', 'p')
  and not (c.relrowsecurity and c.relforcerowsecurity)
