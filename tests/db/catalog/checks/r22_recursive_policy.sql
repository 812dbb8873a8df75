-- No policy reads its own table, directly or through the policies of the tables it reads (42P17). R22
with recursive reads (table_id, role_id, other_id) as (
  select distinct p.polrelid, r.oid, c.oid
  from (
    select oid, polrelid, polroles, concat_ws(' ', pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) as text from pg_policy offset 0
  ) p
  cross join unnest(p.polroles) r (oid)
  join (select oid, relkind, relnamespace, oid::regclass::text as name from pg_class offset 0) c on c.relkind in ('r', 'p', 'v')
    -- Looked for first without a pattern: patterns for each of so many pairs take seconds.
    and case when strpos(p.text, c.name) > 0 then p.text
      -- A relation in FROM, wherever it stands: columns are printed with their alias, functions with a parenthesis.
      ~ ('[\s(]' || regexp_replace(c.name, '\W', '\\\&', 'g') || '\M(?![.(])') else false end
  where c.relnamespace::regnamespace::text in ('app', 'authz')
), path (start_id, role_id, table_id) as (
  select table_id, role_id, other_id from reads
  union
  select path.start_id, path.role_id, r.other_id from path join reads r on r.table_id = path.table_id and r.role_id = path.role_id
)
select start_id::regclass::text as object, 'its policies for ' || role_id::regrole || ' read it again' as finding
from path where table_id = start_id
