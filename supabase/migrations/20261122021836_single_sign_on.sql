-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

-- By hand, what the comparison does not see: a permission, those who have it from now on, and a grant in schema auth.
insert into app.permission (name, description, place) values
  ('members.deprovision', 'End memberships as a directory does, also with an API token, within the permissions of who answers for it.', 22);
insert into app.role_permission (org_id, role_id, permission)
  select r.org_id, r.id, 'members.deprovision' from app.role r where r.built_in and r.name in ('owner', 'admin');
grant select (user_id, provider, identity_data, last_sign_in_at) on auth.identities to ringfence_owner;

CREATE TABLE "app"."departure" (
  "org_id"         uuid                     NOT NULL,
  "id"             uuid                     NOT NULL DEFAULT gen_random_uuid(),
  "user_id"        uuid                     NOT NULL,
  "how"            text                     NOT NULL DEFAULT 'deprovisioned'::text,
  "ended_at"       timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  "ended_in"       xid8                     NOT NULL DEFAULT pg_current_xact_id(),
  "runs_cancelled" integer,
  "tokens_revoked" integer,
  CONSTRAINT "departure_how_check" CHECK ((how = ANY (ARRAY['deprovisioned'::text, 'removed'::text]))),
  CONSTRAINT "departure_pkey" PRIMARY KEY (org_id, id),
  "ended_by"       uuid                     NOT NULL DEFAULT authz.uid()
);

ALTER TABLE "app"."departure"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."departure"
  FORCE ROW LEVEL SECURITY;

CREATE TABLE "app"."sso_connection" (
  "org_id"               uuid                     NOT NULL,
  "id"                   uuid                     NOT NULL DEFAULT gen_random_uuid(),
  "provider"             text                     NOT NULL,
  "groups_claim"         text                     NOT NULL DEFAULT 'groups'::text,
  "groups_max_age_hours" integer                  NOT NULL DEFAULT 720,
  "created_at"           timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT "sso_connection_groups_claim_check" CHECK (((char_length(groups_claim) >= 1) AND (char_length(groups_claim) <= 200))),
  CONSTRAINT "sso_connection_groups_max_age_hours_check" CHECK (((groups_max_age_hours >= 1) AND (groups_max_age_hours <= 8760))),
  CONSTRAINT "sso_connection_org_id_provider_key" UNIQUE (org_id, PROVIDER),
  CONSTRAINT "sso_connection_pkey" PRIMARY KEY (org_id, id),
  CONSTRAINT "sso_connection_provider_check" CHECK ((provider ~ '^(sso:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|custom:[a-z0-9][a-z0-9:_-]{0,49})$'::text))
);

ALTER TABLE "app"."sso_connection"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."sso_connection"
  FORCE ROW LEVEL SECURITY;

CREATE TABLE "app"."sso_group" (
  "org_id"        uuid                     NOT NULL,
  "id"            uuid                     NOT NULL DEFAULT gen_random_uuid(),
  "connection_id" uuid                     NOT NULL,
  "name"          text                     NOT NULL,
  "role_id"       uuid                     NOT NULL,
  "position"      integer                  NOT NULL DEFAULT 100,
  "created_at"    timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT "sso_group_name_check" CHECK (char_length(name) between 1 and 256 and name !~ '[[:cntrl:]]'),
  CONSTRAINT "sso_group_org_id_connection_id_name_key" UNIQUE (org_id, connection_id, name),
  CONSTRAINT "sso_group_pkey" PRIMARY KEY (org_id, id),
  CONSTRAINT "sso_group_position_check" CHECK ((("position" >= 1) AND ("position" <= 1000))),
  "created_by"    uuid                     NOT NULL DEFAULT authz.uid()
);

ALTER TABLE "app"."sso_group"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."sso_group"
  FORCE ROW LEVEL SECURITY;

CREATE TABLE "app"."sso_member" (
  "org_id"        uuid NOT NULL,
  "user_id"       uuid NOT NULL,
  "connection_id" uuid NOT NULL,
  CONSTRAINT "sso_member_pkey" PRIMARY KEY (org_id, user_id)
);

ALTER TABLE "app"."sso_member"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."sso_member"
  FORCE ROW LEVEL SECURITY;

