-- Founding an organization, and its members.

create function authz.found_organization(slug text, name text) returns uuid
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_org uuid;
begin
  if authz.uid() is null or authz.claims() -> 'is_anonymous' = 'true' then
    raise sqlstate '42501' using message = 'sign in to found an organization';
  end if;
  -- One at a time for one person, or the count could be passed.
  perform pg_advisory_xact_lock(hashtextextended(authz.uid()::text, 1));
  if (select count(*) from app.organization o where o.created_by = authz.uid()) >= 50 then
    raise sqlstate 'PT429' using message = 'you have founded 50 organizations, the most one person may';
  end if;
  insert into app.organization (slug, name, created_by) values (found_organization.slug, found_organization.name, authz.uid())
    returning id into v_org;
  insert into app.role (org_id, name, built_in) select v_org, b.role, true from authz.built_in_roles() b group by b.role;
  insert into app.role_permission (org_id, role_id, permission)
    select v_org, r.id, b.permission from authz.built_in_roles() b join app.role r on r.org_id = v_org and r.name = b.role;
  insert into app.membership (org_id, user_id, role_id)
    select v_org, authz.uid(), r.id from app.role r where r.org_id = v_org and r.name = 'owner';
  return v_org;
end
$$;
comment on function authz.found_organization(text, text) is 'Make an organization with its built-in roles and the person asking as its owner; bound to authz.uid(), returns the new id.';
revoke all on function authz.found_organization(text, text) from public;
grant execute on function authz.found_organization(text, text) to authenticated;
alter function authz.found_organization(text, text) owner to ringfence_owner;

create function api.create_organization(slug text, name text) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require(slug ~ '^[a-z0-9][a-z0-9-]{1,39}$', 'slug: 2..40 of a-z, 0-9 and -');
  perform authz.require(char_length(name) between 1 and 120, 'name: 1..120 characters');
  if exists (select from app.organization o where o.slug = create_organization.slug) then
    -- Only one's own organizations are visible here, so this tells nothing about anyone else's.
    raise sqlstate 'PT409' using message = 'you already belong to an organization of that slug';
  end if;
  return jsonb_build_object('id', authz.found_organization(create_organization.slug, create_organization.name), 'slug', slug);
end
$$;
comment on function api.create_organization(text, text) is $c$Found an organization and become its owner.

@audience app
@param slug  short name; 2..40 of a-z, 0-9 and -
@param name  display name; 1..120 characters
@returns     {id, slug}
@errors      22023, PT409, PT429
@effect      write$c$;
revoke all on function api.create_organization(text, text) from public;
grant execute on function api.create_organization(text, text) to authenticated;

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

create function api.add_member(org_id uuid, user_id uuid, role text) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(add_member.org_id);
  perform authz.require(add_member.user_id is not null, 'user_id: name the person');
  insert into app.membership (org_id, user_id, role_id)
  values (add_member.org_id, add_member.user_id, authz.role_named(add_member.org_id, add_member.role));
  return jsonb_build_object('user_id', add_member.user_id, 'role', add_member.role);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'already a member';
  when foreign_key_violation then raise sqlstate 'PT404' using message = 'no such person';
end
$$;
comment on function api.add_member(uuid, uuid, text) is $c$Add a person to an organization with a role whose permissions you hold yourself.

@audience app
@param org_id   the organization
@param user_id  the person, as known to Supabase Auth
@param role     name of a role of the organization
@returns        {user_id, role}
@errors         22004, 22023, 42501, PT401, PT404, PT409
@effect         write$c$;
revoke all on function api.add_member(uuid, uuid, text) from public;
grant execute on function api.add_member(uuid, uuid, text) to authenticated;

create function api.change_member(org_id uuid, user_id uuid, role text) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(change_member.org_id);
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
