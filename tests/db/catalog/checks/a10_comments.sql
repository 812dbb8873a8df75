-- Every object has its comment: schemas, relations, columns, functions, policies, types, roles. R24
with described (object, comment) as (
  select 'schema ' || nspname, obj_description(oid, 'pg_namespace') from pg_namespace where nspname in ('api', 'app', 'authz')
  union all
  select c.oid::regclass::text, obj_description(c.oid, 'pg_class') from pg_class c
  where c.relnamespace::regnamespace::text in ('api', 'app', 'authz') and c.relkind not in ('i', 'I', 't', 'c')
  union all
  select a.attrelid::regclass || '.' || a.attname, col_description(a.attrelid, a.attnum)
  from pg_attribute a join pg_class c on c.oid = a.attrelid
  where c.relnamespace::regnamespace::text in ('api', 'app', 'authz') and c.relkind in ('r', 'p', 'v', 'm', 'f', 'c')
    and a.attnum > 0 and not a.attisdropped
  union all
  select p.oid::regprocedure::text, obj_description(p.oid, 'pg_proc') from pg_proc p
  where p.pronamespace::regnamespace::text in ('api', 'app', 'authz')
  union all
  select p.polrelid::regclass || '.' || p.polname, obj_description(p.oid, 'pg_policy')
  from pg_policy p join pg_class c on c.oid = p.polrelid
  where c.relnamespace::regnamespace::text in ('api', 'app', 'authz')
  union all
  select 'type ' || t.oid::regtype, obj_description(t.oid, 'pg_type') from pg_type t
  where t.typnamespace::regnamespace::text in ('api', 'app', 'authz') and (t.typtype in ('e', 'd', 'r') or exists (select from pg_class c where c.oid = t.typrelid and c.relkind = 'c'))
  union all
  select 'role ' || rolname, shobj_description(oid, 'pg_authid') from pg_roles where rolname like 'ringfence\_%'
)
select object, 'no comment' as finding from described where coalesce(btrim(comment), '') = ''
