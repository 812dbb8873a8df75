-- name: types
-- Every type with the type under its domains.
with recursive base as (
  select t.oid, t.oid as base, t.typbasetype as next, array[]::oid[] as domains from pg_type t
  union all
  select b.oid, t.oid, t.typbasetype, b.domains || b.base from base b join pg_type t on t.oid = b.next where b.next <> 0
)
select b.oid, format_type(b.base, null) as base, t.typtype as kind, t.typcategory as category,
  case when t.typelem <> 0 and t.typcategory = 'A' then format_type(t.typelem, null) end as element,
  coalesce((select array_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid in (b.base, t.typelem)), '{}') as labels,
  coalesce((select array_agg(pg_get_constraintdef(k.oid)) from pg_constraint k where k.contypid = any (b.domains) and k.contype = 'c'), '{}') as checks
from base b join pg_type t on t.oid = b.base where b.next = 0;

-- name: relations
select c.oid, n.nspname as schema, c.relname as name, c.relkind as kind, c.relowner::regrole::text as owner, obj_description(c.oid, 'pg_class') as comment,
  c.reltuples as rows, c.relrowsecurity as rls, c.relforcerowsecurity as force, c.relpersistence as persistence, c.relispartition as is_partition,
  c.relreplident as replica_identity, c.relispopulated as populated, coalesce(c.reloptions, '{}') as options,
  case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end as definition,
  c.relkind = 'v' and pg_relation_is_updatable(c.oid, false) & 28 <> 0 as updatable,
  array(select i.inhparent::int8 from pg_inherits i where i.inhrelid = c.oid) as parents,
  exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e') as extension_owned
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'f', 'v', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema';

-- name: columns
select a.attrelid as relation, a.attname as name, a.attnum as number, format_type(a.atttypid, a.atttypmod) as type, a.atttypid as type_oid, a.attnotnull as not_null,
  case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end as default, a.attgenerated <> '' as generated, a.attidentity as identity,
  case when a.atttypmod > 4 and a.atttypid in ('varchar'::regtype, 'bpchar'::regtype) then a.atttypmod - 4 when a.atttypmod > 0 then a.atttypmod end as length,
  col_description(a.attrelid, a.attnum) as comment
from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'f', 'v', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
order by a.attrelid, a.attnum;

-- name: grants
-- What was never granted by hand is there too: acldefault gives the owner's rights and PUBLIC's EXECUTE.
with acls as (
  select 'relation' as kind, c.oid, null::text as col, coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner)) as acl
  from pg_class c where c.relkind in ('r', 'p', 'f', 'v', 'm', 'S')
  union all
  select 'relation', a.attrelid, a.attname, a.attacl from pg_attribute a where a.attacl is not null and not a.attisdropped
  union all
  select 'function', p.oid, null, coalesce(p.proacl, acldefault('f', p.proowner)) from pg_proc p
  union all
  select 'schema', n.oid, null, coalesce(n.nspacl, acldefault('n', n.nspowner)) from pg_namespace n
  union all
  select 'database', b.oid, null, coalesce(b.datacl, acldefault('d', b.datdba)) from pg_database b where b.datname = current_database()
  union all
  select 'default', d.oid, null, d.defaclacl from pg_default_acl d
)
select kind, acls.oid, col, case x.grantee when 0 then 'public' else pg_get_userbyid(x.grantee) end as grantee, x.privilege_type as privilege,
  x.is_grantable as grantable, pg_get_userbyid(x.grantor) as grantor
from acls cross join lateral aclexplode(acl) x
where kind <> 'function' or acls.oid >= 16384;

-- name: policies
select p.oid, p.polrelid as relation, p.polname as name, p.polcmd as command, p.polpermissive as permissive,
  array(select case r when 0 then 'public' else pg_get_userbyid(r) end from unnest(p.polroles) r) as roles,
  pg_get_expr(p.polqual, p.polrelid) as using, pg_get_expr(p.polwithcheck, p.polrelid) as check,
  array(select distinct d.refobjid::int8 from pg_depend d where d.classid = 'pg_policy'::regclass and d.objid = p.oid and d.refclassid = 'pg_proc'::regclass) as functions,
  array(select distinct d.refobjid::int8 from pg_depend d where d.classid = 'pg_policy'::regclass and d.objid = p.oid and d.refclassid = 'pg_class'::regclass
    and d.refobjid <> p.polrelid) as relations
from pg_policy p order by p.polrelid, p.polname;

-- name: constraints
select k.conrelid as relation, k.conname as name, k.contype as kind, pg_get_constraintdef(k.oid) as definition, nullif(k.confrelid, 0)::int8 as references,
  array(select a.attname::text from unnest(k.conkey) with ordinality u (n, i) join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.n order by u.i) as columns,
  array(select a.attname::text from unnest(k.confkey) with ordinality u (n, i) join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.n order by u.i) as referenced_columns,
  k.confdeltype as on_delete, k.condeferrable as deferrable, k.convalidated as validated
from pg_constraint k where k.conrelid <> 0 order by k.conrelid, k.conname;

-- name: indexes
select i.indrelid as relation, c.relname as name, i.indisunique as unique, i.indisprimary as primary, i.indisexclusion as exclusion,
  coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false) as nulls_not_distinct, pg_get_expr(i.indpred, i.indrelid) as predicate, pg_get_indexdef(i.indexrelid) as definition,
  array(select pg_get_indexdef(i.indexrelid, g, true) from generate_series(1, i.indnkeyatts) g order by g) as columns
