-- Questions with SQL that answered them, accepted as examples: who asks the same source in words has them shown to the model (F48).
create table app.accepted_query (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  data_source_id uuid not null,
  question text not null constraint accepted_query_question_check check (char_length(question) between 1 and 400),
  sql text not null constraint accepted_query_sql_check check (char_length(sql) between 1 and 2000),
  created_by uuid not null default authz.uid(),
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint accepted_query_data_source_id_fkey foreign key (org_id, data_source_id) references app.data_source (org_id, id) on delete cascade
);
create index accepted_query_org_id_data_source_id_idx on app.accepted_query (org_id, data_source_id, created_at desc);
comment on table app.accepted_query is 'A question to a source and the SQL that answered it, as an example for whoever writes SQL. It is text and never runs by itself.';
comment on column app.accepted_query.org_id is 'The organization.';
comment on column app.accepted_query.id is 'Random identifier.';
comment on column app.accepted_query.data_source_id is 'The data source.';
comment on column app.accepted_query.question is 'The question; 1..400 characters.';
comment on column app.accepted_query.sql is 'SQL over the relations of the source; 1..2000 characters.';
comment on column app.accepted_query.created_by is 'Who accepted it, and answers for it.';
comment on column app.accepted_query.created_at is 'Since when.';

alter table app.accepted_query enable row level security;
alter table app.accepted_query force row level security;
create policy accepted_query_select_viewer on app.accepted_query for select to authenticated
  using (org_id = any (array(select authz.orgs_with('analytics.manage'))) or data_source_id = any (array(select authz.granted_data_sources('viewer'))));
create policy accepted_query_insert_editor on app.accepted_query for insert to authenticated
  with check (created_by = (select authz.uid())
    and (org_id = any (array(select authz.orgs_with('analytics.manage'))) or data_source_id = any (array(select authz.granted_data_sources('editor')))));
create policy accepted_query_update_nobody on app.accepted_query for update to authenticated using (false) with check (false);
create policy accepted_query_delete_editor on app.accepted_query for delete to authenticated
  using (org_id = any (array(select authz.orgs_with('analytics.manage'))) or data_source_id = any (array(select authz.granted_data_sources('editor'))));
create policy accepted_query_floor on app.accepted_query as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy accepted_query_denied_floor on app.accepted_query as restrictive for all to authenticated
  using (not (data_source_id = any (array(select authz.denied('data_source')))))
  with check (not (data_source_id = any (array(select authz.denied('data_source')))));
create policy accepted_query_select_described_owner on app.accepted_query for select to ringfence_owner
  using (org_id = any (array(select authz.org_ids())));
comment on policy accepted_query_select_viewer on app.accepted_query is 'Who sees the source sees its examples.';
comment on policy accepted_query_insert_editor on app.accepted_query is 'analytics.manage and the source''s editors, in their own name: an example changes how others are answered.';
comment on policy accepted_query_update_nobody on app.accepted_query is 'An example is accepted and withdrawn, not edited.';
comment on policy accepted_query_delete_editor on app.accepted_query is 'analytics.manage and the source''s editors withdraw it.';
comment on policy accepted_query_floor on app.accepted_query is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy accepted_query_denied_floor on app.accepted_query is 'Whatever else is allowed, never of a source that a rule takes from the person (F15).';
comment on policy accepted_query_select_described_owner on app.accepted_query is 'authz.describe_source() tells those of a source that the person asking may ask.';
grant select, delete on app.accepted_query to authenticated;
grant select on app.accepted_query to ringfence_owner;
grant insert (org_id, data_source_id, question, sql) on app.accepted_query to authenticated;
create trigger _060_in_scope before insert or delete on app.accepted_query
  for each statement execute function authz.tg_in_scope('analytics.manage');
create trigger _900_audit after insert or delete on app.accepted_query
  for each row execute function authz.tg_audit();
