-- What must hold in the catalogs of any database Ringfence runs on. Each row is one finding: what is wrong, and where.
-- The full pack with its planted counter-examples is in tests/db/; this is what can be asked of a live database.
select 'table without enabled and forced row security' as finding, c.oid::regclass::text as place
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('api', 'app', 'authz') and c.relkind in ('r', 'p') and not (c.relrowsecurity and c.relforcerowsecurity)
union all
select 'table or view in the exposed schema', c.oid::regclass::text
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'api' and c.relkind in ('r', 'p', 'v', 'm', 'f')
union all
select 'view that reads as its owner', c.oid::regclass::text
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('api', 'app', 'authz', 'source') and c.relkind = 'v' and not coalesce(c.reloptions, '{}') && array['security_invoker=true', 'security_invoker=on']
union all
select 'function without a pinned search_path', p.oid::regprocedure::text
from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where n.nspname in ('api', 'app', 'authz') and not exists (select from unnest(coalesce(p.proconfig, '{}')) k where k like 'search_path=%')
union all
select 'function executable by everybody', p.oid::regprocedure::text
from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
where n.nspname in ('api', 'app', 'authz') and a.grantee = 0
union all
select 'SECURITY DEFINER function owned by a role that bypasses policies', p.oid::regprocedure::text
from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace join pg_catalog.pg_roles r on r.oid = p.proowner
where n.nspname in ('api', 'app', 'authz') and p.prosecdef and (r.rolbypassrls or r.rolsuper)
union all
select 'policy for everybody, or without an explicit check', format('%s on %s', p.polname, p.polrelid::regclass)
from pg_catalog.pg_policy p join pg_catalog.pg_class c on c.oid = p.polrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('api', 'app', 'authz') and (p.polroles = '{0}' or (p.polcmd in ('a', 'w', '*') and p.polwithcheck is null))
union all
select 'service_role may use a schema of ours', n.nspname
from pg_catalog.pg_namespace n where n.nspname in ('api', 'app', 'authz', 'source') and has_schema_privilege('service_role', n.oid, 'usage')
union all
select 'anon may use the exposed schema', 'api'
from pg_catalog.pg_namespace n where n.nspname = 'api' and has_schema_privilege('anon', n.oid, 'usage')
union all
select 'role with an attribute it must not have', r.rolname
from pg_catalog.pg_roles r
where r.rolname in ('anon', 'authenticated', 'authenticator', 'ringfence_owner', 'ringfence_worker', 'ringfence_analyst')
  and (r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb or r.rolreplication)
union all
select 'schema missing: the migrations have not been applied', wanted
from unnest(array['api', 'app', 'authz', 'source']) wanted where not exists (select from pg_catalog.pg_namespace n where n.nspname = wanted)
order by 1, 2
