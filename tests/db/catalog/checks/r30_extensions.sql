-- Extensions live in schema extensions; what reaches files, programs, other servers or other people's statements is nobody's. R30
select 'extension ' || e.extname as object, 'in schema ' || n.nspname as finding
from pg_extension e join pg_namespace n on n.oid = e.extnamespace
where n.nspname <> 'extensions' and not (e.extname = 'plpgsql' and n.nspname = 'pg_catalog')
union all
select r.rolname || ' -> ' || p.oid::regprocedure, 'may execute it'
from pg_proc p
join pg_language l on l.oid = p.prolang
left join pg_depend d on d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
left join pg_extension e on e.oid = d.refobjid
cross join pg_roles r
where r.rolname in ('anon', 'authenticated', 'authenticator', 'ringfence_owner', 'ringfence_worker', 'ringfence_analyst')
  and (e.extname in ('dblink', 'postgres_fdw', 'file_fdw', 'http', 'pg_net', 'adminpack', 'pg_stat_statements', 'pg_cron', 'pageinspect', 'lo', 'xml2')
    or not l.lanpltrusted and l.lanname not in ('internal', 'c')
    or p.pronamespace = 'pg_catalog'::regnamespace
      and p.proname ~ '^(pg_read_(binary_)?file|pg_ls_\w+|pg_stat_file|lo_(import|export)|pg_reload_conf|pg_rotate_logfile|pg_file_\w+|pg_promote|pg_hba_file_rules)$')
  and has_function_privilege(r.oid, p.oid, 'execute')
union all
select r.rolname || ' -> ' || c.oid::regclass, 'a relation of an extension, readable'
from pg_class c
join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
cross join pg_roles r
where r.rolname in ('anon', 'authenticated', 'ringfence_worker', 'ringfence_analyst') and c.relkind in ('r', 'v', 'm', 'f')
  and has_any_column_privilege(r.oid, c.oid, 'select')
