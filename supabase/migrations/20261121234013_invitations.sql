-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

DROP POLICY "membership_insert_manager" ON "app"."membership";

DROP FUNCTION "api"."add_member"(uuid, uuid, text);

CREATE TABLE "app"."invitation" (
  "org_id"          uuid                     NOT NULL,
  "id"              uuid                     NOT NULL DEFAULT gen_random_uuid(),
  "email"           text                     NOT NULL,
  "role_id"         uuid                     NOT NULL,
  "token_sha256"    text                     NOT NULL,
  "inviter_role_id" uuid,
  "inviter_status"  text,
  "created_at"      timestamp with time zone NOT NULL DEFAULT now(),
  "expires_at"      timestamp with time zone NOT NULL,
  "accepted_at"     timestamp with time zone,
  "accepted_by"     uuid,
  "revoked_at"      timestamp with time zone,
  CONSTRAINT "invitation_accepted_check" CHECK (((accepted_at IS NULL) = (accepted_by IS NULL))),
  CONSTRAINT "invitation_email_check"
    CHECK (((email = lower(email)) AND ((char_length(email) >= 3) AND (char_length(email) <= 254)) AND (email ~ '^[^[:space:]@]+@[^[:space:]@]+$'::text))),
  CONSTRAINT "invitation_expires_at_check" CHECK ((expires_at > created_at)),
  CONSTRAINT "invitation_pkey" PRIMARY KEY (org_id, id),
  CONSTRAINT "invitation_token_sha256_check" CHECK ((token_sha256 ~ '^[0-9a-f]{64}$'::text)),
  "created_by"      uuid                     NOT NULL DEFAULT authz.uid()
);

ALTER TABLE "app"."invitation"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."invitation"
  FORCE ROW LEVEL SECURITY;