CREATE OR REPLACE FUNCTION api.delete_sso_group (
  org_id   uuid,
  group_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(delete_sso_group.org_id);
  perform authz.require_step_up();
  perform authz.lock_organization(delete_sso_group.org_id);
  delete from app.sso_group g where g.org_id = delete_sso_group.org_id and g.id = delete_sso_group.group_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such group, or not yours to change';
  end if;
  return jsonb_build_object('group_id', delete_sso_group.group_id);
end
$function$;

CREATE OR REPLACE FUNCTION api.deprovision_member (
  org_id  uuid,
  user_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
declare
  v_teams integer;
  v_departure uuid;
begin
  perform authz.require_org(deprovision_member.org_id);
  perform authz.require(deprovision_member.user_id is not null, 'user_id: the member');
  perform authz.lock_organization(deprovision_member.org_id);
  select count(*) into v_teams from app.team_member t where t.org_id = deprovision_member.org_id and t.user_id = deprovision_member.user_id;
  insert into app.departure (org_id, user_id) values (deprovision_member.org_id, deprovision_member.user_id) returning id into v_departure;
  return (
    select jsonb_build_object('user_id', d.user_id, 'runs_cancelled', d.runs_cancelled, 'tokens_revoked', d.tokens_revoked, 'teams_left', v_teams)
    from app.departure d where d.org_id = deprovision_member.org_id and d.id = v_departure);
end
$function$;

CREATE OR REPLACE FUNCTION api.join_by_sso (
  org_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_role uuid;
begin
  perform authz.require_org(join_by_sso.org_id);
  v_role := authz.join_by_group(join_by_sso.org_id);
  return (
    select jsonb_build_object('org_id', o.id, 'slug', o.slug, 'name', o.name, 'role', r.name)
    from app.organization o join app.role r on r.org_id = o.id and r.id = v_role
    where o.id = join_by_sso.org_id);
end
$function$;

CREATE OR REPLACE FUNCTION api.list_sso_groups (
  org_id uuid
)
  RETURNS TABLE (
    connection_id        uuid,
    provider             text,
    groups_claim         text,
    groups_max_age_hours integer,
    group_id             uuid,
    group_name           text,
    role                 text,
    "position"           integer
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_sso_groups.org_id);
  return query
    select c.id, c.provider, c.groups_claim, c.groups_max_age_hours, g.id, g.name, r.name, g.position
    from app.sso_connection c
    left join app.sso_group g on g.org_id = c.org_id and g.connection_id = c.id
    left join app.role r on r.org_id = g.org_id and r.id = g.role_id
    where c.org_id = list_sso_groups.org_id
    order by c.provider, g.position, g.name;
end
$function$;

CREATE OR REPLACE FUNCTION api.list_sso_organizations()
  RETURNS TABLE (
    org_id uuid,
    slug   text,
    name   text,
    role   text
  )
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select o.org_id, o.slug, o.name, o.role from authz.sso_organizations() o
$function$;

CREATE OR REPLACE FUNCTION api.set_sso_group (
  org_id        uuid,
  connection_id uuid,
  group_name    text,
  role          text,
  "position"    integer DEFAULT 100
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_role uuid;
  v_group uuid;
begin
  perform authz.require_org(set_sso_group.org_id);
  perform authz.require(char_length(group_name) between 1 and 256 and group_name !~ '[[:cntrl:]]', 'group_name: 1..256 characters, none of them a control character');
  perform authz.require(set_sso_group.position between 1 and 1000, 'position: 1..1000');
  -- Asked before anything is looked up, so the answer is the same for every organization there is or is not.
  perform authz.require_step_up();
  perform authz.lock_organization(set_sso_group.org_id);
  v_role := authz.role_named(set_sso_group.org_id, set_sso_group.role);
  if not exists (select from app.sso_connection c where c.org_id = set_sso_group.org_id and c.id = set_sso_group.connection_id) then
    raise sqlstate 'PT404' using message = 'no such identity provider of this organization';
  end if;
  update app.sso_group g set role_id = v_role, position = set_sso_group.position
  where g.org_id = set_sso_group.org_id and g.connection_id = set_sso_group.connection_id and g.name = group_name
  returning g.id into v_group;
  if not found then
    insert into app.sso_group (org_id, connection_id, name, role_id, position)
    values (set_sso_group.org_id, set_sso_group.connection_id, group_name, v_role, set_sso_group.position)
    returning id into v_group;
  end if;
  return jsonb_build_object('group_id', v_group, 'group_name', group_name, 'role', set_sso_group.role, 'position', set_sso_group.position);
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
  -- Groups that changed at the identity provider change or end memberships before anything is said about them (F05). It is the person who
  -- signs in or stays signed in, with whatever session.
  perform set_config('request.jwt.claims', jsonb_build_object('sub', v_person)::text, true);
  perform authz.sync_sso();
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

CREATE OR REPLACE FUNCTION authz.departing_org_ids()
  RETURNS SETOF uuid
  LANGUAGE sql
  STABLE
  ROWS 1
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select d.org_id from app.departure d
  where d.ended_by = (select authz.uid()) and d.how = 'deprovisioned' and d.ended_in = pg_current_xact_id_if_assigned()
$function$;

CREATE OR REPLACE FUNCTION authz.departing_user_ids()
  RETURNS SETOF uuid
  LANGUAGE sql
  STABLE
  ROWS 1
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select d.user_id from app.departure d
  where d.ended_by = (select authz.uid()) and d.how = 'deprovisioned' and d.ended_in = pg_current_xact_id_if_assigned()
$function$;

CREATE OR REPLACE FUNCTION authz.is_departing()
  RETURNS boolean
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return current_user = 'ringfence_owner' and exists (select authz.departing_user_ids());
end
$function$;

CREATE OR REPLACE FUNCTION authz.join_by_group (
  org_id uuid
)
  RETURNS uuid
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_offer record;
  v_require_mfa boolean;
  v_seat record;
begin
  perform authz.require_person();
  if current_setting('transaction_isolation') <> 'read committed' then
    raise sqlstate '25001' using message = 'members are changed in a transaction of isolation level read committed';
  end if;
  if exists (select from authz.sso_offers() o where o.org_id = join_by_group.org_id) then
    -- In line with whoever changes groups, roles or members; then looked at again.
    perform pg_advisory_xact_lock(hashtextextended(join_by_group.org_id::text, 0));
  end if;
  select o.connection_id, o.role_id into v_offer
  from authz.sso_offers() o join app.sso_group g on g.org_id = o.org_id and g.connection_id = o.connection_id and g.role_id = o.role_id
  where o.org_id = join_by_group.org_id
    -- A token made for one organization joins no other.
    and (not (authz.claims() ? 'org_id') or o.org_id::text = authz.claims() ->> 'org_id')
  order by g.position, g.name collate "C" limit 1;
  select o.require_mfa into v_require_mfa from app.organization o
  where o.id = join_by_group.org_id and o.suspended_at is null and v_offer.role_id is not null;
  if v_require_mfa is null then
    raise sqlstate 'PT404' using message = 'no group of yours opens this organization: sign in through its identity provider';
  end if;
  if v_require_mfa and not authz.is_aal2() then
    raise sqlstate 'PT401' using message = 'this organization asks for a second factor: sign in with yours, or enrol one first';
  end if;
  select m.role_id, m.status, m.service_owner_id, r.built_in and r.name = 'owner' as owns,
    exists (select from app.sso_member s where s.org_id = m.org_id and s.user_id = m.user_id) as follows
  into v_seat
  from app.membership m join app.role r on r.org_id = m.org_id and r.id = m.role_id
  where m.org_id = join_by_group.org_id and m.user_id = authz.uid();
  if v_seat.role_id is null then
    -- Whom somebody sent away comes back when invited again, and not by themselves.
    if exists (select from app.departure d
      where d.org_id = join_by_group.org_id and d.user_id = authz.uid() and not exists (
        select from app.invitation i where i.org_id = d.org_id and i.accepted_by = d.user_id and i.accepted_at > d.ended_at))
    then
      raise sqlstate '42501' using message = 'this organization ended your membership: ask it to invite you';
    end if;
    insert into app.membership (org_id, user_id, role_id) values (join_by_group.org_id, authz.uid(), v_offer.role_id);
  elsif v_seat.status <> 'active' or v_seat.owns or v_seat.follows or v_seat.service_owner_id is not null then
    raise sqlstate 'PT409' using message = 'already a member';
  else
    update app.membership m set role_id = v_offer.role_id
    where m.org_id = join_by_group.org_id and m.user_id = authz.uid() and m.role_id <> v_offer.role_id;
  end if;
  insert into app.sso_member (org_id, user_id, connection_id) values (join_by_group.org_id, authz.uid(), v_offer.connection_id);
  return v_offer.role_id;
end
$function$;

ALTER FUNCTION "authz"."join_by_group"(uuid) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.sso_groups (
  told jsonb
)
  RETURNS text[]
  LANGUAGE sql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select case jsonb_typeof(sso_groups.told)
    when 'array' then array(select e.value #>> '{}' from jsonb_array_elements(sso_groups.told) e where jsonb_typeof(e.value) = 'string')
    when 'string' then array[sso_groups.told #>> '{}']
    else '{}' end
$function$;

CREATE OR REPLACE FUNCTION authz.sso_identities()
  RETURNS TABLE (
    provider     text,
    told         jsonb,
    signed_in_at timestamp with time zone
  )
  LANGUAGE sql
  STABLE
  ROWS 2
  SET search_path TO 'pg_catalog', 'pg_temp'
BEGIN ATOMIC
 SELECT i.provider,
         CASE
             WHEN (jsonb_typeof((i.identity_data -> 'custom_claims'::text)) = 'object'::text) THEN (i.identity_data -> 'custom_claims'::text)
             ELSE '{}'::jsonb
         END
  AS "case",
     COALESCE(i.last_sign_in_at, '-infinity'::timestamp with time zone) AS "coalesce"
    FROM auth.identities i
   WHERE ((i.user_id = ( SELECT authz.uid() AS uid)) AND ((i.provider ~~ 'sso:%'::text) OR (i.provider ~~ 'custom:%'::text)));
END;

CREATE OR REPLACE FUNCTION authz.sso_offers()
  RETURNS TABLE (
    org_id        uuid,
    connection_id uuid,
    role_id       uuid
  )
  LANGUAGE sql
  STABLE
  ROWS 2
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select distinct on (g.org_id, g.connection_id) g.org_id, g.connection_id, g.role_id
  from authz.sso_identities() i
  join app.sso_connection c on c.provider = i.provider
  join app.sso_group g on g.org_id = c.org_id and g.connection_id = c.id
  where i.signed_in_at > now() - make_interval(hours => c.groups_max_age_hours)
    and g.name = any (authz.sso_groups(i.told -> c.groups_claim))
  order by g.org_id, g.connection_id, g.position, g.name collate "C"
$function$;

CREATE OR REPLACE FUNCTION authz.sso_org_ids()
  RETURNS SETOF uuid
  LANGUAGE sql
  STABLE
  ROWS 2
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select c.org_id from app.sso_connection c
$function$;

CREATE OR REPLACE FUNCTION authz.sso_organizations()
  RETURNS TABLE (
    org_id uuid,
    slug   text,
    name   text,
    role   text
  )
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  ROWS 2
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select distinct on (o.id) o.id, o.slug, o.name, r.name
  from authz.sso_offers() offer
  join app.organization o on o.id = offer.org_id and o.suspended_at is null
  join app.role r on r.org_id = offer.org_id and r.id = offer.role_id
  join app.sso_group g on g.org_id = offer.org_id and g.connection_id = offer.connection_id and g.role_id = offer.role_id
  where (select authz.acts_in_person())
    and (not (select authz.claims() ? 'org_id') or o.id::text = (select authz.claims() ->> 'org_id'))
    and not exists (select from app.membership m where m.org_id = o.id and m.user_id = (select authz.uid()))
  order by o.id, g.position, g.name collate "C"
$function$;

ALTER FUNCTION "authz"."sso_organizations"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.sso_providers()
  RETURNS SETOF text
  LANGUAGE sql
  STABLE
  ROWS 2
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select i.provider from authz.sso_identities() i
$function$;

CREATE OR REPLACE FUNCTION authz.sync_sso()
  RETURNS void
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_seat record;
begin
  for v_seat in
    select m.org_id, m.role_id, offer.role_id as given
    from app.sso_member s
    join app.membership m on m.org_id = s.org_id and m.user_id = s.user_id
    join app.role r on r.org_id = m.org_id and r.id = m.role_id
    left join authz.sso_offers() offer on offer.org_id = s.org_id and offer.connection_id = s.connection_id
    -- Whom an owner made an owner stays one: no group gives that, and the last one must not go.
    where s.user_id = (select authz.uid()) and not (r.built_in and r.name = 'owner')
      and offer.role_id is distinct from m.role_id
  loop
    if v_seat.given is null then
      delete from app.membership m where m.org_id = v_seat.org_id and m.user_id = authz.uid();
    else
      update app.membership m set role_id = v_seat.given where m.org_id = v_seat.org_id and m.user_id = authz.uid();
    end if;
  end loop;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_departure_guard()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_answers uuid;
  v_role app.role;
begin
  perform pg_advisory_xact_lock(hashtextextended(new.org_id::text, 0));
  if row_security_active('app.departure') and current_user <> 'ringfence_owner' then
    if current_setting('transaction_isolation') <> 'read committed' then
      raise sqlstate '25001' using message = 'members are changed in a transaction of isolation level read committed';
    end if;
    -- What acts for a person does not, but for an API token made for this: it was made with every factor its owner has.
    if authz.api_token_id() is null or (new.org_id = any (array(select authz.orgs_with('members.deprovision')))) is not true then
      perform authz.require_person();
      if authz.has_second_factor() or exists (select from app.organization o where o.id = new.org_id and o.require_mfa) then
        perform authz.require_step_up();
      end if;
    end if;
    -- The policy asks the same; by now the right may be gone (R46).
    if (new.org_id = any (array(select authz.orgs_with('members.deprovision')))) is not true then
      raise sqlstate '42501' using message = 'giving and taking roles needs members.manage, ending memberships members.deprovision';
    end if;
    perform authz.require(new.user_id <> authz.uid(), 'user_id: somebody else; to go yourself, leave');
    select r.* into v_role from app.membership m join app.role r on r.org_id = m.org_id and r.id = m.role_id
    where m.org_id = new.org_id and m.user_id = new.user_id;
    if not found then
      raise sqlstate 'PT404' using message = 'no such member, or not yours to change';
    end if;
    -- Nobody takes a role whose permissions they lack (F12). For a service account its owner answers: it takes what they could take.
    select coalesce(m.service_owner_role_id, m.role_id) into v_answers
    from app.membership m where m.org_id = new.org_id and m.user_id = authz.uid();
    if exists (
      select p.permission from app.role_permission p where p.org_id = new.org_id and p.role_id = v_role.id
      union select 'members.manage'
      except select held.permission from app.role_permission held where held.org_id = new.org_id and held.role_id = v_answers)
    then
      raise sqlstate '42501' using message = 'you can give or take only roles whose permissions you hold yourself';
    end if;
    if v_role.built_in and v_role.name = 'owner' then
      raise sqlstate 'PT409' using message = 'an owner is not deprovisioned: an owner gives them another role first';
    end if;
  end if;
  return new;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_deprovision()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_runs integer;
  v_tokens integer;
begin
  update app.run r set status = 'cancelled', error_code = 'membership_ended', finished_at = clock_timestamp()
  where r.org_id = new.org_id and r.user_id = new.user_id and r.status = 'running';
  get diagnostics v_runs = row_count;
  update app.api_token t set revoked_at = now()
  where t.org_id = new.org_id and t.user_id = new.user_id and t.revoked_at is null;
  get diagnostics v_tokens = row_count;
  -- Teams, grants and choices go with it.
  delete from app.membership m where m.org_id = new.org_id and m.user_id = new.user_id;
  update app.departure d set runs_cancelled = v_runs, tokens_revoked = v_tokens where d.org_id = new.org_id and d.id = new.id;
  return null;
end
$function$;

ALTER FUNCTION "authz"."tg_deprovision"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.tg_in_person()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  -- Where policies do not apply there is no token to look at (an operator, a restore, a foreign key at work). What a deprovisioning
  -- takes along is bounded by its own guard: a directory orders it with an API token (F05).
  if row_security_active(tg_relid) and not authz.acts_in_person() and not authz.is_departing() then
    perform authz.require_person();
  end if;
  return null;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_membership_departure()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  update app.run r set status = 'cancelled', error_code = 'membership_ended', finished_at = clock_timestamp()
  where r.org_id = old.org_id and r.user_id = old.user_id and r.status = 'running';
  if authz.uid() <> old.user_id and not exists (select from app.departure d
    where d.org_id = old.org_id and d.user_id = old.user_id and d.ended_in = pg_current_xact_id())
  then
    insert into app.departure (org_id, user_id, how) values (old.org_id, old.user_id, 'removed');
  end if;
  return old;
end
$function$;

ALTER FUNCTION "authz"."tg_membership_departure"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.tg_sso_group_guard()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_org uuid := case when tg_op = 'INSERT' then new.org_id else old.org_id end;
begin
  perform pg_advisory_xact_lock(hashtextextended(v_org::text, 0));
  -- Where policies do not apply (an operator, a foreign key at work) there is nobody to bound.
  if row_security_active('app.sso_group') then
    if current_setting('transaction_isolation') <> 'read committed' then
      raise sqlstate '25001' using message = 'roles are given in a transaction of isolation level read committed';
    end if;
    if (v_org = any (array(select authz.orgs_with('organization.manage')))) is not true then
      raise sqlstate '42501' using message = 'giving and taking roles needs members.manage, letting groups give them organization.manage';
    end if;
    if exists (
      select from app.role_permission p
      where p.org_id = v_org
        and (tg_op <> 'INSERT' and p.role_id = old.role_id or tg_op <> 'DELETE' and p.role_id = new.role_id)
        and not v_org = any (array(select authz.orgs_with(p.permission))))
    then
      raise sqlstate '42501' using message = 'you can give or take only roles whose permissions you hold yourself';
    end if;
    if tg_op <> 'DELETE' and exists (select from app.role r where r.org_id = v_org and r.id = new.role_id and r.built_in and r.name = 'owner') then
      raise sqlstate '42501' using message = 'nobody becomes an owner by a group';
    end if;
    if tg_op = 'INSERT' and (select count(*) from app.sso_group g where g.org_id = v_org) >= 500 then
      raise sqlstate 'PT429' using message = 'an organization has at most 500 groups that give a role';
    end if;
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end
$function$;

ALTER TABLE "app"."departure"
  ADD CONSTRAINT "departure_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."sso_connection"
  ADD CONSTRAINT "sso_connection_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."sso_group"
  ADD CONSTRAINT "sso_group_connection_id_fkey" FOREIGN KEY (org_id, connection_id) REFERENCES app.sso_connection(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."sso_group"
  ADD CONSTRAINT "sso_group_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."sso_group"
  ADD CONSTRAINT "sso_group_role_id_fkey" FOREIGN KEY (org_id, role_id) REFERENCES app.role(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."sso_member"
  ADD CONSTRAINT "sso_member_connection_id_fkey" FOREIGN KEY (org_id, connection_id) REFERENCES app.sso_connection(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."sso_member"
  ADD CONSTRAINT "sso_member_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."sso_member"
  ADD CONSTRAINT "sso_member_user_id_fkey" FOREIGN KEY (org_id, user_id) REFERENCES app.membership(org_id, user_id) ON DELETE CASCADE;

CREATE INDEX departure_org_id_user_id_idx ON app.departure USING btree (org_id, user_id);

CREATE INDEX sso_group_org_id_role_id_idx ON app.sso_group USING btree (org_id, role_id);

CREATE INDEX sso_member_org_id_connection_id_idx ON app.sso_member USING btree (org_id, connection_id);

CREATE INDEX sso_member_user_id_idx ON app.sso_member USING btree (user_id, org_id);

CREATE TRIGGER _100_guard
  BEFORE INSERT ON app.departure
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_departure_guard();

CREATE TRIGGER _500_deprovision
  AFTER INSERT ON app.departure
  FOR EACH ROW
  WHEN ((new.how = 'deprovisioned'::text))
  EXECUTE FUNCTION authz.tg_deprovision();

CREATE TRIGGER _520_departure
  BEFORE DELETE ON app.membership
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_membership_departure();

CREATE TRIGGER _900_audit
  AFTER INSERT OR DELETE OR UPDATE ON app.sso_connection
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _050_in_person
  BEFORE INSERT OR DELETE OR UPDATE ON app.sso_group
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_person();

CREATE TRIGGER _100_guard
  BEFORE INSERT OR DELETE OR UPDATE ON app.sso_group
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_sso_group_guard();

CREATE TRIGGER _110_step_up
  BEFORE INSERT OR DELETE OR UPDATE ON app.sso_group
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_step_up('if_enrolled');

CREATE TRIGGER _900_audit
  AFTER INSERT OR DELETE OR UPDATE ON app.sso_group
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE POLICY "api_token_select_departing_owner" ON "app"."api_token"
  FOR SELECT
  TO "ringfence_owner"
  USING (((org_id IN ( SELECT authz.departing_org_ids() AS departing_org_ids)) AND (user_id IN ( SELECT authz.departing_user_ids() AS departing_user_ids))));

CREATE POLICY "api_token_update_departing_owner" ON "app"."api_token"
  FOR UPDATE
  TO "ringfence_owner"
  USING (((org_id IN ( SELECT authz.departing_org_ids() AS departing_org_ids)) AND (user_id IN ( SELECT authz.departing_user_ids() AS departing_user_ids))))
  WITH CHECK (((org_id IN ( SELECT authz.departing_org_ids() AS departing_org_ids)) AND (user_id IN ( SELECT authz.departing_user_ids() AS departing_user_ids))));

CREATE POLICY "departure_delete_nobody" ON "app"."departure"
  FOR DELETE
  TO "authenticated"
  USING (false);

CREATE POLICY "departure_floor" ON "app"."departure"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "departure_select_manager" ON "app"."departure"
  FOR SELECT
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('members.manage'::text) AS orgs_with))) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('members.deprovision'::text) AS
    orgs_with)))));

CREATE POLICY "departure_update_nobody" ON "app"."departure"
  FOR UPDATE
  TO "authenticated"
  USING (false)
  WITH CHECK (false);

CREATE POLICY "invitation_select_departing_owner" ON "app"."invitation"
  FOR SELECT
  TO "ringfence_owner"
  USING ((org_id IN ( SELECT authz.departing_org_ids() AS departing_org_ids)));

CREATE POLICY "invitation_update_departing_owner" ON "app"."invitation"
  FOR UPDATE
  TO "ringfence_owner"
  USING ((org_id IN ( SELECT authz.departing_org_ids() AS departing_org_ids)))
  WITH CHECK (((org_id IN ( SELECT authz.departing_org_ids() AS departing_org_ids)) AND (revoked_at IS NOT NULL)));

CREATE POLICY "membership_delete_departing_owner" ON "app"."membership"
  FOR DELETE
  TO "ringfence_owner"
  USING (((org_id IN ( SELECT authz.departing_org_ids() AS departing_org_ids)) AND (user_id IN ( SELECT authz.departing_user_ids() AS departing_user_ids))));

CREATE POLICY "membership_delete_sso_owner" ON "app"."membership"
  FOR DELETE
  TO "ringfence_owner"
  USING ((user_id = ( SELECT authz.uid() AS uid)));

CREATE POLICY "membership_select_departing_owner" ON "app"."membership"
  FOR SELECT
  TO "ringfence_owner"
  USING (((org_id IN ( SELECT authz.departing_org_ids() AS departing_org_ids)) AND (user_id IN ( SELECT authz.departing_user_ids() AS departing_user_ids))));

CREATE POLICY "membership_update_sso_owner" ON "app"."membership"
  FOR UPDATE
  TO "ringfence_owner"
  USING ((user_id = ( SELECT authz.uid() AS uid)))
  WITH CHECK ((user_id = ( SELECT authz.uid() AS uid)));

CREATE POLICY "organization_select_sso_owner" ON "app"."organization"
  FOR SELECT
  TO "ringfence_owner"
  USING ((id IN ( SELECT authz.sso_org_ids() AS sso_org_ids)));

CREATE POLICY "role_select_sso_owner" ON "app"."role"
  FOR SELECT
  TO "ringfence_owner"
  USING ((org_id IN ( SELECT authz.sso_org_ids() AS sso_org_ids)));

CREATE POLICY "run_select_departing_owner" ON "app"."run"
  FOR SELECT
  TO "ringfence_owner"
  USING (((user_id = ( SELECT authz.uid() AS uid)) OR (org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids)))));

