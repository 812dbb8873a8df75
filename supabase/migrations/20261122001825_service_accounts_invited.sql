-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

REVOKE ALL ("org_id") ON TABLE "app"."membership" FROM "authenticated";

REVOKE ALL ("service_owner_id") ON TABLE "app"."membership" FROM "authenticated";

REVOKE ALL ("user_id") ON TABLE "app"."membership" FROM "authenticated";

DROP POLICY "deny_rule_select_manager" ON "app"."deny_rule";

DROP POLICY "deny_rule_select_owner" ON "app"."deny_rule";

DROP POLICY "membership_insert_manager" ON "app"."membership";

DROP TRIGGER "_090_service_account" ON "app"."membership";

ALTER TABLE "app"."membership"
  DROP CONSTRAINT "membership_service_owner_check";

ALTER TABLE "app"."membership"
  DROP CONSTRAINT "membership_service_owner_id_fkey";

ALTER TABLE "app"."membership"
  DROP CONSTRAINT "membership_user_id_status_key";

DROP FUNCTION "api"."add_service_account"(uuid, uuid, text);

DROP FUNCTION "api"."create_invitation"(uuid, text, text, integer);

DROP FUNCTION "authz"."tg_service_account"();

ALTER TABLE "app"."invitation"
  ADD COLUMN "service" boolean NOT NULL DEFAULT false;

ALTER TABLE "app"."membership"
  ADD COLUMN "service_owner_role_id" uuid;