CREATE OR REPLACE FUNCTION api.accept_invitation (
  token text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_joined jsonb;
begin
  perform authz.require(char_length(accept_invitation.token) between 1 and 200, 'token: 1..200 characters');
  v_joined := authz.join_by_invitation(accept_invitation.token);
  return (
    select jsonb_build_object('org_id', o.id, 'slug', o.slug, 'name', o.name, 'role', r.name)
    from app.organization o join app.role r on r.org_id = o.id and r.id = (v_joined ->> 'role_id')::uuid
    where o.id = (v_joined ->> 'org_id')::uuid);
end
$function$;

CREATE OR REPLACE FUNCTION api.create_invitation (
  org_id           uuid,
  email            text,
  role             text,
  expires_in_hours integer DEFAULT 168
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_email text := lower(btrim(create_invitation.email));
  v_token text := authz.new_invitation_token();
  v_sha256 text := encode(sha256(convert_to(v_token, 'UTF8')), 'hex');
begin
  perform authz.require_org(create_invitation.org_id);
  perform authz.require(char_length(v_email) between 3 and 254 and v_email ~ '^[^[:space:]@]+@[^[:space:]@]+$', 'email: an address of 3..254 characters');
  perform authz.require(create_invitation.expires_in_hours between 1 and 720, 'expires_in_hours: 1..720');
  perform authz.lock_organization(create_invitation.org_id);
  -- Told to those only who see the members: without that right nothing is found here.
  if exists (select from app.invitation i join app.membership m on m.org_id = i.org_id and m.user_id = i.accepted_by
    where i.org_id = create_invitation.org_id and i.email = v_email)
  then
    raise sqlstate 'PT409' using message = 'already a member';
  end if;
  insert into app.invitation (org_id, email, role_id, token_sha256, expires_at)
  values (create_invitation.org_id, v_email, authz.role_named(create_invitation.org_id, create_invitation.role), v_sha256,
    now() + make_interval(hours => create_invitation.expires_in_hours));
  return (
    select jsonb_build_object('id', i.id, 'email', i.email, 'role', create_invitation.role, 'token', v_token, 'expires_at', i.expires_at)
    from app.invitation i where i.org_id = create_invitation.org_id and i.token_sha256 = v_sha256);
end
$function$;

CREATE OR REPLACE FUNCTION api.list_invitations (
  org_id uuid
)
  RETURNS TABLE (
    id          uuid,
    email       text,
    role        text,
    state       text,
    created_by  uuid,
    created_at  timestamp with time zone,
    expires_at  timestamp with time zone,
    accepted_by uuid
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_invitations.org_id);
  return query
    select i.id, i.email, r.name,
      case when i.accepted_at is not null then 'accepted' when i.revoked_at is not null then 'revoked' when i.expires_at <= now() then 'expired' else 'open' end,
      i.created_by, i.created_at, i.expires_at, i.accepted_by
    from app.invitation i join app.role r on r.org_id = i.org_id and r.id = i.role_id
    where i.org_id = list_invitations.org_id
    order by i.created_at desc, i.id
    limit 1000;
end
$function$;

CREATE OR REPLACE FUNCTION api.revoke_invitation (
  org_id        uuid,
  invitation_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(revoke_invitation.org_id);
  perform authz.lock_organization(revoke_invitation.org_id);
  update app.invitation i set revoked_at = now()
  where i.org_id = revoke_invitation.org_id and i.id = revoke_invitation.invitation_id and i.accepted_at is null and i.revoked_at is null;
  if not found then
    raise sqlstate 'PT404' using message = 'no such open invitation, or not yours to revoke';
  end if;
  return jsonb_build_object('id', revoke_invitation.invitation_id);
end
$function$;

CREATE OR REPLACE FUNCTION authz.invitation_lasts_at_most()
  RETURNS interval
  LANGUAGE sql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
RETURN '30 days'::interval;

CREATE OR REPLACE FUNCTION authz.inviting_org_ids()
  RETURNS SETOF uuid
  LANGUAGE sql
  STABLE
  ROWS 1
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select i.org_id from app.invitation i
  where i.email = (select authz.verified_email()) and i.accepted_at is null and i.revoked_at is null and i.expires_at > now()
$function$;

CREATE OR REPLACE FUNCTION authz.join_by_invitation (
  token text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_sha256 text := encode(sha256(convert_to(join_by_invitation.token, 'UTF8')), 'hex');
  v_invitation app.invitation%rowtype;
  v_require_mfa boolean;
begin
  perform authz.require_person();
  if current_setting('transaction_isolation') <> 'read committed' then
    raise sqlstate '25001' using message = 'members are changed in a transaction of isolation level read committed';
  end if;
  -- Of invitations to other addresses the policy shows none: a foreign token is an unknown one.
  select i.* into v_invitation from app.invitation i where i.token_sha256 = v_sha256;
  if v_invitation.id is not null then
    -- In line with whoever revokes it, accepts it too, or changes the inviter or the role; then looked at again.
    perform pg_advisory_xact_lock(hashtextextended(v_invitation.org_id::text, 0));
    select i.* into v_invitation from app.invitation i
    where i.org_id = v_invitation.org_id and i.id = v_invitation.id
      and i.accepted_at is null and i.revoked_at is null and i.expires_at > now()
      and i.inviter_status = 'active'
      -- A token made for one organization joins no other.
      and (not (authz.claims() ? 'org_id') or i.org_id::text = authz.claims() ->> 'org_id')
      -- What the inviter could not give now, nobody takes (F12).
      and exists (select from app.role_permission p
        where p.org_id = i.org_id and p.role_id = i.inviter_role_id and p.permission = 'members.manage')
      and not exists (select from app.role_permission p
        where p.org_id = i.org_id and p.role_id = i.role_id and p.permission not in (
          select held.permission from app.role_permission held where held.org_id = i.org_id and held.role_id = i.inviter_role_id));
  end if;
  select o.require_mfa into v_require_mfa from app.organization o where o.id = v_invitation.org_id and o.suspended_at is null;
  if v_require_mfa is null then
    raise sqlstate 'PT404' using message = 'no such invitation to you, or it is over';
  end if;
  if v_require_mfa and not authz.is_aal2() then
    raise sqlstate 'PT401' using message = 'this organization asks for a second factor: sign in with yours, or enrol one first';
  end if;
  if exists (select from app.membership m where m.org_id = v_invitation.org_id and m.user_id = authz.uid()) then
    raise sqlstate 'PT409' using message = 'already a member';
  end if;
  insert into app.membership (org_id, user_id, role_id) values (v_invitation.org_id, authz.uid(), v_invitation.role_id);
  update app.invitation i set accepted_at = now(), accepted_by = authz.uid()
  where i.org_id = v_invitation.org_id and i.id = v_invitation.id;
  update app.invitation i set revoked_at = now()
  where i.org_id = v_invitation.org_id and i.email = v_invitation.email and i.accepted_at is null and i.revoked_at is null;
  return jsonb_build_object('org_id', v_invitation.org_id, 'role_id', v_invitation.role_id);
end
$function$;

ALTER FUNCTION "authz"."join_by_invitation"(text) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.new_invitation_token()
  RETURNS text
  LANGUAGE sql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  -- Three random identifiers carry 366 random bits; their digest is 32 bytes with nothing left of the fixed ones.
  select 'rfi_' || translate(rtrim(encode(sha256(
    uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'base64'), '='), '+/', '-_')
$function$;

CREATE OR REPLACE FUNCTION authz.require_role (
  org_id  uuid,
  role_id uuid
)
  RETURNS void
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_built_in boolean := (select r.built_in from app.role r where r.org_id = require_role.org_id and r.id = require_role.role_id);
begin
  perform authz.require_person();
  if v_built_in is null then
    raise sqlstate 'PT404' using message = 'no such role in this organization';
  elsif v_built_in then
    raise sqlstate '42501' using message = 'built-in roles stay as they are: make a role of your own';
  elsif not require_role.org_id = any (array(select authz.orgs_with('roles.manage'))) then
    raise sqlstate '42501' using message = 'changing roles needs roles.manage';
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_invitation_guard()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform pg_advisory_xact_lock(hashtextextended(new.org_id::text, 0));
  if row_security_active('app.invitation') and current_user <> 'ringfence_owner' then
    if current_setting('transaction_isolation') <> 'read committed' then
      raise sqlstate '25001' using message = 'members are changed in a transaction of isolation level read committed';
    end if;
    if (new.org_id = any (array(select authz.orgs_with('members.manage')))) is not true then
      raise sqlstate '42501' using message = 'giving and taking roles needs members.manage';
    end if;
    if tg_op = 'UPDATE' then
      -- Revoked is for good, and since then.
      new.revoked_at := case when old.revoked_at is not null then old.revoked_at when new.revoked_at is not null then now() end;
      return new;
    end if;
    if exists (select from app.role_permission p
      where p.org_id = new.org_id and p.role_id = new.role_id and not new.org_id = any (array(select authz.orgs_with(p.permission))))
    then
      raise sqlstate '42501' using message = 'you can give or take only roles whose permissions you hold yourself';
    end if;
    perform authz.require(new.expires_at <= now() + authz.invitation_lasts_at_most(), 'expires_in_hours: 1..720');
    if (select count(*) from app.invitation i
      where i.org_id = new.org_id and i.accepted_at is null and i.revoked_at is null and i.expires_at > now()) >= 500
    then
      raise sqlstate 'PT429' using message = 'an organization has at most 500 open invitations: revoke some';
    end if;
    select m.role_id, m.status into strict new.inviter_role_id, new.inviter_status
    from app.membership m where m.org_id = new.org_id and m.user_id = new.created_by;
  end if;
  return new;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_membership_guard()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_org uuid := case when tg_op = 'INSERT' then new.org_id else old.org_id end;
begin
  -- Changes of one organization's members are put in line, so that nobody's own place goes while it is being looked at.
  perform pg_advisory_xact_lock(hashtextextended(v_org::text, 0));
  -- Where policies do not apply (an operator, a restore) or the founder takes the first seat, there is no granter to bound.
  if row_security_active('app.membership') and current_user <> 'ringfence_owner' then
    -- What waited in that line must see what was committed meanwhile.
    if current_setting('transaction_isolation') <> 'read committed' then
      raise sqlstate '25001' using message = 'members are changed in a transaction of isolation level read committed';
    end if;
    -- The policy asked the same when the statement began; by now the right may be gone (R46). Leaving needs none.
    if (v_org = any (array(select authz.orgs_with('members.manage')))) is not true and not coalesce(tg_op = 'DELETE' and old.user_id = authz.uid(), false) then
      raise sqlstate '42501' using message = 'giving and taking roles needs members.manage';
    end if;
    -- A granter must hold every permission of the role it gives, and of the role it takes away (F12). Someone whose own place
    -- is gone, perhaps by this very statement, no longer sees any of this and is refused.
    if (v_org = any (array(select authz.org_ids()))) is not true or exists (
      select from app.role_permission p
      where p.org_id = v_org
        and (tg_op <> 'INSERT' and p.role_id = old.role_id or tg_op <> 'DELETE' and p.role_id = new.role_id)
        and not v_org = any (array(select authz.orgs_with(p.permission))))
    then
      raise sqlstate '42501' using message = 'you can give or take only roles whose permissions you hold yourself';
    end if;
  end if;
  if tg_op <> 'INSERT' and old.status = 'active' and exists (
    select from app.role r where r.org_id = v_org and r.id = old.role_id and r.name = 'owner' and r.built_in)
  then
    if tg_op = 'DELETE' or new.role_id <> old.role_id or new.status <> 'active' then
      -- One who is suspended could not act as one.
      if not exists (select from app.membership m
        where m.org_id = v_org and m.role_id = old.role_id and m.user_id <> old.user_id and m.status = 'active')
      then
        raise sqlstate 'PT409' using message = 'an organization keeps at least one owner';
      end if;
    end if;
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_revoke_invitations()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  update app.invitation i set revoked_at = now()
  where i.org_id = old.org_id and i.accepted_at is null and i.revoked_at is null
    and i.email in (select a.email from app.invitation a where a.org_id = old.org_id and a.accepted_by = old.user_id);
  return old;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_role_guard()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_row jsonb := case when tg_op = 'DELETE' then to_jsonb(old) else to_jsonb(new) end;
  v_org uuid := (v_row ->> 'org_id')::uuid;
  v_role uuid := coalesce(v_row ->> 'role_id', v_row ->> 'id')::uuid;
begin
  perform pg_advisory_xact_lock(hashtextextended(v_org::text, 0));
  -- Where policies do not apply (an operator, a foreign key at work) or the founder gets the built-in roles, there is nobody to bound.
  if row_security_active(tg_relid) and current_user <> 'ringfence_owner' then
    if current_setting('transaction_isolation') <> 'read committed' then
      raise sqlstate '25001' using message = 'roles are changed in a transaction of isolation level read committed';
    end if;
    if (v_org = any (array(select authz.orgs_with('roles.manage')))) is not true then
      raise sqlstate '42501' using message = 'changing roles needs roles.manage';
    end if;
    if exists (select from app.role r where r.org_id = v_org and r.id = v_role and r.built_in) then
      raise sqlstate '42501' using message = 'built-in roles stay as they are: make a role of your own';
    end if;
    if exists (
      select from (
        select p.permission from app.role_permission p where p.org_id = v_org and p.role_id = v_role
        union all
        select v_row ->> 'permission' where v_row ? 'permission'
      ) carried
      where not v_org = any (array(select authz.orgs_with(carried.permission))))
    then
      raise sqlstate '42501' using message = 'you can change only roles whose permissions you hold yourself, and add only those';
    end if;
    if tg_op = 'INSERT' and tg_table_name = 'role' and (select count(*) from app.role r where r.org_id = v_org and not r.built_in) >= 100 then
      raise sqlstate 'PT429' using message = 'an organization has at most 100 roles of its own';
    end if;
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end
$function$;

CREATE OR REPLACE FUNCTION authz.verified_email()
  RETURNS text
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
BEGIN ATOMIC
 SELECT lower((u.email)::text)
  AS lower
    FROM auth.users u
   WHERE ((u.id = ( SELECT authz.uid() AS uid)) AND (u.email_confirmed_at IS NOT NULL));
END;

ALTER FUNCTION "authz"."verified_email"() OWNER TO "ringfence_owner";

ALTER TABLE "app"."invitation"
  ADD CONSTRAINT "invitation_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."invitation"
  ADD CONSTRAINT "invitation_role_id_fkey" FOREIGN KEY (org_id, role_id) REFERENCES app.role(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."membership"
  ADD CONSTRAINT "membership_standing_key" UNIQUE (org_id, user_id, role_id, status);

CREATE INDEX invitation_email_idx ON app.invitation USING btree (email);

CREATE INDEX invitation_org_id_role_id_idx ON app.invitation USING btree (org_id, role_id);

CREATE TRIGGER _050_in_person
  BEFORE INSERT OR UPDATE OF revoked_at ON app.invitation
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_person();

CREATE TRIGGER _100_guard
  BEFORE INSERT OR UPDATE OF revoked_at ON app.invitation
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_invitation_guard();

CREATE TRIGGER _110_step_up
  BEFORE INSERT OR UPDATE OF revoked_at ON app.invitation
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_step_up('if_enrolled');

CREATE TRIGGER _900_audit
  AFTER INSERT OR DELETE OR UPDATE OF accepted_at, revoked_at ON app.invitation
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _500_revoke_invitations
  BEFORE DELETE ON app.membership
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_revoke_invitations();

CREATE POLICY "invitation_delete_nobody" ON "app"."invitation"
  FOR DELETE
  TO "authenticated"
  USING (false);

CREATE POLICY "invitation_floor" ON "app"."invitation"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "invitation_select_manager" ON "app"."invitation"
  FOR SELECT
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.orgs_with('members.manage'::text) AS orgs_with))));

CREATE POLICY "invitation_select_owner" ON "app"."invitation"
  FOR SELECT
  TO "ringfence_owner"
  USING ((email = ( SELECT authz.verified_email() AS verified_email)));

CREATE POLICY "invitation_update_manager" ON "app"."invitation"
  FOR UPDATE
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.orgs_with('members.manage'::text) AS orgs_with))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.orgs_with('members.manage'::text) AS orgs_with))));

