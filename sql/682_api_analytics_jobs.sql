-- Jobs: handing one in, looking at it, cancelling it, reading what it found (F48, F53). Nothing here runs any SQL that was handed in.

create function authz.submit_job(
  org_id uuid, source text, question text, sql text, idempotency_key text, run_id uuid default null, bot_id uuid default null) returns app.analytics_job
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_source app.data_source := authz.data_source_named(submit_job.org_id, submit_job.source);
  v_job app.analytics_job;
begin
  perform authz.require(num_nonnulls(submit_job.question, submit_job.sql) = 1, 'name one of question and sql');
  if v_source.id = any (array(select authz.granted_data_sources('viewer'))) is not true then
    raise sqlstate '42501' using message = 'this data source is not shared with you: whoever owns it may';
  end if;
  select j.* into v_job from app.analytics_job j
  where j.org_id = submit_job.org_id and j.user_id = authz.uid() and j.idempotency_key = submit_job.idempotency_key;
  if not found then
    if (select count(*) from app.analytics_job j where j.org_id = submit_job.org_id and j.user_id = authz.uid() and j.status = 'queued')
      >= (select l.queued_per_person from authz.job_limits() l)
    then
      raise sqlstate 'PT429' using message = 'too many of your jobs wait: let some end, or cancel them';
    end if;
    begin
      insert into app.analytics_job (org_id, data_source_id, bot_id, run_id, question, sql, idempotency_key)
      values (submit_job.org_id, v_source.id, submit_job.bot_id, submit_job.run_id, submit_job.question, submit_job.sql, submit_job.idempotency_key)
      returning * into v_job;
    exception when unique_violation then
      -- Side by side: the other one was first.
      select j.* into v_job from app.analytics_job j
      where j.org_id = submit_job.org_id and j.user_id = authz.uid() and j.idempotency_key = submit_job.idempotency_key;
    end;
  end if;
  if (v_job.data_source_id, v_job.question, v_job.sql) is distinct from (v_source.id, submit_job.question, submit_job.sql) then
    raise sqlstate 'PT409' using message = 'that idempotency key was used for another job';
  end if;
  return v_job;
end
$$;
comment on function authz.submit_job(uuid, text, text, text, text, uuid, uuid) is 'Put a job of the signed-in person into the queue, or return the one of the same idempotency key; PT409 for another with that key, PT429 when too many wait.';
revoke all on function authz.submit_job(uuid, text, text, text, text, uuid, uuid) from public;
grant execute on function authz.submit_job(uuid, text, text, text, text, uuid, uuid) to authenticated;

create function api.submit_analytics_job(org_id uuid, source text, question text default null, sql text default null, idempotency_key text default null)
returns jsonb
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('job_id', j.id, 'status', j.status)
  from authz.submit_job(submit_analytics_job.org_id, submit_analytics_job.source, submit_analytics_job.question, submit_analytics_job.sql,
    submit_analytics_job.idempotency_key) j
$$;
comment on function api.submit_analytics_job(uuid, text, text, text, text) is $c$Ask a data source, in words or in SQL. A worker answers it as yourself, with what you may see when it runs. The SQL is checked, never run as it stands here.

@audience app
@param org_id           the organization
@param source           slug or id
@param question         in words; 1..2000 characters
@param sql              one SELECT over the relations of the source; 1..20000 characters
@param idempotency_key  of your choice; the same key again is the same job; 1..100 of A-Z a-z 0-9 . _ : -
@returns                {job_id, status}
@errors                 22004, 22023, 23514, 42501, PT404, PT409, PT429
@effect                 write$c$;
revoke all on function api.submit_analytics_job(uuid, text, text, text, text) from public;
grant execute on function api.submit_analytics_job(uuid, text, text, text, text) to authenticated;

create function authz.job_answer(job app.analytics_job) returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('job_id', job.id, 'source_id', job.data_source_id,
    'source', (select d.slug from app.data_source d where d.org_id = job.org_id and d.id = job.data_source_id),
    'status', job.status, 'question', job.question, 'sql', coalesce(job.ran_sql, job.sql), 'sql_sha256', coalesce(job.ran_sha256, job.sql_sha256),
    'run_id', job.run_id, 'bot_id', job.bot_id, 'error_code', job.error_code,
    'error_message', coalesce(job.error_message, (
      select r.error_message from app.analytics_result r where r.org_id = job.org_id and r.job_id = job.id)),
    'attempts', job.attempts,
    'created_at', job.created_at, 'started_at', job.started_at, 'finished_at', job.finished_at)
$$;
comment on function authz.job_answer(app.analytics_job) is 'A job as people see it; what may quote a row of its source they see while they may read its result.';
revoke all on function authz.job_answer(app.analytics_job) from public;
grant execute on function authz.job_answer(app.analytics_job) to authenticated;

create function api.get_analytics_job(org_id uuid, job_id uuid) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_job app.analytics_job;
begin
  perform authz.require_org(get_analytics_job.org_id);
  select j.* into v_job from app.analytics_job j where j.org_id = get_analytics_job.org_id and j.id = get_analytics_job.job_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such job of yours';
  end if;
  return authz.job_answer(v_job) || coalesce((
    select jsonb_build_object('row_count', r.row_count, 'truncated', r.truncated, 'expires_at', r.expires_at)
    from app.analytics_result r where r.org_id = v_job.org_id and r.job_id = v_job.id and r.error_message is null),
    jsonb_build_object('row_count', null, 'truncated', null, 'expires_at', null));
