-- Jobs: a question, or SQL, that a worker answers later as the person who asked (DESIGN 6, F44, F53). What it may reach is looked up when it
-- runs; the row says who asked, of what, through which session, and how it ended.
create table app.analytics_job (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  user_id uuid not null default authz.uid(),
  data_source_id uuid not null,
  bot_id uuid,
  run_id uuid,
  session jsonb not null default '{}',
  question text constraint analytics_job_question_check check (char_length(question) between 1 and 2000),
  sql text constraint analytics_job_sql_check check (char_length(sql) between 1 and 20000),
  sql_sha256 text constraint analytics_job_sql_sha256_check check (sql_sha256 ~ '^[0-9a-f]{64}$'),
  drafted_sql text constraint analytics_job_drafted_sql_check check (char_length(drafted_sql) between 1 and 20000),
  ran_sql text constraint analytics_job_ran_sql_check check (char_length(ran_sql) <= 100000),
  ran_sha256 text constraint analytics_job_ran_sha256_check check (ran_sha256 ~ '^[0-9a-f]{64}$'),
  idempotency_key text constraint analytics_job_idempotency_key_check check (idempotency_key ~ '^[A-Za-z0-9._:-]{1,100}$'),
  status text not null default 'queued' constraint analytics_job_status_check
    check (status in ('queued', 'running', 'succeeded', 'failed', 'refused', 'cancelled', 'cancelled_revoked')),
  error_code text constraint analytics_job_error_code_check check (error_code ~ '^[A-Za-z0-9_]{1,60}$'),
  error_message text constraint analytics_job_error_message_check check (char_length(error_message) <= 500),
  attempts integer not null default 0,
  reads bigint not null default 0,
  created_at timestamptz not null default clock_timestamp(),
  started_at timestamptz,
  finished_at timestamptz,
  primary key (org_id, id),
  constraint analytics_job_data_source_id_fkey foreign key (org_id, data_source_id) references app.data_source (org_id, id) on delete cascade,
  constraint analytics_job_bot_id_fkey foreign key (org_id, bot_id) references app.bot (org_id, id),
  constraint analytics_job_run_id_fkey foreign key (org_id, run_id, user_id) references app.run (org_id, id, user_id) on delete cascade,
  -- The person is part of the key: it must not tell of somebody else's (F09, R103).
  constraint analytics_job_idempotency_key_key unique (org_id, user_id, idempotency_key),
  constraint analytics_job_one_question_check check (num_nonnulls(question, sql) = 1),
  constraint analytics_job_bot_check check ((bot_id is null) = (run_id is null)),
  constraint analytics_job_finished_check check (finished_at is null or status not in ('queued', 'running'))
);
create index analytics_job_org_id_queued_idx on app.analytics_job (org_id, created_at, id) where status = 'queued';
create index analytics_job_org_id_user_id_idx on app.analytics_job (org_id, user_id, created_at desc);
create index analytics_job_org_id_started_at_idx on app.analytics_job (org_id, started_at desc) where started_at is not null;
comment on table app.analytics_job is 'A question or a piece of SQL that a worker answers as the person who asked.';
comment on column app.analytics_job.org_id is 'The organization.';
comment on column app.analytics_job.id is 'Random identifier.';
comment on column app.analytics_job.user_id is 'Who asked; the job runs as them.';
comment on column app.analytics_job.data_source_id is 'What is asked.';
comment on column app.analytics_job.bot_id is 'The bot whose run asked, or null.';
comment on column app.analytics_job.run_id is 'The run that asked, or null.';
comment on column app.analytics_job.session is 'How strong the session was that asked, and what narrows it: {aal, session_id, client_id}. The job gets no more.';
comment on column app.analytics_job.question is 'The question in words, or null; 1..2000 characters.';
comment on column app.analytics_job.sql is 'The SQL that was handed in, or null; 1..20000 characters. Only its re-rendered tree runs.';
comment on column app.analytics_job.sql_sha256 is 'SHA-256 of the SQL handed in.';
comment on column app.analytics_job.drafted_sql is 'The SQL that a model wrote for the question, as it wrote it, or null; at most 20000 characters.';
comment on column app.analytics_job.ran_sql is 'The SQL that ran.';
comment on column app.analytics_job.ran_sha256 is 'SHA-256 of the SQL that ran.';
comment on column app.analytics_job.idempotency_key is 'Chosen by the caller: the same key again is the same job.';
comment on column app.analytics_job.status is 'queued, running, then once and for all succeeded, failed, refused, cancelled or cancelled_revoked.';
comment on column app.analytics_job.error_code is 'Why it did not succeed, as a code.';
comment on column app.analytics_job.error_message is 'As a sentence; at most 500 characters. One that may quote a row is with the result.';
comment on column app.analytics_job.attempts is 'How often a worker began it.';
comment on column app.analytics_job.reads is 'Which rows of the source its requester saw when it ran, as bits: authz.source_reads(). Added to each time the worker begins it.';
comment on column app.analytics_job.created_at is 'When it was handed in.';
comment on column app.analytics_job.started_at is 'When a worker last began it.';
comment on column app.analytics_job.finished_at is 'When it ended.';

alter table app.analytics_job enable row level security;
alter table app.analytics_job force row level security;
create policy analytics_job_select_self on app.analytics_job for select to authenticated
  using (user_id = (select authz.uid()));
