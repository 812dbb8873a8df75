-- Nobody a request or a job runs as creates objects, in any schema. R6
select r.rolname || ' in ' || n.nspname as object, 'may create objects' as finding
from pg_roles r cross join pg_namespace n
where r.rolname in ('anon', 'authenticated', 'authenticator', 'service_role', 'ringfence_owner', 'ringfence_worker', 'ringfence_analyst')
  and n.nspname !~ '^pg_(toast|temp)' and has_schema_privilege(r.oid, n.oid, 'create')
