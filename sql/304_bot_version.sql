-- Every version of a bot, as it was: a run names the one it used. What the bot is bound to is no part of it: bindings are read at every
-- call, so that one withdrawn works at once.
create table app.bot_version (
  org_id uuid not null references app.organization (id) on delete cascade,
  bot_id uuid not null,
  version integer not null constraint bot_version_version_check check (version >= 1),
  name text not null,
  instructions text not null,
  sha256 text not null constraint bot_version_sha256_check check (sha256 ~ '^[0-9a-f]{64}$'),
  created_by uuid default authz.uid(),
  created_at timestamptz not null default now(),
  primary key (org_id, bot_id, version),
  constraint bot_version_bot_id_fkey foreign key (org_id, bot_id) references app.bot (org_id, id) on delete cascade
);
comment on table app.bot_version is 'A bot as it was from one change of name or instructions to the next; never changed, never deleted.';
comment on column app.bot_version.org_id is 'The organization.';
comment on column app.bot_version.bot_id is 'The bot.';
comment on column app.bot_version.version is 'Counts from 1.';
comment on column app.bot_version.name is 'Its name in this version.';
comment on column app.bot_version.instructions is 'What the model was told to do in this version.';
comment on column app.bot_version.sha256 is 'SHA-256, hexadecimal, of the JSON array of name and instructions: what was reviewed is what runs.';
comment on column app.bot_version.created_by is 'Who published it; null for an operator working in the database.';
comment on column app.bot_version.created_at is 'When it was published.';

alter table app.bot_version enable row level security;
alter table app.bot_version force row level security;
create policy bot_version_select_viewer on app.bot_version for select to authenticated
  using (org_id = any (array(select authz.orgs_with('bots.manage'))) or bot_id = any (array(select authz.shared_bots('viewer'))));
create policy bot_version_insert_nobody on app.bot_version for insert to authenticated with check (false);
create policy bot_version_update_nobody on app.bot_version for update to authenticated using (false) with check (false);
create policy bot_version_delete_nobody on app.bot_version for delete to authenticated using (false);
create policy bot_version_floor on app.bot_version as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy bot_version_denied_floor on app.bot_version as restrictive for all to authenticated
  using (not (bot_id = any (array(select authz.denied('bot')))))
  with check (not (bot_id = any (array(select authz.denied('bot')))));
create policy bot_version_insert_owner on app.bot_version for insert to ringfence_owner
  with check (created_by is not distinct from (select authz.uid()));
comment on policy bot_version_select_viewer on app.bot_version is 'Who sees the bot sees its versions.';
comment on policy bot_version_insert_nobody on app.bot_version is 'Only the trigger writes here.';
comment on policy bot_version_update_nobody on app.bot_version is 'What ran stays what ran.';
comment on policy bot_version_delete_nobody on app.bot_version is 'What ran stays what ran.';
comment on policy bot_version_floor on app.bot_version is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy bot_version_denied_floor on app.bot_version is 'Whatever else is allowed, never a bot that a rule takes from the person (F15).';
comment on policy bot_version_insert_owner on app.bot_version is 'Even the trigger cannot publish in another person''s name.';
grant select on app.bot_version to authenticated;
grant insert (org_id, bot_id, version, name, instructions, sha256) on app.bot_version to ringfence_owner;

create function authz.tg_publish_version() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into app.bot_version (org_id, bot_id, version, name, instructions, sha256)
  values (new.org_id, new.id, new.version, new.name, new.instructions,
    encode(sha256(convert_to(jsonb_build_array(new.name, new.instructions)::text, 'UTF8')), 'hex'));
  return null;
end
$$;
comment on function authz.tg_publish_version() is 'Trigger: keep each version of a bot as it is published.';
revoke all on function authz.tg_publish_version() from public;
create trigger _700_publish after insert on app.bot for each row execute function authz.tg_publish_version();
create trigger _710_publish after update on app.bot
  for each row when (old.version is distinct from new.version)
  execute function authz.tg_publish_version();