CREATE POLICY "run_update_departing_owner" ON "app"."run"
  FOR UPDATE
  TO "ringfence_owner"
  USING (((status = 'running'::text) AND ((user_id = ( SELECT authz.uid() AS uid)) OR (org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))))
  WITH CHECK (((status = 'cancelled'::text) AND ((user_id = ( SELECT authz.uid() AS uid)) OR (org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))));

CREATE POLICY "sso_connection_delete_nobody" ON "app"."sso_connection"
  FOR DELETE
  TO "authenticated"
  USING (false);

CREATE POLICY "sso_connection_floor" ON "app"."sso_connection"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "sso_connection_insert_nobody" ON "app"."sso_connection"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (false);

CREATE POLICY "sso_connection_select_manager" ON "app"."sso_connection"
  FOR SELECT
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('organization.manage'::text) AS orgs_with))) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('members.manage'::text) AS
    orgs_with)))));

CREATE POLICY "sso_connection_select_owner" ON "app"."sso_connection"
  FOR SELECT
  TO "ringfence_owner"
  USING ((PROVIDER IN ( SELECT authz.sso_providers() AS sso_providers)));

CREATE POLICY "sso_connection_update_nobody" ON "app"."sso_connection"
  FOR UPDATE
  TO "authenticated"
  USING (false)
  WITH CHECK (false);

