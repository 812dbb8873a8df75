-- INSERT and UPDATE are granted column by column, and never on what the database decides: whose a row is, and when. R14
select c.oid::regclass::text as object, a.grantee::regrole || ': ' || a.privilege_type || ' on all columns' as finding
from pg_class c cross join lateral aclexplode(c.relacl) a
where c.relnamespace::regnamespace::text in ('api', 'app', 'authz') and c.relkind in ('r', 'p', 'v')
  and a.grantee <> c.relowner and a.privilege_type in ('INSERT', 'UPDATE')
union all
select c.oid::regclass || '.' || t.attname, a.grantee::regrole || ': ' || a.privilege_type || ' on what the database decides'
from pg_class c join pg_attribute t on t.attrelid = c.oid cross join lateral aclexplode(t.attacl) a
where c.relnamespace::regnamespace::text in ('api', 'app', 'authz') and a.grantee = 'authenticated'::regrole
  and (a.privilege_type = 'UPDATE' and t.attname in ('org_id', 'id', 'user_id', 'owner_id', 'created_by', 'created_at', 'updated_at', 'version')
    or a.privilege_type = 'INSERT' and t.attname in ('id', 'user_id', 'owner_id', 'created_by', 'created_at', 'updated_at', 'version'))
