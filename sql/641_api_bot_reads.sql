-- Reading bots: those one may run, those one may see, one of them, its versions.

create function api.list_bots()
returns table (id uuid, org_id uuid, organization text, bot text, name text, version integer, created_at timestamptz)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select b.id, b.org_id, o.slug, b.slug, b.name, b.version, b.created_at
  from app.bot b
  join app.organization o on o.id = b.org_id
  join app.membership m on m.org_id = b.org_id and m.user_id = authz.uid()
  where b.id = any (array(select authz.runnable_bots()))
  -- By how long one has been a member: an organization one was added to yesterday pushes nothing out of the answer.
  order by m.created_at, o.id, b.slug
  limit 1000
$$;
comment on function api.list_bots() is $c$List the bots you may run, in all your organizations.

@audience app
@returns  array of {id, org_id, organization, bot, name, version, created_at}, at most 1000; of the organization joined first, first
@effect   read$c$;
revoke all on function api.list_bots() from public;
grant execute on function api.list_bots() to authenticated;

create function api.list_organization_bots(org_id uuid)
returns table (id uuid, bot text, name text, version integer, may_run boolean, may_change boolean, created_by uuid, created_at timestamptz,
  archived_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_organization_bots.org_id);
  return query
    select b.id, b.slug, b.name, b.version, b.id = any (array(select authz.runnable_bots())),
      b.org_id = any (array(select authz.orgs_with('bots.manage'))) or b.id = any (array(select authz.shared_bots('editor'))),
      b.created_by, b.created_at, b.archived_at
    from app.bot b where b.org_id = list_organization_bots.org_id
    order by b.slug
    limit 1000;
end
$$;
comment on function api.list_organization_bots(uuid) is $c$List the bots of an organization that you see, archived ones too: those shared with you, and with bots.manage all.

@audience app
@param org_id  the organization
@returns       array of {id, bot, name, version, may_run, may_change, created_by, created_at, archived_at}, at most 1000; by name
@errors        22004
@effect        read$c$;
revoke all on function api.list_organization_bots(uuid) from public;
grant execute on function api.list_organization_bots(uuid) to authenticated;

create function api.get_bot(org_id uuid, bot_id uuid) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_bot jsonb;
begin
  perform authz.require_org(get_bot.org_id);
  select jsonb_build_object('id', b.id, 'slug', b.slug, 'name', b.name, 'instructions', b.instructions, 'version', b.version, 'sha256', v.sha256,
    'created_by', b.created_by, 'created_at', b.created_at, 'updated_at', b.updated_at, 'archived_at', b.archived_at,
    'may_run', b.id = any (array(select authz.runnable_bots())),
    'level', case
      when b.org_id = any (array(select authz.orgs_with('bots.manage'))) or b.id = any (array(select authz.shared_bots('owner'))) then 'owner'
      when b.id = any (array(select authz.shared_bots('editor'))) then 'editor'
      else 'viewer' end) into v_bot
  from app.bot b join app.bot_version v on v.org_id = b.org_id and v.bot_id = b.id and v.version = b.version
  where b.org_id = get_bot.org_id and b.id = get_bot.bot_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such bot';
  end if;
  return v_bot;
end
$$;
comment on function api.get_bot(uuid, uuid) is $c$Get one bot that you see.

@audience app
@param org_id  the organization
@param bot_id  the bot
@returns       {id, slug, name, instructions, version, sha256, created_by, created_at, updated_at, archived_at, may_run, level: owner, editor or viewer; bots.manage counts as owner}
@errors        22004, PT404
@effect        read$c$;
revoke all on function api.get_bot(uuid, uuid) from public;
grant execute on function api.get_bot(uuid, uuid) to authenticated;

create function api.list_bot_versions(org_id uuid, bot_id uuid)
returns table (version integer, name text, instructions text, sha256 text, created_by uuid, created_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_bot_versions.org_id);
  return query
    select v.version, v.name, v.instructions, v.sha256, v.created_by, v.created_at
    from app.bot_version v
    where v.org_id = list_bot_versions.org_id and v.bot_id = list_bot_versions.bot_id
    order by v.version desc
    limit 1000;
end
$$;
comment on function api.list_bot_versions(uuid, uuid) is $c$List the versions of a bot that you see, as they were published: they never change.

@audience app
@param org_id  the organization
@param bot_id  the bot
@returns       array of {version, name, instructions, sha256: of the JSON array of both, created_by, created_at}, at most 1000; newest first
@errors        22004
@effect        read$c$;
revoke all on function api.list_bot_versions(uuid, uuid) from public;
grant execute on function api.list_bot_versions(uuid, uuid) to authenticated;
