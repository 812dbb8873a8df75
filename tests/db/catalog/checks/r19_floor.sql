-- Every table of organizations has a restrictive policy, for every command, of exactly one form. R19
select c.oid::regclass::text as object, 'no restrictive floor on its organization' as finding
from pg_class c
join pg_attribute org on org.attrelid = c.oid and org.attname = case c.relname when 'organization' then 'id' else 'org_id' end
where c.relnamespace::regnamespace::text in ('app', 'authz') and c.relkind in ('r', 'p') and not exists (
  select from pg_policy p
  cross join (select '(' || org.attname || ' = ANY (ARRAY( SELECT authz.org_ids() AS org_ids)))' as text) floor
  where p.polrelid = c.oid and not p.polpermissive and p.polcmd = '*' and p.polroles = array['authenticated'::regrole::oid]
    and pg_get_expr(p.polqual, p.polrelid) = floor.text and pg_get_expr(p.polwithcheck, p.polrelid) = floor.text)
