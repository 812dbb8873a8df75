-- Every function pins its search_path, to one value: pg_temp last, no schema anyone else may write to. R4
select p.oid::regprocedure::text as object, coalesce('pins ' || pinned.setting, 'search_path is not pinned') as finding
from pg_proc p
left join lateral (select setting from unnest(p.proconfig) setting where setting like 'search_path=%') pinned on true
where p.pronamespace::regnamespace::text in ('api', 'app', 'authz', 'public')
  and pinned.setting is distinct from 'search_path=pg_catalog, pg_temp'
