-- A definer function meets policies: its owner is ringfence_owner, never the migration role, which bypasses them. R9
select p.oid::regprocedure::text as object,
  'a definer owned by ' || r.rolname || case when r.rolbypassrls or r.rolsuper then ', whom no policy binds' else '' end as finding
from pg_proc p join pg_roles r on r.oid = p.proowner
where p.pronamespace::regnamespace::text in ('api', 'app', 'authz', 'public')
  and p.prosecdef and r.rolname <> 'ringfence_owner'
