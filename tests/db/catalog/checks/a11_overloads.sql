-- One function a name: PostgREST and the tool catalog know a function by its name alone. R24
select p.pronamespace::regnamespace || '.' || p.proname as object, count(*) || ' functions of one name' as finding
from pg_proc p
where p.pronamespace::regnamespace::text in ('api', 'app', 'authz')
group by p.pronamespace, p.proname
having count(*) > 1
