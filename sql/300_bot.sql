-- Bots. A bot is never a principal: it holds no rights, it only narrows what its runner's rights reach.
create table app.bot (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  slug text not null constraint bot_slug_check check (slug ~ '^[a-z0-9][a-z0-9-]{1,39}$'),
  -- An id may stand wherever a slug may: nobody takes somebody else's id for a name.
  constraint bot_slug_no_id_check check (slug !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'),
  name text not null constraint bot_name_check check (char_length(name) between 1 and 120),
  instructions text not null default '' constraint bot_instructions_check check (char_length(instructions) <= 8000),
  version integer not null default 1,
  created_by uuid not null default authz.uid(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  archived_at timestamptz,
  primary key (org_id, id)
);
-- Not unique: a name that is taken would tell of a bot one cannot see (R51). Of those one sees, api.create_bot() allows one.
create index bot_org_id_slug_idx on app.bot (org_id, slug);
comment on table app.bot is 'An assistant of one organization.';
comment on column app.bot.org_id is 'The organization.';
comment on column app.bot.id is 'Random identifier.';
comment on column app.bot.slug is 'Short name within the organization; 2..40 of a-z 0-9 -, and no uuid.';
comment on column app.bot.name is 'Display name; 1..120 characters.';
comment on column app.bot.instructions is 'What the model is told to do; at most 8000 characters.';
comment on column app.bot.version is 'Counts changes of name or instructions; app.bot_version keeps each.';
comment on column app.bot.created_by is 'Who made it.';
comment on column app.bot.created_at is 'When it was made.';
comment on column app.bot.updated_at is 'When name or instructions last changed.';
comment on column app.bot.archived_at is 'Since when it is out of use: nobody runs it, its record stays. Null while in use.';

alter table app.bot enable row level security;
alter table app.bot force row level security;
create policy bot_select_viewer on app.bot for select to authenticated
  using (org_id = any (array(select authz.orgs_with('bots.manage'))) or id = any (array(select authz.shared_bots('viewer'))));
create policy bot_insert_manager on app.bot for insert to authenticated
  with check (org_id = any (array(select authz.orgs_with('bots.manage'))) and created_by = (select authz.uid()));
create policy bot_update_editor on app.bot for update to authenticated
  using (org_id = any (array(select authz.orgs_with('bots.manage'))) or id = any (array(select authz.shared_bots('editor'))))
  with check (org_id = any (array(select authz.orgs_with('bots.manage'))) or id = any (array(select authz.shared_bots('editor'))));
create policy bot_delete_nobody on app.bot for delete to authenticated using (false);
create policy bot_floor on app.bot as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy bot_denied_floor on app.bot as restrictive for all to authenticated
  using (not (id = any (array(select authz.denied('bot')))))
  with check (not (id = any (array(select authz.denied('bot')))));
create policy bot_select_job_owner on app.bot for select to ringfence_owner
  using ((select authz.works_the_queue()) and id = any (array(select authz.shared_bots('viewer'))));
comment on policy bot_select_viewer on app.bot is 'bots.manage sees every bot; others those shared with them.';
comment on policy bot_insert_manager on app.bot is 'bots.manage makes bots, in their own name.';
comment on policy bot_update_editor on app.bot is 'bots.manage and the bot''s editors change it; putting it out of use asks for more, see authz.tg_bot_archive().';
comment on policy bot_delete_nobody on app.bot is 'The record of its runs names it; archiving puts it out of use.';
comment on policy bot_floor on app.bot is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy bot_denied_floor on app.bot is 'Whatever else is allowed, never a bot that a rule takes from the person (F15).';
comment on policy bot_select_job_owner on app.bot is 'A job looks whether its requester may still run the bot that asked.';
grant select on app.bot to authenticated;
grant insert (org_id, slug, name, instructions) on app.bot to authenticated;
grant update (slug, name, instructions, archived_at) on app.bot to authenticated;
grant select (org_id, id, archived_at) on app.bot to ringfence_owner;
create trigger _060_in_scope before insert or update or delete on app.bot
  for each statement execute function authz.tg_in_scope('bots.manage');

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

create function authz.tg_bot_archive() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Policies see rows, not columns: an editor may change the bot, but not take it from everybody.
  if row_security_active('app.bot')
    and not (old.org_id = any (array(select authz.orgs_with('bots.manage'))) or old.id = any (array(select authz.shared_bots('owner'))))
  then
    raise sqlstate '42501' using message = 'archiving a bot and taking it back into use is for its owners and bots.manage';
  end if;
  return new;
end
$$;
comment on function authz.tg_bot_archive() is 'Trigger: only an owner of the bot, or bots.manage, archives or restores it (42501).';
revoke all on function authz.tg_bot_archive() from public;
create trigger _100_archive before update on app.bot
  for each row when (old.archived_at is distinct from new.archived_at)
  execute function authz.tg_bot_archive();
create trigger _900_audit after insert or update or delete on app.bot
  for each row execute function authz.tg_audit();
