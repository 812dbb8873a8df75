-- Single sign-on and deprovisioning (F05).

create function api.list_sso_groups(org_id uuid) returns table (
  connection_id uuid, provider text, groups_claim text, groups_max_age_hours integer, group_id uuid, group_name text, role text, "position" integer)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
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
$$;
comment on function api.list_sso_groups(uuid) is $c$List the identity providers of an organization and which of their groups gives which role.

@audience app
@param org_id  the organization; needs organization.manage or members.manage
@returns       array of {connection_id, provider, groups_claim, groups_max_age_hours, group_id, group_name, role, position}; group_id, group_name, role and position are null for a provider without a group; by provider and position
@errors        22004
@effect        read$c$;
revoke all on function api.list_sso_groups(uuid) from public;
grant execute on function api.list_sso_groups(uuid) to authenticated;

create function api.set_sso_group(org_id uuid, connection_id uuid, group_name text, role text, "position" integer default 100) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
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
$$;
comment on function api.set_sso_group(uuid, uuid, text, text, integer) is $c$Say which role a group of your identity provider gives; members who joined by single sign-on have it from their next sign-in or token refresh on.

@audience app
@param org_id         the organization; needs organization.manage, every permission of the role and a recent second factor of your own
@param connection_id  the identity provider, as list_sso_groups gives it
@param group_name     the group as the provider writes it, letter by letter; 1..256 characters
@param role           name of a role of the organization, not owner
@param position       of several groups of one person the one with the lowest counts; 1..1000
@returns              {group_id, group_name, role, position}
@errors               22004, 22023, 42501, PT401, PT404, PT429
@effect               write$c$;
revoke all on function api.set_sso_group(uuid, uuid, text, text, integer) from public;
grant execute on function api.set_sso_group(uuid, uuid, text, text, integer) to authenticated;

create function api.delete_sso_group(org_id uuid, group_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
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
$$;
comment on function api.delete_sso_group(uuid, uuid) is $c$Let a group give no role any more; who joined by single sign-on and has no other group is a member until their next sign-in or token refresh.

@audience app
@param org_id    the organization; needs organization.manage, every permission of the role and a recent second factor of your own
@param group_id  the group, as list_sso_groups gives it
@returns         {group_id}
@errors          22004, 42501, PT401, PT404
@effect          destructive$c$;
revoke all on function api.delete_sso_group(uuid, uuid) from public;
grant execute on function api.delete_sso_group(uuid, uuid) to authenticated;

create function api.list_sso_organizations() returns table (org_id uuid, slug text, name text, role text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select o.org_id, o.slug, o.name, o.role from authz.sso_organizations() o
$$;
comment on function api.list_sso_organizations() is $c$List the organizations you may join because of your groups at the identity provider you sign in through.

@audience app
@returns  array of {org_id, slug, name, role (the one you would have)}
@effect   read$c$;
revoke all on function api.list_sso_organizations() from public;
grant execute on function api.list_sso_organizations() to authenticated;

create function api.join_by_sso(org_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
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
$$;
comment on function api.join_by_sso(uuid) is $c$Join an organization with the role your groups at its identity provider give; from then on your role follows your groups, at each sign-in and token refresh. A member whose role was given by hand gives that up.

@audience app
@param org_id  the organization, as list_sso_organizations gives it
@returns       {org_id, slug, name, role}
@errors        22004, 42501, PT401, PT404, PT409
@effect        write$c$;
revoke all on function api.join_by_sso(uuid) from public;
grant execute on function api.join_by_sso(uuid) to authenticated;

create function api.deprovision_member(org_id uuid, user_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
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
$$;
comment on function api.deprovision_member(uuid, uuid) is $c$End a membership as a directory does: at once, with that person's runs, API tokens for the organization, teams and open invitations. They do not come back by single sign-on until invited again. Also for service accounts, with an API token.

@audience app
@param org_id   the organization; needs members.read and members.deprovision, and members.manage with every permission of the member's role in you or, for a service account, in who answers for it
@param user_id  the member; not an owner, nor you
@returns        {user_id, runs_cancelled, tokens_revoked, teams_left}
@errors         22004, 22023, 42501, PT401, PT404, PT409
@effect         destructive$c$;
revoke all on function api.deprovision_member(uuid, uuid) from public;
grant execute on function api.deprovision_member(uuid, uuid) to authenticated;
