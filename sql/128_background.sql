-- Who a transaction of the two log-ins for background work acts for: read from its scope row at every statement, like everything else a
-- person may (DESIGN 6). The bodies name tables of later files, so they are checked when first called instead of now.
set check_function_bodies = off;

create function authz.works_the_queue() returns boolean
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return session_user in ('ringfence_worker', 'ringfence_analyst');
end
$$;
comment on function authz.works_the_queue() is 'Whether this session logged in as ringfence_worker or ringfence_analyst, which no SQL can change. For policies of the owner role.';
revoke all on function authz.works_the_queue() from public;
grant execute on function authz.works_the_queue() to ringfence_owner;

create function authz.runs_the_queue() returns boolean
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return session_user = 'ringfence_worker';
end
$$;
comment on function authz.runs_the_queue() is 'Whether this session logged in as ringfence_worker, which begins and ends jobs; ringfence_analyst only reads inside one. For policies of the owner role.';
revoke all on function authz.runs_the_queue() from public;
grant execute on function authz.runs_the_queue() to ringfence_owner;

create function authz.job_claims() returns jsonb
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select s.claims from app.job_scope s where s.xact_id = pg_current_xact_id_if_assigned());
end
$$;
comment on function authz.job_claims() is 'What the job begun in this transaction says of its requester, as claims; null outside one. For authz.claims() alone.';
revoke all on function authz.job_claims() from public;
grant execute on function authz.job_claims() to ringfence_owner, ringfence_worker, ringfence_analyst;
alter function authz.job_claims() owner to ringfence_owner;

create function authz.begun_jobs() returns setof uuid
language plpgsql stable rows 1
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select s.job_id from app.job_scope s where s.xact_id = pg_current_xact_id_if_assigned();
end
$$;
comment on function authz.begun_jobs() is 'The job begun in this transaction. For policies of the owner role.';
revoke all on function authz.begun_jobs() from public;
grant execute on function authz.begun_jobs() to ringfence_owner;

create function authz.job_orgs(relation text) returns setof uuid
language plpgsql stable security definer rows 1
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select s.org_id from app.job_scope s join app.data_source d on d.org_id = s.org_id and d.id = s.data_source_id
    where s.xact_id = pg_current_xact_id_if_assigned() and job_orgs.relation = any (d.relations) and s.org_id = any (array(select authz.org_ids()));
end
$$;
comment on function authz.job_orgs(text) is 'The organization of the job begun in this transaction, while its requester belongs to it and may ask a source that holds this relation; none outside a job.';
revoke all on function authz.job_orgs(text) from public;
grant execute on function authz.job_orgs(text) to ringfence_analyst;
alter function authz.job_orgs(text) owner to ringfence_owner;

create function authz.job_tables() returns setof uuid
language plpgsql stable security definer rows 10
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select t.id from app.job_scope s join app.uploaded_table t on t.org_id = s.org_id and t.data_source_id = s.data_source_id
    where s.xact_id = pg_current_xact_id_if_assigned() and s.data_source_id = any (array(select authz.granted_data_sources('viewer')));
end
$$;
comment on function authz.job_tables() is 'The uploaded tables of the source of the job begun in this transaction, while its requester may ask it; none outside a job.';
revoke all on function authz.job_tables() from public;
grant execute on function authz.job_tables() to ringfence_analyst;
alter function authz.job_tables() owner to ringfence_owner;

reset check_function_bodies;
