-- An organization from its founding to its suspension.

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
@param slug  short name; 2..40 of a-z, 0-9 and -, no uuid
@param name  display name; 1..120 characters
@returns     {id, slug}
@errors      22023, 23514, PT409, PT429
@effect      write$c$;
revoke all on function api.create_organization(text, text) from public;
grant execute on function api.create_organization(text, text) to authenticated;

create function api.organization_settings(org_id uuid) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_settings jsonb;
begin
  perform authz.require_org(organization_settings.org_id);
  select jsonb_build_object('id', o.id, 'slug', o.slug, 'name', o.name, 'created_at', o.created_at, 'require_mfa', o.require_mfa,
    'region', o.region, 'allowed_regions', o.allowed_regions, 'zero_retention', o.zero_retention, 'no_training', o.no_training, 'redact', o.redact,
    'rows_to_model', o.rows_to_model,
    'external_classification', o.external_classification, 'approve_writes', o.approve_writes, 'approve_by_another', o.approve_by_another)
  into v_settings from app.organization o where o.id = organization_settings.org_id;
  if v_settings is null then
    raise sqlstate 'PT404' using message = 'no such organization of yours';
  end if;
  return v_settings;
end
$$;
comment on function api.organization_settings(uuid) is $c$Tell how an organization is set up.

@audience app
@param org_id  the organization
@returns       {id, slug, name, created_at, require_mfa, region, allowed_regions, zero_retention, no_training, redact, rows_to_model, external_classification, approve_writes, approve_by_another}
@errors        22004, PT404
@effect        read$c$;
revoke all on function api.organization_settings(uuid) from public;
grant execute on function api.organization_settings(uuid) to authenticated;

create function api.update_organization(org_id uuid, slug text default null, name text default null) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
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
$$;
comment on function api.update_organization(uuid, text, text) is $c$Give an organization another slug or name.

@audience app
@param org_id  the organization; needs organization.manage
@param slug    short name; 2..40 of a-z, 0-9 and -, no uuid; null: as it is
@param name    display name; 1..120 characters; null: as it is
@returns       {id, slug, name, created_at, require_mfa, region, allowed_regions, zero_retention, no_training, redact, rows_to_model, external_classification, approve_writes, approve_by_another}
@errors        22004, 22023, 23514, 42501, PT404
@effect        write$c$;
revoke all on function api.update_organization(uuid, text, text) from public;
grant execute on function api.update_organization(uuid, text, text) to authenticated;

create function authz.set_suspended(org_id uuid, suspended boolean) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_person();
  perform authz.require_step_up();
  update app.organization o set suspended_at = case when set_suspended.suspended then coalesce(o.suspended_at, now()) end
  where o.id = set_suspended.org_id and o.id in (select authz.owned_org_ids());
  if not found then
    raise sqlstate 'PT404' using message = 'no such organization that you own';
  end if;
end
$$;
comment on function authz.set_suspended(uuid, boolean) is 'Suspend or resume an organization that the person asking is an active owner of, after a step-up.';
revoke all on function authz.set_suspended(uuid, boolean) from public;
grant execute on function authz.set_suspended(uuid, boolean) to authenticated;
alter function authz.set_suspended(uuid, boolean) owner to ringfence_owner;

create function api.suspend_organization(org_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(suspend_organization.org_id);
  perform authz.set_suspended(suspend_organization.org_id, true);
  return jsonb_build_object('org_id', suspend_organization.org_id, 'suspended', true);
end
$$;
comment on function api.suspend_organization(uuid) is $c$Suspend an organization: from the next request on it is as if it did not exist, for everybody, until an owner resumes it. Keep its id.

@audience app
@param org_id  the organization; needs its built-in role owner and a recent second factor of your own
@returns       {org_id, suspended}
@errors        22004, 42501, PT401, PT404
@effect        destructive$c$;
revoke all on function api.suspend_organization(uuid) from public;
grant execute on function api.suspend_organization(uuid) to authenticated;

create function api.resume_organization(org_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(resume_organization.org_id);
  perform authz.set_suspended(resume_organization.org_id, false);
  return jsonb_build_object('org_id', resume_organization.org_id, 'suspended', false);
end
$$;
comment on function api.resume_organization(uuid) is $c$Resume a suspended organization; it works from the next request on.

@audience app
@param org_id  the organization; needs its built-in role owner and a recent second factor of your own
@returns       {org_id, suspended}
@errors        22004, 42501, PT401, PT404
@effect        write$c$;
revoke all on function api.resume_organization(uuid) from public;
grant execute on function api.resume_organization(uuid) to authenticated;
