-- API tokens: each is one session of its owner at Supabase Auth, narrowed by this row to one organization and some permissions.
-- A row is never deleted but with its organization: without it, its session would be an ordinary one, if authz.ended_session did not know it.
create table app.api_token (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  user_id uuid not null default authz.uid() references auth.users (id) on delete cascade,
  session_id uuid not null constraint api_token_session_id_key unique,
  name text not null constraint api_token_name_check check (char_length(name) between 1 and 80),
  prefix text not null constraint api_token_prefix_check check (prefix ~ '^rft_[A-Za-z0-9_-]{8}$'),
  token_sha256 text not null constraint api_token_token_sha256_check check (token_sha256 ~ '^[0-9a-f]{64}$'),
  permissions text[] not null constraint api_token_permissions_check check (cardinality(permissions) between 1 and 100),
  with_second_factor boolean not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  last_used_at timestamptz,
  revoked_at timestamptz,
  primary key (org_id, id),
  constraint api_token_expires_at_check check (expires_at > created_at)
);
create index api_token_org_id_user_id_idx on app.api_token (org_id, user_id);
comment on table app.api_token is 'Tokens for scripts and integrations: never more than their owner may now, in one organization.';
comment on column app.api_token.org_id is 'The organization, the only one the token reaches.';
comment on column app.api_token.id is 'Random identifier.';
comment on column app.api_token.user_id is 'The owner, in whose name everything is done with it.';
comment on column app.api_token.session_id is 'The session of Supabase Auth behind it, opened for it alone.';
comment on column app.api_token.name is 'What the owner calls it; 1..80 characters.';
comment on column app.api_token.prefix is 'Its first characters, to know it by.';
comment on column app.api_token.token_sha256 is 'SHA-256 of the whole token, hexadecimal. The token itself is nowhere.';
comment on column app.api_token.permissions is 'Names from the registry, each held by the owner when it was made; the most it can be used for.';
comment on column app.api_token.with_second_factor is 'Whether its session was opened with a second factor: only then does it reach an organization that requires one.';
comment on column app.api_token.created_at is 'When it was made.';
comment on column app.api_token.expires_at is 'When it ends by itself.';
comment on column app.api_token.last_used_at is 'When it was last exchanged for a short session; between two exchanges it is used without a note.';
comment on column app.api_token.revoked_at is 'When it was revoked, or null. It is refused from the next request on.';

alter table app.api_token enable row level security;
alter table app.api_token force row level security;
create policy api_token_select_self on app.api_token for select to authenticated
  using (user_id = (select authz.uid()) or org_id = any (array(select authz.orgs_with('members.manage'))));
create policy api_token_insert_self on app.api_token for insert to authenticated
  with check (user_id = (select authz.uid()) and org_id = any (array(select authz.orgs_with('tokens.create'))));
create policy api_token_update_self on app.api_token for update to authenticated
  using (user_id = (select authz.uid()) or org_id = any (array(select authz.orgs_with('members.manage'))))
  with check (user_id = (select authz.uid()) or org_id = any (array(select authz.orgs_with('members.manage'))));
create policy api_token_delete_nobody on app.api_token for delete to authenticated using (false);
create policy api_token_floor on app.api_token as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy api_token_select_owner on app.api_token for select to ringfence_owner
  using (user_id = (select authz.uid()));
create policy api_token_update_owner on app.api_token for update to ringfence_owner
  using (user_id = (select authz.uid()) and session_id = (select authz.session_id()))
  with check (user_id = (select authz.uid()) and session_id = (select authz.session_id()));
create policy api_token_select_departing_owner on app.api_token for select to ringfence_owner
  using (org_id in (select authz.departing_org_ids()) and user_id in (select authz.departing_user_ids()));
create policy api_token_update_departing_owner on app.api_token for update to ringfence_owner
  using (org_id in (select authz.departing_org_ids()) and user_id in (select authz.departing_user_ids()))
  with check (org_id in (select authz.departing_org_ids()) and user_id in (select authz.departing_user_ids()));