CREATE POLICY "sso_group_delete_manager" ON "app"."sso_group"
  FOR DELETE
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.orgs_with('organization.manage'::text) AS orgs_with))));

CREATE POLICY "sso_group_floor" ON "app"."sso_group"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "sso_group_select_manager" ON "app"."sso_group"
  FOR SELECT
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('organization.manage'::text) AS orgs_with))) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('members.manage'::text) AS
    orgs_with)))));

CREATE POLICY "sso_group_select_owner" ON "app"."sso_group"
  FOR SELECT
  TO "ringfence_owner"
  USING (((org_id IN ( SELECT authz.sso_org_ids() AS sso_org_ids)) AND (connection_id IN ( SELECT c.id
   FROM app.sso_connection c))));

CREATE POLICY "sso_group_update_manager" ON "app"."sso_group"
  FOR UPDATE
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.orgs_with('organization.manage'::text) AS orgs_with))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.orgs_with('organization.manage'::text) AS orgs_with))));

CREATE POLICY "sso_member_delete_nobody" ON "app"."sso_member"
  FOR DELETE
  TO "authenticated"
  USING (false);

CREATE POLICY "sso_member_floor" ON "app"."sso_member"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "sso_member_insert_nobody" ON "app"."sso_member"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (false);

CREATE POLICY "sso_member_insert_owner" ON "app"."sso_member"
  FOR INSERT
  TO "ringfence_owner"
  WITH CHECK ((user_id = ( SELECT authz.uid() AS uid)));

