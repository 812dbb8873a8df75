-- What a bot may reach: knowledge bases, data sources and tools. A binding narrows a run; it changes nobody's rights (F13, F35).
create table app.bot_binding (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  bot_id uuid not null,
  knowledge_base_id uuid,
  data_source_id uuid,
  tool text constraint bot_binding_tool_check check (tool ~ '^[a-z_][a-z0-9_]{0,62}$'),
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint bot_binding_bot_id_fkey foreign key (org_id, bot_id) references app.bot (org_id, id) on delete cascade,
  constraint bot_binding_knowledge_base_id_fkey foreign key (org_id, knowledge_base_id)
    references app.knowledge_base (org_id, id) on delete cascade,
  constraint bot_binding_data_source_id_fkey foreign key (org_id, data_source_id)
    references app.data_source (org_id, id) on delete cascade,
  constraint bot_binding_one_target_check check (num_nonnulls(knowledge_base_id, data_source_id, tool) = 1),
  constraint bot_binding_target_key unique nulls not distinct (org_id, bot_id, knowledge_base_id, data_source_id, tool)
);
comment on table app.bot_binding is 'A knowledge base, a data source or a tool that runs of a bot may use.';
comment on column app.bot_binding.org_id is 'The organization.';
comment on column app.bot_binding.id is 'Random identifier.';
comment on column app.bot_binding.bot_id is 'The bot.';
comment on column app.bot_binding.knowledge_base_id is 'The knowledge base, or null.';
comment on column app.bot_binding.data_source_id is 'The data source, or null.';
comment on column app.bot_binding.tool is 'The name of a function of schema api whose comment says @audience bot, or null.';
comment on column app.bot_binding.created_at is 'Since when.';

alter table app.bot_binding enable row level security;
alter table app.bot_binding force row level security;
create policy bot_binding_select_viewer on app.bot_binding for select to authenticated
  using (org_id = any (array(select authz.orgs_with('bots.manage'))) or bot_id = any (array(select authz.shared_bots('viewer'))));
create policy bot_binding_insert_editor on app.bot_binding for insert to authenticated
  with check ((org_id = any (array(select authz.orgs_with('bots.manage'))) or bot_id = any (array(select authz.shared_bots('editor'))))
    and (knowledge_base_id is null or knowledge_base_id = any (array(select k.id from app.knowledge_base k)))
    and (data_source_id is null or data_source_id = any (array(select s.id from app.data_source s))));
create policy bot_binding_update_nobody on app.bot_binding for update to authenticated using (false) with check (false);
create policy bot_binding_delete_editor on app.bot_binding for delete to authenticated
  using (org_id = any (array(select authz.orgs_with('bots.manage'))) or bot_id = any (array(select authz.shared_bots('editor'))));
create policy bot_binding_floor on app.bot_binding as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy bot_binding_denied_floor on app.bot_binding as restrictive for all to authenticated
  using (not (bot_id = any (array(select authz.denied('bot')))))
  with check (not (bot_id = any (array(select authz.denied('bot')))));
create policy bot_binding_select_job_owner on app.bot_binding for select to ringfence_owner
  using ((select authz.works_the_queue()) and bot_id = any (array(select authz.shared_bots('viewer'))));
comment on policy bot_binding_select_viewer on app.bot_binding is 'Who sees the bot sees what it reaches.';
comment on policy bot_binding_insert_editor on app.bot_binding is 'bots.manage and the bot''s editors bind it, to knowledge bases and data sources they see themselves.';
comment on policy bot_binding_update_nobody on app.bot_binding is 'Bindings are added and withdrawn, not edited.';
comment on policy bot_binding_delete_editor on app.bot_binding is 'bots.manage and the bot''s editors unbind it.';
comment on policy bot_binding_floor on app.bot_binding is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy bot_binding_denied_floor on app.bot_binding is 'Whatever else is allowed, never a bot that a rule takes from the person (F15).';
comment on policy bot_binding_select_job_owner on app.bot_binding is 'As that: whether the bot is still bound to the source.';
grant select, delete on app.bot_binding to authenticated;
grant insert (org_id, bot_id, knowledge_base_id, data_source_id, tool) on app.bot_binding to authenticated;
grant select (org_id, bot_id, data_source_id, tool) on app.bot_binding to ringfence_owner;
create trigger _060_in_scope before insert or update or delete on app.bot_binding
  for each statement execute function authz.tg_in_scope('bots.manage');
create trigger _900_audit after insert or update or delete on app.bot_binding
  for each row execute function authz.tg_audit();
