-- Views ask as their reader. PostgreSQL keeps the option as it was spelled, and it accepts prefixes. R11
select c.oid::regclass::text as object, 'a view that reads as its owner' as finding
from pg_class c
where c.relnamespace::regnamespace::text in ('api', 'app', 'authz', 'source', 'public') and c.relkind = 'v'
  and not exists (select from unnest(c.reloptions) o where o ~* '^security_invoker=(t|tr|tru|true|y|ye|yes|on|1)$')
