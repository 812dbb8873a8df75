-- A trigger that is switched off is as good as dropped, and nothing else shows it: who was to be refused or recorded is not. DESIGN 5
select t.tgrelid::regclass::text as object, 'its trigger ' || t.tgname || ' is not in force' as finding
from pg_trigger t join pg_class c on c.oid = t.tgrelid
where c.relnamespace::regnamespace::text in ('api', 'app', 'authz') and t.tgenabled not in ('O', 'A')