CREATE POLICY "invitation_update_owner" ON "app"."invitation"
  FOR UPDATE
  TO "ringfence_owner"
  USING ((email = ( SELECT authz.verified_email() AS verified_email)))
  WITH CHECK ((email = ( SELECT authz.verified_email() AS verified_email)));

CREATE POLICY "membership_insert_manager" ON "app"."membership"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (((org_id = ANY (ARRAY( SELECT authz.orgs_with('members.manage'::text) AS orgs_with))) AND (service_owner_id = ( SELECT authz.uid() AS uid))));

CREATE POLICY "organization_select_invited_owner" ON "app"."organization"
  FOR SELECT
  TO "ringfence_owner"
  USING ((id IN ( SELECT authz.inviting_org_ids() AS inviting_org_ids)));

CREATE POLICY "role_permission_select_invited_owner" ON "app"."role_permission"
  FOR SELECT
  TO "ringfence_owner"
  USING ((org_id IN ( SELECT authz.inviting_org_ids() AS inviting_org_ids)));

COMMENT ON COLUMN "app"."invitation"."accepted_at" IS 'When it was accepted, or null.';

COMMENT ON COLUMN "app"."invitation"."accepted_by" IS 'Who accepted it, or null.';

COMMENT ON COLUMN "app"."invitation"."created_at" IS 'Since when.';

