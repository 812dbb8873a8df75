-- Roles of an organization's own.

create function authz.require_role(org_id uuid, role_id uuid) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
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
$$;
comment on function authz.require_role(uuid, uuid) is 'Raise PT404 or 42501, saying why, unless the person may change this role as far as its kind and roles.manage go.';
revoke all on function authz.require_role(uuid, uuid) from public;
grant execute on function authz.require_role(uuid, uuid) to authenticated;

create function authz.require_permissions(permissions text[]) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require(cardinality(require_permissions.permissions) <= 100, 'permissions: at most 100 names');
  perform authz.require(
    not exists (select from unnest(require_permissions.permissions) wanted (name)
      where not exists (select from app.permission p where p.name = wanted.name)),
    'permissions: names that list_permissions tells');
end
$$;
comment on function authz.require_permissions(text[]) is 'Raise 22023 unless every name is one of the registry (F10).';
revoke all on function authz.require_permissions(text[]) from public;
grant execute on function authz.require_permissions(text[]) to authenticated;

create function api.list_permissions(org_id uuid) returns table (name text, description text, held boolean)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_permissions.org_id);
  return query
    select p.name, p.description, list_permissions.org_id = any (array(select authz.orgs_with(p.name)))
    from app.permission p
    where list_permissions.org_id = any (array(select authz.org_ids()))
    order by p.name;
end
$$;
comment on function api.list_permissions(uuid) is $c$List every permission there is, and whether you hold it in this organization: what you hold you can put into roles.

@audience app
@param org_id  the organization
@returns       array of {name, description, held}; by name
@errors        22004
@effect        read$c$;
revoke all on function api.list_permissions(uuid) from public;
grant execute on function api.list_permissions(uuid) to authenticated;

create function api.list_roles(org_id uuid) returns table (id uuid, name text, built_in boolean, permissions text[])
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
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
$$;
comment on function api.list_roles(uuid) is $c$List the roles of an organization with what each may do.

@audience app
@param org_id  the organization
@returns       array of {id, name, built_in, permissions}; built-in ones first, by name
@errors        22004
@effect        read$c$;
revoke all on function api.list_roles(uuid) from public;
grant execute on function api.list_roles(uuid) to authenticated;

create function api.create_role(org_id uuid, name text, permissions text[]) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
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
$$;
comment on function api.create_role(uuid, text, text[]) is $c$Make a role from permissions you hold yourself.

@audience app
@param org_id       the organization; needs roles.manage
@param name         2..40 characters of a-z, 0-9, _ and -, a letter first
@param permissions  names that list_permissions tells; at most 100, may be empty
@returns            {id, name}
@errors             22004, 22023, 42501, PT401, PT409, PT429
@effect             write$c$;
revoke all on function api.create_role(uuid, text, text[]) from public;
grant execute on function api.create_role(uuid, text, text[]) to authenticated;

create function api.update_role(org_id uuid, role_id uuid, name text default null, permissions text[] default null) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
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
$$;
comment on function api.update_role(uuid, uuid, text, text[]) is $c$Rename a role of the organization's own or say anew what it may do; you must hold what it carries and what you add. It works on the next request of whoever holds it.

@audience app
@param org_id       the organization; needs roles.manage
@param role_id      the role, not a built-in one
@param name         2..40 characters of a-z, 0-9, _ and -, a letter first; null: as it is
@param permissions  all it shall carry, names that list_permissions tells; at most 100, may be empty; null: as it is
@returns            {id, name, permissions}
@errors             22004, 22023, 42501, PT401, PT404, PT409
@effect             write$c$;
revoke all on function api.update_role(uuid, uuid, text, text[]) from public;
grant execute on function api.update_role(uuid, uuid, text, text[]) to authenticated;

create function api.delete_role(org_id uuid, role_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(delete_role.org_id);
  perform authz.lock_organization(delete_role.org_id);
  perform authz.require_role(delete_role.org_id, delete_role.role_id);
  delete from app.role r where r.org_id = delete_role.org_id and r.id = delete_role.role_id;
  return jsonb_build_object('id', delete_role.role_id);
exception
  when foreign_key_violation then raise sqlstate 'PT409' using message = 'the role is held or a deny rule names it: give its members another one, delete the rule';
end
$$;
comment on function api.delete_role(uuid, uuid) is $c$Delete a role that nobody holds; bots shared with it are no longer.

@audience app
@param org_id   the organization; needs roles.manage
@param role_id  the role, not a built-in one; you must hold what it carries
@returns        {id}
@errors         22004, 42501, PT401, PT404, PT409
@effect         destructive$c$;
revoke all on function api.delete_role(uuid, uuid) from public;
grant execute on function api.delete_role(uuid, uuid) to authenticated;
