-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

DROP POLICY "role_delete_nobody" ON "app"."role";

DROP POLICY "role_insert_nobody" ON "app"."role";

DROP POLICY "role_update_nobody" ON "app"."role";

DROP POLICY "role_permission_delete_nobody" ON "app"."role_permission";

DROP POLICY "role_permission_insert_nobody" ON "app"."role_permission";

CREATE OR REPLACE FUNCTION api.add_member (
  org_id  uuid,
  user_id uuid,
  role    text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(add_member.org_id);
  perform authz.require(add_member.user_id is not null, 'user_id: name the person');
  perform authz.lock_organization(add_member.org_id);
  insert into app.membership (org_id, user_id, role_id)
  values (add_member.org_id, add_member.user_id, authz.role_named(add_member.org_id, add_member.role));
  return jsonb_build_object('user_id', add_member.user_id, 'role', add_member.role);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'already a member';
  when foreign_key_violation then raise sqlstate 'PT404' using message = 'no such person';
end
$function$;

CREATE OR REPLACE FUNCTION api.change_member (
  org_id  uuid,
  user_id uuid,
  role    text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(change_member.org_id);
  perform authz.lock_organization(change_member.org_id);
  update app.membership m set role_id = authz.role_named(change_member.org_id, change_member.role)
  where m.org_id = change_member.org_id and m.user_id = change_member.user_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such member, or not yours to change';
  end if;
  return jsonb_build_object('user_id', change_member.user_id, 'role', change_member.role);
end
$function$;

CREATE OR REPLACE FUNCTION api.create_role (
  org_id      uuid,
  name        text,
  permissions text[]
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_role uuid;
begin
  perform authz.require_org(create_role.org_id);
  perform authz.require(create_role.name ~ '^[a-z][a-z0-9_-]{1,39}$', 'name: 2..40 of a-z, 0-9, _ and -, a letter first');
  perform authz.require(create_role.permissions is not null, 'permissions: a list of names, which may be empty');
  perform authz.require_permissions(create_role.permissions);
  perform authz.lock_organization(create_role.org_id);
  insert into app.role (org_id, name) values (create_role.org_id, create_role.name);
  select r.id into v_role from app.role r where r.org_id = create_role.org_id and r.name = create_role.name;
  insert into app.role_permission (org_id, role_id, permission)
    select distinct create_role.org_id, v_role, wanted.name from unnest(create_role.permissions) wanted (name);
  return jsonb_build_object('id', v_role, 'name', create_role.name);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'a role of that name exists';
end
$function$;

CREATE OR REPLACE FUNCTION api.delete_role (
  org_id  uuid,
  role_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(delete_role.org_id);
  perform authz.lock_organization(delete_role.org_id);
  perform authz.require_role(delete_role.org_id, delete_role.role_id);
  delete from app.role r where r.org_id = delete_role.org_id and r.id = delete_role.role_id;
  return jsonb_build_object('id', delete_role.role_id);
exception
  when foreign_key_violation then raise sqlstate 'PT409' using message = 'the role is held: give its members another one first';
end
$function$;

CREATE OR REPLACE FUNCTION api.list_permissions (
  org_id uuid
)
  RETURNS TABLE (
    name        text,
    description text,
    held        boolean
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_permissions.org_id);
  return query
    select p.name, p.description, list_permissions.org_id = any (array(select authz.orgs_with(p.name)))
    from app.permission p
    where list_permissions.org_id = any (array(select authz.org_ids()))
    order by p.name;
end
$function$;

CREATE OR REPLACE FUNCTION api.list_roles (
  org_id uuid
)
  RETURNS TABLE (
    id          uuid,
    name        text,
    built_in    boolean,
    permissions text[]
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_roles.org_id);
  return query
    select r.id, r.name, r.built_in, array(
      select p.permission from app.role_permission p where p.org_id = r.org_id and p.role_id = r.id order by p.permission)
    from app.role r
    where r.org_id = list_roles.org_id
    order by r.built_in desc, r.name;
end
$function$;

CREATE OR REPLACE FUNCTION api.remove_member (
  org_id  uuid,
  user_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(remove_member.org_id);
  perform authz.lock_organization(remove_member.org_id);
  delete from app.membership m where m.org_id = remove_member.org_id and m.user_id = remove_member.user_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such member, or not yours to change';
  end if;
  return jsonb_build_object('user_id', remove_member.user_id, 'role', null);
end
$function$;

CREATE OR REPLACE FUNCTION api.update_role (
  org_id      uuid,
  role_id     uuid,
  name        text   DEFAULT NULL::text,
  permissions text[] DEFAULT NULL::text[]
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_permission text;
begin
  perform authz.require_org(update_role.org_id);
  perform authz.require(update_role.name is null or update_role.name ~ '^[a-z][a-z0-9_-]{1,39}$', 'name: 2..40 of a-z, 0-9, _ and -, a letter first');
  perform authz.require(update_role.name is not null or update_role.permissions is not null, 'name or permissions: say what to change');
  if update_role.permissions is not null then
    perform authz.require_permissions(update_role.permissions);
  end if;
  perform authz.lock_organization(update_role.org_id);
  perform authz.require_role(update_role.org_id, update_role.role_id);
  if update_role.name is not null then
    update app.role r set name = update_role.name where r.org_id = update_role.org_id and r.id = update_role.role_id;
  end if;
  if update_role.permissions is not null then
    insert into app.role_permission (org_id, role_id, permission)
      select distinct update_role.org_id, update_role.role_id, wanted.name from unnest(update_role.permissions) wanted (name)
      where not exists (select from app.role_permission p
        where p.org_id = update_role.org_id and p.role_id = update_role.role_id and p.permission = wanted.name);
    -- One at a time, and the right to do so last: the role may be one's own.
    for v_permission in
      select p.permission from app.role_permission p
      where p.org_id = update_role.org_id and p.role_id = update_role.role_id and not p.permission = any (update_role.permissions)
      order by p.permission = 'roles.manage', p.permission
    loop
      delete from app.role_permission p
      where p.org_id = update_role.org_id and p.role_id = update_role.role_id and p.permission = v_permission;
    end loop;
  end if;
  return (
    select jsonb_build_object('id', r.id, 'name', r.name, 'permissions', (
      select coalesce(jsonb_agg(p.permission order by p.permission), '[]') from app.role_permission p where p.org_id = r.org_id and p.role_id = r.id))
    from app.role r where r.org_id = update_role.org_id and r.id = update_role.role_id);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'a role of that name exists';
end
$function$;

CREATE OR REPLACE FUNCTION authz.lock_organization (
  org_id uuid
)
  RETURNS void
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  -- Nobody holds up an organization that is not theirs: for them the statements that follow find nothing anyway.
  if lock_organization.org_id = any (array(select authz.org_ids())) then
    perform pg_advisory_xact_lock(hashtextextended(lock_organization.org_id::text, 0));
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION authz.require_permissions (
  permissions text[]
)
  RETURNS void
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require(cardinality(require_permissions.permissions) <= 100, 'permissions: at most 100 names');
  perform authz.require(
    not exists (select from unnest(require_permissions.permissions) wanted (name)
      where not exists (select from app.permission p where p.name = wanted.name)),
    'permissions: names that list_permissions tells');
end
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
  if v_built_in is null then
    raise sqlstate 'PT404' using message = 'no such role in this organization';
  elsif v_built_in then
    raise sqlstate '42501' using message = 'built-in roles stay as they are: make a role of your own';
  elsif not require_role.org_id = any (array(select authz.orgs_with('roles.manage'))) then
    raise sqlstate '42501' using message = 'changing roles needs roles.manage';
  end if;
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
begin
  insert into app.audit_event (org_id, actor_id, actor_kind, actor_role, action, object_id, run_id, changed)
  values (
    v_org,
    authz.uid(),
    case when authz.uid() is null then 'operator' else 'user' end,
    (select r.name from app.membership m join app.role r on r.org_id = m.org_id and r.id = m.role_id
      where m.org_id = v_org and m.user_id = authz.uid()),
    tg_table_name || '.' || lower(tg_op),
    coalesce(v_row ->> 'id', v_row ->> 'user_id', (v_row ->> 'role_id') || ' ' || (v_row ->> 'permission')),
    case when tg_table_name = 'run' then v_row ->> 'id' else v_row ->> 'run_id' end::uuid,
    case when tg_op = 'UPDATE' then array(
      select n.key from jsonb_each(v_row) n where v_old -> n.key is distinct from n.value order by n.key) else '{}' end);
  return case when tg_op = 'DELETE' then old else new end;
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
    if not v_org = any (array(select authz.orgs_with('members.manage'))) and not coalesce(tg_op = 'DELETE' and old.user_id = authz.uid(), false) then
      raise sqlstate '42501' using message = 'giving and taking roles needs members.manage';
    end if;
    -- A granter must hold every permission of the role it gives, and of the role it takes away (F12). Someone whose own place
    -- is gone, perhaps by this very statement, no longer sees any of this and is refused.
    if not v_org = any (array(select authz.org_ids())) or exists (
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
    if not v_org = any (array(select authz.orgs_with('roles.manage'))) then
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

CREATE TRIGGER _100_guard
  BEFORE INSERT OR DELETE OR UPDATE ON app.role
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_role_guard();

CREATE TRIGGER _110_step_up
  BEFORE INSERT OR DELETE OR UPDATE ON app.role
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_step_up('if_enrolled');

CREATE TRIGGER _900_audit
  BEFORE DELETE OR UPDATE ON app.role
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _910_audit
  AFTER INSERT ON app.role
  FOR EACH ROW
  WHEN ((NOT new.built_in))
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _100_guard
  BEFORE INSERT OR DELETE OR UPDATE ON app.role_permission
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_role_guard();

CREATE TRIGGER _110_step_up
  BEFORE INSERT OR DELETE OR UPDATE ON app.role_permission
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_step_up('if_enrolled');

CREATE TRIGGER _900_audit
  BEFORE DELETE OR UPDATE ON app.role_permission
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _910_audit
  AFTER INSERT ON app.role_permission
  FOR EACH ROW
  WHEN ((CURRENT_USER <> 'ringfence_owner'::name))
  EXECUTE FUNCTION authz.tg_audit();

CREATE POLICY "role_delete_manager" ON "app"."role"
  FOR DELETE
  TO "authenticated"
  USING (((org_id = ANY (ARRAY( SELECT authz.orgs_with('roles.manage'::text) AS orgs_with))) AND (NOT built_in)));

CREATE POLICY "role_insert_manager" ON "app"."role"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (((org_id = ANY (ARRAY( SELECT authz.orgs_with('roles.manage'::text) AS orgs_with))) AND (NOT built_in)));

CREATE POLICY "role_update_manager" ON "app"."role"
  FOR UPDATE
  TO "authenticated"
  USING (((org_id = ANY (ARRAY( SELECT authz.orgs_with('roles.manage'::text) AS orgs_with))) AND (NOT built_in)))
  WITH CHECK (((org_id = ANY (ARRAY( SELECT authz.orgs_with('roles.manage'::text) AS orgs_with))) AND (NOT built_in)));

CREATE POLICY "role_permission_delete_manager" ON "app"."role_permission"
  FOR DELETE
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.orgs_with('roles.manage'::text) AS orgs_with))));

CREATE POLICY "role_permission_insert_manager" ON "app"."role_permission"
  FOR INSERT
  TO "authenticated"
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.orgs_with('roles.manage'::text) AS orgs_with))));

