-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

DROP INDEX "app"."membership_user_id_idx";

CREATE TABLE "app"."api_token" (
  "org_id"             uuid                     NOT NULL,
  "id"                 uuid                     NOT NULL DEFAULT gen_random_uuid(),
  "session_id"         uuid                     NOT NULL,
  "name"               text                     NOT NULL,
  "prefix"             text                     NOT NULL,
  "token_sha256"       text                     NOT NULL,
  "permissions"        text[]                   NOT NULL,
  "with_second_factor" boolean                  NOT NULL,
  "created_at"         timestamp with time zone NOT NULL DEFAULT now(),
  "expires_at"         timestamp with time zone NOT NULL,
  "last_used_at"       timestamp with time zone,
  "revoked_at"         timestamp with time zone,
  CONSTRAINT "api_token_expires_at_check" CHECK ((expires_at > created_at)),
  CONSTRAINT "api_token_name_check" CHECK (((char_length(name) >= 1) AND (char_length(name) <= 80))),
  CONSTRAINT "api_token_permissions_check" CHECK (((cardinality(permissions) >= 1) AND (cardinality(permissions) <= 100))),
  CONSTRAINT "api_token_pkey" PRIMARY KEY (org_id, id),
  CONSTRAINT "api_token_prefix_check" CHECK ((prefix ~ '^rft_[A-Za-z0-9_-]{8}$'::text)),
  CONSTRAINT "api_token_session_id_key" UNIQUE (session_id),
  CONSTRAINT "api_token_token_sha256_check" CHECK ((token_sha256 ~ '^[0-9a-f]{64}$'::text)),
  "user_id"            uuid                     NOT NULL DEFAULT authz.uid()
);

ALTER TABLE "app"."api_token"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."api_token"
  FORCE ROW LEVEL SECURITY;

CREATE TABLE "app"."session_choice" (
  "org_id"     uuid                     NOT NULL,
  "user_id"    uuid                     NOT NULL,
  "session_id" uuid                     NOT NULL,
  "chosen_at"  timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT "session_choice_pkey" PRIMARY KEY (org_id, user_id, session_id)
);

ALTER TABLE "app"."session_choice"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."session_choice"
  FORCE ROW LEVEL SECURITY;

ALTER TABLE "app"."audit_event"
  ADD COLUMN "on_behalf_of" uuid;

ALTER TABLE "app"."audit_event"
  ADD COLUMN "api_token_id" uuid;

ALTER TABLE "app"."audit_event"
  ADD COLUMN "client_id" text;

ALTER TABLE "app"."audit_event"
  ADD COLUMN "bot_id" uuid;

ALTER TABLE "app"."membership"
  ADD COLUMN "service_owner_id" uuid;

ALTER TABLE "app"."membership"
  ADD COLUMN "service_owner_status" text;

ALTER TABLE "app"."run"
  ADD COLUMN "actor_kind" text NOT NULL DEFAULT 'user'::text;

ALTER TABLE "app"."run"
  ADD COLUMN "on_behalf_of" uuid;

ALTER TABLE "app"."run"
  ADD COLUMN "api_token_id" uuid;

ALTER TABLE "app"."run"
  ADD COLUMN "client_id" text;

