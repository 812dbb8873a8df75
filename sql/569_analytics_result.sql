-- Results: what a job found, or what stopped it once it ran: that may quote a row. The organization's, its requester's alone to read until they share it, gone after a while (DESIGN 6.4, F53).
create table app.analytics_result (
  org_id uuid not null references app.organization (id) on delete cascade,
  job_id uuid not null,
  user_id uuid not null,
  data_source_id uuid not null,
  reads bigint not null,
  columns jsonb not null,
  rows jsonb not null,
  row_count integer not null,
  byte_count integer not null,
  truncated boolean not null,
  error_message text constraint analytics_result_error_message_check check (char_length(error_message) <= 500),
  chart jsonb,
  sha256 text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  primary key (org_id, job_id),
  constraint analytics_result_job_id_fkey foreign key (org_id, job_id) references app.analytics_job (org_id, id) on delete cascade
);
create index analytics_result_expires_at_idx on app.analytics_result (expires_at);
comment on table app.analytics_result is 'What a job found: written once, by the worker, in the transaction that ends the job.';
comment on column app.analytics_result.org_id is 'The organization.';
comment on column app.analytics_result.job_id is 'The job; one result each.';
comment on column app.analytics_result.user_id is 'Who asked.';
comment on column app.analytics_result.data_source_id is 'What was asked.';
comment on column app.analytics_result.reads is 'Which rows of the source were seen, as bits: authz.source_reads(). Who asked reads it while they see them all.';
comment on column app.analytics_result.columns is 'A list of {name, type}.';
comment on column app.analytics_result.rows is 'A list of lists, in the order of the columns.';
comment on column app.analytics_result.row_count is 'How many rows are kept.';
comment on column app.analytics_result.byte_count is 'How many bytes they took as JSON text.';
comment on column app.analytics_result.truncated is 'Whether there were more rows or bytes than are kept.';
comment on column app.analytics_result.error_message is 'Why the SQL failed, as the database said it; null for one that did not. At most 500 characters.';
comment on column app.analytics_result.chart is 'A suggestion how to draw it (Vega-Lite), or null.';
comment on column app.analytics_result.sha256 is 'SHA-256 of columns and rows, as the worker sent them.';
comment on column app.analytics_result.created_at is 'When it was stored.';
comment on column app.analytics_result.expires_at is 'From then on nobody reads it.';

alter table app.analytics_result enable row level security;
alter table app.analytics_result force row level security;
create policy analytics_result_select_reader on app.analytics_result for select to authenticated
  using (expires_at > now() and (
    user_id <> (select authz.uid()) and job_id = any (array(select authz.shared_results()))
    or user_id = (select authz.uid()) and data_source_id = any (array(select authz.granted_data_sources('viewer')))
      and reads & ~((select authz.source_reads(array['orders', 'tickets', 'conversations', 'usage'])) ->> org_id::text)::bigint = 0));
create policy analytics_result_insert_nobody on app.analytics_result for insert to authenticated with check (false);
create policy analytics_result_update_nobody on app.analytics_result for update to authenticated using (false) with check (false);
create policy analytics_result_delete_nobody on app.analytics_result for delete to authenticated using (false);
create policy analytics_result_floor on app.analytics_result as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy analytics_result_denied_floor on app.analytics_result as restrictive for all to authenticated
  using (not (data_source_id = any (array(select authz.denied('data_source')))))
  with check (not (data_source_id = any (array(select authz.denied('data_source')))));
create policy analytics_result_insert_job_owner on app.analytics_result for insert to ringfence_owner
  with check (user_id = (select authz.uid()) and job_id = any (array(select authz.begun_jobs())));
create policy analytics_result_select_over_owner on app.analytics_result for select to ringfence_owner
  using ((select authz.runs_the_queue()) and expires_at <= now());
create policy analytics_result_delete_over_owner on app.analytics_result for delete to ringfence_owner
  using ((select authz.runs_the_queue()) and expires_at <= now());
comment on policy analytics_result_select_reader on app.analytics_result is 'Who asked reads it while they may still ask that source and their session sees all rows that were seen then; with whom it is shared, without either; nobody when it is too old.';
comment on policy analytics_result_insert_nobody on app.analytics_result is 'Only the worker writes here.';
comment on policy analytics_result_update_nobody on app.analytics_result is 'Written once.';
comment on policy analytics_result_delete_nobody on app.analytics_result is 'It goes with its job, or is swept when it has expired.';
comment on policy analytics_result_floor on app.analytics_result is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy analytics_result_denied_floor on app.analytics_result is 'Whatever else is allowed, never of a source that a rule takes from the person (F15).';
comment on policy analytics_result_insert_job_owner on app.analytics_result is 'Only for the job that this transaction has begun.';
comment on policy analytics_result_select_over_owner on app.analytics_result is 'Workers find what nobody reads any more.';
comment on policy analytics_result_delete_over_owner on app.analytics_result is 'They delete it.';
grant select on app.analytics_result to authenticated;
grant select (org_id, job_id, expires_at), delete on app.analytics_result to ringfence_owner;
grant insert (org_id, job_id, user_id, data_source_id, reads, columns, rows, row_count, byte_count, truncated, error_message, chart, sha256, expires_at) on app.analytics_result to ringfence_owner;
