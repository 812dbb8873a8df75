-- Every index of a table of organizations leads with org_id, and there is one without a condition, ready for the floor. R21
with tenant as (
  select c.oid, a.attnum from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'org_id'
  where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p', 'm')
)
select t.oid::regclass::text as object, 'no index leads with org_id' as finding from tenant t
where not exists (select from pg_index i
  where i.indrelid = t.oid and i.indkey[0] = t.attnum and i.indpred is null and i.indisvalid and i.indisready)
union all
select i.indexrelid::regclass::text, 'org_id does not come first' from tenant t join pg_index i on i.indrelid = t.oid
where i.indkey[0] <> t.attnum