COMMENT ON COLUMN "app"."invitation"."email" IS 'Whom it is for, in lower case; 3..254 characters.';

COMMENT ON COLUMN "app"."invitation"."expires_at" IS 'Until when it can be accepted.';

COMMENT ON COLUMN "app"."invitation"."id" IS 'Random identifier.';

COMMENT ON COLUMN "app"."invitation"."inviter_role_id" IS 'A copy of the inviter''s role, held equal by the foreign key; null once they are gone.';

COMMENT ON COLUMN "app"."invitation"."inviter_status" IS 'A copy of the inviter''s standing, held equal by the foreign key; null once they are gone.';

COMMENT ON COLUMN "app"."invitation"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."invitation"."revoked_at" IS 'When it was revoked, or null.';

COMMENT ON COLUMN "app"."invitation"."role_id" IS 'The role it gives.';

COMMENT ON COLUMN "app"."invitation"."token_sha256" IS 'SHA-256 of the token, hexadecimal. The token itself is nowhere.';

COMMENT ON FUNCTION "api"."accept_invitation"(text) IS 'Join the organization that invited you, signed in with the confirmed e-mail address it invited.

@audience app
@param token  as the invitation gave it; 1..200 characters
@returns      {org_id, slug, name, role}
@errors       22023, 42501, PT401, PT404, PT409
@effect       write';

