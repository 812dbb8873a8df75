-- Founding an organization.

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