end
$$;
comment on function api.get_analytics_job(uuid, uuid) is $c$Tell how far one of your jobs is, and how it ended.

@audience app
@param org_id  the organization
@param job_id  the job
@returns       {job_id, source_id, source, status, question, sql, sql_sha256, run_id, bot_id, error_code, error_message, attempts, created_at, started_at, finished_at, row_count, truncated, expires_at}
@errors        22004, PT404
@effect        read$c$;
revoke all on function api.get_analytics_job(uuid, uuid) from public;
grant execute on function api.get_analytics_job(uuid, uuid) to authenticated;

create function api.list_analytics_jobs(org_id uuid, max_rows integer default 50)
returns table (job_id uuid, source_id uuid, source text, status text, question text, sql text, error_code text, created_at timestamptz, finished_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_analytics_jobs.org_id);
  perform authz.require(max_rows between 1 and 200, 'max_rows: 1..200');
  return query
    select j.id, j.data_source_id, d.slug, j.status, j.question, coalesce(j.ran_sql, j.sql), j.error_code, j.created_at, j.finished_at
    from app.analytics_job j
    left join app.data_source d on d.org_id = j.org_id and d.id = j.data_source_id
    where j.org_id = list_analytics_jobs.org_id and j.user_id = authz.uid()
    order by j.created_at desc, j.id
    limit max_rows;
end
$$;
comment on function api.list_analytics_jobs(uuid, integer) is $c$List your own jobs.

@audience app
@param org_id    the organization
@param max_rows  number of jobs; 1..200
@returns         array of {job_id, source_id, source, status, question, sql, error_code, created_at, finished_at}; newest first
@errors          22004, 22023
@effect          read$c$;
revoke all on function api.list_analytics_jobs(uuid, integer) from public;
grant execute on function api.list_analytics_jobs(uuid, integer) to authenticated;

create function api.cancel_analytics_job(org_id uuid, job_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_status text;
begin
  perform authz.require_org(cancel_analytics_job.org_id);
  update app.analytics_job j set status = 'cancelled'
  where j.org_id = cancel_analytics_job.org_id and j.id = cancel_analytics_job.job_id;
  select j.status into v_status from app.analytics_job j where j.org_id = cancel_analytics_job.org_id and j.id = cancel_analytics_job.job_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such job of yours';
  end if;
  return jsonb_build_object('job_id', cancel_analytics_job.job_id, 'status', v_status);
end
$$;
comment on function api.cancel_analytics_job(uuid, uuid) is $c$Cancel one of your jobs; one that has ended stays as it ended.

@audience app
@param org_id  the organization
@param job_id  the job
@returns       {job_id, status}
@errors        22004, PT404
@effect        write$c$;
revoke all on function api.cancel_analytics_job(uuid, uuid) from public;
grant execute on function api.cancel_analytics_job(uuid, uuid) to authenticated;

create function api.read_analytics_result(org_id uuid, job_id uuid, after integer default 0, max_rows integer default 100) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_result app.analytics_result;
begin
  perform authz.require_org(read_analytics_result.org_id);
  perform authz.require(read_analytics_result.after >= 0, 'after: 0..2147483647');
  perform authz.require(read_analytics_result.max_rows between 1 and 1000, 'max_rows: 1..1000');
  select r.* into v_result from app.analytics_result r
  where r.org_id = read_analytics_result.org_id and r.job_id = read_analytics_result.job_id and r.error_message is null;
  if not found then
    raise sqlstate 'PT404' using message = 'no such result, or not yours to read';
  end if;
  return jsonb_build_object('job_id', v_result.job_id, 'columns', v_result.columns,
    'rows', (select coalesce(jsonb_agg(r.value order by r.place), '[]') from jsonb_array_elements(v_result.rows) with ordinality r (value, place)
      where r.place > read_analytics_result.after and r.place <= read_analytics_result.after::bigint + read_analytics_result.max_rows),
    'row_count', v_result.row_count, 'truncated', v_result.truncated, 'chart', v_result.chart, 'expires_at', v_result.expires_at,
    -- Looked up now, like the right to read: what a run may show its model.
    'rows_to_model', (select o.rows_to_model from app.organization o where o.id = v_result.org_id),
    'next_after', case when read_analytics_result.after::bigint + read_analytics_result.max_rows < v_result.row_count
      then read_analytics_result.after + read_analytics_result.max_rows end);
end
$$;
comment on function api.read_analytics_result(uuid, uuid, integer, integer) is $c$Read what a job found, page by page: yours, or shared with you. Whether you may is looked up at every page.

@audience app
@param org_id    the organization
@param job_id    the job
@param after     how many rows to pass over; 0..2147483647
@param max_rows  number of rows; 1..1000
@returns         {job_id, columns: [{name, type}], rows: [[...]], row_count, truncated, chart, expires_at, rows_to_model, next_after (null at the end)}
@errors          22004, 22023, PT404
@effect          read$c$;
revoke all on function api.read_analytics_result(uuid, uuid, integer, integer) from public;
grant execute on function api.read_analytics_result(uuid, uuid, integer, integer) to authenticated;
