-- Who reaches what, memberships and predefined roles included: authenticated and ringfence_owner by their grants, worker and analyst
-- the two identity functions, and no one else anything (anon and service_role neither). R7, DESIGN 3
with role as (
  select r.oid, r.rolname from pg_roles r where not r.rolsuper and r.rolname <> 'postgres' and r.rolname not like 'pg\_%'
), allowed (role, schema) as (
  values ('authenticated', 'api'), ('authenticated', 'app'), ('authenticated', 'authz'), ('ringfence_owner', 'app'),
    ('ringfence_owner', 'authz'), ('ringfence_worker', 'authz'), ('ringfence_analyst', 'authz')
)
select r.rolname || ' -> schema ' || n.nspname as object, 'has USAGE' as finding
from role r cross join pg_namespace n
where n.nspname in ('api', 'app', 'authz') and has_schema_privilege(r.oid, n.oid, 'usage')
  and not exists (select from allowed a where a.role = r.rolname and a.schema = n.nspname)
union all
select r.rolname || ' -> ' || c.oid::regclass, 'holds a privilege'
from role r cross join pg_class c
where c.relnamespace::regnamespace::text in ('api', 'app', 'authz') and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and r.rolname not in ('authenticated', 'ringfence_owner')
  and (has_table_privilege(r.oid, c.oid, 'select, insert, update, delete, truncate, references, trigger')
    or has_any_column_privilege(r.oid, c.oid, 'select, insert, update, references'))
union all
select r.rolname || ' -> ' || p.oid::regprocedure, 'may execute it'
from role r cross join pg_proc p
where p.pronamespace::regnamespace::text in ('api', 'app', 'authz') and r.oid <> p.proowner
  and has_function_privilege(r.oid, p.oid, 'execute')
  and not (r.rolname in ('authenticated', 'ringfence_owner')
    or r.rolname in ('ringfence_worker', 'ringfence_analyst') and p.oid in ('authz.uid()'::regprocedure, 'authz.claims()'::regprocedure))