COMMENT ON COLUMN "app"."audit_event"."object_id" IS 'The identifier of the row acted on; of a permission of a role, the role''s and its name.';

COMMENT ON FUNCTION "api"."create_role"(uuid, text, text[]) IS 'Make a role from permissions you hold yourself.

@audience app
@param org_id       the organization; needs roles.manage
@param name         2..40 characters of a-z, 0-9, _ and -, a letter first
@param permissions  names that list_permissions tells; at most 100, may be empty
@returns            {id, name}
@errors             22004, 22023, 42501, PT401, PT409, PT429
@effect             write';

COMMENT ON FUNCTION "api"."delete_role"(uuid, uuid) IS 'Delete a role that nobody holds; bots shared with it are no longer.

@audience app
@param org_id   the organization; needs roles.manage
@param role_id  the role, not a built-in one; you must hold what it carries
@returns        {id}
@errors         22004, 42501, PT401, PT404, PT409
@effect         destructive';

COMMENT ON FUNCTION "api"."list_permissions"(uuid) IS 'List every permission there is, and whether you hold it in this organization: what you hold you can put into roles.

@audience app
@param org_id  the organization
@returns       array of {name, description, held}; by name
@errors        22004
@effect        read';

COMMENT ON FUNCTION "api"."list_roles"(uuid) IS 'List the roles of an organization with what each may do.

