-- Beginning and ending jobs. All of it is for the two log-ins for background work; nobody else may call any of it.

create function authz.enter_job(job app.analytics_job) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into app.job_scope (org_id, job_id, data_source_id, claims)
  values (job.org_id, job.id, job.data_source_id, job.session || jsonb_build_object('sub', job.user_id, 'org_id', job.org_id, 'role', 'authenticated', 'job_id', job.id));
  -- From here on this is the requester: the same functions answer what they may, as it is now.
  return jsonb_build_object('objection', authz.job_objection(job),
    'source', (select d.slug from app.data_source d where d.org_id = job.org_id and d.id = job.data_source_id));
end
$$;
comment on function authz.enter_job(app.analytics_job) is 'Make this transaction act for the requester of a job: {objection: why they may no longer run it, or null, source: its slug}. For authz.begin_job(), which looks at who may, and for its rehearsal.';
revoke all on function authz.enter_job(app.analytics_job) from public;
grant execute on function authz.enter_job(app.analytics_job) to ringfence_owner;

create function authz.begin_job(job_id uuid, lease uuid) returns jsonb
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_job app.analytics_job;
  v_entered jsonb;
begin
  if exists (select authz.begun_jobs()) then
    raise sqlstate '55000' using message = 'this transaction has begun a job: one transaction, one job';
  end if;
  select j.* into v_job from app.analytics_job j join app.job_lease l on l.org_id = j.org_id and l.job_id = j.id
  where j.id = begin_job.job_id and l.lease = begin_job.lease and l.expires_at > clock_timestamp() and j.status = 'running';
  if not found then
    raise sqlstate 'PT409' using message = 'this job is not held under this lease';
  end if;
  v_entered := authz.enter_job(v_job);
  if v_entered ->> 'objection' is null then
    if authz.runs_the_queue() then
      update app.analytics_job j set reads = j.reads | (authz.source_reads((
        select d.relations from app.data_source d where d.org_id = j.org_id and d.id = j.data_source_id)) ->> j.org_id::text)::bigint
      where j.org_id = v_job.org_id and j.id = v_job.id;
    end if;
    return jsonb_build_object('outcome', 'begun', 'job_id', v_job.id, 'org_id', v_job.org_id, 'source', v_entered ->> 'source',
      'question', v_job.question, 'sql', v_job.sql, 'attempt', v_job.attempts);
  end if;
  if authz.runs_the_queue() then
    perform authz.end_job(v_job.org_id, v_job.id, 'cancelled_revoked', v_entered ->> 'objection', null, null);
  end if;
  delete from app.job_scope s where s.xact_id = pg_current_xact_id();
  return jsonb_build_object('outcome', 'revoked', 'job_id', v_job.id, 'code', v_entered ->> 'objection');
end
$$;
comment on function authz.begin_job(uuid, uuid) is 'Make this transaction act for the requester of a job that is held under this lease, after looking again whether they may: {outcome: begun, org_id, source, question, sql, attempt} or {outcome: revoked, code}, which ends the job when a worker asks. Notes for a worker what the requester sees. PT409 for another lease, 55000 for a second job in one transaction (F44, F51).';
revoke all on function authz.begin_job(uuid, uuid) from public;
grant execute on function authz.begin_job(uuid, uuid) to ringfence_owner, ringfence_worker, ringfence_analyst;
alter function authz.begin_job(uuid, uuid) owner to ringfence_owner;

create function authz.rehearse_job() returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_job app.analytics_job;
begin
  if exists (select authz.begun_jobs()) then
    raise sqlstate '55000' using message = 'this transaction has begun a job: one transaction, one job';
  end if;
  v_job.org_id := gen_random_uuid();
  v_job.id := gen_random_uuid();
  v_job.user_id := gen_random_uuid();
  v_job.data_source_id := gen_random_uuid();
  v_job.session := '{}';
  -- Made ready now, so that a session that is new when a job comes has its plans. An objection of nobody's is found before the rest is looked at.
  perform authz.enter_job(v_job), (select count(*) from authz.org_ids()), (select count(*) from authz.orgs_with('analytics.run')),
    (select count(*) from authz.granted_data_sources('viewer'));
