-- No function of ours is marked leakproof: PostgreSQL runs such a one on rows before the policies have had their say. R55
select p.oid::regprocedure::text as object, 'is marked leakproof' as finding
from pg_proc p
where p.pronamespace::regnamespace::text in ('api', 'app', 'authz', 'public') and p.proleakproof