create policy api_token_select_erasing_owner on app.api_token for select to ringfence_owner
  using (org_id in (select authz.erasing_org_ids()) and user_id in (select authz.erasing_user_ids()));
create policy api_token_update_erasing_owner on app.api_token for update to ringfence_owner
  using (org_id in (select authz.erasing_org_ids()) and user_id in (select authz.erasing_user_ids()))
  with check (org_id in (select authz.erasing_org_ids()) and user_id in (select authz.erasing_user_ids()) and revoked_at is not null);
comment on policy api_token_select_self on app.api_token is 'One''s own; members.manage sees the organization''s. No token is in it.';
comment on policy api_token_insert_self on app.api_token is 'tokens.create makes tokens of one''s own.';
comment on policy api_token_update_self on app.api_token is 'One revokes one''s own; members.manage revokes anybody''s. Nothing else is granted.';
comment on policy api_token_delete_nobody on app.api_token is 'The row is what narrows the session.';
comment on policy api_token_floor on app.api_token is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy api_token_select_owner on app.api_token is 'The identity helpers see the tokens of the person asking and no others.';
comment on policy api_token_update_owner on app.api_token is 'A token''s own session notes its use.';
comment on policy api_token_select_departing_owner on app.api_token is 'A deprovisioning finds the API tokens of whom it is about.';
comment on policy api_token_update_departing_owner on app.api_token is 'A deprovisioning revokes them.';
comment on policy api_token_select_erasing_owner on app.api_token is 'An erasure finds the API tokens of whom it is about.';
comment on policy api_token_update_erasing_owner on app.api_token is 'It revokes them and blots their names out.';
grant select on app.api_token to authenticated;
grant insert (org_id, session_id, name, prefix, token_sha256, permissions, expires_at) on app.api_token to authenticated;
grant update (revoked_at) on app.api_token to authenticated;
grant select, update (name, last_used_at, revoked_at) on app.api_token to ringfence_owner;

create function authz.api_token_lasts_at_most() returns interval
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
return interval '366 days';
comment on function authz.api_token_lasts_at_most() is 'How long an API token may be made to last. The one place that says so.';
revoke all on function authz.api_token_lasts_at_most() from public;
grant execute on function authz.api_token_lasts_at_most() to authenticated;

create function authz.require_token_wish(org_id uuid, permissions text[], expires_at timestamptz) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_refused text;
begin
  perform authz.require_person();
  -- The same refusal for every organization there is or is not.
  if (require_token_wish.org_id = any (array(select authz.orgs_with('tokens.create')))) is not true then
    raise sqlstate '42501' using message = 'you may not make API tokens in this organization';
  end if;
  perform authz.require(
    require_token_wish.expires_at between now() + interval '1 minute' and now() + authz.api_token_lasts_at_most(),
    'expires_in: 60..31622400 seconds');
  perform authz.require(cardinality(require_token_wish.permissions) between 1 and 100, 'permissions: 1..100 names');
  -- What the caller wrote is told back shortened: it may be anything.
  select left(p.name, 60) into v_refused from unnest(require_token_wish.permissions) with ordinality p (name, place)
  where not exists (select from app.permission r where r.name = p.name) order by p.place limit 1;
  perform authz.require(not found, format('permissions: names of the registry, and %s is none', coalesce(quote_literal(v_refused), 'null')));
  select p.name into v_refused from unnest(require_token_wish.permissions) with ordinality p (name, place)
  where authz.is_personal(p.name) order by p.place limit 1;
  perform authz.require(not found, format('permissions: %s is for people alone, no API token carries it', v_refused));
  select p.name into v_refused from unnest(require_token_wish.permissions) with ordinality p (name, place)
  where not require_token_wish.org_id = any (array(select authz.orgs_with(p.name))) order by p.place limit 1;
  if found then
    raise sqlstate '42501' using message = format('an API token can have only permissions you hold yourself, and %s is none of yours here', v_refused);
  end if;
  if (select count(*) from app.api_token t where t.org_id = require_token_wish.org_id and t.user_id = authz.uid()
    and t.revoked_at is null and t.expires_at > now()) >= 50
  then
    raise sqlstate 'PT429' using message = 'you have 50 API tokens here, the most one person may: revoke one';
  end if;
