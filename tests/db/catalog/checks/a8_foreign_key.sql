-- A foreign key between rows of organizations pairs org_id with org_id. R23
select k.conrelid::regclass || '.' || k.conname as object, 'a reference that may cross organizations' as finding
from pg_constraint k
where k.contype = 'f' and k.connamespace::regnamespace::text in ('api', 'app', 'authz', 'public')
  and case
    when k.confrelid = 'app.organization'::regclass then
      not exists (
        select from unnest(k.conkey, k.confkey) pair (child, parent)
        join pg_attribute c on c.attrelid = k.conrelid and c.attnum = pair.child and c.attname = 'org_id'
        join pg_attribute p on p.attrelid = k.confrelid and p.attnum = pair.parent and p.attname = 'id')
    when exists (select from pg_attribute a where a.attrelid = k.confrelid and a.attname = 'org_id') then
      not exists (
        select from unnest(k.conkey, k.confkey) pair (child, parent)
        join pg_attribute c on c.attrelid = k.conrelid and c.attnum = pair.child and c.attname = 'org_id'
        join pg_attribute p on p.attrelid = k.confrelid and p.attnum = pair.parent and p.attname = 'org_id')
    else false
  end