end
$$;
comment on function authz.rehearse_job() is 'Begin a job of nobody, in an organization that does not exist: what comes after it in the transaction sees nothing, and makes the session ready for a job. To be rolled back.';
revoke all on function authz.rehearse_job() from public;
grant execute on function authz.rehearse_job() to ringfence_analyst;
alter function authz.rehearse_job() owner to ringfence_owner;

create function authz.end_job(org_id uuid, job_id uuid, status text, error_code text, error_message text, ran_sql text) returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Once: whoever comes second finds nothing that is running.
  update app.analytics_job j set status = end_job.status, error_code = end_job.error_code, error_message = left(end_job.error_message, 500),
    ran_sql = end_job.ran_sql, ran_sha256 = encode(sha256(convert_to(end_job.ran_sql, 'UTF8')), 'hex')
  where j.org_id = end_job.org_id and j.id = end_job.job_id and j.status = 'running';
  delete from app.job_lease l where l.org_id = end_job.org_id and l.job_id = end_job.job_id;
  return exists (select from app.analytics_job j where j.org_id = end_job.org_id and j.id = end_job.job_id and j.status = end_job.status);
end
$$;
comment on function authz.end_job(uuid, uuid, text, text, text, text) is 'End a running job; for the functions of the queue.';
revoke all on function authz.end_job(uuid, uuid, text, text, text, text) from public;
grant execute on function authz.end_job(uuid, uuid, text, text, text, text) to ringfence_owner;

create function authz.recover_jobs() returns integer
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_lost record;
  v_count integer := 0;
begin
  for v_lost in
    select l.org_id, l.job_id from app.job_lease l where l.expires_at <= clock_timestamp() order by l.expires_at limit 100 for update skip locked
  loop
    delete from app.job_lease l where l.org_id = v_lost.org_id and l.job_id = v_lost.job_id;
    update app.analytics_job j set
      status = case when j.attempts >= l.max_attempts then 'failed' else 'queued' end,
      error_code = case when j.attempts >= l.max_attempts then 'worker_lost' end,
      error_message = case when j.attempts >= l.max_attempts then 'every worker that began it was lost before it ended' end
    from authz.job_limits() l
    where j.org_id = v_lost.org_id and j.id = v_lost.job_id and j.status = 'running';
    v_count := v_count + 1;
  end loop;
  -- Whoever looks for work also takes out what has expired, a little at a time.
  delete from app.analytics_result r
  where (r.org_id, r.job_id) in (select o.org_id, o.job_id from app.analytics_result o where o.expires_at <= now() order by o.expires_at limit 100);
  return v_count;
end
$$;
comment on function authz.recover_jobs() is 'Put jobs whose worker let its lease run out back into the queue, or end them when that happened too often, and delete results that have expired; how many jobs.';
revoke all on function authz.recover_jobs() from public;
grant execute on function authz.recover_jobs() to ringfence_owner, ringfence_worker;
alter function authz.recover_jobs() owner to ringfence_owner;

create function authz.waiting_orgs() returns table (org_id uuid, running bigint, served_at timestamptz)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- One step through the index for each organization that waits, not one for each job: somebody's 10,000 jobs cost the others nothing.
  with recursive waiting as (
    (select j.org_id from app.analytics_job j where j.status = 'queued' order by j.org_id limit 1)
    union all
    select (select j.org_id from app.analytics_job j where j.status = 'queued' and j.org_id > w.org_id order by j.org_id limit 1)
    from waiting w where w.org_id is not null
  )
  select w.org_id,
    (select count(*) from app.job_lease l where l.org_id = w.org_id),
    (select j.started_at from app.analytics_job j where j.org_id = w.org_id and j.started_at is not null order by j.started_at desc limit 1)
  from waiting w where w.org_id is not null
