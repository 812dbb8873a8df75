-- Deny rules: what a person, a team, a role or everybody may not reach, whatever was shared with them. The resources' restrictive
-- policies read them through authz.denied(), so no grant overrides one (F15). A team or role that a rule names cannot be deleted, nor a
-- team left by whom the rule concerns: both would lift the rule.
create table app.deny_rule (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  user_id uuid,
  team_id uuid,
  role_id uuid,
  knowledge_base_id uuid,
  document_id uuid,
  bot_id uuid,
  data_source_id uuid,
  tool text constraint deny_rule_tool_check check (tool ~ '^[a-z_][a-z0-9_]{0,62}$'),
  reason text not null constraint deny_rule_reason_check check (char_length(reason) between 1 and 300),
  created_by uuid not null default authz.uid(),
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint deny_rule_user_id_fkey foreign key (org_id, user_id) references app.membership (org_id, user_id) on delete cascade,
  constraint deny_rule_team_id_fkey foreign key (org_id, team_id) references app.team (org_id, id),
  constraint deny_rule_role_id_fkey foreign key (org_id, role_id) references app.role (org_id, id),
  constraint deny_rule_knowledge_base_id_fkey foreign key (org_id, knowledge_base_id)
    references app.knowledge_base (org_id, id) on delete cascade,
  constraint deny_rule_document_id_fkey foreign key (org_id, document_id) references app.document (org_id, id) on delete cascade,
  constraint deny_rule_bot_id_fkey foreign key (org_id, bot_id) references app.bot (org_id, id) on delete cascade,
  constraint deny_rule_data_source_id_fkey foreign key (org_id, data_source_id) references app.data_source (org_id, id) on delete cascade,
  constraint deny_rule_one_subject_check check (num_nonnulls(user_id, team_id, role_id) <= 1),
  constraint deny_rule_one_object_check check (num_nonnulls(knowledge_base_id, document_id, bot_id, data_source_id, tool) = 1),
  constraint deny_rule_key unique nulls not distinct (org_id, user_id, team_id, role_id, knowledge_base_id, document_id, bot_id, data_source_id, tool)
);
comment on table app.deny_rule is 'Takes one resource or tool from a person, a team, a role or (naming none) everybody.';
comment on column app.deny_rule.org_id is 'The organization.';
comment on column app.deny_rule.id is 'Random identifier.';
comment on column app.deny_rule.user_id is 'One member, or null.';
comment on column app.deny_rule.team_id is 'Everyone in this team, or null.';
comment on column app.deny_rule.role_id is 'Everyone with this role, or null. All three null: everybody in the organization.';
comment on column app.deny_rule.knowledge_base_id is 'The knowledge base with all its documents, or null.';
comment on column app.deny_rule.document_id is 'The document, or null.';
comment on column app.deny_rule.bot_id is 'The bot, or null.';
comment on column app.deny_rule.data_source_id is 'The data source with the results of its jobs, or null.';
comment on column app.deny_rule.tool is 'The name of a function bots may call, or null.';
comment on column app.deny_rule.reason is 'Why, for whoever reviews the rules; 1..300 characters.';
comment on column app.deny_rule.created_by is 'Who made it.';
comment on column app.deny_rule.created_at is 'Since when.';

alter table app.deny_rule enable row level security;
alter table app.deny_rule force row level security;
create policy deny_rule_select_manager on app.deny_rule for select to authenticated
  using (org_id = any (array(select authz.orgs_with('rules.manage')))
    or team_id is not null and org_id = any (array(select authz.orgs_with('teams.manage'))));
create policy deny_rule_insert_manager on app.deny_rule for insert to authenticated
  with check (org_id = any (array(select authz.orgs_with('rules.manage'))) and created_by = (select authz.uid()));
create policy deny_rule_update_nobody on app.deny_rule for update to authenticated using (false) with check (false);
create policy deny_rule_delete_manager on app.deny_rule for delete to authenticated
  using (org_id = any (array(select authz.orgs_with('rules.manage'))));
create policy deny_rule_floor on app.deny_rule as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy deny_rule_select_owner on app.deny_rule for select to ringfence_owner
  using (org_id = any (array(select authz.org_ids()))
    and (user_id = (select authz.uid()) or team_id = any (array(select authz.team_ids())) or role_id = any (array(select authz.role_ids()))
      or num_nonnulls(user_id, team_id, role_id) = 0
      -- What concerns who answers for a service account concerns the account.
      or user_id = any (array(select authz.service_owner_ids())) or role_id = any (array(select authz.service_owner_role_ids()))));
