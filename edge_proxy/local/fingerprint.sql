-- Everything sql/ and the migrations could disagree about, one row a fact: kind, name, detail. Names instead of ids, so that
-- two databases can be compared. What an extension owns is the extension's; the CLI's own history is left out.
with
schemas as (
  select n.oid, n.nspname, n.nspowner, n.nspacl from pg_catalog.pg_namespace n
  where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'supabase_migrations')
),
extension_owned as (
  select d.classid, d.objid from pg_catalog.pg_depend d where d.deptype = 'e'
),
acls as (
  select 'schema' as kind, s.nspname::text as name, coalesce(s.nspacl, acldefault('n', s.nspowner)) as acl from schemas s
  union all
  select 'relation', c.oid::regclass::text, coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner))
  from pg_catalog.pg_class c join schemas s on s.oid = c.relnamespace where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
  union all
  select 'column', c.oid::regclass::text || '.' || a.attname, a.attacl
  from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid join schemas s on s.oid = c.relnamespace
  where a.attacl is not null
  union all
  select 'function', p.oid::regprocedure::text, coalesce(p.proacl, acldefault('f', p.proowner))
  from pg_catalog.pg_proc p join schemas s on s.oid = p.pronamespace
  where not exists (select from extension_owned e where e.classid = 'pg_proc'::regclass and e.objid = p.oid)
  union all
  select 'type', t.oid::regtype::text, coalesce(t.typacl, acldefault('T', t.typowner))
  from pg_catalog.pg_type t join schemas s on s.oid = t.typnamespace where t.typtype in ('d', 'e')
  union all
  select 'default privilege', format('%s of %s in %s', d.defaclobjtype, d.defaclrole::regrole, coalesce(s.nspname::text, 'any schema')), d.defaclacl
  from pg_catalog.pg_default_acl d left join schemas s on s.oid = d.defaclnamespace
  union all
  select 'database', 'this one', coalesce(b.datacl, acldefault('d', b.datdba)) from pg_catalog.pg_database b where b.datname = current_database()
),
comments as (
  select pg_catalog.pg_describe_object(d.classoid, d.objoid, d.objsubid) as name, d.description
  from pg_catalog.pg_description d
  -- Lower ids are the system's own.
  where d.objoid >= 16384 and not exists (select from extension_owned e where e.classid = d.classoid and e.objid = d.objoid)
)
select 'privilege on ' || kind as kind, name,
  coalesce(string_agg(format('%s %s%s by %s', case x.grantee when 0 then 'PUBLIC' else x.grantee::regrole::text end, x.privilege_type,
    case when x.is_grantable then ' with grant option' else '' end, x.grantor::regrole), ', ' order by x.grantee::regrole::text, x.privilege_type, x.grantor::regrole::text), 'nobody') as detail
from acls left join lateral aclexplode(acl) x on true group by kind, name
union all
select 'comment', name, description from comments
union all
select 'comment on role', r.rolname, d.description from pg_catalog.pg_shdescription d join pg_catalog.pg_roles r on r.oid = d.objoid and d.classoid = 'pg_authid'::regclass
  where r.rolname !~ '^pg_'
union all
select 'schema', s.nspname, 'owner ' || s.nspowner::regrole from schemas s
union all
select 'relation', c.oid::regclass::text, format('kind %s, owner %s, rls %s, forced %s, persistence %s, options %s, view %s', c.relkind, c.relowner::regrole,
    c.relrowsecurity, c.relforcerowsecurity, c.relpersistence, c.reloptions, case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end)
from pg_catalog.pg_class c join schemas s on s.oid = c.relnamespace where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
union all
-- Not the place of a column: one added later comes last in the migrations and where it reads best in sql/, and no statement of ours relies on it.
select 'column', c.oid::regclass::text || '.' || a.attname, format('type %s, not null %s, default %s, generated %s, identity %s, collation %s, storage %s',
    format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
    a.attgenerated, a.attidentity, a.attcollation, a.attstorage)
from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid join schemas s on s.oid = c.relnamespace
  left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'f', 'c')
