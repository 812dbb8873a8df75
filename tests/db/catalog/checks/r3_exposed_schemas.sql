-- PostgREST reads its settings from its own role: schema api and the check before every request, and nothing contradicts them. R3
select coalesce(s.setrole::regrole::text, 'every role') || ' in ' || coalesce(d.datname::text, 'every database') as object, setting as finding
from (select nullif(setrole, 0) as setrole, setdatabase, setconfig from pg_db_role_setting) s
left join pg_database d on d.oid = s.setdatabase
cross join unnest(s.setconfig) setting
where s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
  and setting like 'pgrst.%' and setting not in ('pgrst.db_schemas=api', 'pgrst.db_pre_request=authz.pre_request')
union all
select 'authenticator', wanted || ' is missing'
from unnest(array['pgrst.db_schemas=api', 'pgrst.db_pre_request=authz.pre_request']) wanted
where not exists (select from pg_db_role_setting s where s.setrole = 'authenticator'::regrole and s.setdatabase = 0 and wanted = any (s.setconfig))
