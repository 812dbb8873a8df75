-- No policy reads its own table, directly or through the policies of the tables it reads (42P17). R22
with recursive reads (table_id, role_id, other_id) as (
  select distinct p.polrelid, r.oid, c.oid
  from pg_policy p
  cross join unnest(p.polroles) r (oid)
  join pg_class c on c.relkind in ('r', 'p', 'v')
    and concat_ws(' ', pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
      -- A relation in FROM, wherever it stands: columns are printed with their alias, functions with a parenthesis.
      ~ ('[\s(]' || regexp_replace(c.oid::regclass::text, '\W', '\\\&', 'g') || '\M(?![.(])')
  where c.relnamespace::regnamespace::text in ('app', 'authz')
), path (start_id, role_id, table_id) as (
  select table_id, role_id, other_id from reads
  union
  select path.start_id, path.role_id, r.other_id from path join reads r on r.table_id = path.table_id and r.role_id = path.role_id
)
select start_id::regclass::text as object, 'its policies for ' || role_id::regrole || ' read it again' as finding
from path where table_id = start_id
