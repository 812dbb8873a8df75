-- Schema api holds plain functions: no table, view, sequence, type, procedure or aggregate. R2
select c.oid::regclass::text as object, 'a relation in schema api' as finding
from pg_class c where c.relnamespace = 'api'::regnamespace
union all
select t.oid::regtype::text, 'a type in schema api' from pg_type t
where t.typnamespace = 'api'::regnamespace and t.typtype in ('d', 'e', 'r', 'b') and t.typcategory <> 'A'
union all
select p.oid::regprocedure::text, 'not a plain function' from pg_proc p where p.pronamespace = 'api'::regnamespace and p.prokind <> 'f'