@audience app
@param org_id  the organization
@returns       array of {id, name, built_in, permissions}; built-in ones first, by name
@errors        22004
@effect        read';

COMMENT ON FUNCTION "api"."update_role"(uuid, uuid, text, text[]) IS 'Rename a role of the organization''s own or say anew what it may do; you must hold what it carries and what you add. It works on the next request of whoever holds it.

@audience app
@param org_id       the organization; needs roles.manage
@param role_id      the role, not a built-in one
@param name         2..40 characters of a-z, 0-9, _ and -, a letter first; null: as it is
@param permissions  all it shall carry, names that list_permissions tells; at most 100, may be empty; null: as it is
@returns            {id, name, permissions}
@errors             22004, 22023, 42501, PT401, PT404, PT409
@effect             write';

COMMENT ON FUNCTION "authz"."lock_organization"(uuid) IS 'Wait in line with whoever else changes members, roles or invitations of this organization; what follows in the transaction sees what they committed.';

COMMENT ON FUNCTION "authz"."require_permissions"(text[]) IS 'Raise 22023 unless every name is one of the registry (F10).';

COMMENT ON FUNCTION "authz"."require_role"(uuid, uuid) IS 'Raise PT404 or 42501, saying why, unless the person may change this role as far as its kind and roles.manage go.';

