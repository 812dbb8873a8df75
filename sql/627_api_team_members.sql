-- Who is in a team, and who of them chooses the others (F16).

create function api.list_team_members(org_id uuid, team_id uuid) returns table (user_id uuid, manager boolean, since timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_team_members.org_id);
  return query
    select m.user_id, m.manager, m.created_at from app.team_member m
    where m.org_id = list_team_members.org_id and m.team_id = list_team_members.team_id
    order by m.manager desc, m.created_at, m.user_id;
end
$$;
comment on function api.list_team_members(uuid, uuid) is $c$List who is in a team; of teams you are not in yourself, only with members.read.

@audience app
@param org_id   the organization
@param team_id  the team
@returns        array of {user_id, manager, since}; managers first
@errors         22004
@effect         read$c$;
revoke all on function api.list_team_members(uuid, uuid) from public;
grant execute on function api.list_team_members(uuid, uuid) to authenticated;

create function api.add_team_member(org_id uuid, team_id uuid, user_id uuid, manager boolean default false) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
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
$$;
comment on function api.add_team_member(uuid, uuid, uuid, boolean) is $c$Put a member of the organization into a team; they get what is shared with it.

@audience app
@param org_id   the organization
@param team_id  the team; needs teams.manage, or being its manager and not making another
@param user_id  the member
@param manager  whether they choose who else is in the team
@returns        {team_id, user_id, manager}
@errors         22004, 22023, 42501, PT404, PT409
@effect         write$c$;
revoke all on function api.add_team_member(uuid, uuid, uuid, boolean) from public;
grant execute on function api.add_team_member(uuid, uuid, uuid, boolean) to authenticated;

create function api.remove_team_member(org_id uuid, team_id uuid, user_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
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
$$;
comment on function api.remove_team_member(uuid, uuid, uuid) is $c$Take somebody out of a team, or leave it yourself.

@audience app
@param org_id   the organization
@param team_id  the team; needs teams.manage, or being its manager and taking out no other, unless it is yourself
@param user_id  the member
@returns        {team_id, user_id}
@errors         22004, 42501, PT404
@effect         destructive$c$;
revoke all on function api.remove_team_member(uuid, uuid, uuid) from public;
grant execute on function api.remove_team_member(uuid, uuid, uuid) to authenticated;

create function api.set_team_manager(org_id uuid, team_id uuid, user_id uuid, manager boolean) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
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
$$;
comment on function api.set_team_manager(uuid, uuid, uuid, boolean) is $c$Say whether somebody in a team chooses who else is in it.

@audience app
@param org_id   the organization
@param team_id  the team; needs teams.manage
@param user_id  somebody in the team
@param manager  true or false
@returns        {team_id, user_id, manager}
@errors         22004, 22023, 42501, PT404
@effect         write$c$;
revoke all on function api.set_team_manager(uuid, uuid, uuid, boolean) from public;
grant execute on function api.set_team_manager(uuid, uuid, uuid, boolean) to authenticated;
