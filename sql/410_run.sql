-- Runs: with their steps, the record from which an answer can be reconstructed. It holds names, digests and identifiers; the
-- texts are in the conversation, which only its person reads.
create function authz.run_lasts() returns interval
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
return interval '1 hour';
comment on function authz.run_lasts() is 'How long a run may be running: after that nothing more is done in it, and the next start of its person closes it. The one place that says so.';
revoke all on function authz.run_lasts() from public;
grant execute on function authz.run_lasts() to authenticated;

create function authz.run_is_over(status text, started_at timestamptz) returns boolean
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select run_is_over.status = 'running' and run_is_over.started_at <= now() - authz.run_lasts()
$$;
comment on function authz.run_is_over(text, timestamptz) is 'Whether a run that says it is running has lasted longer than authz.run_lasts(): whoever began it never ended it.';
revoke all on function authz.run_is_over(text, timestamptz) from public;
grant execute on function authz.run_is_over(text, timestamptz) to authenticated;

create table app.run (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  user_id uuid not null default authz.uid(),
  actor_kind text not null default 'user' constraint run_actor_kind_check check (actor_kind in ('user', 'service', 'schedule')),
  on_behalf_of uuid,
  api_token_id uuid,
  client_id text constraint run_client_id_check check (char_length(client_id) <= 100),
  bot_id uuid not null,
  bot_version integer not null,
  conversation_id uuid not null,
  question_sha256 text not null constraint run_question_sha256_check check (question_sha256 ~ '^[0-9a-f]{64}$'),
  request_id text constraint run_request_id_check check (request_id ~ '^[A-Za-z0-9._:-]{0,100}$'),
  status text not null default 'running' constraint run_status_check check (status in ('running', 'succeeded', 'failed', 'cancelled')),
  error_code text constraint run_error_code_check check (error_code ~ '^[A-Za-z0-9_]{0,60}$'),
  answer_sha256 text constraint run_answer_sha256_check check (answer_sha256 ~ '^[0-9a-f]{64}$'),
  started_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  taint text[] not null default '{}' constraint run_taint_check check (taint <@ array['private', 'untrusted', 'confidential', 'secret']),
  primary key (org_id, id),
  constraint run_user_id_key unique (org_id, id, user_id),
  constraint run_bot_version_fkey foreign key (org_id, bot_id, bot_version) references app.bot_version (org_id, bot_id, version),
  constraint run_conversation_id_fkey foreign key (org_id, conversation_id, user_id)
    references app.conversation (org_id, id, user_id) on delete cascade
);
create index run_org_id_user_id_idx on app.run (org_id, user_id, started_at desc);
create index run_org_id_conversation_id_idx on app.run (org_id, conversation_id);
comment on table app.run is 'One answer being made: a person, a bot and its version, a question.';
comment on column app.run.org_id is 'The organization.';
comment on column app.run.id is 'Random identifier.';
comment on column app.run.user_id is 'The person in whose name everything in the run is done.';
comment on column app.run.actor_kind is 'Whether a person, a service account or a schedule began it.';
comment on column app.run.on_behalf_of is 'The person who answers for the actor: the owner of a service account; null for a person in their own name.';
comment on column app.run.api_token_id is 'The API token it was begun with, if any.';
comment on column app.run.client_id is 'The OAuth client that began it for the person, if any.';
comment on column app.run.bot_id is 'The bot.';
comment on column app.run.bot_version is 'The version of the bot that ran, as app.bot_version keeps it.';
comment on column app.run.conversation_id is 'Where question and answer are kept.';
comment on column app.run.question_sha256 is 'authz.digest() of the question.';
comment on column app.run.request_id is 'The request at the edge that began it.';
comment on column app.run.status is 'running, then once and for all succeeded, failed or cancelled.';
comment on column app.run.error_code is 'Why it failed, as a code.';
comment on column app.run.answer_sha256 is 'authz.digest() of the answer.';
comment on column app.run.started_at is 'When it began.';
comment on column app.run.finished_at is 'When it ended.';
comment on column app.run.taint is 'What is in its context (F39): private, rows and documents of the organization or the person; untrusted, text that nobody the organization trusts vouches for; confidential and secret, documents classified so. It only grows.';

