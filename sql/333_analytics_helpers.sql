-- What of analytics the person may reach, and the numbers that bound it. The bodies name tables of later files.
set check_function_bodies = off;

create function authz.granted_data_sources(level text) returns setof uuid
language plpgsql stable security definer rows 10
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select g.data_source_id from app.data_source_grant g
    where g.org_id = any (array(select authz.orgs_with('analytics.run'))) and g.level = any (authz.levels_from(granted_data_sources.level))
      -- What one may do to a source as its editor or owner, an API token may with analytics.manage only (F08).
      and (granted_data_sources.level = 'viewer' or (select authz.in_scope(array['analytics.manage'])))
      and not (g.data_source_id = any (array(select authz.denied('data_source'))));
end
$$;
comment on function authz.granted_data_sources(text) is 'The data sources shared with the signed-in person, or with the requester of the job, at this level or above and taken from them by no rule. Without analytics.run, none.';
revoke all on function authz.granted_data_sources(text) from public;
grant execute on function authz.granted_data_sources(text) to authenticated;
alter function authz.granted_data_sources(text) owner to ringfence_owner;

create function authz.shared_results() returns setof uuid
language plpgsql stable security definer rows 10
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select g.job_id from app.analytics_result_grant g where g.org_id = any (array(select authz.orgs_with('analytics.run')));
end
$$;
comment on function authz.shared_results() is 'The jobs whose result is shared with the signed-in person: with them, a team of theirs, or everyone. Without analytics.run, none.';
revoke all on function authz.shared_results() from public;
grant execute on function authz.shared_results() to authenticated;
alter function authz.shared_results() owner to ringfence_owner;

create function authz.job_limits() returns table (
  max_rows integer, max_bytes integer, max_seconds integer, max_plan_cost double precision, work_mem_kb integer,
  lease_seconds integer, max_attempts integer, running_per_org integer, queued_per_person integer, result_days integer)
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select 10000, 4194304, 30, 5000000, 32768, 30, 3, 4, 1000, 30
$$;
comment on function authz.job_limits() is 'What one job may cost, and how many there may be. The one place that says so: SQL and the worker read it.';
revoke all on function authz.job_limits() from public;
grant execute on function authz.job_limits() to authenticated, ringfence_owner, ringfence_worker;

reset check_function_bodies;