CREATE OR REPLACE FUNCTION api.create_invitation (
  org_id           uuid,
  email            text,
  role             text,
  expires_in_hours integer DEFAULT 168,
  service          boolean DEFAULT false
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
  perform authz.require(create_invitation.service is not null, 'service: true or false');
  insert into app.invitation (org_id, email, role_id, service, token_sha256, expires_at)
  values (create_invitation.org_id, v_email, authz.role_named(create_invitation.org_id, create_invitation.role),
    create_invitation.service, v_sha256,
    now() + make_interval(hours => create_invitation.expires_in_hours));
  return (
    select jsonb_build_object('id', i.id, 'email', i.email, 'role', create_invitation.role, 'token', v_token, 'expires_at', i.expires_at)
    from app.invitation i where i.org_id = create_invitation.org_id and i.token_sha256 = v_sha256);
end
$function$;

CREATE OR REPLACE FUNCTION authz.denied (
  kind text
)
  RETURNS SETOF uuid
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  ROWS 1
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return query
    select d.id
    from app.deny_rule r, lateral (select case denied.kind
      when 'knowledge_base' then r.knowledge_base_id when 'document' then r.document_id when 'bot' then r.bot_id end as id) d
    where d.id is not null
      -- The policy shows the owner role more than this: what a replacing document inherits.
      and (r.user_id = (select authz.uid()) or r.team_id = any (array(select authz.team_ids())) or r.role_id = any (array(select authz.role_ids()))
        or num_nonnulls(r.user_id, r.team_id, r.role_id) = 0
        or exists (select from authz.service_owners() o where o.org_id = r.org_id and (o.user_id = r.user_id or o.role_id = r.role_id)));
end
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
  insert into app.membership (org_id, user_id, role_id, service_owner_id, service_owner_role_id, service_owner_status)
  select v_invitation.org_id, authz.uid(), v_invitation.role_id, owner.user_id, owner.role_id, owner.status
  from (values (v_invitation.created_by, v_invitation.inviter_role_id, v_invitation.inviter_status)) inviter (user_id, role_id, status)
  left join lateral (select inviter.* where v_invitation.service) owner on true;
  update app.invitation i set accepted_at = now(), accepted_by = authz.uid()
  where i.org_id = v_invitation.org_id and i.id = v_invitation.id;
  update app.invitation i set revoked_at = now()
  where i.org_id = v_invitation.org_id and i.email = v_invitation.email and i.accepted_at is null and i.revoked_at is null;
  return jsonb_build_object('org_id', v_invitation.org_id, 'role_id', v_invitation.role_id);
end
$function$;

CREATE OR REPLACE FUNCTION authz.orgs_with (
  permission text
)
  RETURNS SETOF uuid
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  ROWS 10
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  AS $function$
declare
  v_me uuid := authz.uid();
  v_orgs uuid[] := array(select authz.org_ids());
begin
  -- What acts for a person gets less than the person: an OAuth client nothing personal, an API token what it was made for (F08, R44).
  if authz.claims() ? 'client_id' and authz.is_personal(orgs_with.permission) then
    return;
  end if;
  return query
    select m.org_id from app.membership m
    join app.role_permission p on p.org_id = m.org_id and p.role_id = m.role_id
    where m.user_id = v_me
      and p.permission = orgs_with.permission
      and m.org_id = any (v_orgs)
      -- A service account may what its owner may too, and nothing personal: who lost a role would take it back through theirs (F03, F12).
      and (m.service_owner_id is null or not authz.is_personal(orgs_with.permission) and exists (
        select from app.role_permission o
        where o.org_id = m.org_id and o.role_id = m.service_owner_role_id and o.permission = orgs_with.permission))
      and coalesce((select orgs_with.permission = any (t.permissions) from app.api_token t
        where t.session_id = (select authz.session_id()) and t.user_id = v_me), true);
end
$function$;

CREATE OR REPLACE FUNCTION authz.owned_org_ids()
  RETURNS SETOF uuid
  LANGUAGE sql
  STABLE
  ROWS 10
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select m.org_id from app.membership m join app.role r on r.org_id = m.org_id and r.id = m.role_id
  where m.user_id = (select authz.uid()) and m.status = 'active' and m.service_owner_id is null and r.built_in and r.name = 'owner'
    and (not (select authz.claims() ? 'org_id') or m.org_id::text = (select authz.claims() ->> 'org_id'))
$function$;

CREATE OR REPLACE FUNCTION authz.service_owners()
  RETURNS TABLE (
    org_id  uuid,
    user_id uuid,
    role_id uuid
  )
  LANGUAGE sql
  STABLE
  ROWS 1
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select m.org_id, m.service_owner_id, m.service_owner_role_id from app.membership m
  where m.user_id = (select authz.uid()) and m.service_owner_id is not null
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
  -- An owner is a person: a service account keeps no organization.
  if tg_op <> 'INSERT' and old.status = 'active' and old.service_owner_id is null and exists (
    select from app.role r where r.org_id = v_org and r.id = old.role_id and r.name = 'owner' and r.built_in)
  then
    if tg_op = 'DELETE' or new.role_id <> old.role_id or new.status <> 'active' then
      -- One who is suspended could not act as one.
      if not exists (select from app.membership m
        where m.org_id = v_org and m.role_id = old.role_id and m.user_id <> old.user_id and m.status = 'active' and m.service_owner_id is null)
      then
        raise sqlstate 'PT409' using message = 'an organization keeps at least one owner';
      end if;
    end if;
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_ruled_team()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  -- Who leaves the organization leaves its teams; that is a foreign key at work, where policies do not apply.
  if row_security_active('app.team_member') and (old.team_id = any (array(select authz.ruled_team_ids())) or exists (
      select from app.deny_rule r where r.org_id = old.org_id and r.team_id = old.team_id))
    and not old.org_id = any (array(select authz.orgs_with('rules.manage')))
  then
    raise sqlstate '42501' using message = 'a rule names this team: rules.manage takes people out of it';
  end if;
  return old;
end
$function$;

-- By hand: service accounts that are there already.
update app.membership s set service_owner_role_id = o.role_id
from app.membership o where o.org_id = s.org_id and o.user_id = s.service_owner_id;

ALTER TABLE "app"."membership"
  ADD CONSTRAINT "membership_service_owner_check"
    CHECK (((num_nulls(service_owner_id, service_owner_role_id, service_owner_status) = ANY (ARRAY[0, 3])) AND (service_owner_id IS DISTINCT FROM user_id)));

ALTER TABLE "app"."membership"
  ADD CONSTRAINT "membership_service_owner_id_fkey" FOREIGN KEY (org_id, service_owner_id, service_owner_role_id, service_owner_status)
    REFERENCES app.membership(org_id, user_id, role_id, status) ON UPDATE CASCADE ON DELETE CASCADE;

CREATE POLICY "deny_rule_select_manager" ON "app"."deny_rule"
  FOR SELECT
  TO "authenticated"
  USING (((org_id = ANY (ARRAY( SELECT authz.orgs_with('rules.manage'::text) AS orgs_with))) OR ((team_id IS
    NOT NULL) AND (org_id = ANY (ARRAY( SELECT authz.orgs_with('teams.manage'::text) AS orgs_with))))));

CREATE POLICY "deny_rule_select_owner" ON "app"."deny_rule"
  FOR SELECT
  TO "ringfence_owner"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))) AND ((user_id = ( SELECT authz.uid() AS uid)) OR (team_id = ANY (ARRAY( SELECT authz.team_ids() AS team_ids))) OR
    (role_id = ANY (ARRAY( SELECT authz.role_ids() AS role_ids))) OR (num_nonnulls(user_id, team_id, role_id) = 0) OR (EXISTS ( SELECT
   FROM authz.service_owners() o(org_id, user_id, role_id)
  WHERE ((o.org_id = deny_rule.org_id) AND ((o.user_id = deny_rule.user_id) OR (o.role_id = deny_rule.role_id))))))));

