-- Conversations: private to one person in one organization (F56). There is no argument or column by which to name another.
create table app.conversation (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  user_id uuid not null default authz.uid(),
  bot_id uuid not null,
  digest_key uuid not null default gen_random_uuid(),
  title text not null constraint conversation_title_check check (char_length(title) between 1 and 120),
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint conversation_user_id_key unique (org_id, id, user_id),
  constraint conversation_bot_id_fkey foreign key (org_id, bot_id) references app.bot (org_id, id)
);
create index conversation_org_id_user_id_idx on app.conversation (org_id, user_id, created_at desc);
comment on table app.conversation is 'A person''s conversation with a bot.';
comment on column app.conversation.org_id is 'The organization.';
comment on column app.conversation.id is 'Random identifier.';
comment on column app.conversation.user_id is 'Whose it is.';
comment on column app.conversation.bot_id is 'The bot.';
comment on column app.conversation.digest_key is 'Goes into every digest of its runs: who reads the record but not the conversation cannot check a guess.';
comment on column app.conversation.title is 'The beginning of the first question; 1..120 characters.';
comment on column app.conversation.created_at is 'When it began.';

alter table app.conversation enable row level security;
alter table app.conversation force row level security;
create policy conversation_select_self on app.conversation for select to authenticated
  using (user_id = (select authz.uid()));
create policy conversation_insert_self on app.conversation for insert to authenticated
  with check (user_id = (select authz.uid()) and bot_id = any (array(select b.id from app.bot b)));
create policy conversation_update_nobody on app.conversation for update to authenticated using (false) with check (false);
create policy conversation_delete_nobody on app.conversation for delete to authenticated using (false);
create policy conversation_floor on app.conversation as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy conversation_scope_floor on app.conversation as restrictive for all to authenticated
  using ((select authz.in_scope(array['bots.run'])))
  with check ((select authz.in_scope(array['bots.run'])));
create policy conversation_select_analyst on app.conversation for select to ringfence_analyst
  using (user_id = (select authz.uid()));
create policy conversation_analyst_floor on app.conversation as restrictive for select to ringfence_analyst
  using (org_id = any (array(select authz.job_orgs('conversations'))) and (select authz.in_scope(array['bots.run'])));
create policy conversation_select_erasing_owner on app.conversation for select to ringfence_owner
  using (org_id in (select authz.erasing_org_ids()) and user_id in (select authz.erasing_user_ids()));
create policy conversation_delete_erasing_owner on app.conversation for delete to ringfence_owner
  using (org_id in (select authz.erasing_org_ids()) and user_id in (select authz.erasing_user_ids()));
create policy conversation_select_over_owner on app.conversation for select to ringfence_owner
  using ((select authz.runs_the_queue()) and created_at < authz.kept_until(org_id, 'conversations') and not authz.is_held(org_id, user_id, id)
    and not authz.used_since(org_id, id, authz.kept_until(org_id, 'conversations')));
create policy conversation_delete_over_owner on app.conversation for delete to ringfence_owner
  using ((select authz.runs_the_queue()) and created_at < authz.kept_until(org_id, 'conversations') and not authz.is_held(org_id, user_id, id)
    and not authz.used_since(org_id, id, authz.kept_until(org_id, 'conversations')));
comment on policy conversation_select_self on app.conversation is 'One''s own only.';
comment on policy conversation_insert_self on app.conversation is 'In one''s own name, with a bot one can see.';
comment on policy conversation_update_nobody on app.conversation is 'A conversation does not change hands.';
comment on policy conversation_delete_nobody on app.conversation is 'Retention and erasure come with their own rules.';
comment on policy conversation_select_erasing_owner on app.conversation is 'An erasure finds the conversations of whom it is about.';
comment on policy conversation_delete_erasing_owner on app.conversation is 'It deletes them, with all that was said.';
comment on policy conversation_select_over_owner on app.conversation is 'The job of retention finds what is over by the organization''s rule and held by nothing.';
comment on policy conversation_delete_over_owner on app.conversation is 'It deletes that and nothing else.';
comment on policy conversation_floor on app.conversation is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy conversation_scope_floor on app.conversation is 'An API token reaches one''s own rows only with a permission for them; every other session passes.';
comment on policy conversation_select_analyst on app.conversation is 'In a job its requester''s own only.';
comment on policy conversation_analyst_floor on app.conversation is 'Whatever else is allowed, only in a job of that organization whose source holds conversations.';
grant select on app.conversation to authenticated;
grant select (org_id, id, user_id, bot_id, title, created_at) on app.conversation to ringfence_analyst;
grant select (org_id, id, user_id, created_at), delete on app.conversation to ringfence_owner;
grant insert (org_id, bot_id, title) on app.conversation to authenticated;