alter table app.run enable row level security;
alter table app.run force row level security;
create policy run_select_self on app.run for select to authenticated
  using (user_id = (select authz.uid()) or org_id = any (array(select authz.orgs_with('runs.read'))));
create policy run_insert_self on app.run for insert to authenticated
  with check (user_id = (select authz.uid()) and org_id = any (array(select authz.orgs_with('bots.run')))
    and bot_id = any (array(select authz.runnable_bots())));
create policy run_update_self on app.run for update to authenticated
  using (user_id = (select authz.uid()) and status = 'running')
  with check (user_id = (select authz.uid()));
create policy run_delete_nobody on app.run for delete to authenticated using (false);
create policy run_floor on app.run as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy run_scope_floor on app.run as restrictive for all to authenticated
  using ((select authz.in_scope(array['bots.run', 'runs.read'])))
  with check ((select authz.in_scope(array['bots.run', 'runs.read'])));
create policy run_select_departing_owner on app.run for select to ringfence_owner
  using (user_id = (select authz.uid()) or org_id = any (array(select authz.org_ids())));
create policy run_update_departing_owner on app.run for update to ringfence_owner
  using (status = 'running' and (user_id = (select authz.uid()) or org_id = any (array(select authz.org_ids()))))
  with check (status = 'cancelled' and (user_id = (select authz.uid()) or org_id = any (array(select authz.org_ids()))));
create policy run_select_upkeep_owner on app.run for select to ringfence_owner
  using ((select authz.runs_the_queue()));
create policy run_update_tainting_owner on app.run for update to ringfence_owner
  using (user_id = (select authz.uid()) and status = 'running')
  with check (user_id = (select authz.uid()) and status = 'running');
comment on policy run_select_self on app.run is 'One''s own; runs.read sees the organization''s.';
comment on policy run_insert_self on app.run is 'In one''s own name, with a bot one is a runner of.';
comment on policy run_update_self on app.run is 'One finishes one''s own run, once.';
comment on policy run_delete_nobody on app.run is 'The record stays.';
comment on policy run_floor on app.run is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy run_scope_floor on app.run is 'An API token reaches one''s own rows only with a permission for them; every other session passes.';
comment on policy run_select_departing_owner on app.run is 'The end of a membership finds what still runs for that person.';
comment on policy run_select_upkeep_owner on app.run is 'The job of retention sees when a conversation was last used.';
comment on policy run_update_departing_owner on app.run is 'The end of a membership cancels what still runs for that person.';
comment on policy run_update_tainting_owner on app.run is 'A step marks the run of its person with what it read.';
grant select on app.run to authenticated;
grant insert (org_id, bot_id, bot_version, conversation_id, question_sha256, request_id) on app.run to authenticated;
grant update (status, error_code, answer_sha256, finished_at) on app.run to authenticated;
grant select (org_id, id, user_id, bot_id, bot_version, status, conversation_id, started_at, taint), update (status, error_code, finished_at, taint)
  on app.run to ringfence_owner;

create function authz.tg_run_actor() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  new.on_behalf_of := (select m.service_owner_id from app.membership m where m.org_id = new.org_id and m.user_id = new.user_id);
  new.actor_kind := case when new.on_behalf_of is null then 'user' else 'service' end;
  new.api_token_id := authz.api_token_id();
  new.client_id := left(authz.claims() ->> 'client_id', 100);
  return new;
end
$$;
comment on function authz.tg_run_actor() is 'Trigger: a run says who acts, for whom and through what, whatever its insert says (F03).';
revoke all on function authz.tg_run_actor() from public;
create trigger _100_actor before insert on app.run
  for each row execute function authz.tg_run_actor();
create trigger _900_audit after insert or update or delete on app.run
  for each row execute function authz.tg_audit();
