-- The members of an organization.

create function authz.role_named(org_id uuid, role text) returns uuid
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_role uuid := (select r.id from app.role r where r.org_id = role_named.org_id and r.name = role_named.role);
begin
  if v_role is null then
    raise sqlstate 'PT404' using message = 'no such role in this organization';
  end if;
  return v_role;
end
$$;
comment on function authz.role_named(uuid, text) is 'The id of a role the person can see, by its name; PT404 otherwise.';
revoke all on function authz.role_named(uuid, text) from public;
grant execute on function authz.role_named(uuid, text) to authenticated;

create function api.list_members(org_id uuid) returns table (user_id uuid, role text, since timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_members.org_id);
  return query
    select m.user_id, r.name, m.created_at
    from app.membership m join app.role r on r.org_id = m.org_id and r.id = m.role_id
    where m.org_id = list_members.org_id
    order by m.created_at, m.user_id;
end
$$;
comment on function api.list_members(uuid) is $c$List the members of an organization; without members.read, only yourself.

@audience app
@param org_id  the organization
@returns       array of {user_id, role, since}; oldest first
@errors        22004
@effect        read$c$;
revoke all on function api.list_members(uuid) from public;
grant execute on function api.list_members(uuid) to authenticated;

create function api.change_member(org_id uuid, user_id uuid, role text) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
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
$$;
comment on function api.change_member(uuid, uuid, text) is $c$Give a member another role; you must hold every permission of both roles.

@audience app
@param org_id   the organization
@param user_id  the member
@param role     name of a role of the organization
@returns        {user_id, role}
@errors         22004, 42501, PT401, PT404, PT409
@effect         write$c$;
revoke all on function api.change_member(uuid, uuid, text) from public;
grant execute on function api.change_member(uuid, uuid, text) to authenticated;

create function api.remove_member(org_id uuid, user_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(remove_member.org_id);
  perform authz.lock_organization(remove_member.org_id);
  delete from app.membership m where m.org_id = remove_member.org_id and m.user_id = remove_member.user_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such member, or not yours to change';
  end if;
  return jsonb_build_object('user_id', remove_member.user_id, 'role', null);
end
$$;
comment on function api.remove_member(uuid, uuid) is $c$Remove a member, or leave the organization yourself; it takes effect on the next request, whatever the token says.

@audience app
@param org_id   the organization
@param user_id  the member
@returns        {user_id, role: null}
@errors         22004, 42501, PT401, PT404, PT409
@effect         destructive$c$;
revoke all on function api.remove_member(uuid, uuid) from public;
grant execute on function api.remove_member(uuid, uuid) to authenticated;