CREATE POLICY "sso_member_select_member" ON "app"."sso_member"
  FOR SELECT
  TO "authenticated"
  USING (((user_id = ( SELECT authz.uid() AS uid)) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('members.read'::text) AS orgs_with)))));

CREATE POLICY "sso_member_select_owner" ON "app"."sso_member"
  FOR SELECT
  TO "ringfence_owner"
  USING ((user_id = ( SELECT authz.uid() AS uid)));

CREATE POLICY "sso_member_update_nobody" ON "app"."sso_member"
  FOR UPDATE
  TO "authenticated"
  USING (false)
  WITH CHECK (false);

CREATE POLICY "ringfence_identities_select_owner" ON "auth"."identities"
  FOR SELECT
  TO "ringfence_owner"
  USING ((user_id = ( SELECT authz.uid() AS uid)));

COMMENT ON COLUMN "app"."departure"."ended_at" IS 'When.';

COMMENT ON COLUMN "app"."departure"."ended_in" IS 'The transaction that did it: in it alone the row is an order.';

COMMENT ON COLUMN "app"."departure"."how" IS 'deprovisioned: by this very row; removed: as a member is removed by hand.';

COMMENT ON COLUMN "app"."departure"."id" IS 'Random identifier.';

COMMENT ON COLUMN "app"."departure"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."departure"."runs_cancelled" IS 'How many of their runs a deprovisioning cancelled.';

COMMENT ON COLUMN "app"."departure"."tokens_revoked" IS 'How many of their API tokens for the organization it revoked.';

COMMENT ON COLUMN "app"."departure"."user_id" IS 'Whose membership it was.';

COMMENT ON COLUMN "app"."sso_connection"."created_at" IS 'Since when.';

COMMENT ON COLUMN "app"."sso_connection"."groups_claim" IS 'Under which name of custom_claims the provider tells the groups; 1..200 characters.';

COMMENT ON COLUMN "app"."sso_connection"."groups_max_age_hours" IS 'How long what it told holds; whoever has not signed in through it for longer is no member until they join again.';

