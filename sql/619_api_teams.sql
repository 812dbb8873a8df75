-- Teams. teams.manage does everything; a team's own managers rename it and choose its ordinary members (F16).

create function authz.refuse_team(team_id uuid) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
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
$$;
comment on function authz.refuse_team(uuid) is 'Raise PT404 or 42501: which gate refused a change of this team (F16).';
revoke all on function authz.refuse_team(uuid) from public;
grant execute on function authz.refuse_team(uuid) to authenticated;

create function authz.require_team(org_id uuid, team_id uuid, as_manager boolean) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (select from app.team t where t.org_id = require_team.org_id and t.id = require_team.team_id) then
    raise sqlstate 'PT404' using message = 'no such team in this organization';
  elsif not require_team.org_id = any (array(select authz.orgs_with('teams.manage')))
    and not (require_team.as_manager and require_team.team_id = any (array(select authz.managed_team_ids())))
  then
    perform authz.refuse_team(require_team.team_id);
  end if;
end
$$;
comment on function authz.require_team(uuid, uuid, boolean) is 'Raise PT404 or 42501 unless the person holds teams.manage there or, where that is enough, manages this team.';
revoke all on function authz.require_team(uuid, uuid, boolean) from public;
grant execute on function authz.require_team(uuid, uuid, boolean) to authenticated;

create function api.list_teams(org_id uuid) returns table (id uuid, slug text, name text, mine boolean, managed boolean)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_teams.org_id);
  return query
    select t.id, t.slug, t.name, t.id = any (array(select authz.team_ids())), t.id = any (array(select authz.managed_team_ids()))
    from app.team t
    where t.org_id = list_teams.org_id
    order by t.slug;
end
$$;
comment on function api.list_teams(uuid) is $c$List the teams of an organization.

@audience app
@param org_id  the organization
@returns       array of {id, slug, name, mine (you are in it), managed (you choose its members)}; by slug
@errors        22004
@effect        read$c$;
revoke all on function api.list_teams(uuid) from public;
grant execute on function api.list_teams(uuid) to authenticated;

create function api.create_team(org_id uuid, slug text, name text) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
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
$$;
comment on function api.create_team(uuid, text, text) is $c$Make a team to share things with.

@audience app
@param org_id  the organization; needs teams.manage
@param slug    short name; 2..40 of a-z, 0-9 and -, no uuid
@param name    display name; 1..120 characters
@returns       {id, slug, name}
@errors        22004, 22023, 23514, 42501, PT409, PT429
@effect        write$c$;
revoke all on function api.create_team(uuid, text, text) from public;
grant execute on function api.create_team(uuid, text, text) to authenticated;

create function api.rename_team(org_id uuid, team_id uuid, slug text default null, name text default null) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
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
$$;
comment on function api.rename_team(uuid, uuid, text, text) is $c$Give a team another slug or name.

@audience app
@param org_id   the organization
@param team_id  the team; needs teams.manage, or being its manager
@param slug     short name; 2..40 of a-z, 0-9 and -, no uuid; null: as it is
@param name     display name; 1..120 characters; null: as it is
@returns        {id, slug, name}
@errors         22004, 22023, 23514, 42501, PT404, PT409
@effect         write$c$;
revoke all on function api.rename_team(uuid, uuid, text, text) from public;
grant execute on function api.rename_team(uuid, uuid, text, text) to authenticated;

create function api.delete_team(org_id uuid, team_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(delete_team.org_id);
  perform authz.require_team(delete_team.org_id, delete_team.team_id, false);
  delete from app.team t where t.org_id = delete_team.org_id and t.id = delete_team.team_id;
  return jsonb_build_object('id', delete_team.team_id);
end
$$;
comment on function api.delete_team(uuid, uuid) is $c$Delete a team; what was shared with it is shared with it no longer, and rules that deny it something go with it.

@audience app
@param org_id   the organization
@param team_id  the team; needs teams.manage
@returns        {id}
@errors         22004, 42501, PT404
@effect         destructive$c$;
revoke all on function api.delete_team(uuid, uuid) from public;
grant execute on function api.delete_team(uuid, uuid) to authenticated;
