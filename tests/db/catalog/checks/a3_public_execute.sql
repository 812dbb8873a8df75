-- PUBLIC executes nothing. acldefault is what a function has on which nothing was ever granted. R7
select p.oid::regprocedure::text as object, 'PUBLIC may execute it' as finding
from pg_proc p cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
where p.pronamespace::regnamespace::text in ('api', 'app', 'authz', 'public') and a.grantee = 0