COMMENT ON COLUMN "app"."sso_connection"."id" IS 'Random identifier.';

COMMENT ON COLUMN "app"."sso_connection"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."sso_connection"."provider" IS 'As in auth.identities: sso:<id> of a SAML provider, custom:<name> of an OpenID Connect provider. None that people of anywhere sign in with.';

COMMENT ON COLUMN "app"."sso_group"."connection_id" IS 'Whose group it is.';

COMMENT ON COLUMN "app"."sso_group"."created_at" IS 'When.';

COMMENT ON COLUMN "app"."sso_group"."id" IS 'Random identifier.';

COMMENT ON COLUMN "app"."sso_group"."name" IS 'The group as the provider writes it, letter by letter; 1..256 characters.';

COMMENT ON COLUMN "app"."sso_group"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."sso_group"."position" IS 'Of several groups of one person the one with the lowest counts.';

COMMENT ON COLUMN "app"."sso_group"."role_id" IS 'The role its members have.';

COMMENT ON COLUMN "app"."sso_member"."connection_id" IS 'Which provider tells their groups.';

COMMENT ON COLUMN "app"."sso_member"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."sso_member"."user_id" IS 'The member.';

COMMENT ON FUNCTION "api"."delete_sso_group"(uuid, uuid) IS 'Let a group give no role any more; who joined by single sign-on and has no other group is a member until their next sign-in or token refresh.

@audience app
@param org_id    the organization; needs organization.manage, every permission of the role and a recent second factor of your own
@param group_id  the group, as list_sso_groups gives it
@returns         {group_id}
@errors          22004, 42501, PT401, PT404
@effect          destructive';

COMMENT ON FUNCTION "api"."deprovision_member"(uuid, uuid) IS 'End a membership as a directory does: at once, with that person''s runs, API tokens for the organization, teams and open invitations. They do not come back by single sign-on until invited again. Also for service accounts, with an API token.

@audience app
@param org_id   the organization; needs members.read and members.deprovision, and members.manage with every permission of the member''s role in you or, for a service account, in who answers for it
@param user_id  the member; not an owner, nor you
@returns        {user_id, runs_cancelled, tokens_revoked, teams_left}
@errors         22004, 22023, 42501, PT401, PT404, PT409
@effect         destructive';

COMMENT ON FUNCTION "api"."join_by_sso"(uuid) IS 'Join an organization with the role your groups at its identity provider give; from then on your role follows your groups, at each sign-in and token refresh. A member whose role was given by hand gives that up.

@audience app
@param org_id  the organization, as list_sso_organizations gives it
@returns       {org_id, slug, name, role}
@errors        22004, 42501, PT401, PT404, PT409
@effect        write';

COMMENT ON FUNCTION "api"."list_sso_groups"(uuid) IS 'List the identity providers of an organization and which of their groups gives which role.

@audience app
@param org_id  the organization; needs organization.manage or members.manage
@returns       array of {connection_id, provider, groups_claim, groups_max_age_hours, group_id, group_name, role, position}; group_id, group_name, role and position are null for a provider without a group; by provider and position
@errors        22004
@effect        read';

COMMENT ON FUNCTION "api"."list_sso_organizations"() IS 'List the organizations you may join because of your groups at the identity provider you sign in through.

@audience app
@returns  array of {org_id, slug, name, role (the one you would have)}
@effect   read';

COMMENT ON FUNCTION "api"."set_sso_group"(uuid, uuid, text, text, integer) IS 'Say which role a group of your identity provider gives; members who joined by single sign-on have it from their next sign-in or token refresh on.

@audience app
@param org_id         the organization; needs organization.manage, every permission of the role and a recent second factor of your own
@param connection_id  the identity provider, as list_sso_groups gives it
@param group_name     the group as the provider writes it, letter by letter; 1..256 characters
@param role           name of a role of the organization, not owner
@param position       of several groups of one person the one with the lowest counts; 1..1000
@returns              {group_id, group_name, role, position}
@errors               22004, 22023, 42501, PT401, PT404, PT429
@effect               write';

COMMENT ON FUNCTION "authz"."departing_org_ids"() IS 'The organizations in which the person asking deprovisions somebody in this transaction.';

COMMENT ON FUNCTION "authz"."departing_user_ids"() IS 'Whom the person asking deprovisions in this transaction.';

COMMENT ON FUNCTION "authz"."is_departing"() IS 'Whether the trigger of a deprovisioning is at work, which a directory orders with an API token.';

COMMENT ON FUNCTION "authz"."join_by_group"(uuid) IS 'Make the person asking a member with the role their groups give at an identity provider of this organization, and let their role follow the groups; bound to authz.uid().';

COMMENT ON FUNCTION "authz"."sso_groups"(jsonb) IS 'The names of groups in what a provider told: a list of texts or one text; none in anything else (F09).';

COMMENT ON FUNCTION "authz"."sso_identities"() IS 'The identities of the signed-in person at identity providers of organizations, with what each told when they last signed in through it. For definer functions.';

COMMENT ON FUNCTION "authz"."sso_offers"() IS 'Which role the groups of the signed-in person give now, one an identity provider and organization. For definer functions.';

COMMENT ON FUNCTION "authz"."sso_org_ids"() IS 'The organizations whose identity provider the signed-in person has an identity of: those whose connection the owner role sees for them.';

COMMENT ON FUNCTION "authz"."sso_organizations"() IS 'The organizations that the person asking may join by single sign-on now, and the role they would have.';

COMMENT ON FUNCTION "authz"."sso_providers"() IS 'The identity providers of organizations that the signed-in person has an identity of. For policies of the owner role.';

COMMENT ON FUNCTION "authz"."sync_sso"() IS 'Let the memberships that the person whose token is made joined by single sign-on follow their groups: another role, or none and so the end. For the access token hook.';

COMMENT ON FUNCTION "authz"."tg_departure_guard"() IS 'Trigger: who deprovisions may, now, with a fresh second factor or an API token made for it; nobody takes a role that they, or whoever answers for them, could not take (42501), nor an owner''s (PT409).';

COMMENT ON FUNCTION "authz"."tg_deprovision"() IS 'Trigger: carry out a deprovisioning, whose guard has said that it may be.';

COMMENT ON FUNCTION "authz"."tg_membership_departure"() IS 'Trigger: with a membership end the runs of that person there; that somebody else ended it is noted.';

COMMENT ON FUNCTION "authz"."tg_sso_group_guard"() IS 'Trigger: nobody lets a group give, or no longer give, a role beyond their own permissions, nor the owner''s (42501); at most 500 groups (PT429).';

COMMENT ON POLICY "api_token_select_departing_owner" ON "app"."api_token" IS 'A deprovisioning finds the API tokens of whom it is about.';

COMMENT ON POLICY "api_token_update_departing_owner" ON "app"."api_token" IS 'A deprovisioning revokes them.';

