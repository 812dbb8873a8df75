-- Messages: what was asked and answered. Like the conversation, for its person only.
create table app.message (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  conversation_id uuid not null,
  user_id uuid not null default authz.uid(),
  run_id uuid not null,
  role text not null constraint message_role_check check (role in ('user', 'assistant')),
  content text not null constraint message_content_check check (char_length(content) <= 100000),
  citations jsonb not null default '[]' constraint message_citations_check check (jsonb_typeof(citations) = 'array'),
  created_at timestamptz not null default clock_timestamp(),
  primary key (org_id, id),
  -- One question and one answer a run.
  constraint message_org_id_run_id_role_key unique (org_id, run_id, role),
  constraint message_conversation_id_fkey foreign key (org_id, conversation_id, user_id)
    references app.conversation (org_id, id, user_id) on delete cascade,
  constraint message_run_id_fkey foreign key (org_id, run_id, user_id) references app.run (org_id, id, user_id) on delete cascade
);
create index message_org_id_conversation_id_idx on app.message (org_id, conversation_id, created_at);
comment on table app.message is 'A question or an answer.';
comment on column app.message.org_id is 'The organization.';
comment on column app.message.id is 'Random identifier.';
comment on column app.message.conversation_id is 'The conversation.';
comment on column app.message.user_id is 'Whose conversation it is.';
comment on column app.message.run_id is 'The run that took the question or made the answer.';
comment on column app.message.role is 'user or assistant.';
comment on column app.message.content is 'The text; at most 100000 characters.';
comment on column app.message.citations is 'What an answer cites: document, chunk, range, hash, score, trust.';
comment on column app.message.created_at is 'When it was written.';

-- The functions that write these rows run as the person, so the person could write them without: the policy below holds every row, whoever
-- writes it, to what those functions could have written.
create function authz.may_be_message(org_id uuid, conversation_id uuid, run_id uuid, role text, content text, citations jsonb) returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run app.run;
  v_digest text := authz.digest(may_be_message.org_id, may_be_message.conversation_id, may_be_message.content);
begin
  select r.* into v_run from app.run r
  where r.org_id = may_be_message.org_id and r.id = may_be_message.run_id and r.conversation_id = may_be_message.conversation_id
    and r.user_id = authz.uid();
  if may_be_message.role = 'user' then
    return coalesce(v_run.question_sha256 = v_digest, false) and may_be_message.citations = '[]';
  end if;
  return coalesce(v_run.status <> 'running' and v_run.answer_sha256 = v_digest, false) and jsonb_typeof(may_be_message.citations) = 'array'
    -- As api.finish_run() asks (F28).
    and not exists (
      select from jsonb_array_elements(may_be_message.citations) c
      where not exists (select from app.run_step s where s.org_id = v_run.org_id and s.run_id = v_run.id
        and s.sources @> jsonb_build_array(jsonb_build_object('document_id', c -> 'document_id', 'chunk_id', c -> 'chunk_id'))));
end
$$;
comment on function authz.may_be_message(uuid, uuid, uuid, text, text, jsonb) is 'Whether this is the question of the person''s own run, or the answer it ended with, citing what it retrieved: by the digests on the run.';
revoke all on function authz.may_be_message(uuid, uuid, uuid, text, text, jsonb) from public;
grant execute on function authz.may_be_message(uuid, uuid, uuid, text, text, jsonb) to authenticated;

alter table app.message enable row level security;
alter table app.message force row level security;
create policy message_select_self on app.message for select to authenticated
  using (user_id = (select authz.uid()));
create policy message_insert_self on app.message for insert to authenticated
  with check (user_id = (select authz.uid()));
create policy message_update_nobody on app.message for update to authenticated using (false) with check (false);
create policy message_delete_nobody on app.message for delete to authenticated using (false);
create policy message_floor on app.message as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy message_scope_floor on app.message as restrictive for all to authenticated
  using ((select authz.in_scope(array['bots.run'])))
  with check ((select authz.in_scope(array['bots.run'])));
create policy message_select_citing_owner on app.message for select to ringfence_owner
  using (org_id = any (array(select authz.org_ids())) and citations <> '[]');
create policy message_update_citing_owner on app.message for update to ringfence_owner
  using (org_id = any (array(select authz.org_ids())) and citations <> '[]')
  with check (org_id = any (array(select authz.org_ids())) and citations <> '[]');
create policy message_record_floor on app.message as restrictive for insert to authenticated
  with check (authz.may_be_message(org_id, conversation_id, run_id, role, content, citations));
comment on policy message_select_self on app.message is 'One''s own only.';
comment on policy message_insert_self on app.message is 'Into one''s own conversations; the foreign key carries the person.';
comment on policy message_update_nobody on app.message is 'What was said stays said.';
comment on policy message_delete_nobody on app.message is 'Retention and erasure come with their own rules.';
comment on policy message_floor on app.message is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy message_scope_floor on app.message is 'An API token reaches one''s own rows only with a permission for them; every other session passes.';
comment on policy message_select_citing_owner on app.message is 'Deleting a document finds the answers that cite it; of them only who cites what.';
comment on policy message_update_citing_owner on app.message is 'Deleting a document redacts its citations in everybody''s answers.';
comment on policy message_record_floor on app.message is 'Whatever else is allowed, nothing but the question and the answer of its run.';
grant select on app.message to authenticated;
grant insert (org_id, conversation_id, run_id, role, content, citations) on app.message to authenticated;
grant select (org_id, citations), update (citations) on app.message to ringfence_owner;