COMMENT ON FUNCTION "api"."create_invitation"(uuid, text, text, integer) IS 'Invite somebody by e-mail address, with a role whose permissions you hold yourself; hand them the token, which is shown this once.

@audience app
@param org_id            the organization; needs members.manage
@param email             address of the account that may accept; 3..254 characters
@param role              name of a role of the organization
@param expires_in_hours  how long it can be accepted; 1..720
@returns                 {id, email, role, token, expires_at}
@errors                  22004, 22023, 42501, PT401, PT404, PT409, PT429
@effect                  write';

COMMENT ON FUNCTION "api"."list_invitations"(uuid) IS 'List the invitations of an organization, the newest thousand; needs members.manage.

@audience app
@param org_id  the organization
@returns       array of {id, email, role, state (open, accepted, revoked, expired), created_by, created_at, expires_at, accepted_by}; newest first
@errors        22004
@effect        read';

COMMENT ON FUNCTION "api"."revoke_invitation"(uuid, uuid) IS 'Revoke an invitation that was not accepted yet.

@audience app
@param org_id         the organization; needs members.manage
@param invitation_id  the invitation
@returns              {id}
@errors               22004, 42501, PT401, PT404
@effect               write';

COMMENT ON FUNCTION "authz"."invitation_lasts_at_most"() IS 'How long an invitation may be made to last. The one place that says so.';

