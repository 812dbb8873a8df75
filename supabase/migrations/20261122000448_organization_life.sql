-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

DROP POLICY "role_select_owner" ON "app"."role";

DROP FUNCTION "api"."list_members"(uuid);

CREATE TABLE "app"."member_activity" (
  "org_id"         uuid NOT NULL,
  "user_id"        uuid NOT NULL,
  "last_active_on" date NOT NULL DEFAULT CURRENT_DATE,
  CONSTRAINT "member_activity_pkey" PRIMARY KEY (org_id, user_id)
);

ALTER TABLE "app"."member_activity"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."member_activity"
  FORCE ROW LEVEL SECURITY;

CREATE OR REPLACE FUNCTION api.add_team_member (
  org_id  uuid,
  team_id uuid,
  user_id uuid,
  manager boolean DEFAULT false
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(add_team_member.org_id);
  perform authz.require(add_team_member.user_id is not null, 'user_id: name the member');
  perform authz.require(add_team_member.manager is not null, 'manager: true or false');
  perform authz.lock_organization(add_team_member.org_id);
  perform authz.require_team(add_team_member.org_id, add_team_member.team_id, not add_team_member.manager);
  insert into app.team_member (org_id, team_id, user_id, manager)
  values (add_team_member.org_id, add_team_member.team_id, add_team_member.user_id, add_team_member.manager);
  return jsonb_build_object('team_id', add_team_member.team_id, 'user_id', add_team_member.user_id, 'manager', add_team_member.manager);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'already in the team';
  when foreign_key_violation then raise sqlstate 'PT404' using message = 'not a member of the organization';
end
$function$;

CREATE OR REPLACE FUNCTION api.create_team (
  org_id uuid,
  slug   text,
  name   text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(create_team.org_id);
  perform authz.require(create_team.slug ~ '^[a-z0-9][a-z0-9-]{1,39}$', 'slug: 2..40 of a-z, 0-9 and -');
  perform authz.require(char_length(create_team.name) between 1 and 120, 'name: 1..120 characters');
  perform authz.require_person();
  if (create_team.org_id = any (array(select authz.orgs_with('teams.manage')))) is not true then
    raise sqlstate '42501' using message = 'making teams needs teams.manage';
  end if;
  perform authz.lock_organization(create_team.org_id);
  if (select count(*) from app.team t where t.org_id = create_team.org_id) >= 1000 then
    raise sqlstate 'PT429' using message = 'an organization has at most 1000 teams';
  end if;
  insert into app.team (org_id, slug, name) values (create_team.org_id, create_team.slug, create_team.name);
  return (select jsonb_build_object('id', t.id, 'slug', t.slug, 'name', t.name) from app.team t
    where t.org_id = create_team.org_id and t.slug = create_team.slug);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'a team of that slug exists';
end
$function$;

CREATE OR REPLACE FUNCTION api.delete_team (
  org_id  uuid,
  team_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(delete_team.org_id);
  perform authz.require_team(delete_team.org_id, delete_team.team_id, false);
  delete from app.team t where t.org_id = delete_team.org_id and t.id = delete_team.team_id;
  return jsonb_build_object('id', delete_team.team_id);
end
$function$;

CREATE OR REPLACE FUNCTION api.leave_organization (
  org_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(leave_organization.org_id);
  return api.remove_member(leave_organization.org_id, authz.uid());
end
$function$;

CREATE OR REPLACE FUNCTION api.list_members (
  org_id uuid
)
  RETURNS TABLE (
    user_id        uuid,
    role           text,
    status         text,
    teams          integer,
    last_active_on date,
    since          timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_members.org_id);
  return query
    select m.user_id, r.name, m.status,
      (select count(*)::integer from app.team_member t where t.org_id = m.org_id and t.user_id = m.user_id), a.last_active_on, m.created_at
    from app.membership m
    join app.role r on r.org_id = m.org_id and r.id = m.role_id
    left join app.member_activity a on a.org_id = m.org_id and a.user_id = m.user_id
    where m.org_id = list_members.org_id
    order by m.created_at, m.user_id;
end
$function$;

CREATE OR REPLACE FUNCTION api.list_team_members (
  org_id  uuid,
  team_id uuid
)
  RETURNS TABLE (
    user_id uuid,
    manager boolean,
    since   timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_team_members.org_id);
  return query
    select m.user_id, m.manager, m.created_at from app.team_member m
    where m.org_id = list_team_members.org_id and m.team_id = list_team_members.team_id
    order by m.manager desc, m.created_at, m.user_id;
end
$function$;

CREATE OR REPLACE FUNCTION api.list_teams (
  org_id uuid
)
  RETURNS TABLE (
    id      uuid,
    slug    text,
    name    text,
    mine    boolean,
    managed boolean
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_teams.org_id);
  return query
    select t.id, t.slug, t.name, t.id = any (array(select authz.team_ids())), t.id = any (array(select authz.managed_team_ids()))
    from app.team t
    where t.org_id = list_teams.org_id
    order by t.slug;
end
$function$;

CREATE OR REPLACE FUNCTION api.organization_settings (
  org_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_settings jsonb;
begin
  perform authz.require_org(organization_settings.org_id);
  select jsonb_build_object('id', o.id, 'slug', o.slug, 'name', o.name, 'created_at', o.created_at, 'require_mfa', o.require_mfa)
  into v_settings from app.organization o where o.id = organization_settings.org_id;
  if v_settings is null then
    raise sqlstate 'PT404' using message = 'no such organization of yours';
  end if;
  return v_settings;
end
$function$;

CREATE OR REPLACE FUNCTION api.remove_team_member (
  org_id  uuid,
  team_id uuid,
  user_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(remove_team_member.org_id);
  perform authz.lock_organization(remove_team_member.org_id);
  delete from app.team_member m
  where m.org_id = remove_team_member.org_id and m.team_id = remove_team_member.team_id and m.user_id = remove_team_member.user_id;
  if not found then
    -- Who may take out anybody found nobody; who may not is told at which gate.
    perform authz.require_team(remove_team_member.org_id, remove_team_member.team_id,
      not coalesce((select m.manager from app.team_member m
        where m.org_id = remove_team_member.org_id and m.team_id = remove_team_member.team_id and m.user_id = remove_team_member.user_id), false));
    raise sqlstate 'PT404' using message = 'not in the team';
  end if;
  return jsonb_build_object('team_id', remove_team_member.team_id, 'user_id', remove_team_member.user_id);
end
$function$;

CREATE OR REPLACE FUNCTION api.rename_team (
  org_id  uuid,
  team_id uuid,
  slug    text DEFAULT NULL::text,
  name    text DEFAULT NULL::text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(rename_team.org_id);
  perform authz.require(rename_team.slug is null or rename_team.slug ~ '^[a-z0-9][a-z0-9-]{1,39}$', 'slug: 2..40 of a-z, 0-9 and -');
  perform authz.require(rename_team.name is null or char_length(rename_team.name) between 1 and 120, 'name: 1..120 characters');
  perform authz.require(rename_team.slug is not null or rename_team.name is not null, 'slug or name: say what to change');
  perform authz.require_team(rename_team.org_id, rename_team.team_id, true);
  update app.team t set slug = coalesce(rename_team.slug, t.slug), name = coalesce(rename_team.name, t.name)
  where t.org_id = rename_team.org_id and t.id = rename_team.team_id;
  return (select jsonb_build_object('id', t.id, 'slug', t.slug, 'name', t.name) from app.team t
    where t.org_id = rename_team.org_id and t.id = rename_team.team_id);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'a team of that slug exists';
end
$function$;

CREATE OR REPLACE FUNCTION api.resume_member (
  org_id  uuid,
  user_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.set_member_status(resume_member.org_id, resume_member.user_id, 'active');
  return jsonb_build_object('user_id', resume_member.user_id, 'status', 'active');
end
$function$;

CREATE OR REPLACE FUNCTION api.resume_organization (
  org_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(resume_organization.org_id);
  perform authz.set_suspended(resume_organization.org_id, false);
  return jsonb_build_object('org_id', resume_organization.org_id, 'suspended', false);
end
$function$;

CREATE OR REPLACE FUNCTION api.set_team_manager (
  org_id  uuid,
  team_id uuid,
  user_id uuid,
  manager boolean
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(set_team_manager.org_id);
  perform authz.require(set_team_manager.manager is not null, 'manager: true or false');
  perform authz.lock_organization(set_team_manager.org_id);
  perform authz.require_team(set_team_manager.org_id, set_team_manager.team_id, false);
  update app.team_member m set manager = set_team_manager.manager
  where m.org_id = set_team_manager.org_id and m.team_id = set_team_manager.team_id and m.user_id = set_team_manager.user_id;
  if not found then
    raise sqlstate 'PT404' using message = 'not in the team';
  end if;
  return jsonb_build_object('team_id', set_team_manager.team_id, 'user_id', set_team_manager.user_id, 'manager', set_team_manager.manager);
end
$function$;

CREATE OR REPLACE FUNCTION api.suspend_member (
  org_id  uuid,
  user_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.set_member_status(suspend_member.org_id, suspend_member.user_id, 'suspended');
  return jsonb_build_object('user_id', suspend_member.user_id, 'status', 'suspended');
end
$function$;

CREATE OR REPLACE FUNCTION api.suspend_organization (
  org_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(suspend_organization.org_id);
  perform authz.set_suspended(suspend_organization.org_id, true);
  return jsonb_build_object('org_id', suspend_organization.org_id, 'suspended', true);
end
$function$;

CREATE OR REPLACE FUNCTION api.transfer_ownership (
  org_id  uuid,
  user_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(transfer_ownership.org_id);
  perform authz.require(transfer_ownership.user_id <> authz.uid(), 'user_id: somebody else');
  -- Asked before anything is looked up, so the answer is the same for every organization there is or is not.
  perform authz.require_person();
  perform authz.require_step_up();
  perform authz.lock_organization(transfer_ownership.org_id);
  if not exists (select from app.membership m join app.role r on r.org_id = m.org_id and r.id = m.role_id
    where m.org_id = transfer_ownership.org_id and m.user_id = authz.uid() and r.built_in and r.name = 'owner')
  then
    raise sqlstate 'PT404' using message = 'no such organization that you own';
  end if;
  update app.membership m set role_id = authz.role_named(transfer_ownership.org_id, 'owner')
  where m.org_id = transfer_ownership.org_id and m.user_id = transfer_ownership.user_id and m.status = 'active';
  if not found then
    raise sqlstate 'PT404' using message = 'no such active member';
  end if;
  update app.membership m set role_id = authz.role_named(transfer_ownership.org_id, 'admin')
  where m.org_id = transfer_ownership.org_id and m.user_id = authz.uid();
  return jsonb_build_object('owner_id', transfer_ownership.user_id, 'admin_id', authz.uid());
end
$function$;

CREATE OR REPLACE FUNCTION api.update_organization (
  org_id uuid,
  slug   text DEFAULT NULL::text,
  name   text DEFAULT NULL::text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(update_organization.org_id);
  perform authz.require(update_organization.slug is null or update_organization.slug ~ '^[a-z0-9][a-z0-9-]{1,39}$', 'slug: 2..40 of a-z, 0-9 and -');
  perform authz.require(update_organization.name is null or char_length(update_organization.name) between 1 and 120, 'name: 1..120 characters');
  perform authz.require(update_organization.slug is not null or update_organization.name is not null, 'slug or name: say what to change');
  update app.organization o set slug = coalesce(update_organization.slug, o.slug), name = coalesce(update_organization.name, o.name)
  where o.id = update_organization.org_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such organization, or not yours to manage';
  end if;
  return api.organization_settings(update_organization.org_id);
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
  where m.user_id = (select authz.uid()) and m.status = 'active' and r.built_in and r.name = 'owner'
    and (not (select authz.claims() ? 'org_id') or m.org_id::text = (select authz.claims() ->> 'org_id'))
$function$;

CREATE OR REPLACE FUNCTION authz.refuse_team (
  team_id uuid
)
  RETURNS void
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_person();
  -- Which gate refused is told to those only who see the team; to everybody else there is none.
  if not exists (select from app.team t where t.id = refuse_team.team_id) then
    raise sqlstate 'PT404' using message = 'no such team in this organization';
  elsif refuse_team.team_id = any (array(select authz.managed_team_ids())) then
    raise sqlstate '42501' using message = 'a manager chooses ordinary members only: this needs teams.manage';
  end if;
  raise sqlstate '42501' using message = 'you are not a manager of this team, and do not hold teams.manage';
end
$function$;

CREATE OR REPLACE FUNCTION authz.require_team (
  org_id     uuid,
  team_id    uuid,
  as_manager boolean
)
  RETURNS void
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  if not exists (select from app.team t where t.org_id = require_team.org_id and t.id = require_team.team_id) then
    raise sqlstate 'PT404' using message = 'no such team in this organization';
  elsif not require_team.org_id = any (array(select authz.orgs_with('teams.manage')))
    and not (require_team.as_manager and require_team.team_id = any (array(select authz.managed_team_ids())))
  then
    perform authz.refuse_team(require_team.team_id);
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION authz.set_member_status (
  org_id  uuid,
  user_id uuid,
  status  text
)
  RETURNS void
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(set_member_status.org_id);
  perform authz.require(set_member_status.user_id <> authz.uid(), 'user_id: somebody else; to go yourself, leave');
  perform authz.lock_organization(set_member_status.org_id);
  update app.membership m set status = set_member_status.status
  where m.org_id = set_member_status.org_id and m.user_id = set_member_status.user_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such member, or not yours to change';
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION authz.set_suspended (
  org_id    uuid,
  suspended boolean
)
  RETURNS void
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_person();
  perform authz.require_step_up();
  update app.organization o set suspended_at = case when set_suspended.suspended then coalesce(o.suspended_at, now()) end
  where o.id = set_suspended.org_id and o.id in (select authz.owned_org_ids());
  if not found then
    raise sqlstate 'PT404' using message = 'no such organization that you own';
  end if;
end
$function$;

ALTER FUNCTION "authz"."set_suspended"(uuid, boolean) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.tg_activity()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  -- Only the first act of a day writes, and so waits for nobody.
  if not exists (select from app.member_activity a
    where a.org_id = new.org_id and a.user_id = new.actor_id and a.last_active_on >= current_date)
  then
    update app.member_activity a set last_active_on = current_date where a.org_id = new.org_id and a.user_id = new.actor_id;
    insert into app.member_activity (org_id, user_id)
      select m.org_id, m.user_id from app.membership m where m.org_id = new.org_id and m.user_id = new.actor_id
      on conflict (org_id, user_id) do nothing;
  end if;
  return null;
end
$function$;

ALTER FUNCTION "authz"."tg_activity"() OWNER TO "ringfence_owner";

ALTER TABLE "app"."member_activity"
  ADD CONSTRAINT "member_activity_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."member_activity"
  ADD CONSTRAINT "member_activity_user_id_fkey" FOREIGN KEY (org_id, user_id) REFERENCES app.membership(org_id, user_id) ON DELETE CASCADE;

CREATE TRIGGER _500_activity
  AFTER INSERT ON app.audit_event
  FOR EACH ROW
  WHEN ((new.actor_id IS NOT NULL))
  EXECUTE FUNCTION authz.tg_activity();

CREATE POLICY "member_activity_delete_nobody" ON "app"."member_activity"
  FOR DELETE
  TO "authenticated"
  USING (false);

CREATE POLICY "member_activity_floor" ON "app"."member_activity"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "member_activity_insert_nobody" ON "app"."member_activity"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (false);

CREATE POLICY "member_activity_insert_owner" ON "app"."member_activity"
  FOR INSERT
  TO "ringfence_owner"
  WITH CHECK ((user_id = ( SELECT authz.uid() AS uid)));

CREATE POLICY "member_activity_select_member" ON "app"."member_activity"
  FOR SELECT
  TO "authenticated"
  USING (((user_id = ( SELECT authz.uid() AS uid)) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('members.read'::text) AS orgs_with)))));

CREATE POLICY "member_activity_select_owner" ON "app"."member_activity"
  FOR SELECT
  TO "ringfence_owner"
  USING ((user_id = ( SELECT authz.uid() AS uid)));

CREATE POLICY "member_activity_update_nobody" ON "app"."member_activity"
  FOR UPDATE
  TO "authenticated"
  USING (false)
  WITH CHECK (false);

CREATE POLICY "member_activity_update_owner" ON "app"."member_activity"
  FOR UPDATE
  TO "ringfence_owner"
  USING ((user_id = ( SELECT authz.uid() AS uid)))
  WITH CHECK ((user_id = ( SELECT authz.uid() AS uid)));

CREATE POLICY "organization_update_owner" ON "app"."organization"
  FOR UPDATE
  TO "ringfence_owner"
  USING ((id IN ( SELECT authz.owned_org_ids() AS owned_org_ids)))
  WITH CHECK ((id IN ( SELECT authz.owned_org_ids() AS owned_org_ids)));

CREATE POLICY "role_select_owner" ON "app"."role"
  FOR SELECT
  TO "ringfence_owner"
  USING (((org_id IN ( SELECT authz.joined_org_ids() AS joined_org_ids)) OR (org_id IN ( SELECT o.id
   FROM app.organization o
  WHERE (o.created_by = ( SELECT authz.uid() AS uid))))));

COMMENT ON COLUMN "app"."member_activity"."last_active_on" IS 'The day, in UTC on a Supabase server.';

COMMENT ON COLUMN "app"."member_activity"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."member_activity"."user_id" IS 'The member.';

COMMENT ON FUNCTION "api"."add_team_member"(uuid, uuid, uuid, boolean) IS 'Put a member of the organization into a team; they get what is shared with it.

@audience app
@param org_id   the organization
@param team_id  the team; needs teams.manage, or being its manager and not making another
@param user_id  the member
@param manager  whether they choose who else is in the team
@returns        {team_id, user_id, manager}
@errors         22004, 22023, 42501, PT404, PT409
@effect         write';

COMMENT ON FUNCTION "api"."create_team"(uuid, text, text) IS 'Make a team to share things with.

@audience app
@param org_id  the organization; needs teams.manage
@param slug    short name; 2..40 of a-z, 0-9 and -
@param name    display name; 1..120 characters
@returns       {id, slug, name}
@errors        22004, 22023, 42501, PT409, PT429
@effect        write';

COMMENT ON FUNCTION "api"."delete_team"(uuid, uuid) IS 'Delete a team; what was shared with it is shared with it no longer, and rules that deny it something go with it.

@audience app
@param org_id   the organization
@param team_id  the team; needs teams.manage
@returns        {id}
@errors         22004, 42501, PT404
@effect         destructive';

COMMENT ON FUNCTION "api"."leave_organization"(uuid) IS 'Leave an organization; its last owner cannot.

@audience app
@param org_id  the organization
@returns       {user_id, role: null}
@errors        22004, 42501, PT404, PT409
@effect        destructive';

COMMENT ON FUNCTION "api"."list_members"(uuid) IS 'List the members of an organization; without members.read, only yourself.

@audience app
@param org_id  the organization
@returns       array of {user_id, role, status (active, suspended), teams, last_active_on (the day of their last recorded act here, or null), since}; oldest first
@errors        22004
@effect        read';

COMMENT ON FUNCTION "api"."list_team_members"(uuid, uuid) IS 'List who is in a team; of teams you are not in yourself, only with members.read.

@audience app
@param org_id   the organization
@param team_id  the team
@returns        array of {user_id, manager, since}; managers first
@errors         22004
@effect         read';

COMMENT ON FUNCTION "api"."list_teams"(uuid) IS 'List the teams of an organization.

@audience app
@param org_id  the organization
@returns       array of {id, slug, name, mine (you are in it), managed (you choose its members)}; by slug
@errors        22004
@effect        read';

COMMENT ON FUNCTION "api"."organization_settings"(uuid) IS 'Tell how an organization is set up.

@audience app
@param org_id  the organization
@returns       {id, slug, name, created_at, require_mfa}
@errors        22004, PT404
@effect        read';

COMMENT ON FUNCTION "api"."remove_team_member"(uuid, uuid, uuid) IS 'Take somebody out of a team, or leave it yourself.

@audience app
@param org_id   the organization
@param team_id  the team; needs teams.manage, or being its manager and taking out no other, unless it is yourself
@param user_id  the member
@returns        {team_id, user_id}
@errors         22004, 42501, PT404
@effect         destructive';

COMMENT ON FUNCTION "api"."rename_team"(uuid, uuid, text, text) IS 'Give a team another slug or name.

@audience app
@param org_id   the organization
@param team_id  the team; needs teams.manage, or being its manager
@param slug     short name; 2..40 of a-z, 0-9 and -; null: as it is
@param name     display name; 1..120 characters; null: as it is
@returns        {id, slug, name}
@errors         22004, 22023, 42501, PT404, PT409
@effect         write';

COMMENT ON FUNCTION "api"."resume_member"(uuid, uuid) IS 'Let a suspended member go on; you must hold every permission of their role.

@audience app
@param org_id   the organization; needs members.manage
@param user_id  the member
@returns        {user_id, status}
@errors         22004, 22023, 42501, PT401, PT404
@effect         write';

COMMENT ON FUNCTION "api"."resume_organization"(uuid) IS 'Resume a suspended organization; it works from the next request on.

@audience app
@param org_id  the organization; needs its built-in role owner and a recent second factor of your own
@returns       {org_id, suspended}
@errors        22004, 42501, PT401, PT404
@effect        write';

COMMENT ON FUNCTION "api"."set_team_manager"(uuid, uuid, uuid, boolean) IS 'Say whether somebody in a team chooses who else is in it.

@audience app
@param org_id   the organization
@param team_id  the team; needs teams.manage
@param user_id  somebody in the team
@param manager  true or false
@returns        {team_id, user_id, manager}
@errors         22004, 22023, 42501, PT404
@effect         write';

COMMENT ON FUNCTION "api"."suspend_member"(uuid, uuid) IS 'Suspend a member whose role you could take: from their next request on they are as if not a member, until resumed.

@audience app
@param org_id   the organization; needs members.manage
@param user_id  the member
@returns        {user_id, status}
@errors         22004, 22023, 42501, PT401, PT404, PT409
@effect         write';

COMMENT ON FUNCTION "api"."suspend_organization"(uuid) IS 'Suspend an organization: from the next request on it is as if it did not exist, for everybody, until an owner resumes it. Keep its id.

@audience app
@param org_id  the organization; needs its built-in role owner and a recent second factor of your own
@returns       {org_id, suspended}
@errors        22004, 42501, PT401, PT404
@effect        destructive';

COMMENT ON FUNCTION "api"."transfer_ownership"(uuid, uuid) IS 'Make another member an owner in your place; you become an admin.

@audience app
@param org_id   the organization; needs its built-in role owner and a recent second factor of your own
@param user_id  an active member
@returns        {owner_id, admin_id}
@errors         22004, 22023, 42501, PT401, PT404
@effect         write';

COMMENT ON FUNCTION "api"."update_organization"(uuid, text, text) IS 'Give an organization another slug or name.

@audience app
@param org_id  the organization; needs organization.manage
@param slug    short name; 2..40 of a-z, 0-9 and -; null: as it is
@param name    display name; 1..120 characters; null: as it is
@returns       {id, slug, name, created_at, require_mfa}
@errors        22004, 22023, 42501, PT404
@effect        write';

COMMENT ON FUNCTION "authz"."owned_org_ids"() IS 'The organizations the signed-in person is an owner of, suspended ones too; for the policy by which authz.set_suspended() resumes one.';

COMMENT ON FUNCTION "authz"."refuse_team"(uuid) IS 'Raise PT404 or 42501: which gate refused a change of this team (F16).';

COMMENT ON FUNCTION "authz"."require_team"(uuid, uuid, boolean) IS 'Raise PT404 or 42501 unless the person holds teams.manage there or, where that is enough, manages this team.';

COMMENT ON FUNCTION "authz"."set_member_status"(uuid, uuid, text) IS 'Suspend or resume a member, within what the guard trigger lets one give and take.';

COMMENT ON FUNCTION "authz"."set_suspended"(uuid, boolean) IS 'Suspend or resume an organization that the person asking is an active owner of, after a step-up.';

COMMENT ON FUNCTION "authz"."tg_activity"() IS 'Trigger: note the day on which the actor of an audit event did something.';

COMMENT ON POLICY "member_activity_delete_nobody" ON "app"."member_activity" IS 'It goes with the membership.';

COMMENT ON POLICY "member_activity_floor" ON "app"."member_activity" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "member_activity_insert_nobody" ON "app"."member_activity" IS 'Only the trigger writes here.';

COMMENT ON POLICY "member_activity_insert_owner" ON "app"."member_activity" IS 'The trigger notes the day of the person asking and of nobody else.';

COMMENT ON POLICY "member_activity_select_member" ON "app"."member_activity" IS 'One sees one''s own; members.read sees the organization''s.';

COMMENT ON POLICY "member_activity_select_owner" ON "app"."member_activity" IS 'The trigger looks whether today is noted already.';

COMMENT ON POLICY "member_activity_update_nobody" ON "app"."member_activity" IS 'Only the trigger writes here.';

COMMENT ON POLICY "member_activity_update_owner" ON "app"."member_activity" IS 'As for insert.';

COMMENT ON POLICY "membership_update_manager" ON "app"."membership" IS 'members.manage changes roles and suspends, within what the guard trigger lets them give and take.';

COMMENT ON POLICY "organization_update_owner" ON "app"."organization" IS 'An owner suspends and resumes it.';

COMMENT ON POLICY "role_select_owner" ON "app"."role" IS 'The audit trail names the role at the time, of a suspended organization too; founding needs the role just made.';

COMMENT ON TABLE "app"."member_activity" IS 'The last day on which a member did something that is recorded; it goes with the membership.';

REVOKE ALL ON FUNCTION "api"."add_team_member"(uuid, uuid, uuid, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."add_team_member"(uuid, uuid, uuid, boolean) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."add_team_member"(uuid, uuid, uuid, boolean) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."add_team_member"(uuid, uuid, uuid, boolean) TO "postgres";

REVOKE ALL ON FUNCTION "api"."create_team"(uuid, text, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."create_team"(uuid, text, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."create_team"(uuid, text, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."create_team"(uuid, text, text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."delete_team"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."delete_team"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."delete_team"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."delete_team"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."leave_organization"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."leave_organization"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."leave_organization"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."leave_organization"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_members"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_members"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_members"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_members"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_team_members"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_team_members"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_team_members"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_team_members"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_teams"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_teams"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_teams"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_teams"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."organization_settings"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."organization_settings"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."organization_settings"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."organization_settings"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."remove_team_member"(uuid, uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."remove_team_member"(uuid, uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."remove_team_member"(uuid, uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."remove_team_member"(uuid, uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."rename_team"(uuid, uuid, text, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."rename_team"(uuid, uuid, text, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."rename_team"(uuid, uuid, text, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."rename_team"(uuid, uuid, text, text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."resume_member"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."resume_member"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."resume_member"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."resume_member"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."resume_organization"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."resume_organization"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."resume_organization"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."resume_organization"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."set_team_manager"(uuid, uuid, uuid, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."set_team_manager"(uuid, uuid, uuid, boolean) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."set_team_manager"(uuid, uuid, uuid, boolean) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."set_team_manager"(uuid, uuid, uuid, boolean) TO "postgres";

REVOKE ALL ON FUNCTION "api"."suspend_member"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."suspend_member"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."suspend_member"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."suspend_member"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."suspend_organization"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."suspend_organization"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."suspend_organization"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."suspend_organization"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."transfer_ownership"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."transfer_ownership"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."transfer_ownership"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."transfer_ownership"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."update_organization"(uuid, text, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."update_organization"(uuid, text, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."update_organization"(uuid, text, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."update_organization"(uuid, text, text) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."has_recent_second_factor"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."has_recent_second_factor"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."owned_org_ids"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."owned_org_ids"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."owned_org_ids"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."owned_org_ids"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."refuse_team"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."refuse_team"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."refuse_team"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."refuse_team"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."require_step_up"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."require_step_up"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."require_team"(uuid, uuid, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."require_team"(uuid, uuid, boolean) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."require_team"(uuid, uuid, boolean) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."require_team"(uuid, uuid, boolean) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."set_member_status"(uuid, uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."set_member_status"(uuid, uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."set_member_status"(uuid, uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."set_member_status"(uuid, uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."set_suspended"(uuid, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."set_suspended"(uuid, boolean) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."set_suspended"(uuid, boolean) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."set_suspended"(uuid, boolean) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."step_up_lasts"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."step_up_lasts"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."tg_activity"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_activity"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."tg_activity"() TO "ringfence_owner";

GRANT SELECT ON TABLE "app"."member_activity" TO "authenticated";

GRANT UPDATE ("last_active_on") ON TABLE "app"."member_activity" TO "ringfence_owner";

GRANT INSERT ("org_id") ON TABLE "app"."member_activity" TO "ringfence_owner";

GRANT INSERT ("user_id") ON TABLE "app"."member_activity" TO "ringfence_owner";

GRANT SELECT ON TABLE "app"."member_activity" TO "ringfence_owner";

REVOKE ALL ("status") ON TABLE "app"."membership" FROM "authenticated";

GRANT UPDATE ("status") ON TABLE "app"."membership" TO "authenticated";

REVOKE ALL ("suspended_at") ON TABLE "app"."organization" FROM "ringfence_owner";

GRANT UPDATE ("suspended_at") ON TABLE "app"."organization" TO "ringfence_owner";

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
