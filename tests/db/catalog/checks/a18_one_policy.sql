-- What people may do with a table is said once for each command: a second permissive policy lets in whatever it says besides, and a missing
-- one leaves the decision unwritten. A table that only definers reach has none for people.
select table_id::regclass::text as object, said || ' permissive policies for ' || command || ' of authenticated' as finding
from (
  select c.oid as table_id, k.command, count(p.oid) as said, sum(count(p.oid)) over (partition by c.oid) as of_people
  from pg_class c
  cross join (values ('r', 'select'), ('a', 'insert'), ('w', 'update'), ('d', 'delete')) k (letter, command)
  left join pg_policy p on p.polrelid = c.oid and p.polpermissive and p.polcmd::text in (k.letter, '*')
    and (0 = any (p.polroles) or 'authenticated'::regrole = any (p.polroles))
  where c.relnamespace::regnamespace::text in ('app', 'authz') and c.relkind in ('r', 'p')
  group by c.oid, k.command
) policies
where said <> 1 and of_people > 0
