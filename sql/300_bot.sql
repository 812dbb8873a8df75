-- Bots. A bot is never a principal: it holds no rights, it only narrows what its runner's rights reach.
create table app.bot (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  slug text not null constraint bot_slug_check check (slug ~ '^[a-z0-9][a-z0-9-]{1,39}$'),
  name text not null constraint bot_name_check check (char_length(name) between 1 and 120),
  instructions text not null default '' constraint bot_instructions_check check (char_length(instructions) <= 8000),
  version integer not null default 1,
  created_by uuid not null default authz.uid(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint bot_org_id_slug_key unique (org_id, slug)
);
comment on table app.bot is 'An assistant of one organization.';
comment on column app.bot.org_id is 'The organization.';
comment on column app.bot.id is 'Random identifier.';
comment on column app.bot.slug is 'Short name within the organization; 2..40 of a-z 0-9 -.';
comment on column app.bot.name is 'Display name; 1..120 characters.';
comment on column app.bot.instructions is 'What the model is told to do; at most 8000 characters.';
comment on column app.bot.version is 'Counts changes of name or instructions; a run records the version it used.';
comment on column app.bot.created_by is 'Who made it.';
comment on column app.bot.created_at is 'When it was made.';
comment on column app.bot.updated_at is 'When name or instructions last changed.';

-- Who may run it: one person, everyone with a role, or (both null) everyone in the organization.
create table app.bot_runner (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  bot_id uuid not null,
  user_id uuid,
  role_id uuid,
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint bot_runner_bot_id_fkey foreign key (org_id, bot_id) references app.bot (org_id, id) on delete cascade,
  constraint bot_runner_user_id_fkey foreign key (org_id, user_id) references app.membership (org_id, user_id) on delete cascade,
  constraint bot_runner_role_id_fkey foreign key (org_id, role_id) references app.role (org_id, id) on delete cascade,
  constraint bot_runner_one_principal_check check (num_nonnulls(user_id, role_id) <= 1),
  constraint bot_runner_principal_key unique nulls not distinct (org_id, bot_id, user_id, role_id)
);
comment on table app.bot_runner is 'Who may run a bot. Being a runner adds nothing to what one may read (F13).';
comment on column app.bot_runner.org_id is 'The organization.';
comment on column app.bot_runner.id is 'Random identifier.';
comment on column app.bot_runner.bot_id is 'The bot.';
comment on column app.bot_runner.user_id is 'One member, or null.';
comment on column app.bot_runner.role_id is 'Everyone with this role, or null. Both null: everyone in the organization.';
comment on column app.bot_runner.created_at is 'Since when.';

alter table app.bot_runner enable row level security;
alter table app.bot_runner force row level security;
create policy bot_runner_select_runner on app.bot_runner for select to authenticated
  using (org_id = any (array(select authz.orgs_with('bots.manage')))
    or org_id = any (array(select authz.orgs_with('bots.run')))
      and (user_id = (select authz.uid()) or role_id = any (array(select authz.role_ids()))
        or user_id is null and role_id is null));
create policy bot_runner_insert_manager on app.bot_runner for insert to authenticated
  with check (org_id = any (array(select authz.orgs_with('bots.manage'))));
create policy bot_runner_update_nobody on app.bot_runner for update to authenticated using (false) with check (false);
create policy bot_runner_delete_manager on app.bot_runner for delete to authenticated
  using (org_id = any (array(select authz.orgs_with('bots.manage'))));
create policy bot_runner_floor on app.bot_runner as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
comment on policy bot_runner_select_runner on app.bot_runner is 'bots.manage sees all of them; others the rows that let them run a bot.';
comment on policy bot_runner_insert_manager on app.bot_runner is 'bots.manage shares bots.';
comment on policy bot_runner_update_nobody on app.bot_runner is 'Sharing is added and withdrawn, not edited.';
comment on policy bot_runner_delete_manager on app.bot_runner is 'bots.manage withdraws sharing.';
comment on policy bot_runner_floor on app.bot_runner is 'Whatever else is allowed, never outside one''s own organizations.';
grant select, delete on app.bot_runner to authenticated;
grant insert (org_id, bot_id, user_id, role_id) on app.bot_runner to authenticated;
create trigger _900_audit after insert or update or delete on app.bot_runner
  for each row execute function authz.tg_audit();

create function authz.runnable_bots() returns setof uuid
language sql stable rows 10
set search_path = pg_catalog, pg_temp
as $$
  -- Managing a bot is not running it: bots.manage shows more rows of bot_runner than apply to the person.
  select r.bot_id from app.bot_runner r
  where r.org_id = any (array(select authz.orgs_with('bots.run')))
    and (r.user_id = (select authz.uid()) or r.role_id = any (array(select authz.role_ids()))
      or r.user_id is null and r.role_id is null)
$$;
comment on function authz.runnable_bots() is 'The bots the signed-in person may run now.';
revoke all on function authz.runnable_bots() from public;
grant execute on function authz.runnable_bots() to authenticated;

alter table app.bot enable row level security;
alter table app.bot force row level security;
create policy bot_select_runner on app.bot for select to authenticated
  using (org_id = any (array(select authz.orgs_with('bots.manage')))
    or org_id = any (array(select authz.orgs_with('bots.run'))) and id = any (array(select r.bot_id from app.bot_runner r)));
create policy bot_insert_manager on app.bot for insert to authenticated
  with check (org_id = any (array(select authz.orgs_with('bots.manage'))) and created_by = (select authz.uid()));
create policy bot_update_manager on app.bot for update to authenticated
  using (org_id = any (array(select authz.orgs_with('bots.manage'))))
  with check (org_id = any (array(select authz.orgs_with('bots.manage'))));
create policy bot_delete_nobody on app.bot for delete to authenticated using (false);
create policy bot_floor on app.bot as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
comment on policy bot_select_runner on app.bot is 'bots.manage sees every bot; others those shared with them.';
comment on policy bot_insert_manager on app.bot is 'bots.manage makes bots, in their own name.';
comment on policy bot_update_manager on app.bot is 'bots.manage changes bots.';
comment on policy bot_delete_nobody on app.bot is 'The record of its runs names it; withdrawing the sharing puts it out of use.';
comment on policy bot_floor on app.bot is 'Whatever else is allowed, never outside one''s own organizations.';
grant select on app.bot to authenticated;
grant insert (org_id, slug, name, instructions) on app.bot to authenticated;
grant update (slug, name, instructions) on app.bot to authenticated;

create function authz.tg_bot_version() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if (new.name, new.instructions) is distinct from (old.name, old.instructions) then
    new.version := old.version + 1;
    new.updated_at := now();
  end if;
  return new;
end
$$;
comment on function authz.tg_bot_version() is 'Trigger: count a change of name or instructions as a new version.';
revoke all on function authz.tg_bot_version() from public;
create trigger _500_version before update on app.bot for each row execute function authz.tg_bot_version();
create trigger _900_audit after insert or update or delete on app.bot
  for each row execute function authz.tg_audit();