$$;
comment on function authz.waiting_orgs() is 'The organizations with queued jobs, how many of theirs run, and when one last began.';
revoke all on function authz.waiting_orgs() from public;
grant execute on function authz.waiting_orgs() to ringfence_owner;

create function authz.take_place(org_id uuid, job_id uuid, lease uuid, worker text) returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set lock_timeout = '200ms'
as $$
declare
  v_limits record;
  v_taken boolean;
begin
  select * into v_limits from authz.job_limits();
  for v_place in 1..v_limits.running_per_org loop
    -- Whoever finds another about to take the same place waits for that one to be done: the key counts, whatever both have seen.
    insert into app.job_lease (org_id, job_id, lease, worker, place, expires_at)
    values (take_place.org_id, take_place.job_id, take_place.lease, take_place.worker, v_place, clock_timestamp() + make_interval(secs => v_limits.lease_seconds))
    on conflict on constraint job_lease_place_key do nothing returning true into v_taken;
    if v_taken then
      return true;
    end if;
  end loop;
  return false;
exception when lock_not_available then
  -- Not done for long: nobody waits for a worker that hangs.
  return false;
end
$$;
comment on function authz.take_place(uuid, uuid, uuid, text) is 'Lease a job in a free place of its organization; false when there is none. For authz.next_job() alone.';
revoke all on function authz.take_place(uuid, uuid, uuid, text) from public;
grant execute on function authz.take_place(uuid, uuid, uuid, text) to ringfence_owner;

create function authz.next_job(worker text) returns jsonb
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_limits record;
  v_org uuid;
  v_job uuid;
  v_lease uuid := gen_random_uuid();
begin
  select * into v_limits from authz.job_limits();
  perform authz.recover_jobs();
  -- Who has least running comes first, then who was not served for longest: nobody waits behind somebody else's queue.
  for v_org in
    select w.org_id from authz.waiting_orgs() w where w.running < v_limits.running_per_org
    order by w.running, w.served_at nulls first, w.org_id
  loop
    select j.id into v_job from app.analytics_job j
    where j.org_id = v_org and j.status = 'queued' order by j.created_at, j.id limit 1 for update skip locked;
    if found and authz.take_place(v_org, v_job, v_lease, next_job.worker) then
      update app.analytics_job j set status = 'running', attempts = j.attempts + 1, started_at = clock_timestamp()
      where j.org_id = v_org and j.id = v_job;
      return authz.begin_job(v_job, v_lease) || jsonb_build_object('lease', v_lease);
    end if;
  end loop;
  return null;
end
$$;
comment on function authz.next_job(text) is 'Take the job whose turn it is under a new lease, and begin it in this transaction: as authz.begin_job() answers, with the lease; null when nothing waits that may run.';
revoke all on function authz.next_job(text) from public;
grant execute on function authz.next_job(text) to ringfence_worker;
alter function authz.next_job(text) owner to ringfence_owner;

create function authz.renew_job(job_id uuid, lease uuid) returns boolean
language sql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
  update app.job_lease l set expires_at = clock_timestamp() + make_interval(secs => m.lease_seconds)
  from authz.job_limits() m, app.analytics_job j
  where l.job_id = renew_job.job_id and l.lease = renew_job.lease and l.expires_at > clock_timestamp()
    and j.org_id = l.org_id and j.id = l.job_id and j.status = 'running'
  returning true
$$;
comment on function authz.renew_job(uuid, uuid) is 'Hold on to a job for another while; null when it is no longer held, or was cancelled.';
revoke all on function authz.renew_job(uuid, uuid) from public;
grant execute on function authz.renew_job(uuid, uuid) to ringfence_worker;
alter function authz.renew_job(uuid, uuid) owner to ringfence_owner;