from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
where i.indisvalid and n.nspname !~ '^pg_' order by i.indrelid, c.relname;

-- name: triggers
select t.tgrelid as relation, t.tgname as name, t.tgfoid::int8 as function, pg_get_triggerdef(t.oid) as definition, t.tgenabled as enabled,
  case when t.tgtype & 64 <> 0 then 'instead of' when t.tgtype & 2 <> 0 then 'before' else 'after' end as timing,
  array_remove(array[case when t.tgtype & 4 <> 0 then 'insert' end, case when t.tgtype & 8 <> 0 then 'delete' end,
    case when t.tgtype & 16 <> 0 then 'update' end, case when t.tgtype & 32 <> 0 then 'truncate' end], null) as events,
  t.tgtype & 1 <> 0 as per_row
from pg_trigger t where not t.tgisinternal order by t.tgrelid, t.tgname;

-- name: view_dependencies
select distinct r.ev_class as relation, d.refclassid::regclass::text as class, d.refobjid::int8 as target
from pg_rewrite r join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
where d.refclassid in ('pg_class'::regclass, 'pg_proc'::regclass) and d.refobjid <> r.ev_class;

-- name: functions
select p.oid, n.nspname as schema, p.proname as name, p.prokind as kind, p.prosecdef as definer, p.provolatile as volatility, p.proisstrict as strict,
  p.proleakproof as leakproof, l.lanname as language, p.prosrc as source, coalesce(p.proconfig, '{}') as config, pg_get_userbyid(p.proowner) as owner,
  obj_description(p.oid, 'pg_proc') as comment, format_type(p.prorettype, null) as returns, p.proretset as returns_set, p.pronargs as input_count, p.pronargdefaults as defaults,
  p.provariadic <> 0 as variadic, coalesce(p.proallargtypes, p.proargtypes::oid[])::int8[] as types, p.proargmodes::text[] as modes, p.proargnames as names,
  array(select format_type(t, null) from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) with ordinality u (t, i) order by i) as type_names,
  case when p.prokind in ('f', 'p') then pg_get_functiondef(p.oid) else '' end as definition,
  (select x.extname from pg_depend d join pg_extension x on x.oid = d.refobjid where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e' limit 1) as extension
from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema';

-- name: roles
select r.oid, r.rolname as name, r.rolsuper as superuser, r.rolbypassrls as bypassrls, r.rolcanlogin as login, r.rolinherit as inherit, r.rolcreaterole as createrole,
  r.rolcreatedb as createdb, r.rolreplication as replication,
  coalesce((select array_agg(setting) from pg_db_role_setting s, unnest(s.setconfig) setting
    where s.setrole = r.oid and s.setdatabase in (0, (select oid from pg_database where datname = current_database()))), '{}') as settings,
  array(select g.rolname::text from pg_roles g where g.oid <> r.oid and not r.rolsuper and pg_has_role(r.oid, g.oid, 'MEMBER')) as member_of,
  array(select g.rolname::text from pg_roles g where g.oid <> r.oid and not r.rolsuper and pg_has_role(r.oid, g.oid, 'USAGE')) as inherits
from pg_roles r;

-- name: schemas
select n.oid, n.nspname as name, pg_get_userbyid(n.nspowner) as owner,
  exists (select from pg_depend d where d.classid = 'pg_namespace'::regclass and d.objid = n.oid and d.deptype = 'e') as extension_owned
from pg_namespace n where n.nspname !~ '^pg_' and n.nspname <> 'information_schema';

-- name: sequences
select c.oid, n.nspname as schema, c.relname as name, pg_get_userbyid(c.relowner) as owner, d.refobjid::int8 as owner_table, a.attname as owner_column
from pg_class c join pg_namespace n on n.oid = c.relnamespace
  left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i') and d.refclassid = 'pg_class'::regclass
  left join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
where c.relkind = 'S' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema';

-- name: defaults
select d.oid, pg_get_userbyid(d.defaclrole) as role, n.nspname as schema, d.defaclobjtype as objects from pg_default_acl d left join pg_namespace n on n.oid = d.defaclnamespace;

-- name: publications
select p.pubname as name, p.puballtables as all_tables,
  array(select r.prrelid::int8 from pg_publication_rel r where r.prpubid = p.oid) as tables,
  array(select n.nspname::text from pg_publication_namespace s join pg_namespace n on n.oid = s.pnnspid where s.pnpubid = p.oid) as schemas,
  (select coalesce(jsonb_object_agg(r.prrelid::text, pg_get_expr(r.prqual, r.prrelid)), '{}') from pg_publication_rel r where r.prpubid = p.oid and r.prqual is not null) as row_filters
from pg_publication p;

-- name: extensions
select x.extname as name, n.nspname as schema, x.extversion as version from pg_extension x join pg_namespace n on n.oid = x.extnamespace;

-- name: database
select b.oid, b.datname as name, current_setting('server_version_num')::int as version, current_user::text as current_user, r.rolsuper as superuser,
  coalesce((select jsonb_object_agg(split_part(k, '=', 1), substr(k, strpos(k, '=') + 1)) from pg_db_role_setting s, unnest(s.setconfig) k
    where s.setdatabase in (0, b.oid) and (s.setrole = 0 or s.setrole = (select oid from pg_roles where rolname = 'authenticator'))), '{}') as settings
from pg_database b, pg_roles r where b.datname = current_database() and r.rolname = current_user;
