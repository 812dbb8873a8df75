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
comment on column app.message.citations is 'What an answer cites: document, chunk, range, hash, score.';
comment on column app.message.created_at is 'When it was written.';

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
comment on policy message_select_self on app.message is 'One''s own only.';
comment on policy message_insert_self on app.message is 'Into one''s own conversations; the foreign key carries the person.';
comment on policy message_update_nobody on app.message is 'What was said stays said.';
comment on policy message_delete_nobody on app.message is 'Retention and erasure come with their own rules.';
comment on policy message_floor on app.message is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy message_scope_floor on app.message is 'An API token reaches one''s own rows only with a permission for them; every other session passes.';
comment on policy message_select_citing_owner on app.message is 'Deleting a document finds the answers that cite it; of them only who cites what.';
comment on policy message_update_citing_owner on app.message is 'Deleting a document redacts its citations in everybody''s answers.';
grant select on app.message to authenticated;
grant insert (org_id, conversation_id, run_id, role, content, citations) on app.message to authenticated;
grant select (org_id, citations), update (citations) on app.message to ringfence_owner;
