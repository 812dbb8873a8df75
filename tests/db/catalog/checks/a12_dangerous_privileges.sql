-- Nobody is given TRUNCATE, REFERENCES, TRIGGER or MAINTAIN, on a table or a column, nor a privilege to pass on. R14
select held.object, held.grantee || ' holds ' || held.privilege || case when held.grantable then ' with grant option' else '' end as finding
from (
  select c.oid::regclass::text, a.grantee, a.privilege_type, a.is_grantable, c.relowner, c.relnamespace
  from pg_class c cross join lateral aclexplode(c.relacl) a
  union all
  select c.oid::regclass || '.' || t.attname, a.grantee, a.privilege_type, a.is_grantable, c.relowner, c.relnamespace
  from pg_class c join pg_attribute t on t.attrelid = c.oid cross join lateral aclexplode(t.attacl) a
  union all
  select p.oid::regprocedure::text, a.grantee, a.privilege_type, a.is_grantable, p.proowner, p.pronamespace
  from pg_proc p cross join lateral aclexplode(p.proacl) a
) acl (object, grantee, privilege, grantable, owner, namespace)
cross join lateral (select acl.object, case acl.grantee when 0 then 'PUBLIC' else acl.grantee::regrole::text end as grantee,
  acl.privilege, acl.grantable) held
where acl.namespace::regnamespace::text in ('api', 'app', 'authz', 'public') and acl.grantee <> acl.owner
  and (acl.privilege in ('TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN') or acl.grantable)