COMMENT ON POLICY "departure_delete_nobody" ON "app"."departure" IS 'The record stays.';

COMMENT ON POLICY "departure_floor" ON "app"."departure" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "departure_select_manager" ON "app"."departure" IS 'members.manage and members.deprovision see who was sent away.';

COMMENT ON POLICY "departure_update_nobody" ON "app"."departure" IS 'The record stays as it is.';

COMMENT ON POLICY "invitation_select_departing_owner" ON "app"."invitation" IS 'A deprovisioning finds the invitations to whom it is about.';

COMMENT ON POLICY "invitation_update_departing_owner" ON "app"."invitation" IS 'A deprovisioning revokes those still open.';

COMMENT ON POLICY "membership_delete_departing_owner" ON "app"."membership" IS 'A deprovisioning ends that membership and no other.';

COMMENT ON POLICY "membership_delete_sso_owner" ON "app"."membership" IS 'The membership of the person whose token is made ends when no group of theirs gives a role any more.';

COMMENT ON POLICY "membership_select_departing_owner" ON "app"."membership" IS 'A deprovisioning finds the membership it is about.';

COMMENT ON POLICY "membership_update_sso_owner" ON "app"."membership" IS 'The role of the person whose token is made, or who joins, follows their groups.';

COMMENT ON POLICY "organization_select_sso_owner" ON "app"."organization" IS 'Joining sees the organizations whose identity provider the person has an identity of.';

COMMENT ON POLICY "role_select_sso_owner" ON "app"."role" IS 'Joining names the role it would give.';

COMMENT ON POLICY "run_select_departing_owner" ON "app"."run" IS 'The end of a membership finds what still runs for that person.';

COMMENT ON POLICY "run_update_departing_owner" ON "app"."run" IS 'The end of a membership cancels what still runs for that person.';

COMMENT ON POLICY "sso_connection_delete_nobody" ON "app"."sso_connection" IS 'As for insert.';

COMMENT ON POLICY "sso_connection_floor" ON "app"."sso_connection" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "sso_connection_insert_nobody" ON "app"."sso_connection" IS 'The operator says whose a provider is.';

COMMENT ON POLICY "sso_connection_select_manager" ON "app"."sso_connection" IS 'organization.manage and members.manage see which providers there are.';

COMMENT ON POLICY "sso_connection_select_owner" ON "app"."sso_connection" IS 'Joining and the token hook see the connections of providers the person has an identity of.';

COMMENT ON POLICY "sso_connection_update_nobody" ON "app"."sso_connection" IS 'As for insert.';

COMMENT ON POLICY "sso_group_delete_manager" ON "app"."sso_group" IS 'As for insert.';

COMMENT ON POLICY "sso_group_floor" ON "app"."sso_group" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "sso_group_select_manager" ON "app"."sso_group" IS 'organization.manage and members.manage see which group gives which role.';

COMMENT ON POLICY "sso_group_select_owner" ON "app"."sso_group" IS 'Joining and the token hook see what the groups of the person''s own providers give.';

COMMENT ON POLICY "sso_group_update_manager" ON "app"."sso_group" IS 'As for insert.';

COMMENT ON POLICY "sso_member_delete_nobody" ON "app"."sso_member" IS 'It goes with the membership.';

COMMENT ON POLICY "sso_member_floor" ON "app"."sso_member" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "sso_member_insert_nobody" ON "app"."sso_member" IS 'Through api.join_by_sso only.';

COMMENT ON POLICY "sso_member_insert_owner" ON "app"."sso_member" IS 'Joining is bound to the person asking.';

COMMENT ON POLICY "sso_member_select_member" ON "app"."sso_member" IS 'One sees whether one''s own role follows groups; members.read sees the organization''s.';

COMMENT ON POLICY "sso_member_select_owner" ON "app"."sso_member" IS 'The token hook sees whose token it makes.';

COMMENT ON POLICY "sso_member_update_nobody" ON "app"."sso_member" IS 'It goes with the membership, and comes again with it.';

COMMENT ON TABLE "app"."departure" IS 'The record of memberships ended by somebody else; for a deprovisioning also the order to do it.';

COMMENT ON TABLE "app"."sso_connection" IS 'That an identity provider is this organization''s. Written by the operator, who registers providers with Supabase Auth and knows whose they are.';

COMMENT ON TABLE "app"."sso_group" IS 'Which role a group of the identity provider gives.';

COMMENT ON TABLE "app"."sso_member" IS 'Whose role follows their groups. Without a row a member is one like any other.';

REVOKE ALL ON FUNCTION "api"."delete_sso_group"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."delete_sso_group"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."delete_sso_group"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."delete_sso_group"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."deprovision_member"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."deprovision_member"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."deprovision_member"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."deprovision_member"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."join_by_sso"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."join_by_sso"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."join_by_sso"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."join_by_sso"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_sso_groups"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_sso_groups"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_sso_groups"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_sso_groups"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_sso_organizations"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_sso_organizations"() TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_sso_organizations"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_sso_organizations"() TO "postgres";

