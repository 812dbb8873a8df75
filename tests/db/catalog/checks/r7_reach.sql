-- Who reaches what, memberships and predefined roles included: authenticated and ringfence_owner by their grants, worker and analyst
-- what jobs take (the analyst the views of schema source and columns beneath them), and no one else anything (anon and service_role
-- neither). R7, DESIGN 3 and 6
with role as (
  select r.oid, r.rolname from pg_roles r where not r.rolsuper and r.rolname <> 'postgres' and r.rolname not like 'pg\_%'
), allowed (role, schema) as (
  values ('authenticated', 'api'), ('authenticated', 'app'), ('authenticated', 'authz'), ('ringfence_owner', 'app'),
    ('ringfence_owner', 'authz'), ('ringfence_worker', 'authz'), ('ringfence_analyst', 'authz'), ('ringfence_analyst', 'source')
), job (role, name) as (
  values ('ringfence_worker', 'authz.claims()'), ('ringfence_analyst', 'authz.claims()'), ('ringfence_worker', 'authz.uid()'), ('ringfence_analyst', 'authz.uid()'),
    ('ringfence_worker', 'authz.job_claims()'), ('ringfence_analyst', 'authz.job_claims()'),
    ('ringfence_worker', 'authz.begin_job(uuid,uuid)'), ('ringfence_analyst', 'authz.begin_job(uuid,uuid)'),
    ('ringfence_worker', 'authz.job_limits()'), ('ringfence_worker', 'authz.job_context()'), ('ringfence_worker', 'authz.next_job(text)'),
    ('ringfence_worker', 'authz.recover_jobs()'), ('ringfence_worker', 'authz.renew_job(uuid,uuid)'), ('ringfence_worker', 'authz.release_job(uuid,uuid,boolean)'),
    ('ringfence_worker', 'authz.finish_job(text,text,text,text,jsonb,text)'),
    ('ringfence_worker', 'authz.reserve_model_call(uuid,uuid,text,text,text,integer,text,smallint)'),
    ('ringfence_worker', 'authz.settle_model_call(uuid,text,integer,integer)'),
    ('ringfence_analyst', 'authz.rehearse_job()'), ('ringfence_analyst', 'authz.open_query(text)'), ('ringfence_analyst', 'authz.fetch_rows(integer,integer)'),
    ('ringfence_analyst', 'authz.orgs_with(text)'), ('ringfence_analyst', 'authz.in_scope(text[])'), ('ringfence_analyst', 'authz.job_orgs(text)'),
    ('ringfence_analyst', 'authz.job_tables()'), ('ringfence_analyst', 'source.uploaded'), ('ringfence_analyst', 'app.uploaded_row'),
    ('ringfence_analyst', 'source.orders'), ('ringfence_analyst', 'source.tickets'), ('ringfence_analyst', 'source.conversations'),
    ('ringfence_analyst', 'source.usage'), ('ringfence_analyst', 'app.customer_order'), ('ringfence_analyst', 'app.support_ticket'),
    ('ringfence_analyst', 'app.conversation'), ('ringfence_analyst', 'app.usage_entry')
)
select r.rolname || ' -> schema ' || n.nspname as object, 'has USAGE' as finding
from role r cross join pg_namespace n
where n.nspname in ('api', 'app', 'authz', 'source') and has_schema_privilege(r.oid, n.oid, 'usage')
  and not exists (select from allowed a where a.role = r.rolname and a.schema = n.nspname)
union all
select r.rolname || ' -> ' || c.oid::regclass, 'holds a privilege'
from role r cross join pg_class c
where c.relnamespace::regnamespace::text in ('api', 'app', 'authz', 'source') and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and r.rolname not in ('authenticated', 'ringfence_owner')
  and (has_table_privilege(r.oid, c.oid, 'insert, update, delete, truncate, references, trigger')
    or has_any_column_privilege(r.oid, c.oid, 'insert, update, references')
    or has_any_column_privilege(r.oid, c.oid, 'select') and not exists (
      select from job j where j.role = r.rolname and j.name = c.relnamespace::regnamespace || '.' || c.relname))
union all
select r.rolname || ' -> ' || p.oid::regprocedure, 'may execute it'
from role r cross join pg_proc p
where p.pronamespace::regnamespace::text in ('api', 'app', 'authz') and r.oid <> p.proowner
  and has_function_privilege(r.oid, p.oid, 'execute')
  and not (r.rolname in ('authenticated', 'ringfence_owner')
    or exists (select from job j where j.role = r.rolname and j.name = p.oid::regprocedure::text))