CREATE OR REPLACE FUNCTION api.add_service_account (
  org_id  uuid,
  user_id uuid,
  role    text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(add_service_account.org_id);
  perform authz.require(add_service_account.user_id is not null, 'user_id: name the account');
  insert into app.membership (org_id, user_id, role_id, service_owner_id)
  values (add_service_account.org_id, add_service_account.user_id,
    authz.role_named(add_service_account.org_id, add_service_account.role), authz.uid());
  return jsonb_build_object('user_id', add_service_account.user_id, 'role', add_service_account.role, 'owner_id', authz.uid());
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'already a member';
  when foreign_key_violation then raise sqlstate 'PT404' using message = 'no such account';
  when check_violation then raise sqlstate '22023' using message = 'user_id: an account of its own, not yours';
end
$function$;

CREATE OR REPLACE FUNCTION api.check_api_token (
  org_id      uuid,
  name        text,
  permissions text[],
  expires_in  integer
)
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(check_api_token.org_id);
  perform authz.require(char_length(name) between 1 and 80, 'name: 1..80 characters');
  perform authz.require_token_wish(check_api_token.org_id, check_api_token.permissions, now() + make_interval(secs => check_api_token.expires_in));
  -- Whoever has a second factor uses it in the session they sit in as well: the token''s session, opened with it, would end a weaker one.
  if authz.has_second_factor() and not authz.is_aal2() then
    perform authz.require_step_up();
  end if;
  return jsonb_build_object('email', coalesce(authz.claims() ->> 'email', ''), 'code_needed', authz.has_second_factor());
end
$function$;

CREATE OR REPLACE FUNCTION api.choose_no_organization()
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_person();
  perform authz.keep_choice(null);
  return jsonb_build_object('org_id', null);
end
$function$;

CREATE OR REPLACE FUNCTION api.choose_organization (
  org_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(choose_organization.org_id);
  perform authz.require_person();
  perform authz.keep_choice(choose_organization.org_id);
  return jsonb_build_object('org_id', choose_organization.org_id);
end
$function$;

CREATE OR REPLACE FUNCTION api.create_api_token (
  org_id       uuid,
  name         text,
  permissions  text[],
  expires_in   integer,
  session_id   uuid,
  token_sha256 text,
  prefix       text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_made app.api_token;
begin
  perform authz.require_org(create_api_token.org_id);
  perform authz.require(char_length(name) between 1 and 80, 'name: 1..80 characters');
  perform authz.require(create_api_token.session_id is not null, 'session_id: the session behind the token');
  perform authz.require(token_sha256 ~ '^[0-9a-f]{64}$', 'token_sha256: 64 hexadecimal digits');
  perform authz.require(prefix ~ '^rft_[A-Za-z0-9_-]{8}$', 'prefix: the first 12 characters of the token');
  perform authz.require(expires_in between 60 and 31622400, 'expires_in: 60..31622400 seconds');
  perform authz.require(cardinality(create_api_token.permissions) between 1 and 100, 'permissions: 1..100 names');
  insert into app.api_token (org_id, session_id, name, prefix, token_sha256, permissions, expires_at)
  values (create_api_token.org_id, create_api_token.session_id, create_api_token.name, create_api_token.prefix, create_api_token.token_sha256,
    array(select distinct p.name from unnest(create_api_token.permissions) p (name) order by p.name),
    now() + make_interval(secs => create_api_token.expires_in))
  returning * into v_made;
  return jsonb_build_object('id', v_made.id, 'org_id', v_made.org_id, 'name', v_made.name, 'prefix', v_made.prefix,
    'permissions', v_made.permissions, 'with_second_factor', v_made.with_second_factor, 'created_at', v_made.created_at,
    'expires_at', v_made.expires_at);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'that session has an API token already';
end
$function$;

CREATE OR REPLACE FUNCTION api.list_api_tokens (
  org_id uuid
)
  RETURNS TABLE (
    id                 uuid,
    user_id            uuid,
    name               text,
    prefix             text,
    permissions        text[],
    with_second_factor boolean,
    created_at         timestamp with time zone,
    expires_at         timestamp with time zone,
    last_used_at       timestamp with time zone,
    revoked_at         timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_api_tokens.org_id);
  return query
    select t.id, t.user_id, t.name, t.prefix, t.permissions, t.with_second_factor, t.created_at, t.expires_at, t.last_used_at, t.revoked_at
    from app.api_token t
    where t.org_id = list_api_tokens.org_id
    order by t.created_at desc, t.id
    limit 1000;
end
$function$;

CREATE OR REPLACE FUNCTION api.list_service_accounts (
  org_id uuid
)
  RETURNS TABLE (
    user_id  uuid,
    role     text,
    owner_id uuid,
    active   boolean,
    since    timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_service_accounts.org_id);
  return query
    select m.user_id, r.name, m.service_owner_id, m.status = 'active' and m.service_owner_status = 'active', m.created_at
    from app.membership m join app.role r on r.org_id = m.org_id and r.id = m.role_id
    where m.org_id = list_service_accounts.org_id and m.service_owner_id is not null
    order by m.created_at, m.user_id;
end
$function$;

CREATE OR REPLACE FUNCTION api.revoke_api_token (
  org_id   uuid,
  token_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_revoked timestamptz;
begin
  perform authz.require_org(revoke_api_token.org_id);
  perform authz.require_person();
  update app.api_token t set revoked_at = now()
  where t.org_id = revoke_api_token.org_id and t.id = revoke_api_token.token_id
  returning t.revoked_at into v_revoked;
  if not found then
    raise sqlstate 'PT404' using message = 'no such API token, or not yours to revoke';
  end if;
  return jsonb_build_object('id', revoke_api_token.token_id, 'revoked_at', v_revoked);
end
$function$;

CREATE OR REPLACE FUNCTION api.touch_api_token (
  token_sha256 text
)
  RETURNS boolean
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require(token_sha256 ~ '^[0-9a-f]{64}$', 'token_sha256: 64 hexadecimal digits');
  return authz.note_token_use(touch_api_token.token_sha256);
end
$function$;

CREATE OR REPLACE FUNCTION authz.access_token_hook (
  event jsonb
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_person uuid := (access_token_hook.event ->> 'user_id')::uuid;
  -- app_metadata is the operator's: Supabase Auth lets nobody write their own. user_metadata is never read.
  v_chosen text := access_token_hook.event #>> '{claims,app_metadata,org_id}';
  v_claims jsonb := access_token_hook.event -> 'claims';
  v_roles jsonb;
  v_before text := coalesce(current_setting('request.jwt.claims', true), '');
begin
  if v_person is null or jsonb_typeof(v_claims) is distinct from 'object' then
    raise sqlstate '22023' using message = 'the event has no person or no claims';
  end if;
  v_claims := v_claims - 'org_roles' || jsonb_build_object('sub', v_person);
  -- What the holder of this token would see is what it says: the policies for ringfence_owner answer as for their request.
  perform set_config('request.jwt.claims', v_claims::text, true);
  -- The operator's choice comes first; then what the session was made for; then what the person chose for it.
  v_chosen := coalesce(
    v_chosen,
    (select t.org_id::text from app.api_token t where t.user_id = v_person and t.session_id = authz.session_id()),
    (select c.org_id::text from app.session_choice c where c.user_id = v_person and c.session_id = authz.session_id()
      order by c.chosen_at desc limit 1));
  if v_chosen is not null then
    -- A choice that is no organization of theirs, or no identifier at all, stays in the token: it narrows to nothing.
    if pg_input_is_valid(v_chosen, 'uuid') then
      v_chosen := v_chosen::uuid::text;
    end if;
    v_claims := v_claims || jsonb_build_object('org_id', v_chosen);
    perform set_config('request.jwt.claims', v_claims::text, true);
  end if;
  select jsonb_object_agg(held.org_id, held.role) into v_roles
  from (
    select m.org_id, r.name as role, count(*) over () as organizations
    from app.membership m join app.role r on r.org_id = m.org_id and r.id = m.role_id
    where m.user_id = (select authz.uid()) and m.org_id = any (array(select authz.org_ids()))
  ) held
  where held.organizations <= 32;  -- a token travels with every request
  -- An error undoes the setting with everything else; this is for the call that succeeds.
  perform set_config('request.jwt.claims', v_before, true);
  if v_roles is not null then
    v_claims := v_claims || jsonb_build_object('org_roles', v_roles);
  end if;
  return jsonb_set(access_token_hook.event, '{claims}', v_claims);
end
$function$;

CREATE OR REPLACE FUNCTION authz.acts_in_person()
  RETURNS boolean
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select authz.uid() is not null and not authz.claims() ? 'client_id' and authz.claims() -> 'is_anonymous' is distinct from 'true'
    and authz.api_token_id() is null
$function$;

CREATE OR REPLACE FUNCTION authz.api_token_id()
  RETURNS uuid
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select t.id from app.api_token t where t.session_id = (select authz.session_id()) and t.user_id = (select authz.uid())
$function$;

ALTER FUNCTION "authz"."api_token_id"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.api_token_is_over()
  RETURNS boolean
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select coalesce((
    select t.revoked_at is not null or t.expires_at <= now() from app.api_token t
    where t.session_id = (select authz.session_id()) and t.user_id = (select authz.uid())), false)
$function$;

ALTER FUNCTION "authz"."api_token_is_over"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.api_token_lasts_at_most()
  RETURNS interval
  LANGUAGE sql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
RETURN '366 days'::interval;

CREATE OR REPLACE FUNCTION authz.in_scope (
  permissions text[]
)
  RETURNS boolean
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select coalesce((
    select t.permissions && in_scope.permissions from app.api_token t
    where t.session_id = (select authz.session_id()) and t.user_id = (select authz.uid())), true)
$function$;

ALTER FUNCTION "authz"."in_scope"(text[]) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.is_personal (
  permission text
)
  RETURNS boolean
  LANGUAGE sql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
RETURN (permission = ANY (ARRAY['organization.manage'::text, 'members.manage'::text, 'roles.manage'::text, 'teams.manage'::text, 'rules.manage'::text, 'tokens.create'::text]));

CREATE OR REPLACE FUNCTION authz.keep_choice (
  org_id uuid
)
  RETURNS void
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  -- Not by authz.org_ids(): from a token narrowed to one of their organizations a person may choose another.
  if keep_choice.org_id is not null and not exists (select from app.membership m
    where m.org_id = keep_choice.org_id and m.user_id = authz.uid() and m.status = 'active')
  then
    raise sqlstate 'PT404' using message = 'no such organization of yours';
  end if;
  -- With it go the choices of sessions long gone.
  delete from app.session_choice c
  where c.user_id = authz.uid() and (c.session_id = authz.session_id() or c.chosen_at < now() - interval '90 days');
  if keep_choice.org_id is not null then
    insert into app.session_choice (org_id, user_id, session_id)
    values (keep_choice.org_id, authz.uid(), authz.session_id());
  end if;
end
$function$;

ALTER FUNCTION "authz"."keep_choice"(uuid) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.note_token_use (
  token_sha256 text
)
  RETURNS boolean
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  update app.api_token t set last_used_at = now()
  where t.session_id = authz.session_id() and t.user_id = authz.uid() and t.token_sha256 = note_token_use.token_sha256
    and t.revoked_at is null and t.expires_at > now();
  return found;
end
$function$;

ALTER FUNCTION "authz"."note_token_use"(text) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.org_ids()
  RETURNS SETOF uuid
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  ROWS 10
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select m.org_id from app.membership m
  where m.user_id = (select authz.uid()) and m.status = 'active'
    -- A token made for one organization sees that one only; a claim can narrow, never widen. Malformed narrows to nothing.
    and (not (select authz.claims() ? 'org_id') or m.org_id::text = (select authz.claims() ->> 'org_id'))
    -- A suspended organization does not exist; nor, to a token without a second factor, one that requires it (F06, R42): here, so everywhere.
    and not exists (select from app.organization o
      where o.id = m.org_id and (o.suspended_at is not null or o.require_mfa and not (select authz.is_aal2())))
    -- A service account goes with its owner (F03); somebody anonymous belongs nowhere (R43).
    and m.service_owner_status is distinct from 'suspended' and (select authz.claims() -> 'is_anonymous' is distinct from 'true')
    -- The session of an API token reaches one organization, while the token lives and by the membership it was made in (F08).
    and ((select not exists (select from app.api_token t where t.session_id = (select authz.session_id()) and t.user_id = (select authz.uid())))
      or m.org_id = (select t.org_id from app.api_token t where t.session_id = (select authz.session_id()) and t.user_id = (select authz.uid())
          and t.revoked_at is null and t.expires_at > now())
        and m.created_at <= (select t.created_at from app.api_token t where t.session_id = (select authz.session_id()) and t.user_id = (select authz.uid())))
$function$;

CREATE OR REPLACE FUNCTION authz.orgs_with (
  permission text
)
  RETURNS SETOF uuid
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  ROWS 10
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select m.org_id from app.membership m
  join app.role_permission p on p.org_id = m.org_id and p.role_id = m.role_id
  where m.user_id = (select authz.uid())
    and p.permission = orgs_with.permission
    and m.org_id = any (array(select authz.org_ids()))
    -- What acts for a person gets less than the person: an API token what it was made for, an OAuth client nothing personal (F08, R44).
    and coalesce((select orgs_with.permission = any (t.permissions) from app.api_token t
      where t.session_id = (select authz.session_id()) and t.user_id = (select authz.uid())), true)
    and ((select not authz.claims() ? 'client_id') or not authz.is_personal(orgs_with.permission))
$function$;

CREATE OR REPLACE FUNCTION authz.pre_request()
  RETURNS void
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_reason text := case
    when authz.claims() ->> 'role' is distinct from 'authenticated' then 'sign in to continue'
    when coalesce(current_setting('request.jwt.claim.sub', true), '') <> '' then 'a legacy identity setting is present'
    when authz.claims() -> 'is_anonymous' = 'true'::jsonb then 'create an account to continue'
    when not authz.session_is_live() then 'the session has ended: sign in again'
    when authz.api_token_is_over() then 'this API token was revoked or has expired'
  end;
begin
  if v_reason is not null then
    -- PostgREST's own form for an error with a status: PT401 is kept for "a stronger login is needed".
    raise sqlstate 'PGRST' using
      message = json_build_object('code', '28000', 'message', v_reason)::text,
      detail = json_build_object('status', 401,
        'headers', json_build_object('WWW-Authenticate', 'Bearer error="invalid_token"'))::text;
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION authz.require_person()
  RETURNS void
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  if authz.acts_in_person() is not true then
    raise sqlstate '42501' using message = 'an app acting for you cannot do this: sign in yourself';
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION authz.require_step_up()
  RETURNS void
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  -- A factor used when an API token was made says nothing about who uses it now (F08, R44).
  perform authz.require_person();
  if authz.has_recent_second_factor() is not true then
    raise sqlstate 'PT401' using
      message = 'confirm your second factor and try again: verify a code of your authenticator app, or enrol one first';
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION authz.require_token_wish (
  org_id      uuid,
  permissions text[],
  expires_at  timestamp with time zone
)
  RETURNS void
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
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
  perform authz.require(
    not exists (select from unnest(require_token_wish.permissions) p (name)
      where not exists (select from app.permission r where r.name = p.name) or authz.is_personal(p.name)),
    'permissions: names of the registry, none of those that are for people alone');
  if exists (select from unnest(require_token_wish.permissions) p (name)
    where not require_token_wish.org_id = any (array(select authz.orgs_with(p.name))))
  then
    raise sqlstate '42501' using message = 'an API token can have only permissions you hold yourself';
  end if;
  if (select count(*) from app.api_token t where t.org_id = require_token_wish.org_id and t.user_id = authz.uid()
    and t.revoked_at is null and t.expires_at > now()) >= 50
  then
    raise sqlstate 'PT429' using message = 'you have 50 API tokens here, the most one person may: revoke one';
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION authz.session_id()
  RETURNS uuid
  LANGUAGE sql
  STABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select case when pg_catalog.pg_input_is_valid(claim.session_id, 'uuid') then claim.session_id::uuid end
  from (select authz.claims() ->> 'session_id' as session_id) claim
$function$;

CREATE OR REPLACE FUNCTION authz.new_session_level (
  session_id uuid
)
  RETURNS text
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
BEGIN ATOMIC
 SELECT COALESCE((s.aal)::text, 'aal1'::text)
  AS "coalesce"
    FROM auth.sessions s
   WHERE ((s.id = new_session_level.session_id) AND (s.user_id = ( SELECT authz.uid() AS uid)) AND (s.id IS DISTINCT FROM ( SELECT authz.session_id() AS session_id)) AND (s.created_at > (now() - '00:05:00'::interval)) AND ((s.not_after IS NULL) OR (s.not_after > now())));
END;

ALTER FUNCTION "authz"."new_session_level"(uuid) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.shared_bots (
  level text
)
  RETURNS SETOF uuid
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  ROWS 10
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select r.bot_id from app.bot_runner r
  where r.org_id = any (array(select authz.orgs_with('bots.run'))) and r.level = any (authz.levels_from(shared_bots.level))
    -- What one may do to a bot as its editor or owner, an API token may with bots.manage only (F08).
    and (shared_bots.level = 'viewer' or (select authz.in_scope(array['bots.manage'])))
$function$;

CREATE OR REPLACE FUNCTION authz.tg_api_token()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION authz.tg_audit()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_old jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  v_row jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) else v_old end;
  v_org uuid := coalesce(v_row ->> 'org_id', v_row ->> 'id')::uuid;
  v_owner uuid;
  v_role text;
begin
  select m.service_owner_id, r.name into v_owner, v_role
  from app.membership m join app.role r on r.org_id = m.org_id and r.id = m.role_id
  where m.org_id = v_org and m.user_id = authz.uid();
  insert into app.audit_event (
    org_id, actor_id, actor_kind, actor_role, on_behalf_of, api_token_id, client_id, action, object_id, run_id, bot_id, changed)
  values (
    v_org,
    authz.uid(),
    case when authz.uid() is null then 'operator' when v_owner is not null then 'service' else 'user' end,
    v_role,
    v_owner,
    authz.api_token_id(),
    left(authz.claims() ->> 'client_id', 100),
    tg_table_name || '.' || lower(tg_op),
    coalesce(v_row ->> 'id', v_row ->> 'user_id', (v_row ->> 'role_id') || ' ' || (v_row ->> 'permission')),
    case when tg_table_name = 'run' then v_row ->> 'id' else v_row ->> 'run_id' end::uuid,
    case when tg_table_name = 'bot' then v_row ->> 'id' else v_row ->> 'bot_id' end::uuid,
    case when tg_op = 'UPDATE' then array(
      select n.key from jsonb_each(v_row) n where v_old -> n.key is distinct from n.value order by n.key) else '{}' end);
  return case when tg_op = 'DELETE' then old else new end;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_in_person()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  -- Where policies do not apply there is no token to look at (an operator, a restore, a foreign key at work).
  if row_security_active(tg_relid) then
    perform authz.require_person();
  end if;
  return null;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_revoke_tokens()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  update app.api_token t set revoked_at = now()
  where t.org_id = old.org_id and t.user_id = old.user_id and t.revoked_at is null;
  return old;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_run_actor()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  new.on_behalf_of := (select m.service_owner_id from app.membership m where m.org_id = new.org_id and m.user_id = new.user_id);
  new.actor_kind := case when new.on_behalf_of is null then 'user' else 'service' end;
  new.api_token_id := authz.api_token_id();
  new.client_id := left(authz.claims() ->> 'client_id', 100);
  return new;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_service_account()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  if new.service_owner_id is not null then
    -- The foreign key says whether that is so.
    new.service_owner_status := coalesce(new.service_owner_status, 'active');
    if row_security_active('app.membership') and (new.service_owner_id is distinct from authz.uid() or exists (
      select from app.membership m where m.org_id = new.org_id and m.user_id = authz.uid() and m.service_owner_id is not null))
    then
      raise sqlstate '42501' using message = 'you can add service accounts that you answer for yourself, as a person';
    end if;
  end if;
  return new;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_step_up()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_row jsonb := case when tg_op = 'INSERT' then to_jsonb(new) else to_jsonb(old) end;
begin
  -- Where policies do not apply there is no token to look at (an operator, a restore); a founder takes the first seat as ringfence_owner.
  if row_security_active(tg_relid) and current_user <> 'ringfence_owner' then
    if tg_argv[0] = 'always'
      or authz.has_second_factor()
      or exists (select from app.organization o where o.id = (v_row ->> 'org_id')::uuid and o.require_mfa)
    then
      -- Leaving takes nothing from anybody else.
      if not coalesce(tg_table_name = 'membership' and tg_op = 'DELETE' and (v_row ->> 'user_id')::uuid = authz.uid(), false) then
        perform authz.require_step_up();
      end if;
    end if;
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end
$function$;

ALTER TABLE "app"."api_token"
  ADD CONSTRAINT "api_token_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."audit_event"
  ADD CONSTRAINT "audit_event_client_id_check" CHECK ((char_length(client_id) <= 100));

ALTER TABLE "app"."membership"
  ADD CONSTRAINT "membership_service_owner_check" CHECK ((((service_owner_id IS NULL) = (service_owner_status IS NULL)) AND (service_owner_id IS DISTINCT FROM user_id)));

ALTER TABLE "app"."membership"
  ADD CONSTRAINT "membership_service_owner_status_check" CHECK ((service_owner_status = ANY (ARRAY['active'::text, 'suspended'::text])));

ALTER TABLE "app"."membership"
  ADD CONSTRAINT "membership_user_id_status_key" UNIQUE (org_id, user_id, status);

ALTER TABLE "app"."membership"
  ADD CONSTRAINT "membership_service_owner_id_fkey" FOREIGN KEY (org_id, service_owner_id, service_owner_status) REFERENCES app.membership(org_id, user_id, status)
    ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE "app"."run"
  ADD CONSTRAINT "run_actor_kind_check" CHECK ((actor_kind = ANY (ARRAY['user'::text, 'service'::text, 'schedule'::text])));

ALTER TABLE "app"."run"
  ADD CONSTRAINT "run_client_id_check" CHECK ((char_length(client_id) <= 100));

ALTER TABLE "app"."session_choice"
  ADD CONSTRAINT "session_choice_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."session_choice"
  ADD CONSTRAINT "session_choice_user_id_fkey" FOREIGN KEY (org_id, user_id) REFERENCES app.membership(org_id, user_id) ON DELETE CASCADE;

CREATE INDEX membership_org_id_service_owner_id_idx ON app.membership USING btree (org_id, service_owner_id)
  WHERE (service_owner_id IS NOT NULL);

CREATE INDEX membership_user_id_idx ON app.membership USING btree (user_id, org_id) INCLUDE (role_id, status, service_owner_status, created_at);

CREATE TRIGGER _050_in_person
  BEFORE INSERT OR UPDATE OF revoked_at ON app.api_token
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_person();

CREATE TRIGGER _100_token
  BEFORE INSERT OR UPDATE OF revoked_at ON app.api_token
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_api_token();

CREATE TRIGGER _900_audit
  AFTER INSERT OR UPDATE OF revoked_at ON app.api_token
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _050_in_person
  BEFORE INSERT OR DELETE OR UPDATE ON app.deny_rule
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_person();

CREATE TRIGGER _050_in_person
  BEFORE INSERT OR DELETE OR UPDATE ON app.membership
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_person();

CREATE TRIGGER _090_service_account
  BEFORE INSERT ON app.membership
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_service_account();

CREATE TRIGGER _500_revoke_tokens
  BEFORE DELETE ON app.membership
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_revoke_tokens();

CREATE TRIGGER _050_in_person
  BEFORE INSERT OR DELETE OR UPDATE ON app.organization
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_person();

CREATE TRIGGER _050_in_person
  BEFORE INSERT OR DELETE OR UPDATE ON app.role
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_person();

CREATE TRIGGER _050_in_person
  BEFORE INSERT OR DELETE OR UPDATE ON app.role_permission
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_person();

CREATE TRIGGER _100_actor
  BEFORE INSERT ON app.run
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_run_actor();

CREATE TRIGGER _050_in_person
  BEFORE INSERT OR DELETE ON app.session_choice
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_person();

CREATE TRIGGER _050_in_person
  BEFORE INSERT OR DELETE OR UPDATE ON app.team
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_person();

CREATE TRIGGER _050_in_person
  BEFORE INSERT OR DELETE OR UPDATE ON app.team_member
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_person();

CREATE POLICY "api_token_delete_nobody" ON "app"."api_token"
  FOR DELETE
  TO "authenticated"
  USING (false);

CREATE POLICY "api_token_floor" ON "app"."api_token"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "audit_event_scope_floor" ON "app"."audit_event"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING (( SELECT authz.in_scope(ARRAY['audit.read'::text]) AS in_scope))
  WITH CHECK (( SELECT authz.in_scope(ARRAY['audit.read'::text]) AS in_scope));

CREATE POLICY "conversation_scope_floor" ON "app"."conversation"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING (( SELECT authz.in_scope(ARRAY['bots.run'::text]) AS in_scope))
  WITH CHECK (( SELECT authz.in_scope(ARRAY['bots.run'::text]) AS in_scope));

CREATE POLICY "customer_order_scope_floor" ON "app"."customer_order"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING (( SELECT authz.in_scope(ARRAY['orders.place'::text, 'orders.read'::text]) AS in_scope))
  WITH CHECK (( SELECT authz.in_scope(ARRAY['orders.place'::text, 'orders.read'::text]) AS in_scope));

CREATE POLICY "message_scope_floor" ON "app"."message"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING (( SELECT authz.in_scope(ARRAY['bots.run'::text]) AS in_scope))
  WITH CHECK (( SELECT authz.in_scope(ARRAY['bots.run'::text]) AS in_scope));

CREATE POLICY "run_scope_floor" ON "app"."run"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING (( SELECT authz.in_scope(ARRAY['bots.run'::text, 'runs.read'::text]) AS in_scope))
  WITH CHECK (( SELECT authz.in_scope(ARRAY['bots.run'::text, 'runs.read'::text]) AS in_scope));

CREATE POLICY "run_step_scope_floor" ON "app"."run_step"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING (( SELECT authz.in_scope(ARRAY['bots.run'::text, 'runs.read'::text]) AS in_scope))
  WITH CHECK (( SELECT authz.in_scope(ARRAY['bots.run'::text, 'runs.read'::text]) AS in_scope));

CREATE POLICY "session_choice_delete_nobody" ON "app"."session_choice"
  FOR DELETE
  TO "authenticated"
  USING (false);

CREATE POLICY "session_choice_delete_owner" ON "app"."session_choice"
  FOR DELETE
  TO "ringfence_owner"
  USING ((user_id = ( SELECT authz.uid() AS uid)));

CREATE POLICY "session_choice_floor" ON "app"."session_choice"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "session_choice_insert_nobody" ON "app"."session_choice"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (false);

CREATE POLICY "session_choice_insert_owner" ON "app"."session_choice"
  FOR INSERT
  TO "ringfence_owner"
  WITH CHECK (((user_id = ( SELECT authz.uid() AS uid)) AND (session_id = ( SELECT authz.session_id() AS session_id))));

CREATE POLICY "session_choice_select_owner" ON "app"."session_choice"
  FOR SELECT
  TO "ringfence_owner"
  USING ((user_id = ( SELECT authz.uid() AS uid)));

CREATE POLICY "session_choice_select_self" ON "app"."session_choice"
  FOR SELECT
  TO "authenticated"
  USING ((user_id = ( SELECT authz.uid() AS uid)));

CREATE POLICY "session_choice_update_nobody" ON "app"."session_choice"
  FOR UPDATE
  TO "authenticated"
  USING (false)
  WITH CHECK (false);

CREATE POLICY "support_ticket_scope_floor" ON "app"."support_ticket"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING (( SELECT authz.in_scope(ARRAY['tickets.create'::text, 'tickets.read'::text, 'tickets.manage'::text]) AS in_scope))
  WITH CHECK (( SELECT authz.in_scope(ARRAY['tickets.create'::text, 'tickets.read'::text, 'tickets.manage'::text]) AS in_scope));

COMMENT ON COLUMN "app"."api_token"."created_at" IS 'When it was made.';

COMMENT ON COLUMN "app"."api_token"."expires_at" IS 'When it ends by itself.';

COMMENT ON COLUMN "app"."api_token"."id" IS 'Random identifier.';

COMMENT ON COLUMN "app"."api_token"."last_used_at" IS 'When it was last exchanged for a short session; between two exchanges it is used without a note.';

COMMENT ON COLUMN "app"."api_token"."name" IS 'What the owner calls it; 1..80 characters.';

COMMENT ON COLUMN "app"."api_token"."org_id" IS 'The organization, the only one the token reaches.';

COMMENT ON COLUMN "app"."api_token"."permissions" IS 'Names from the registry, each held by the owner when it was made; the most it can be used for.';

COMMENT ON COLUMN "app"."api_token"."prefix" IS 'Its first characters, to know it by.';

COMMENT ON COLUMN "app"."api_token"."revoked_at" IS 'When it was revoked, or null. It is refused from the next request on.';

COMMENT ON COLUMN "app"."api_token"."session_id" IS 'The session of Supabase Auth behind it, opened for it alone.';

COMMENT ON COLUMN "app"."api_token"."token_sha256" IS 'SHA-256 of the whole token, hexadecimal. The token itself is nowhere.';

COMMENT ON COLUMN "app"."api_token"."with_second_factor" IS 'Whether its session was opened with a second factor: only then does it reach an organization that requires one.';

COMMENT ON COLUMN "app"."audit_event"."api_token_id" IS 'The API token that was used, if any.';

COMMENT ON COLUMN "app"."audit_event"."bot_id" IS 'The bot that ran or was acted on, if any. A bot is never an actor (F03).';

COMMENT ON COLUMN "app"."audit_event"."client_id" IS 'The OAuth client that acted for the person, if any.';

COMMENT ON COLUMN "app"."audit_event"."on_behalf_of" IS 'The person who answers for the actor: the owner of a service account; null for a person acting in their own name.';

COMMENT ON COLUMN "app"."membership"."service_owner_id" IS 'The member who answers for this service account; null for people.';

COMMENT ON COLUMN "app"."membership"."service_owner_status" IS 'A copy of the owner''s status, held equal by the foreign key.';

COMMENT ON COLUMN "app"."run"."actor_kind" IS 'Whether a person, a service account or a schedule began it.';

COMMENT ON COLUMN "app"."run"."api_token_id" IS 'The API token it was begun with, if any.';

COMMENT ON COLUMN "app"."run"."client_id" IS 'The OAuth client that began it for the person, if any.';

COMMENT ON COLUMN "app"."run"."on_behalf_of" IS 'The person who answers for the actor: the owner of a service account; null for a person in their own name.';

COMMENT ON COLUMN "app"."session_choice"."chosen_at" IS 'When; of two rows of a session the later counts.';

COMMENT ON COLUMN "app"."session_choice"."org_id" IS 'The organization chosen.';

COMMENT ON COLUMN "app"."session_choice"."session_id" IS 'The session of Supabase Auth.';

COMMENT ON COLUMN "app"."session_choice"."user_id" IS 'The person.';

COMMENT ON FUNCTION "api"."add_service_account"(uuid, uuid, text) IS 'Add an account that no person uses, with a role whose permissions you hold yourself. You answer for it: it is a member as long as you are one.

@audience app
@param org_id   the organization
@param user_id  the account, as known to Supabase Auth: sign it up like a person, with a password you keep for it
@param role     name of a role of the organization
@returns        {user_id, role, owner_id}
@errors         22004, 22023, 42501, PT401, PT404, PT409
@effect         write';

COMMENT ON FUNCTION "api"."check_api_token"(uuid, text, text[], integer) IS 'Tell whether you may make such an API token; POST /v1/tokens of the edge then makes it.

@audience app
@param org_id       the organization the token is for
@param name         what to call it; 1..80 characters
@param permissions  names from the registry that you hold yourself and that are not for people alone; 1..100
@param expires_in   how long it lasts; 60..31622400 seconds
@returns            {email, code_needed}: whose password, and whether a code of an authenticator app too, POST /v1/tokens needs
@errors             22004, 22023, 42501, PT401, PT429
@effect             read';

COMMENT ON FUNCTION "api"."choose_no_organization"() IS 'Take back what you chose: from its next access token on this session sees all your organizations again.

@audience app
@returns  {org_id: null}
@errors   42501
@effect   write';

COMMENT ON FUNCTION "api"."choose_organization"(uuid) IS 'Say which of your organizations this session is for: from its next access token on it sees that one only. Refresh the token to have it now.

@audience app
@param org_id  an organization of yours
@returns       {org_id}
@errors        22004, 42501, PT404
@effect        write';

COMMENT ON FUNCTION "api"."create_api_token"(uuid, text, text[], integer, uuid, text, text) IS 'Record an API token; for the edge, which opens the session behind it with your password. Use POST /v1/tokens.

@audience app
@param org_id        the organization, the only one the token reaches
@param name          what to call it; 1..80 characters
@param permissions   names from the registry that you hold yourself and that are not for people alone; 1..100
@param expires_in    how long it lasts; 60..31622400 seconds
@param session_id    a session of yours, opened within five minutes for this, with every factor you have
@param token_sha256  SHA-256 of the token, hexadecimal; 64..64 characters
@param prefix        the beginning of the token; 12..12 characters
@returns             {id, org_id, name, prefix, permissions, with_second_factor, created_at, expires_at}
@errors              22004, 22023, 42501, PT401, PT404, PT409, PT429
@effect              write';

COMMENT ON FUNCTION "api"."list_api_tokens"(uuid) IS 'List your API tokens in an organization; with members.manage, everybody''s. At most 1000.

@audience app
@param org_id  the organization
@returns       array of {id, user_id, name, prefix, permissions, with_second_factor, created_at, expires_at, last_used_at, revoked_at}; newest first
@errors        22004
@effect        read';

COMMENT ON FUNCTION "api"."list_service_accounts"(uuid) IS 'List the service accounts of an organization and who answers for each; needs members.read.

@audience app
@param org_id  the organization
@returns       array of {user_id, role, owner_id, active, since}; oldest first
@errors        22004
@effect        read';

COMMENT ON FUNCTION "api"."revoke_api_token"(uuid, uuid) IS 'Revoke an API token of yours or, with members.manage, of anybody; it is refused from the next request on.

@audience app
@param org_id    the organization
@param token_id  the token''s id, as list_api_tokens gives it
@returns         {id, revoked_at}
@errors          22004, 42501, PT404
@effect          destructive';

COMMENT ON FUNCTION "api"."touch_api_token"(text) IS 'Note the use of the API token whose session this is; for the edge, when it exchanges one.

@audience app
@param token_sha256  SHA-256 of the token, hexadecimal; 64..64 characters
@returns             true; false when this is not the session of that token or the token is over
@errors              22023
@effect              write';

COMMENT ON FUNCTION "authz"."access_token_hook"(jsonb) IS 'Add to the claims of a token: org_roles {organization id: role name} of what it lets its holder see, left out when that is nothing or more than 32 organizations; org_id when app_metadata.org_id names one, the session is an API token''s or the person chose one for it, which narrows the token to it.';

COMMENT ON FUNCTION "authz"."acts_in_person"() IS 'Whether the person asks: not an OAuth client or an API token for them, nor somebody anonymous (R43, R44).';

COMMENT ON FUNCTION "authz"."api_token_id"() IS 'The API token whose session this is, whether or not it still lives; null for every other session.';

COMMENT ON FUNCTION "authz"."api_token_is_over"() IS 'Whether this is the session of an API token that was revoked or has expired.';

COMMENT ON FUNCTION "authz"."api_token_lasts_at_most"() IS 'How long an API token may be made to last. The one place that says so.';

COMMENT ON FUNCTION "authz"."in_scope"(text[]) IS 'Whether an API token carries one of these permissions; true for every other session. For the restrictive policies of tables in which one sees one''s own rows without a permission.';

COMMENT ON FUNCTION "authz"."is_personal"(text) IS 'Whether a permission is for people alone: no API token carries it and no OAuth client uses it. The one place that says which.';

COMMENT ON FUNCTION "authz"."keep_choice"(uuid) IS 'Keep which organization of theirs the person''s present session is for; null for all of them.';

COMMENT ON FUNCTION "authz"."new_session_level"(uuid) IS 'The level (aal1 or aal2) of another session that the signed-in person opened within five minutes; null for anything else.';

COMMENT ON FUNCTION "authz"."note_token_use"(text) IS 'Note that the API token of this very session is used; false when this is no session of that token, or the token is over.';

COMMENT ON FUNCTION "authz"."org_ids"() IS 'The organizations the signed-in person belongs to now: narrowed by the token''s org_id claim when it has one and to the one of an API token, without those suspended, and without those that require a second factor the token lacks.';

COMMENT ON FUNCTION "authz"."orgs_with"(text) IS 'The organizations in which the signed-in person''s role carries this permission now and this session may use it; none for an unknown permission.';

COMMENT ON FUNCTION "authz"."pre_request"() IS 'PostgREST calls this before every request: refuses ended sessions, API tokens revoked or expired, banned, deleted and anonymous users, and any role but authenticated (code 28000, status 401).';

COMMENT ON FUNCTION "authz"."require_person"() IS 'Raise 42501 for an OAuth client, an API token and somebody anonymous.';

COMMENT ON FUNCTION "authz"."require_step_up"() IS 'Raise PT401, which says what to do, unless a second factor was used within authz.step_up_lasts() (F07); 42501 for an OAuth client or API token.';

COMMENT ON FUNCTION "authz"."require_token_wish"(uuid, text[], timestamp with time zone) IS 'Raise 42501, 22023 or PT429 unless the person asking may make such an API token now.';

COMMENT ON FUNCTION "authz"."session_id"() IS 'The session of this token, as signed by Supabase Auth, or null. The only reader of it but authz.session_is_live().';

COMMENT ON FUNCTION "authz"."tg_api_token"() IS 'Trigger: an API token is made by the person, within what they hold, for a session they just opened with every factor they have; revoked is for good.';

COMMENT ON FUNCTION "authz"."tg_in_person"() IS 'Trigger, once a statement: who belongs, what they may do and what acts for them is changed by people alone (R44).';

COMMENT ON FUNCTION "authz"."tg_revoke_tokens"() IS 'Trigger: who leaves or is removed comes back, if ever, without the API tokens of before.';

COMMENT ON FUNCTION "authz"."tg_run_actor"() IS 'Trigger: a run says who acts, for whom and through what, whatever its insert says (F03).';

COMMENT ON FUNCTION "authz"."tg_service_account"() IS 'Trigger: who adds a service account is the person who answers for it (F03).';

COMMENT ON FUNCTION "authz"."tg_step_up"() IS 'Trigger: PT401 without a fresh second factor, where one is asked for (argument always or if_enrolled).';

COMMENT ON POLICY "api_token_delete_nobody" ON "app"."api_token" IS 'The row is what narrows the session.';

COMMENT ON POLICY "api_token_floor" ON "app"."api_token" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "audit_event_scope_floor" ON "app"."audit_event" IS 'An API token reaches one''s own rows only with a permission for them; every other session passes.';

COMMENT ON POLICY "conversation_scope_floor" ON "app"."conversation" IS 'An API token reaches one''s own rows only with a permission for them; every other session passes.';

COMMENT ON POLICY "customer_order_scope_floor" ON "app"."customer_order" IS 'An API token reaches one''s own rows only with a permission for them; every other session passes.';

COMMENT ON POLICY "message_scope_floor" ON "app"."message" IS 'An API token reaches one''s own rows only with a permission for them; every other session passes.';

COMMENT ON POLICY "run_scope_floor" ON "app"."run" IS 'An API token reaches one''s own rows only with a permission for them; every other session passes.';

COMMENT ON POLICY "run_step_scope_floor" ON "app"."run_step" IS 'An API token reaches one''s own rows only with a permission for them; every other session passes.';

COMMENT ON POLICY "session_choice_delete_nobody" ON "app"."session_choice" IS 'Through api.choose_organization only.';

COMMENT ON POLICY "session_choice_delete_owner" ON "app"."session_choice" IS 'A new choice replaces the last one.';

COMMENT ON POLICY "session_choice_floor" ON "app"."session_choice" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "session_choice_insert_nobody" ON "app"."session_choice" IS 'Through api.choose_organization only.';

COMMENT ON POLICY "session_choice_insert_owner" ON "app"."session_choice" IS 'One chooses for the session one sits in.';

COMMENT ON POLICY "session_choice_select_owner" ON "app"."session_choice" IS 'The access token hook sees the choices of the person whose token it makes.';

COMMENT ON POLICY "session_choice_select_self" ON "app"."session_choice" IS 'One sees what one chose.';

COMMENT ON POLICY "session_choice_update_nobody" ON "app"."session_choice" IS 'Through api.choose_organization only.';

COMMENT ON POLICY "support_ticket_scope_floor" ON "app"."support_ticket" IS 'An API token reaches one''s own rows only with a permission for them; every other session passes.';

COMMENT ON TABLE "app"."api_token" IS 'Tokens for scripts and integrations: never more than their owner may now, in one organization.';

COMMENT ON TABLE "app"."session_choice" IS 'Which one of their organizations a session of a person is for; it goes with the membership.';

REVOKE ALL ON FUNCTION "api"."add_service_account"(uuid, uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."add_service_account"(uuid, uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."add_service_account"(uuid, uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."add_service_account"(uuid, uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."check_api_token"(uuid, text, text[], integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."check_api_token"(uuid, text, text[], integer) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."check_api_token"(uuid, text, text[], integer) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."check_api_token"(uuid, text, text[], integer) TO "postgres";

REVOKE ALL ON FUNCTION "api"."choose_no_organization"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."choose_no_organization"() TO "authenticated";

REVOKE ALL ON FUNCTION "api"."choose_no_organization"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."choose_no_organization"() TO "postgres";

REVOKE ALL ON FUNCTION "api"."choose_organization"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."choose_organization"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."choose_organization"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."choose_organization"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."create_api_token"(uuid, text, text[], integer, uuid, text, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."create_api_token"(uuid, text, text[], integer, uuid, text, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."create_api_token"(uuid, text, text[], integer, uuid, text, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."create_api_token"(uuid, text, text[], integer, uuid, text, text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_api_tokens"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_api_tokens"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_api_tokens"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_api_tokens"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_service_accounts"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_service_accounts"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_service_accounts"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_service_accounts"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."revoke_api_token"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."revoke_api_token"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."revoke_api_token"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."revoke_api_token"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."touch_api_token"(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."touch_api_token"(text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."touch_api_token"(text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."touch_api_token"(text) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."acts_in_person"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."acts_in_person"() TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."acts_in_person"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."acts_in_person"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."acts_in_person"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."api_token_id"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."api_token_id"() TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."api_token_id"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."api_token_id"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."api_token_is_over"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."api_token_is_over"() TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."api_token_is_over"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."api_token_is_over"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."api_token_lasts_at_most"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."api_token_lasts_at_most"() TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."api_token_lasts_at_most"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."api_token_lasts_at_most"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."in_scope"(text[]) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."in_scope"(text[]) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."in_scope"(text[]) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."in_scope"(text[]) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."is_personal"(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."is_personal"(text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."is_personal"(text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."is_personal"(text) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."is_personal"(text) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."keep_choice"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."keep_choice"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."keep_choice"(uuid) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."keep_choice"(uuid) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."new_session_level"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."new_session_level"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."new_session_level"(uuid) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."new_session_level"(uuid) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."note_token_use"(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."note_token_use"(text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."note_token_use"(text) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."note_token_use"(text) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."require_person"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."require_person"() TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."require_person"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."require_person"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."require_person"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."require_token_wish"(uuid, text[], timestamp WITH time zone) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."require_token_wish"(uuid, text[], timestamp WITH time zone) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."require_token_wish"(uuid, text[], timestamp WITH time zone) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."require_token_wish"(uuid, text[], timestamp WITH time zone) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."session_id"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."session_id"() TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."session_id"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."session_id"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."session_id"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."tg_api_token"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_api_token"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_api_token"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_in_person"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_in_person"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_in_person"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_revoke_tokens"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_revoke_tokens"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_revoke_tokens"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_run_actor"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_run_actor"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_run_actor"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_service_account"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_service_account"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_service_account"() TO "postgres";

GRANT INSERT ("expires_at") ON TABLE "app"."api_token" TO "authenticated";

GRANT INSERT ("name") ON TABLE "app"."api_token" TO "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."api_token" TO "authenticated";

GRANT INSERT ("permissions") ON TABLE "app"."api_token" TO "authenticated";

GRANT INSERT ("prefix") ON TABLE "app"."api_token" TO "authenticated";

GRANT UPDATE ("revoked_at") ON TABLE "app"."api_token" TO "authenticated";

GRANT INSERT ("session_id") ON TABLE "app"."api_token" TO "authenticated";

GRANT INSERT ("token_sha256") ON TABLE "app"."api_token" TO "authenticated";

GRANT SELECT ON TABLE "app"."api_token" TO "authenticated";

GRANT UPDATE ("last_used_at") ON TABLE "app"."api_token" TO "ringfence_owner";

GRANT SELECT ON TABLE "app"."api_token" TO "ringfence_owner";

REVOKE ALL ("api_token_id") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("api_token_id") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("bot_id") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("bot_id") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("client_id") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("client_id") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("on_behalf_of") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("on_behalf_of") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("service_owner_id") ON TABLE "app"."membership" FROM "authenticated";

GRANT INSERT ("service_owner_id") ON TABLE "app"."membership" TO "authenticated";

GRANT SELECT ON TABLE "app"."session_choice" TO "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."session_choice" TO "ringfence_owner";

GRANT INSERT ("session_id") ON TABLE "app"."session_choice" TO "ringfence_owner";

GRANT INSERT ("user_id") ON TABLE "app"."session_choice" TO "ringfence_owner";

GRANT DELETE, SELECT ON TABLE "app"."session_choice" TO "ringfence_owner";

ALTER TABLE "app"."api_token"
  ADD CONSTRAINT "api_token_user_id_fkey" FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE;

CREATE INDEX api_token_org_id_user_id_idx ON app.api_token USING btree (org_id, user_id);

CREATE POLICY "api_token_insert_self" ON "app"."api_token"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (((user_id = ( SELECT authz.uid() AS uid)) AND (org_id = ANY (ARRAY( SELECT authz.orgs_with('tokens.create'::text) AS orgs_with)))));

CREATE POLICY "api_token_select_owner" ON "app"."api_token"
  FOR SELECT
  TO "ringfence_owner"
  USING ((user_id = ( SELECT authz.uid() AS uid)));

CREATE POLICY "api_token_select_self" ON "app"."api_token"
  FOR SELECT
  TO "authenticated"
  USING (((user_id = ( SELECT authz.uid() AS uid)) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('members.manage'::text) AS orgs_with)))));

CREATE POLICY "api_token_update_owner" ON "app"."api_token"
  FOR UPDATE
  TO "ringfence_owner"
  USING (((user_id = ( SELECT authz.uid() AS uid)) AND (session_id = ( SELECT authz.session_id() AS session_id))))
  WITH CHECK (((user_id = ( SELECT authz.uid() AS uid)) AND (session_id = ( SELECT authz.session_id() AS session_id))));

CREATE POLICY "api_token_update_self" ON "app"."api_token"
  FOR UPDATE
  TO "authenticated"
  USING (((user_id = ( SELECT authz.uid() AS uid)) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('members.manage'::text) AS orgs_with)))))
  WITH CHECK (((user_id = ( SELECT authz.uid() AS uid)) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('members.manage'::text) AS orgs_with)))));

COMMENT ON COLUMN "app"."api_token"."user_id" IS 'The owner, in whose name everything is done with it.';

COMMENT ON POLICY "api_token_insert_self" ON "app"."api_token" IS 'tokens.create makes tokens of one''s own.';

COMMENT ON POLICY "api_token_select_owner" ON "app"."api_token" IS 'The identity helpers see the tokens of the person asking and no others.';

COMMENT ON POLICY "api_token_select_self" ON "app"."api_token" IS 'One''s own; members.manage sees the organization''s. No token is in it.';

COMMENT ON POLICY "api_token_update_owner" ON "app"."api_token" IS 'A token''s own session notes its use.';

COMMENT ON POLICY "api_token_update_self" ON "app"."api_token" IS 'One revokes one''s own; members.manage revokes anybody''s. Nothing else is granted.';

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