create policy deny_rule_select_inherited_owner on app.deny_rule for select to ringfence_owner
  using (org_id = any (array(select authz.org_ids())) and document_id is not null);
create policy deny_rule_insert_inherited_owner on app.deny_rule for insert to ringfence_owner
  with check (created_by = (select authz.uid())
    and document_id in (select d.id from app.document d where d.owner_id = (select authz.uid()) and d.state = 'loading'));
create policy deny_rule_insert_returning_owner on app.deny_rule for insert to ringfence_owner
  with check (created_by = (select authz.uid()) and user_id = (select authz.uid())
    and document_id in (select d.id from app.document d where d.owner_id = (select authz.uid()) and d.owner_left_at is not null));
create policy deny_rule_delete_returning_owner on app.deny_rule for delete to ringfence_owner
  using (created_by = (select authz.uid()) and user_id = (select authz.uid())
    and document_id in (select d.id from app.document d where d.owner_id = (select authz.uid()) and d.owner_left_at is null));
comment on policy deny_rule_select_manager on app.deny_rule is 'rules.manage sees the rules, teams.manage those about teams; whom one concerns is not told of it.';
comment on policy deny_rule_insert_manager on app.deny_rule is 'rules.manage makes rules, in their own name.';
comment on policy deny_rule_update_nobody on app.deny_rule is 'Rules are made and deleted, not edited.';
comment on policy deny_rule_delete_manager on app.deny_rule is 'rules.manage deletes rules.';
comment on policy deny_rule_floor on app.deny_rule is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy deny_rule_select_owner on app.deny_rule is 'authz.denied() sees the rules that concern the person asking and no others.';
comment on policy deny_rule_select_inherited_owner on app.deny_rule is 'A replacement copies the rules of the version it replaces; authz.denied() says itself whom a rule concerns.';
comment on policy deny_rule_insert_inherited_owner on app.deny_rule is 'Only onto a version the person asking is loading.';
comment on policy deny_rule_insert_returning_owner on app.deny_rule is 'Only against the person who joins, about what they left behind.';
comment on policy deny_rule_delete_returning_owner on app.deny_rule is 'Who takes over what they had left behind themselves reads it again.';
grant select, delete on app.deny_rule to authenticated;
grant insert (org_id, user_id, team_id, role_id, knowledge_base_id, document_id, bot_id, data_source_id, tool, reason) on app.deny_rule to authenticated;
grant select, delete on app.deny_rule to ringfence_owner;
grant insert (org_id, user_id, team_id, role_id, document_id, reason) on app.deny_rule to ringfence_owner;
-- A new version of a document takes its rules along, whoever loads it.
create trigger _050_in_person before insert or update or delete on app.deny_rule
  for each statement when (current_user <> 'ringfence_owner') execute function authz.tg_in_person();
create trigger _110_step_up before insert or update or delete on app.deny_rule
  for each row execute function authz.tg_step_up('if_enrolled');
create trigger _900_audit after insert or update or delete on app.deny_rule
  for each row execute function authz.tg_audit();

create function authz.ruled_team_ids() returns setof uuid
language sql stable security definer rows 1
set search_path = pg_catalog, pg_temp
as $$
  select r.team_id from app.deny_rule r where r.team_id is not null
$$;
comment on function authz.ruled_team_ids() is 'The teams of the signed-in person that a deny rule names.';
revoke all on function authz.ruled_team_ids() from public;
grant execute on function authz.ruled_team_ids() to authenticated;
alter function authz.ruled_team_ids() owner to ringfence_owner;

create function authz.tg_ruled_team() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Who leaves the organization leaves its teams; that is a foreign key at work, where policies do not apply.
  if row_security_active('app.team_member') and (old.team_id = any (array(select authz.ruled_team_ids())) or exists (
      select from app.deny_rule r where r.org_id = old.org_id and r.team_id = old.team_id))
    and not old.org_id = any (array(select authz.orgs_with('rules.manage')))
  then
    raise sqlstate '42501' using message = 'a rule names this team: rules.manage takes people out of it';
  end if;
  return old;
end
$$;
comment on function authz.tg_ruled_team() is 'Trigger: nobody is taken out of a team that a deny rule names but by rules.manage (42501).';
revoke all on function authz.tg_ruled_team() from public;
create trigger _120_ruled before delete on app.team_member
  for each row execute function authz.tg_ruled_team();
