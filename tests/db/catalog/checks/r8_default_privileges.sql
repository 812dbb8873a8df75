-- What is created later is closed: the migration role's functions are not PUBLIC's, and no default grants anything of ours. R8
select d.defaclrole::regrole || ' in ' || coalesce(n.nspname::text, 'every schema') as object,
  'gives ' || a.privilege_type || ' to ' || case a.grantee when 0 then 'PUBLIC' else a.grantee::regrole::text end as finding
from pg_default_acl d
left join pg_namespace n on n.oid = d.defaclnamespace
cross join lateral aclexplode(d.defaclacl) a
where (n.nspname in ('api', 'app', 'authz') or n.nspname is null) and a.grantee <> d.defaclrole
union all
select 'postgres', 'functions made later are open to PUBLIC'
where not exists (select from pg_default_acl d
  where d.defaclrole = 'postgres'::regrole and d.defaclnamespace = 0 and d.defaclobjtype = 'f'
    and not exists (select from aclexplode(d.defaclacl) a where a.grantee = 0))
