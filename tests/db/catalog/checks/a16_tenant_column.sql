-- A table belongs to organizations: org_id uuid not null, without a default, is its first column and first in its primary key. R23
select c.oid::regclass::text as object,
  case when org.attnum is null then 'no org_id'
    when pk.indkey is null then 'no primary key'
    else 'org_id is not: uuid, not null, without default, first' end as finding
from pg_class c
left join pg_attribute org on org.attrelid = c.oid and org.attname = 'org_id'
left join pg_index pk on pk.indrelid = c.oid and pk.indisprimary
where c.relnamespace::regnamespace::text in ('app', 'authz') and c.relkind in ('r', 'p')
  and (org.attnum = 1 and org.atttypid = 'uuid'::regtype and org.attnotnull and not org.atthasdef and pk.indkey[0] = 1) is not true
