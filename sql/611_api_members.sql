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

create function api.list_members(org_id uuid) returns table (
  user_id uuid, email text, role text, status text, teams integer, last_active_on date, since timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_members.org_id);
  return query
    select m.user_id, m.email, r.name, m.status,
      (select count(*)::integer from app.team_member t where t.org_id = m.org_id and t.user_id = m.user_id), a.last_active_on, m.created_at
    from app.membership m
    join app.role r on r.org_id = m.org_id and r.id = m.role_id
    left join app.member_activity a on a.org_id = m.org_id and a.user_id = m.user_id
    where m.org_id = list_members.org_id
    order by m.created_at, m.user_id;
end
$$;
comment on function api.list_members(uuid) is $c$List the members of an organization; without members.read, only yourself.

@audience app
@param org_id  the organization
@returns       array of {user_id, email (the confirmed address they joined with, or null), role, status (active, suspended), teams, last_active_on (the day of their last recorded act here, or null), since}; oldest first
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

create function api.leave_organization(org_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(leave_organization.org_id);
  return api.remove_member(leave_organization.org_id, authz.uid());
end
$$;
comment on function api.leave_organization(uuid) is $c$Leave an organization; its last owner cannot.

@audience app
@param org_id  the organization
@returns       {user_id, role: null}
@errors        22004, 42501, PT404, PT409
@effect        destructive$c$;
revoke all on function api.leave_organization(uuid) from public;
grant execute on function api.leave_organization(uuid) to authenticated;

create function authz.set_member_status(org_id uuid, user_id uuid, status text) returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
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
$$;
comment on function authz.set_member_status(uuid, uuid, text) is 'Suspend or resume a member, within what the guard trigger lets one give and take.';
revoke all on function authz.set_member_status(uuid, uuid, text) from public;
grant execute on function authz.set_member_status(uuid, uuid, text) to authenticated;

create function api.suspend_member(org_id uuid, user_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.set_member_status(suspend_member.org_id, suspend_member.user_id, 'suspended');
  return jsonb_build_object('user_id', suspend_member.user_id, 'status', 'suspended');
end
$$;
comment on function api.suspend_member(uuid, uuid) is $c$Suspend a member whose role you could take: from their next request on they are as if not a member, until resumed.

@audience app
@param org_id   the organization; needs members.manage
@param user_id  the member
@returns        {user_id, status}
@errors         22004, 22023, 42501, PT401, PT404, PT409
@effect         write$c$;
revoke all on function api.suspend_member(uuid, uuid) from public;
grant execute on function api.suspend_member(uuid, uuid) to authenticated;

create function api.resume_member(org_id uuid, user_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.set_member_status(resume_member.org_id, resume_member.user_id, 'active');
  return jsonb_build_object('user_id', resume_member.user_id, 'status', 'active');
end
$$;
comment on function api.resume_member(uuid, uuid) is $c$Let a suspended member go on; you must hold every permission of their role.

@audience app
@param org_id   the organization; needs members.manage
@param user_id  the member
@returns        {user_id, status}
@errors         22004, 22023, 42501, PT401, PT404
@effect         write$c$;
revoke all on function api.resume_member(uuid, uuid) from public;
grant execute on function api.resume_member(uuid, uuid) to authenticated;

create function api.transfer_ownership(org_id uuid, user_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
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
$$;
comment on function api.transfer_ownership(uuid, uuid) is $c$Make another member an owner in your place; you become an admin.

@audience app
@param org_id   the organization; needs its built-in role owner and a recent second factor of your own
@param user_id  an active member
@returns        {owner_id, admin_id}
@errors         22004, 22023, 42501, PT401, PT404
@effect         write$c$;
revoke all on function api.transfer_ownership(uuid, uuid) from public;
grant execute on function api.transfer_ownership(uuid, uuid) to authenticated;