REVOKE ALL ON FUNCTION "api"."set_sso_group"(uuid, uuid, text, text, integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."set_sso_group"(uuid, uuid, text, text, integer) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."set_sso_group"(uuid, uuid, text, text, integer) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."set_sso_group"(uuid, uuid, text, text, integer) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."departing_org_ids"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."departing_org_ids"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."departing_org_ids"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."departing_org_ids"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."departing_user_ids"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."departing_user_ids"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."departing_user_ids"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."departing_user_ids"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."is_departing"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."is_departing"() TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."is_departing"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."is_departing"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."is_departing"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."join_by_group"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."join_by_group"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."join_by_group"(uuid) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."join_by_group"(uuid) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."sso_groups"(jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."sso_groups"(jsonb) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."sso_groups"(jsonb) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."sso_groups"(jsonb) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."sso_identities"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."sso_identities"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."sso_identities"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."sso_identities"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."sso_offers"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."sso_offers"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."sso_offers"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."sso_offers"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."sso_org_ids"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."sso_org_ids"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."sso_org_ids"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."sso_org_ids"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."sso_organizations"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."sso_organizations"() TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."sso_organizations"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."sso_organizations"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."sso_providers"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."sso_providers"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."sso_providers"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."sso_providers"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."sync_sso"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."sync_sso"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."sync_sso"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."sync_sso"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."tg_departure_guard"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_departure_guard"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_departure_guard"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_deprovision"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_deprovision"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."tg_deprovision"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."tg_membership_departure"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_membership_departure"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."tg_membership_departure"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."tg_sso_group_guard"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_sso_group_guard"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_sso_group_guard"() TO "postgres";

REVOKE ALL ("revoked_at") ON TABLE "app"."api_token" FROM "ringfence_owner";

GRANT UPDATE ("revoked_at") ON TABLE "app"."api_token" TO "ringfence_owner";

GRANT INSERT ("org_id") ON TABLE "app"."departure" TO "authenticated";

GRANT INSERT ("user_id") ON TABLE "app"."departure" TO "authenticated";

GRANT SELECT ON TABLE "app"."departure" TO "authenticated";

GRANT INSERT ("how") ON TABLE "app"."departure" TO "ringfence_owner";

GRANT INSERT ("org_id") ON TABLE "app"."departure" TO "ringfence_owner";

GRANT UPDATE ("runs_cancelled") ON TABLE "app"."departure" TO "ringfence_owner";

GRANT UPDATE ("tokens_revoked") ON TABLE "app"."departure" TO "ringfence_owner";

GRANT INSERT ("user_id") ON TABLE "app"."departure" TO "ringfence_owner";

GRANT SELECT ON TABLE "app"."departure" TO "ringfence_owner";

REVOKE ALL ON TABLE "app"."membership" FROM "ringfence_owner";

REVOKE ALL ("org_id") ON TABLE "app"."membership" FROM "ringfence_owner";

GRANT INSERT ("org_id") ON TABLE "app"."membership" TO "ringfence_owner";

REVOKE ALL ("role_id") ON TABLE "app"."membership" FROM "ringfence_owner";

GRANT INSERT ("role_id"), UPDATE ("role_id") ON TABLE "app"."membership" TO "ringfence_owner";

REVOKE ALL ("service_owner_id") ON TABLE "app"."membership" FROM "ringfence_owner";

GRANT INSERT ("service_owner_id") ON TABLE "app"."membership" TO "ringfence_owner";

REVOKE ALL ("service_owner_role_id") ON TABLE "app"."membership" FROM "ringfence_owner";

GRANT INSERT ("service_owner_role_id") ON TABLE "app"."membership" TO "ringfence_owner";

REVOKE ALL ("service_owner_status") ON TABLE "app"."membership" FROM "ringfence_owner";

GRANT INSERT ("service_owner_status") ON TABLE "app"."membership" TO "ringfence_owner";

REVOKE ALL ("user_id") ON TABLE "app"."membership" FROM "ringfence_owner";

GRANT INSERT ("user_id") ON TABLE "app"."membership" TO "ringfence_owner";

GRANT DELETE, SELECT ON TABLE "app"."membership" TO "ringfence_owner";

REVOKE ALL ("error_code") ON TABLE "app"."run" FROM "ringfence_owner";

GRANT UPDATE ("error_code") ON TABLE "app"."run" TO "ringfence_owner";

REVOKE ALL ("finished_at") ON TABLE "app"."run" FROM "ringfence_owner";

GRANT UPDATE ("finished_at") ON TABLE "app"."run" TO "ringfence_owner";

REVOKE ALL ("org_id") ON TABLE "app"."run" FROM "ringfence_owner";

GRANT SELECT ("org_id") ON TABLE "app"."run" TO "ringfence_owner";

REVOKE ALL ("status") ON TABLE "app"."run" FROM "ringfence_owner";

GRANT SELECT ("status"), UPDATE ("status") ON TABLE "app"."run" TO "ringfence_owner";

REVOKE ALL ("user_id") ON TABLE "app"."run" FROM "ringfence_owner";

GRANT SELECT ("user_id") ON TABLE "app"."run" TO "ringfence_owner";

GRANT SELECT ON TABLE "app"."sso_connection" TO "authenticated", "ringfence_owner";

GRANT INSERT ("connection_id") ON TABLE "app"."sso_group" TO "authenticated";

GRANT INSERT ("name") ON TABLE "app"."sso_group" TO "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."sso_group" TO "authenticated";

GRANT INSERT ("position"), UPDATE ("position") ON TABLE "app"."sso_group" TO "authenticated";

GRANT INSERT ("role_id"), UPDATE ("role_id") ON TABLE "app"."sso_group" TO "authenticated";

GRANT DELETE, SELECT ON TABLE "app"."sso_group" TO "authenticated";

GRANT SELECT ON TABLE "app"."sso_group" TO "ringfence_owner";

GRANT SELECT ON TABLE "app"."sso_member" TO "authenticated";

GRANT INSERT ("connection_id") ON TABLE "app"."sso_member" TO "ringfence_owner";

GRANT INSERT ("org_id") ON TABLE "app"."sso_member" TO "ringfence_owner";

GRANT INSERT ("user_id") ON TABLE "app"."sso_member" TO "ringfence_owner";

GRANT SELECT ON TABLE "app"."sso_member" TO "ringfence_owner";

CREATE POLICY "departure_insert_directory" ON "app"."departure"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (((ended_by = ( SELECT authz.uid() AS uid)) AND (org_id = ANY (ARRAY( SELECT authz.orgs_with('members.deprovision'::text) AS orgs_with)))));

CREATE POLICY "departure_insert_owner" ON "app"."departure"
  FOR INSERT
  TO "ringfence_owner"
  WITH CHECK (((ended_by = ( SELECT authz.uid() AS uid)) AND (how = 'removed'::text)));

CREATE POLICY "departure_select_owner" ON "app"."departure"
  FOR SELECT
  TO "ringfence_owner"
  USING (((ended_by = ( SELECT authz.uid() AS uid)) OR (user_id = ( SELECT authz.uid() AS uid))));

CREATE POLICY "departure_update_owner" ON "app"."departure"
  FOR UPDATE
  TO "ringfence_owner"
  USING (((ended_by = ( SELECT authz.uid() AS uid)) AND (ended_in = pg_current_xact_id_if_assigned())))
  WITH CHECK (((ended_by = ( SELECT authz.uid() AS uid)) AND (ended_in = pg_current_xact_id_if_assigned())));

COMMENT ON COLUMN "app"."departure"."ended_by" IS 'Who ended it.';

COMMENT ON POLICY "departure_insert_directory" ON "app"."departure" IS 'members.deprovision orders it, in its own name, within what the guard trigger lets it take.';

COMMENT ON POLICY "departure_insert_owner" ON "app"."departure" IS 'The trigger notes a removal by hand in the name of who removes.';

COMMENT ON POLICY "departure_select_owner" ON "app"."departure" IS 'The triggers see what the person asking ended, joining by single sign-on whether they were sent away.';

COMMENT ON POLICY "departure_update_owner" ON "app"."departure" IS 'The trigger fills in what this transaction cancelled and revoked.';

CREATE POLICY "sso_group_insert_manager" ON "app"."sso_group"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (((created_by = ( SELECT authz.uid() AS uid)) AND (org_id = ANY (ARRAY( SELECT authz.orgs_with('organization.manage'::text) AS orgs_with)))));

COMMENT ON COLUMN "app"."sso_group"."created_by" IS 'Who said so first.';

COMMENT ON POLICY "sso_group_insert_manager" ON "app"."sso_group" IS 'organization.manage says so, within what the guard trigger lets it give.';

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
