-- Secrets of connectors and providers (F73, F37): kept as boxes that the database cannot open and that open nowhere but in their row. Who
-- holds the operator's keys opens what row security gives to the person they act for, and nothing else.
create table app.secret (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null,
  user_id uuid,
  purpose text not null constraint secret_purpose_check check (purpose in ('connector', 'provider')),
  name text not null constraint secret_name_check check (name ~ '^[a-z0-9][a-z0-9-]{1,39}$'),
  ciphertext bytea not null constraint secret_ciphertext_check check (octet_length(ciphertext) between 29 and 8220),
  wrapped_key bytea not null constraint secret_wrapped_key_check check (octet_length(wrapped_key) = 60),
  key_id text not null constraint secret_key_id_check check (key_id ~ '^[a-z0-9][a-z0-9-]{0,31}$'),
  created_by uuid not null default authz.uid(),
  set_at timestamptz not null default now(),
  wrapped_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint secret_user_id_fkey foreign key (org_id, user_id) references app.membership (org_id, user_id) on delete cascade,
  constraint secret_name_key unique nulls not distinct (org_id, user_id, purpose, name)
);
comment on table app.secret is 'A secret of a connector or provider, sealed.';
comment on column app.secret.org_id is 'The organization; part of what the boxes are bound to.';
comment on column app.secret.id is 'Random identifier, chosen by whoever seals; part of what the boxes are bound to.';
comment on column app.secret.user_id is 'The member whose own it is; null: the organization''s.';
comment on column app.secret.purpose is 'connector or provider.';
comment on column app.secret.name is 'What it is for; 2..40 of a-z 0-9 -.';
comment on column app.secret.ciphertext is 'Nonce and AES-256-GCM box of the secret, under a key of its own.';
comment on column app.secret.wrapped_key is 'Nonce and AES-256-GCM box of that key, under a key of the operator.';
comment on column app.secret.key_id is 'Which of the operator''s keys.';
comment on column app.secret.created_by is 'Who sealed it first.';
comment on column app.secret.set_at is 'When the secret last changed.';
comment on column app.secret.wrapped_at is 'When its key was last wrapped.';

alter table app.secret enable row level security;
alter table app.secret force row level security;
create policy secret_select_user on app.secret for select to authenticated
  using (user_id = (select authz.uid()) or user_id is null and (org_id = any (array(select authz.orgs_with('organization.manage')))
    or org_id = any (array(select authz.orgs_with('bots.run')))));
create policy secret_insert_manager on app.secret for insert to authenticated
  with check (created_by = (select authz.uid())
    and (user_id = (select authz.uid()) or user_id is null and org_id = any (array(select authz.orgs_with('organization.manage')))));
create policy secret_update_manager on app.secret for update to authenticated
  using (user_id = (select authz.uid()) or user_id is null and org_id = any (array(select authz.orgs_with('organization.manage'))))
  with check (user_id = (select authz.uid()) or user_id is null and org_id = any (array(select authz.orgs_with('organization.manage'))));
create policy secret_delete_manager on app.secret for delete to authenticated
  using (user_id = (select authz.uid()) or user_id is null and org_id = any (array(select authz.orgs_with('organization.manage'))));
create policy secret_floor on app.secret as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy secret_scope_floor on app.secret as restrictive for all to authenticated
  using ((select authz.in_scope(array['bots.run'])))
  with check ((select authz.in_scope(array['bots.run'])));
create policy secret_select_upkeep_owner on app.secret for select to ringfence_owner
  using ((select authz.runs_the_queue()));
create policy secret_update_upkeep_owner on app.secret for update to ringfence_owner
  using ((select authz.runs_the_queue()))
  with check ((select authz.runs_the_queue()));
