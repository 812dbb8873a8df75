-- With whom a bot is shared, and how far: one person, a team, everyone with a role, or (all null) everyone in the organization (F14).
create table app.bot_runner (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  bot_id uuid not null,
  user_id uuid,
  team_id uuid,
  role_id uuid,
  level text not null default 'viewer' constraint bot_runner_level_check check (level in ('viewer', 'editor', 'owner')),
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint bot_runner_bot_id_fkey foreign key (org_id, bot_id) references app.bot (org_id, id) on delete cascade,
  constraint bot_runner_user_id_fkey foreign key (org_id, user_id) references app.membership (org_id, user_id) on delete cascade,
  constraint bot_runner_team_id_fkey foreign key (org_id, team_id) references app.team (org_id, id) on delete cascade,
  constraint bot_runner_role_id_fkey foreign key (org_id, role_id) references app.role (org_id, id) on delete cascade,
  constraint bot_runner_one_principal_check check (num_nonnulls(user_id, team_id, role_id) <= 1),
  constraint bot_runner_principal_key unique nulls not distinct (org_id, bot_id, user_id, team_id, role_id)
);
comment on table app.bot_runner is 'With whom a bot is shared. Being a runner adds nothing to what one may read (F13).';
comment on column app.bot_runner.org_id is 'The organization.';
comment on column app.bot_runner.id is 'Random identifier.';
comment on column app.bot_runner.bot_id is 'The bot.';
comment on column app.bot_runner.user_id is 'One member, or null.';
comment on column app.bot_runner.team_id is 'Everyone in this team, or null.';
comment on column app.bot_runner.role_id is 'Everyone with this role, or null. All three null: everyone in the organization.';
comment on column app.bot_runner.level is 'viewer may run it; editor may also change and bind it; owner may also share and archive it.';
comment on column app.bot_runner.created_at is 'Since when.';

alter table app.bot_runner enable row level security;
alter table app.bot_runner force row level security;
create policy bot_runner_select_runner on app.bot_runner for select to authenticated
  using (org_id = any (array(select authz.orgs_with('bots.manage'))) or bot_id = any (array(select authz.shared_bots('owner')))
    or org_id = any (array(select authz.orgs_with('bots.run')))
      and (user_id = (select authz.uid()) or team_id = any (array(select authz.team_ids())) or role_id = any (array(select authz.role_ids()))
        or num_nonnulls(user_id, team_id, role_id) = 0));
create policy bot_runner_insert_owner on app.bot_runner for insert to authenticated
  with check ((org_id = any (array(select authz.orgs_with('bots.manage'))) or bot_id = any (array(select authz.shared_bots('owner'))))
    and (num_nonnulls(user_id, team_id) = 1 or org_id = any (array(select authz.orgs_with('resources.publish')))));
create policy bot_runner_update_owner on app.bot_runner for update to authenticated
  using ((org_id = any (array(select authz.orgs_with('bots.manage'))) or bot_id = any (array(select authz.shared_bots('owner'))))
    and (num_nonnulls(user_id, team_id) = 1 or org_id = any (array(select authz.orgs_with('resources.publish')))))
  with check ((org_id = any (array(select authz.orgs_with('bots.manage'))) or bot_id = any (array(select authz.shared_bots('owner'))))
    and (num_nonnulls(user_id, team_id) = 1 or org_id = any (array(select authz.orgs_with('resources.publish')))));
create policy bot_runner_delete_owner on app.bot_runner for delete to authenticated
  using (org_id = any (array(select authz.orgs_with('bots.manage'))) or bot_id = any (array(select authz.shared_bots('owner'))));
create policy bot_runner_floor on app.bot_runner as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy bot_runner_denied_floor on app.bot_runner as restrictive for all to authenticated
  using (not (bot_id = any (array(select authz.denied('bot')))))
  with check (not (bot_id = any (array(select authz.denied('bot')))));
create policy bot_runner_select_self_owner on app.bot_runner for select to ringfence_owner
  using (org_id = any (array(select authz.org_ids()))
    and (user_id = (select authz.uid()) or team_id = any (array(select authz.team_ids())) or role_id = any (array(select authz.role_ids()))
      or num_nonnulls(user_id, team_id, role_id) = 0));
comment on policy bot_runner_select_runner on app.bot_runner is 'bots.manage and the bot''s owners see with whom it is shared; others the rows that let them use it.';
comment on policy bot_runner_insert_owner on app.bot_runner is 'bots.manage and the bot''s owners share it with people and teams; with a role or everyone only who holds resources.publish.';
comment on policy bot_runner_update_owner on app.bot_runner is 'As sharing: the level changes, never with whom.';
comment on policy bot_runner_delete_owner on app.bot_runner is 'bots.manage and the bot''s owners withdraw sharing.';
comment on policy bot_runner_floor on app.bot_runner is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy bot_runner_denied_floor on app.bot_runner is 'Whatever else is allowed, never a bot that a rule takes from the person (F15).';
comment on policy bot_runner_select_self_owner on app.bot_runner is 'authz.shared_bots() sees the rows that apply to the person asking and no others.';
grant select, delete on app.bot_runner to authenticated;
grant insert (org_id, bot_id, user_id, team_id, role_id, level) on app.bot_runner to authenticated;
grant update (level) on app.bot_runner to authenticated;
create trigger _060_in_scope before insert or update or delete on app.bot_runner
  for each statement execute function authz.tg_in_scope('bots.manage');
grant select (org_id, bot_id, user_id, team_id, role_id, level) on app.bot_runner to ringfence_owner;
create trigger _900_audit after insert or update or delete on app.bot_runner
  for each row execute function authz.tg_audit();

create function authz.tg_bot_owner() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  -- A row and not a rule about created_by: it can be withdrawn, and goes with the membership. An operator's insert is nobody's.
  if new.created_by = authz.uid() then
    insert into app.bot_runner (org_id, bot_id, user_id, level) values (new.org_id, new.id, new.created_by, 'owner');
  end if;
  return null;
end
$$;
comment on function authz.tg_bot_owner() is 'Trigger: who makes a bot is its first owner.';
revoke all on function authz.tg_bot_owner() from public;
create trigger _600_owner after insert on app.bot for each row execute function authz.tg_bot_owner();