CREATE POLICY "membership_insert_nobody" ON "app"."membership"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (false);

COMMENT ON COLUMN "app"."invitation"."service" IS 'Whether it is for an account that no person uses, which the inviter will answer for.';

COMMENT ON COLUMN "app"."membership"."service_owner_role_id" IS 'A copy of the owner''s role, held equal by the foreign key.';

COMMENT ON FUNCTION "api"."create_invitation"(uuid, text, text, integer, boolean) IS 'Invite somebody by e-mail address, with a role whose permissions you hold yourself; hand them the token, which is shown this once.

@audience app
@param org_id            the organization; needs members.manage
@param email             address of the account that may accept; 3..254 characters
@param role              name of a role of the organization
@param expires_in_hours  how long it can be accepted; 1..720
@param service           true: for an account that no person uses, sign it up like one; you answer for it, and it may nothing you may not
@returns                 {id, email, role, token, expires_at}
@errors                  22004, 22023, 42501, PT401, PT404, PT409, PT429
@effect                  write';

COMMENT ON FUNCTION "authz"."service_owners"() IS 'Who answers for the signed-in service account, with their role; for the policy that holds it to the rules that concern its owner.';

COMMENT ON POLICY "deny_rule_select_manager" ON "app"."deny_rule" IS 'rules.manage sees the rules, teams.manage those about teams; whom one concerns is not told of it.';

COMMENT ON POLICY "deny_rule_select_owner" ON "app"."deny_rule" IS 'authz.denied() sees the rules that concern the person asking and no others.';

COMMENT ON POLICY "membership_insert_nobody" ON "app"."membership" IS 'Nobody is added: whoever joins accepts an invitation.';

REVOKE ALL ON FUNCTION "api"."create_invitation"(uuid, text, text, integer, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."create_invitation"(uuid, text, text, integer, boolean) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."create_invitation"(uuid, text, text, integer, boolean) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."create_invitation"(uuid, text, text, integer, boolean) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."service_owners"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."service_owners"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."service_owners"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."service_owners"() TO "ringfence_owner";

REVOKE ALL ("service") ON TABLE "app"."invitation" FROM "authenticated";

GRANT INSERT ("service") ON TABLE "app"."invitation" TO "authenticated";

REVOKE ALL ("role_id") ON TABLE "app"."membership" FROM "authenticated";

GRANT UPDATE ("role_id") ON TABLE "app"."membership" TO "authenticated";

REVOKE ALL ("service_owner_id") ON TABLE "app"."membership" FROM "ringfence_owner";

GRANT INSERT ("service_owner_id") ON TABLE "app"."membership" TO "ringfence_owner";

REVOKE ALL ("service_owner_role_id") ON TABLE "app"."membership" FROM "ringfence_owner";

GRANT INSERT ("service_owner_role_id") ON TABLE "app"."membership" TO "ringfence_owner";

REVOKE ALL ("service_owner_status") ON TABLE "app"."membership" FROM "ringfence_owner";

GRANT INSERT ("service_owner_status") ON TABLE "app"."membership" TO "ringfence_owner";

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