create function authz.release_job(job_id uuid, lease uuid, counts boolean default true) returns boolean
language sql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
  -- A worker that was told to stop is no attempt of the job's.
  update app.analytics_job j set attempts = j.attempts - 1
  from app.job_lease l where not release_job.counts and l.job_id = release_job.job_id and l.lease = release_job.lease and j.org_id = l.org_id and j.id = l.job_id;
  update app.job_lease l set expires_at = clock_timestamp() where l.job_id = release_job.job_id and l.lease = release_job.lease;
  select authz.recover_jobs() > 0
$$;
comment on function authz.release_job(uuid, uuid, boolean) is 'Let go of a job that was not ended: another worker takes it, or it fails when that happened too often and counts.';
revoke all on function authz.release_job(uuid, uuid, boolean) from public;
grant execute on function authz.release_job(uuid, uuid, boolean) to ringfence_worker;
alter function authz.release_job(uuid, uuid, boolean) owner to ringfence_owner;

create function authz.finish_job(
  status text, error_code text default null, error_message text default null, ran_sql text default null, result jsonb default null,
  drafted_sql text default null)
returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_scope app.job_scope;
  v_found jsonb := coalesce(finish_job.result, '{"columns": [], "rows": [], "truncated": false}');
  -- What the database says of SQL that ran may quote a row: it is kept, read and swept like rows.
  v_quotes text := case when finish_job.status = 'failed' and finish_job.ran_sql is not null then left(finish_job.error_message, 500) end;
begin
  perform authz.require(finish_job.status in ('succeeded', 'failed', 'refused'), 'status: succeeded, failed or refused');
  perform authz.require((finish_job.status = 'succeeded') = (finish_job.result is not null), 'result: with succeeded, and only then');
  select s.* into v_scope from app.job_scope s where s.xact_id = pg_current_xact_id();
  if not found then
    raise sqlstate '55000' using message = 'no job was begun in this transaction';
  end if;
  if finish_job.drafted_sql is not null then
    update app.analytics_job j set drafted_sql = finish_job.drafted_sql
    where j.org_id = v_scope.org_id and j.id = v_scope.job_id and j.status = 'running';
  end if;
  if not authz.end_job(v_scope.org_id, v_scope.job_id, finish_job.status, finish_job.error_code, case when v_quotes is null then finish_job.error_message end,
    finish_job.ran_sql)
  then
    return false;
  end if;
  if finish_job.status = 'succeeded' or v_quotes is not null then
    insert into app.analytics_result (org_id, job_id, user_id, data_source_id, reads, columns, rows, row_count, byte_count, truncated, error_message, chart,
      sha256, expires_at)
    select v_scope.org_id, v_scope.job_id, authz.uid(), v_scope.data_source_id, j.reads, v_found -> 'columns', v_found -> 'rows',
      jsonb_array_length(v_found -> 'rows'), octet_length(v_found ->> 'rows'), (v_found -> 'truncated')::boolean, v_quotes,
      nullif(v_found -> 'chart', 'null'), encode(sha256(convert_to((v_found -> 'columns')::text || (v_found ->> 'rows'), 'UTF8')), 'hex'),
      now() + make_interval(days => l.result_days)
    from authz.job_limits() l, app.analytics_job j where j.org_id = v_scope.org_id and j.id = v_scope.job_id;
  end if;
  return true;
end
$$;
comment on function authz.finish_job(text, text, text, text, jsonb, text) is 'End the job that this transaction has begun, once, with its result {columns, rows, truncated, chart} when it succeeded, with the sentence of the database when its SQL ran and failed, and with what a model wrote for its question; false when it had ended otherwise meanwhile.';
revoke all on function authz.finish_job(text, text, text, text, jsonb, text) from public;
grant execute on function authz.finish_job(text, text, text, text, jsonb, text) to ringfence_worker;
alter function authz.finish_job(text, text, text, text, jsonb, text) owner to ringfence_owner;
