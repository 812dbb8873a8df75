-- Identifiers are random: a sequence counts for all organizations together, and its values can be guessed. DESIGN 5
select c.oid::regclass::text as object, 'a sequence' as finding
from pg_class c
where c.relnamespace::regnamespace::text in ('api', 'app', 'authz') and c.relkind = 'S'
