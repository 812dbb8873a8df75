-- Whether it is the person who asks, or something that acts for them: an app with a token of its own (claim client_id), an API
-- token, an anonymous sign-in. What acts for a person gets less than the person (R43, R44, F08).
-- The bodies name tables of later files, so they are checked when first called instead of now.
set check_function_bodies = off;

create function authz.session_id() returns uuid
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  v_session text := authz.claims() ->> 'session_id';
begin
  return case when pg_input_is_valid(v_session, 'uuid') then v_session::uuid end;
end
$$;
comment on function authz.session_id() is 'The session of this token, as signed by Supabase Auth, or null. The only reader of it but authz.session_is_live().';
revoke all on function authz.session_id() from public;
grant execute on function authz.session_id() to authenticated, ringfence_owner;

create function authz.api_token_id() returns uuid
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select t.id from app.api_token t where t.session_id = (select authz.session_id()) and t.user_id = (select authz.uid())
$$;
comment on function authz.api_token_id() is 'The API token whose session this is, whether or not it still lives; null for every other session.';
revoke all on function authz.api_token_id() from public;
grant execute on function authz.api_token_id() to authenticated, ringfence_owner;
alter function authz.api_token_id() owner to ringfence_owner;

create function authz.api_token_is_over() returns boolean
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select coalesce((
    select t.revoked_at is not null or t.expires_at <= now() from app.api_token t
    where t.session_id = (select authz.session_id()) and t.user_id = (select authz.uid())), false)
    or exists (select from authz.ended_session e where e.session_id = (select authz.session_id()))
$$;
comment on function authz.api_token_is_over() is 'Whether this is the session of an API token that was revoked or has expired, or is gone with its organization.';
revoke all on function authz.api_token_is_over() from public;
grant execute on function authz.api_token_is_over() to authenticated;
alter function authz.api_token_is_over() owner to ringfence_owner;

create function authz.in_scope(permissions text[]) returns boolean
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select coalesce((
    select t.permissions && in_scope.permissions from app.api_token t
    where t.session_id = (select authz.session_id()) and t.user_id = (select authz.uid())), true)
$$;
comment on function authz.in_scope(text[]) is 'Whether an API token carries one of these permissions; true for every other session. For the restrictive policies of tables in which one sees one''s own rows without a permission.';
revoke all on function authz.in_scope(text[]) from public;
grant execute on function authz.in_scope(text[]) to authenticated, ringfence_analyst;
alter function authz.in_scope(text[]) owner to ringfence_owner;

create function authz.is_personal(permission text) returns boolean
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
return permission in ('organization.manage', 'members.manage', 'roles.manage', 'teams.manage', 'rules.manage', 'tokens.create', 'approvals.decide');
comment on function authz.is_personal(text) is 'Whether a permission is for people alone: no API token carries it and no OAuth client uses it. The one place that says which.';
revoke all on function authz.is_personal(text) from public;
grant execute on function authz.is_personal(text) to authenticated, ringfence_owner;

create function authz.acts_in_person() returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select authz.uid() is not null and not authz.claims() ?| array['client_id', 'job_id'] and authz.claims() -> 'is_anonymous' is distinct from 'true'
    and authz.api_token_id() is null
$$;
comment on function authz.acts_in_person() is 'Whether the person asks: not an OAuth client, an API token or a job for them, nor somebody anonymous (R43, R44).';
revoke all on function authz.acts_in_person() from public;
grant execute on function authz.acts_in_person() to authenticated, ringfence_owner;

create function authz.require_person() returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if authz.acts_in_person() is not true then
    raise sqlstate '42501' using message = 'an app acting for you cannot do this: sign in yourself';
  end if;
end
$$;
comment on function authz.require_person() is 'Raise 42501 for an OAuth client, an API token and somebody anonymous.';
revoke all on function authz.require_person() from public;
grant execute on function authz.require_person() to authenticated, ringfence_owner;

create function authz.tg_in_person() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Where policies do not apply there is no token to look at (an operator, a restore, a foreign key at work). What a deprovisioning
  -- takes along is bounded by its own guard: a directory orders it with an API token (F05).
  if row_security_active(tg_relid) and not authz.acts_in_person() and not authz.is_departing() then
    perform authz.require_person();
  end if;
  return null;
end
$$;
comment on function authz.tg_in_person() is 'Trigger, once a statement: who belongs, what they may do and what acts for them is changed by people alone (R44).';
revoke all on function authz.tg_in_person() from public;

create function authz.tg_in_scope() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if row_security_active(tg_relid) and not authz.in_scope(tg_argv::text[]) then
    raise sqlstate '42501' using message = 'this API token was not made for that: it takes one with ' || array_to_string(tg_argv::text[], ' or ');
  end if;
  return null;
end
$$;
comment on function authz.tg_in_scope() is 'Trigger, once a statement: an API token changes what its owner may change without a permission, their own things, only with the permission named (F08).';
revoke all on function authz.tg_in_scope() from public;

create function authz.new_session_level(session_id uuid) returns text
language sql stable security definer
set search_path = pg_catalog, pg_temp
begin atomic
  -- Parsed now, as in authz.session_is_live(): the owner needs no USAGE on Supabase Auth's schema.
  select coalesce(s.aal::text, 'aal1') from auth.sessions s
  where s.id = new_session_level.session_id and s.user_id = (select authz.uid())
    and s.id is distinct from (select authz.session_id())
    and s.created_at > now() - interval '5 minutes' and (s.not_after is null or s.not_after > now());
end;
comment on function authz.new_session_level(uuid) is 'The level (aal1 or aal2) of another session that the signed-in person opened within five minutes; null for anything else.';
revoke all on function authz.new_session_level(uuid) from public;
grant execute on function authz.new_session_level(uuid) to authenticated;
alter function authz.new_session_level(uuid) owner to ringfence_owner;

reset check_function_bodies;