COMMENT ON FUNCTION "authz"."tg_membership_guard"() IS 'Trigger: nobody grants or takes a role beyond their own permissions (42501), and the last active owner stays (PT409).';

COMMENT ON FUNCTION "authz"."tg_role_guard"() IS 'Trigger: nobody makes, changes or deletes a role beyond their own permissions, nor a built-in one (42501); at most 100 roles (PT429).';

COMMENT ON POLICY "role_delete_manager" ON "app"."role" IS 'roles.manage deletes them, within what the guard trigger lets them change; built-in roles stay.';

COMMENT ON POLICY "role_insert_manager" ON "app"."role" IS 'roles.manage makes roles of the organization''s own.';

COMMENT ON POLICY "role_update_manager" ON "app"."role" IS 'roles.manage renames them, within what the guard trigger lets them change; built-in roles stay.';

COMMENT ON POLICY "role_permission_delete_manager" ON "app"."role_permission" IS 'roles.manage takes permissions away, within what the guard trigger lets them change, and from no built-in role.';

COMMENT ON POLICY "role_permission_insert_manager" ON "app"."role_permission" IS 'roles.manage adds permissions, within what the guard trigger lets them add, and to no built-in role.';

COMMENT ON POLICY "role_permission_update_nobody" ON "app"."role_permission" IS 'A permission is added or taken away, never turned into another.';

REVOKE ALL ON FUNCTION "api"."create_role"(uuid, text, text[]) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."create_role"(uuid, text, text[]) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."create_role"(uuid, text, text[]) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."create_role"(uuid, text, text[]) TO "postgres";

REVOKE ALL ON FUNCTION "api"."delete_role"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."delete_role"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."delete_role"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."delete_role"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_permissions"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_permissions"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_permissions"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_permissions"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_roles"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_roles"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_roles"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_roles"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."update_role"(uuid, uuid, text, text[]) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."update_role"(uuid, uuid, text, text[]) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."update_role"(uuid, uuid, text, text[]) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."update_role"(uuid, uuid, text, text[]) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."lock_organization"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."lock_organization"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."lock_organization"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."lock_organization"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."require_permissions"(text[]) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."require_permissions"(text[]) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."require_permissions"(text[]) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."require_permissions"(text[]) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."require_role"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."require_role"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."require_role"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."require_role"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_role_guard"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_role_guard"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_role_guard"() TO "postgres";

REVOKE ALL ON TABLE "app"."role" FROM "authenticated";

REVOKE ALL ("name") ON TABLE "app"."role" FROM "authenticated";

GRANT INSERT ("name"), UPDATE ("name") ON TABLE "app"."role" TO "authenticated";

REVOKE ALL ("org_id") ON TABLE "app"."role" FROM "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."role" TO "authenticated";

GRANT DELETE, SELECT ON TABLE "app"."role" TO "authenticated";

REVOKE ALL ON TABLE "app"."role_permission" FROM "authenticated";

REVOKE ALL ("org_id") ON TABLE "app"."role_permission" FROM "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."role_permission" TO "authenticated";

REVOKE ALL ("permission") ON TABLE "app"."role_permission" FROM "authenticated";

GRANT INSERT ("permission") ON TABLE "app"."role_permission" TO "authenticated";

REVOKE ALL ("role_id") ON TABLE "app"."role_permission" FROM "authenticated";

GRANT INSERT ("role_id") ON TABLE "app"."role_permission" TO "authenticated";

GRANT DELETE, SELECT ON TABLE "app"."role_permission" TO "authenticated";

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
