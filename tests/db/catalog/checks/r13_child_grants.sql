-- Partitions and heirs are reached through their parent: no grant of their own, on the table or a column. R13
select c.oid::regclass::text as object, 'a partition or heir with a grant to ' || a.grantee::regrole as finding
from pg_inherits i
join pg_class c on c.oid = i.inhrelid and c.relkind in ('r', 'p', 'f')
cross join lateral (
  select g.grantee from aclexplode(c.relacl) g
  union
  select g.grantee from pg_attribute t cross join lateral aclexplode(t.attacl) g where t.attrelid = c.oid
) a
where c.relnamespace::regnamespace::text in ('api', 'app', 'authz', 'public') and a.grantee <> c.relowner