create policy analytics_job_insert_self on app.analytics_job for insert to authenticated
  with check (user_id = (select authz.uid()) and org_id = any (array(select authz.orgs_with('analytics.run')))
    and data_source_id = any (array(select authz.granted_data_sources('viewer'))) and (bot_id is null or bot_id = any (array(select authz.runnable_bots()))));
create policy analytics_job_update_self on app.analytics_job for update to authenticated
  using (user_id = (select authz.uid()) and status in ('queued', 'running'))
  with check (user_id = (select authz.uid()));
create policy analytics_job_delete_nobody on app.analytics_job for delete to authenticated using (false);
create policy analytics_job_floor on app.analytics_job as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy analytics_job_scope_floor on app.analytics_job as restrictive for all to authenticated
  using ((select authz.in_scope(array['analytics.run'])))
  with check ((select authz.in_scope(array['analytics.run'])));
create policy analytics_job_select_erasing_owner on app.analytics_job for select to ringfence_owner
  using (org_id in (select authz.erasing_org_ids()) and user_id in (select authz.erasing_user_ids()));
create policy analytics_job_delete_erasing_owner on app.analytics_job for delete to ringfence_owner
  using (org_id in (select authz.erasing_org_ids()) and user_id in (select authz.erasing_user_ids()));
create policy analytics_job_select_queue_owner on app.analytics_job for select to ringfence_owner
  using ((select authz.works_the_queue()));
create policy analytics_job_update_queue_owner on app.analytics_job for update to ringfence_owner
  using ((select authz.runs_the_queue()) and status in ('queued', 'running'))
  with check ((select authz.runs_the_queue()));
comment on policy analytics_job_select_self on app.analytics_job is 'One''s own only: what somebody asks is theirs.';
comment on policy analytics_job_insert_self on app.analytics_job is 'analytics.run, in one''s own name, of a source shared with one, in a run of a bot one may run.';
comment on policy analytics_job_update_self on app.analytics_job is 'One cancels one''s own job, once; authz.tg_job_end() lets one do nothing else to it.';
comment on policy analytics_job_delete_nobody on app.analytics_job is 'The record stays.';
comment on policy analytics_job_floor on app.analytics_job is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy analytics_job_scope_floor on app.analytics_job is 'An API token reaches one''s own rows only with a permission for them; every other session passes.';
comment on policy analytics_job_select_queue_owner on app.analytics_job is 'The functions of the queue see every job, in the sessions of the two log-ins for background work alone.';
comment on policy analytics_job_select_erasing_owner on app.analytics_job is 'An erasure finds the jobs of whom it is about.';
comment on policy analytics_job_delete_erasing_owner on app.analytics_job is 'It deletes them, with their results.';
comment on policy analytics_job_update_queue_owner on app.analytics_job is 'In the worker''s they begin and end jobs; one that has ended stays as it is.';
grant select on app.analytics_job to authenticated;
grant insert (org_id, data_source_id, bot_id, run_id, question, sql, idempotency_key) on app.analytics_job to authenticated;
grant update (status) on app.analytics_job to authenticated;
grant select, update (status, error_code, error_message, drafted_sql, ran_sql, ran_sha256, attempts, reads, started_at), delete on app.analytics_job to ringfence_owner;

create function authz.tg_job_session() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  new.session := jsonb_strip_nulls(jsonb_build_object('aal', authz.claims() ->> 'aal', 'session_id', authz.session_id(), 'client_id', left(authz.claims() ->> 'client_id', 100)));
  new.sql_sha256 := encode(sha256(convert_to(new.sql, 'UTF8')), 'hex');
  return new;
end
$$;
comment on function authz.tg_job_session() is 'Trigger: a job says through which session it was handed in, whatever its insert says.';
revoke all on function authz.tg_job_session() from public;
create trigger _100_session before insert on app.analytics_job
  for each row execute function authz.tg_job_session();

create function authz.tg_job_end() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  -- How a job ended is the worker's to say.
  if row_security_active('app.analytics_job') and current_user <> 'ringfence_owner' and new.status <> 'cancelled' then
    raise sqlstate '42501' using message = 'you can cancel a job, and nothing else';
  end if;
  new.finished_at := case when new.status not in ('queued', 'running') then clock_timestamp() end;
  return new;
end
$$;
comment on function authz.tg_job_end() is 'Trigger: people only cancel (42501); when a job ended is noted.';
revoke all on function authz.tg_job_end() from public;
create trigger _200_end before update on app.analytics_job
  for each row when (old.status is distinct from new.status) execute function authz.tg_job_end();

create function authz.tg_job_notify() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Without a word: whoever listens learns that there is something to look at, and nothing else.
  notify ringfence_jobs;
  return null;
end
$$;
comment on function authz.tg_job_notify() is 'Trigger, once a statement: wake the workers.';
revoke all on function authz.tg_job_notify() from public;
create trigger _700_notify after insert or update of status on app.analytics_job
  for each statement execute function authz.tg_job_notify();
create trigger _900_audit after insert or delete on app.analytics_job
  for each row execute function authz.tg_audit();
-- That it began, or waits again, is no act of anybody.
create trigger _905_audit after update on app.analytics_job
  for each row when (new.status not in ('queued', 'running')) execute function authz.tg_audit();