comment on policy secret_select_user on app.secret is 'One''s own; the organization''s for who runs bots, sealed: without the operator''s key it says nothing.';
comment on policy secret_insert_manager on app.secret is 'One''s own; for the organization organization.manage, in its own name.';
comment on policy secret_update_manager on app.secret is 'As for insert.';
comment on policy secret_delete_manager on app.secret is 'As for insert.';
comment on policy secret_floor on app.secret is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy secret_scope_floor on app.secret is 'An API token reaches secrets only to run bots; every other session passes.';
comment on policy secret_select_upkeep_owner on app.secret is 'The rotation sees wrapped keys, and of secrets nothing: the columns granted say so.';
comment on policy secret_update_upkeep_owner on app.secret is 'It puts the same key in another wrapping.';
grant select, delete on app.secret to authenticated;
grant insert (org_id, id, user_id, purpose, name, ciphertext, wrapped_key, key_id), update (ciphertext, wrapped_key, key_id, set_at, wrapped_at) on app.secret to authenticated;
grant select (org_id, id, wrapped_key, key_id, wrapped_at), update (wrapped_key, key_id, wrapped_at) on app.secret to ringfence_owner;
create trigger _050_in_person before insert or update or delete on app.secret
  for each statement when (current_user <> 'ringfence_owner') execute function authz.tg_in_person();
create trigger _110_step_up before insert or update or delete on app.secret
  for each row when (current_user <> 'ringfence_owner') execute function authz.tg_step_up('if_enrolled');
create trigger _900_audit after insert or update or delete on app.secret
  for each row execute function authz.tg_audit();

create function authz.wrapped_keys(current_key_id text, after uuid, max_rows integer) returns table (org_id uuid, id uuid, wrapped_key bytea, key_id text)
language sql stable security definer rows 100
set search_path = pg_catalog, pg_temp
as $$
  select s.org_id, s.id, s.wrapped_key, s.key_id from app.secret s
  where s.key_id <> wrapped_keys.current_key_id and (wrapped_keys.after is null or s.id > wrapped_keys.after)
  order by s.id limit least(wrapped_keys.max_rows, 1000)
$$;
comment on function authz.wrapped_keys(text, uuid, integer) is 'Keys of secrets that another than this key of the operator wraps, and nothing of the secrets, by row, after the one named; for the rotation.';
revoke all on function authz.wrapped_keys(text, uuid, integer) from public;
grant execute on function authz.wrapped_keys(text, uuid, integer) to ringfence_worker;
alter function authz.wrapped_keys(text, uuid, integer) owner to ringfence_owner;

create function authz.rewrap_key(org_id uuid, id uuid, from_wrapped bytea, to_wrapped bytea, key_id text) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Whoever set the secret anew meanwhile wrapped a new key: that one stays.
  update app.secret s set wrapped_key = rewrap_key.to_wrapped, key_id = rewrap_key.key_id, wrapped_at = now()
  where s.org_id = rewrap_key.org_id and s.id = rewrap_key.id and s.wrapped_key = rewrap_key.from_wrapped;
  return found;
end
$$;
comment on function authz.rewrap_key(uuid, uuid, bytea, bytea, text) is 'Put the same key of a secret in another wrapping, unless it changed meanwhile; for the rotation.';
revoke all on function authz.rewrap_key(uuid, uuid, bytea, bytea, text) from public;
grant execute on function authz.rewrap_key(uuid, uuid, bytea, bytea, text) to ringfence_worker;
alter function authz.rewrap_key(uuid, uuid, bytea, bytea, text) owner to ringfence_owner;

create function authz.secret_keys() returns table (key_id text, secrets bigint, oldest timestamptz)
language sql stable security definer rows 2
set search_path = pg_catalog, pg_temp
as $$
  select s.key_id, count(*), min(s.wrapped_at) from app.secret s group by s.key_id order by s.key_id
$$;
comment on function authz.secret_keys() is 'Which keys of the operator wrap how many keys of secrets, and since when at the longest; for the rotation and the doctor.';
revoke all on function authz.secret_keys() from public;
grant execute on function authz.secret_keys() to ringfence_worker;
alter function authz.secret_keys() owner to ringfence_owner;