COMMENT ON FUNCTION "authz"."inviting_org_ids"() IS 'The organizations with an open invitation to the confirmed address of the signed-in person; for the policies by which authz.join_by_invitation() looks at it.';

COMMENT ON FUNCTION "authz"."join_by_invitation"(text) IS 'Make the person asking a member by the open invitation this token belongs to, if it is to their confirmed address and its inviter could still give the role; bound to authz.uid().';

COMMENT ON FUNCTION "authz"."new_invitation_token"() IS 'A new secret: rfi_ and 32 random bytes in base64url.';

COMMENT ON FUNCTION "authz"."tg_invitation_guard"() IS 'Trigger: nobody invites into a role beyond their own permissions (42501) or for longer than authz.invitation_lasts_at_most(); revoked is for good.';

COMMENT ON FUNCTION "authz"."tg_revoke_invitations"() IS 'Trigger: whom somebody removes does not come back by an invitation that was still open.';

COMMENT ON FUNCTION "authz"."verified_email"() IS 'The confirmed e-mail address of the signed-in person in lower case, or null.';

COMMENT ON POLICY "invitation_delete_nobody" ON "app"."invitation" IS 'Revoked is not forgotten.';

COMMENT ON POLICY "invitation_floor" ON "app"."invitation" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "invitation_select_manager" ON "app"."invitation" IS 'members.manage sees who was invited. No token is in it.';

COMMENT ON POLICY "invitation_select_owner" ON "app"."invitation" IS 'Acceptance sees the invitations to the confirmed address of the person asking and no others.';

COMMENT ON POLICY "invitation_update_manager" ON "app"."invitation" IS 'members.manage revokes; no other column is granted.';

COMMENT ON POLICY "invitation_update_owner" ON "app"."invitation" IS 'Acceptance uses up invitations to the confirmed address of the person asking and no others.';