end
$$;
comment on function authz.require_token_wish(uuid, text[], timestamptz) is 'Raise 42501, 22023 or PT429 unless the person asking may make such an API token now.';
revoke all on function authz.require_token_wish(uuid, text[], timestamptz) from public;
grant execute on function authz.require_token_wish(uuid, text[], timestamptz) to authenticated;

create function authz.tg_api_token() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_level text;
begin
  if tg_op = 'UPDATE' then
    -- Revoked is for good, and since then.
    new.revoked_at := case when old.revoked_at is not null then old.revoked_at when new.revoked_at is not null then now() end;
    return new;
  end if;
  if row_security_active('app.api_token') then
    -- One at a time for one person, or the count could be passed.
    perform pg_advisory_xact_lock(hashtextextended(authz.uid()::text, 2));
    perform authz.require_token_wish(new.org_id, new.permissions, new.expires_at);
    v_level := authz.new_session_level(new.session_id);
    if v_level is null then
      raise sqlstate 'PT404' using message = 'no such session that you opened for this a moment ago';
    end if;
    -- The second factor is used in the token''s own session: Supabase Auth ends weaker sessions when a stronger one is opened.
    if v_level <> 'aal2' and (authz.has_second_factor() or exists (
      select from app.organization o where o.id = new.org_id and o.require_mfa))
    then
      raise sqlstate 'PT401' using message = 'confirm your second factor and try again: verify a code of your authenticator app, or enrol one first';
    end if;
    new.with_second_factor := v_level = 'aal2';
  end if;
  return new;
end
$$;
comment on function authz.tg_api_token() is 'Trigger: an API token is made by the person, within what they hold, for a session they just opened with every factor they have; revoked is for good.';
revoke all on function authz.tg_api_token() from public;
create trigger _050_in_person before insert or update of revoked_at on app.api_token
  for each statement execute function authz.tg_in_person();
create trigger _100_token before insert or update of revoked_at on app.api_token
  for each row execute function authz.tg_api_token();
create trigger _900_audit after insert or update of revoked_at on app.api_token
  for each row execute function authz.tg_audit();

create function authz.note_token_use(token_sha256 text) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update app.api_token t set last_used_at = now()
  where t.session_id = authz.session_id() and t.user_id = authz.uid() and t.token_sha256 = note_token_use.token_sha256
    and t.revoked_at is null and t.expires_at > now();
  return found;
end
$$;
comment on function authz.note_token_use(text) is 'Note that the API token of this very session is used; false when this is no session of that token, or the token is over.';
revoke all on function authz.note_token_use(text) from public;
grant execute on function authz.note_token_use(text) to authenticated;
alter function authz.note_token_use(text) owner to ringfence_owner;

create function authz.tg_revoke_tokens() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  update app.api_token t set revoked_at = now()
  where t.org_id = old.org_id and t.user_id = old.user_id and t.revoked_at is null;
  return old;
end
$$;
comment on function authz.tg_revoke_tokens() is 'Trigger: who leaves or is removed comes back, if ever, without the API tokens of before.';
revoke all on function authz.tg_revoke_tokens() from public;
create trigger _500_revoke_tokens before delete on app.membership
  for each row execute function authz.tg_revoke_tokens();

create function authz.tg_end_session() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into authz.ended_session (session_id) values (old.session_id) on conflict do nothing;
  return old;
end
$$;
comment on function authz.tg_end_session() is 'Trigger: where the row of an API token goes, with its organization or by an operator, its session opens nothing any more.';
revoke all on function authz.tg_end_session() from public;
create trigger _500_end_session before delete on app.api_token
  for each row execute function authz.tg_end_session();
