-- Nobody but the migration role makes temporary objects, which could shadow ours, or schemas. R6
select r.rolname::text as object, privilege || ' on this database' as finding
from pg_roles r cross join (values ('TEMP'), ('CREATE')) v (privilege)
where not r.rolsuper and r.rolname <> 'postgres' and r.rolname not like 'pg\_%'
  and has_database_privilege(r.oid, current_database(), privilege)