COMMENT ON POLICY "membership_insert_manager" ON "app"."membership" IS 'members.manage adds service accounts to answer for, within what the guard trigger lets them grant. People join by invitation.';

COMMENT ON POLICY "membership_insert_owner" ON "app"."membership" IS 'Founding makes the founder a member, an accepted invitation whom it was for.';

COMMENT ON POLICY "organization_select_invited_owner" ON "app"."organization" IS 'Acceptance sees whether the organization is suspended or requires a second factor.';

COMMENT ON POLICY "role_permission_select_invited_owner" ON "app"."role_permission" IS 'Acceptance compares what the role carries with what the inviter holds.';

COMMENT ON TABLE "app"."invitation" IS 'An offer of membership to one e-mail address, good for one use.';

REVOKE ALL ON FUNCTION "api"."accept_invitation"(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."accept_invitation"(text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."accept_invitation"(text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."accept_invitation"(text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."create_invitation"(uuid, text, text, integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."create_invitation"(uuid, text, text, integer) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."create_invitation"(uuid, text, text, integer) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."create_invitation"(uuid, text, text, integer) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_invitations"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_invitations"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_invitations"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_invitations"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."revoke_invitation"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."revoke_invitation"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."revoke_invitation"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."revoke_invitation"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."invitation_lasts_at_most"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."invitation_lasts_at_most"() TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."invitation_lasts_at_most"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."invitation_lasts_at_most"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."inviting_org_ids"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."inviting_org_ids"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."inviting_org_ids"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."inviting_org_ids"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."join_by_invitation"(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."join_by_invitation"(text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."join_by_invitation"(text) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."join_by_invitation"(text) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."new_invitation_token"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."new_invitation_token"() TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."new_invitation_token"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."new_invitation_token"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_invitation_guard"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_invitation_guard"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_invitation_guard"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_revoke_invitations"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_revoke_invitations"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_revoke_invitations"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."verified_email"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."verified_email"() TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."verified_email"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."verified_email"() TO "ringfence_owner";

GRANT INSERT ("email") ON TABLE "app"."invitation" TO "authenticated";

GRANT INSERT ("expires_at") ON TABLE "app"."invitation" TO "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."invitation" TO "authenticated";

GRANT UPDATE ("revoked_at") ON TABLE "app"."invitation" TO "authenticated";

GRANT INSERT ("role_id") ON TABLE "app"."invitation" TO "authenticated";

GRANT INSERT ("token_sha256") ON TABLE "app"."invitation" TO "authenticated";

GRANT SELECT ON TABLE "app"."invitation" TO "authenticated";

GRANT UPDATE ("accepted_at") ON TABLE "app"."invitation" TO "ringfence_owner";

GRANT UPDATE ("accepted_by") ON TABLE "app"."invitation" TO "ringfence_owner";

GRANT UPDATE ("revoked_at") ON TABLE "app"."invitation" TO "ringfence_owner";

GRANT SELECT ON TABLE "app"."invitation" TO "ringfence_owner";

ALTER TABLE "app"."invitation"
  ADD CONSTRAINT "invitation_inviter_fkey" FOREIGN KEY (org_id, created_by, inviter_role_id, inviter_status) REFERENCES app.membership(org_id, user_id, role_id, status)
    ON UPDATE CASCADE ON DELETE SET NULL (inviter_role_id, inviter_status);

CREATE INDEX invitation_org_id_created_by_idx ON app.invitation USING btree (org_id, created_by);

CREATE POLICY "invitation_insert_manager" ON "app"."invitation"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (((org_id = ANY (ARRAY( SELECT authz.orgs_with('members.manage'::text) AS orgs_with))) AND (created_by = ( SELECT authz.uid() AS uid))));

COMMENT ON COLUMN "app"."invitation"."created_by" IS 'Who invited.';

COMMENT ON POLICY "invitation_insert_manager" ON "app"."invitation" IS 'members.manage invites, in their own name, within what the guard trigger lets them give.';

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