union all
select 'constraint', format('%s on %s', k.conname, coalesce(nullif(k.conrelid, 0)::regclass::text, nullif(k.contypid, 0)::regtype::text)),
  format('%s, validated %s', pg_get_constraintdef(k.oid), k.convalidated)
from pg_catalog.pg_constraint k join schemas s on s.oid = k.connamespace
union all
select 'index', i.indexrelid::regclass::text, format('%s, valid %s', pg_get_indexdef(i.indexrelid), i.indisvalid)
from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indrelid join schemas s on s.oid = c.relnamespace
union all
select 'policy', format('%s on %s', p.polname, p.polrelid::regclass), format('%s %s to %s using %s check %s',
    case when p.polpermissive then 'permissive' else 'restrictive' end, p.polcmd,
    (select string_agg(case r when 0 then 'PUBLIC' else r::regrole::text end, ', ' order by r::regrole::text) from unnest(p.polroles) r),
    pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
from pg_catalog.pg_policy p
union all
select 'function', p.oid::regprocedure::text, format('owner %s, leakproof %s, %s', p.proowner::regrole, p.proleakproof,
    case when p.prokind in ('f', 'p') then pg_get_functiondef(p.oid) end)
from pg_catalog.pg_proc p join schemas s on s.oid = p.pronamespace
where not exists (select from extension_owned e where e.classid = 'pg_proc'::regclass and e.objid = p.oid)
union all
select 'trigger', format('%s on %s', t.tgname, t.tgrelid::regclass), format('%s, enabled %s', pg_get_triggerdef(t.oid), t.tgenabled)
from pg_catalog.pg_trigger t join pg_catalog.pg_class c on c.oid = t.tgrelid join schemas s on s.oid = c.relnamespace where not t.tgisinternal
union all
select 'event trigger', t.evtname, format('on %s by %s, owner %s', t.evtevent, t.evtfoid::regprocedure, t.evtowner::regrole) from pg_catalog.pg_event_trigger t
union all
select 'type', t.oid::regtype::text, format('kind %s, owner %s, base %s, not null %s, default %s, labels %s', t.typtype, t.typowner::regrole,
    case when t.typbasetype <> 0 then format_type(t.typbasetype, t.typtypmod) end, t.typnotnull, t.typdefault,
    (select string_agg(e.enumlabel, ', ' order by e.enumsortorder) from pg_catalog.pg_enum e where e.enumtypid = t.oid))
from pg_catalog.pg_type t join schemas s on s.oid = t.typnamespace where t.typtype in ('d', 'e')
union all
select 'sequence', q.seqrelid::regclass::text, format('from %s by %s, %s to %s, cycle %s', q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcycle)
from pg_catalog.pg_sequence q join pg_catalog.pg_class c on c.oid = q.seqrelid join schemas s on s.oid = c.relnamespace
union all
select 'extension', x.extname, format('%s in %s', x.extversion, x.extnamespace::regnamespace) from pg_catalog.pg_extension x
union all
select 'role', r.rolname, format('super %s, inherit %s, createrole %s, createdb %s, login %s, replication %s, bypassrls %s, connections %s', r.rolsuper, r.rolinherit,
    r.rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolreplication, r.rolbypassrls, r.rolconnlimit)
from pg_catalog.pg_roles r where r.rolname !~ '^pg_'
union all
select 'membership', format('%s in %s by %s', m.member::regrole, m.roleid::regrole, m.grantor::regrole), format('admin %s, inherit %s, set %s', m.admin_option, m.inherit_option, m.set_option)
from pg_catalog.pg_auth_members m
union all
select 'setting', format('%s%s', coalesce(nullif(g.setrole, 0)::regrole::text, 'everyone'), case when g.setdatabase <> 0 then ' in this database' else '' end),
  (select string_agg(k, ', ' order by k) from unnest(g.setconfig) k)
from pg_catalog.pg_db_role_setting g left join pg_catalog.pg_database b on b.oid = g.setdatabase
where g.setdatabase = 0 or b.datname = current_database()
