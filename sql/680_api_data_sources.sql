-- Data sources: making and sharing them, finding those one may ask, and what is in them (F44, F48).

create function authz.data_source_named(org_id uuid, source text) returns app.data_source
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_sources app.data_source[];
begin
  perform authz.require_org(data_source_named.org_id);
  select array_agg(d) into v_sources from app.data_source d
  where d.org_id = data_source_named.org_id and data_source_named.source in (d.slug, d.id::text);
  if v_sources is null then
    raise sqlstate 'PT404' using message = 'no such data source';
  elsif cardinality(v_sources) > 1 then
    raise sqlstate 'PT409' using message = 'several data sources have that name: use the id instead';
  end if;
  return v_sources[1];
end
$$;
comment on function authz.data_source_named(uuid, text) is 'The one data source of that slug or id that the person sees; PT404 for none, PT409 for several.';
revoke all on function authz.data_source_named(uuid, text) from public;
grant execute on function authz.data_source_named(uuid, text) to authenticated;

create function api.create_data_source(org_id uuid, slug text, name text, description text default '', relations text[] default '{}') returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform authz.require_org(create_data_source.org_id);
  perform authz.require(create_data_source.relations is not null, 'relations: an array, empty for a source of uploaded tables');
  perform authz.lock_name(create_data_source.org_id, 'data source ' || create_data_source.slug);
  -- Only of one that the person sees is told that it is there; whoever sees both names them by id.
  if exists (select from app.data_source d where d.org_id = create_data_source.org_id and d.slug = create_data_source.slug) then
    raise sqlstate 'PT409' using message = 'the organization has a data source of that slug';
  end if;
  insert into app.data_source (org_id, slug, name, description, relations)
  values (create_data_source.org_id, create_data_source.slug, create_data_source.name, create_data_source.description, create_data_source.relations)
  returning id into v_id;
  return jsonb_build_object('id', v_id);
end
$$;
comment on function api.create_data_source(uuid, text, text, text, text[]) is $c$Create a data source. You are its owner; nobody else asks it until it is shared. Needs analytics.manage.

@audience app
@param org_id       the organization
@param slug         short name; 2..40 of a-z, 0-9 and -, no uuid
@param name         display name; 1..120 characters
@param description  what it is good for, for people and models; 0..2000 characters
@param relations    which of our own relations it holds: orders, tickets, conversations, usage; each person sees in them what they may see anyway
@returns            {id}
@errors             22004, 22023, 23514, 42501, PT409
@effect             write$c$;
revoke all on function api.create_data_source(uuid, text, text, text, text[]) from public;
grant execute on function api.create_data_source(uuid, text, text, text, text[]) to authenticated;

create function api.delete_data_source(org_id uuid, source text) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_source app.data_source := authz.data_source_named(delete_data_source.org_id, delete_data_source.source);
begin
  delete from app.data_source d where d.org_id = v_source.org_id and d.id = v_source.id;
  if not found then
    raise sqlstate '42501' using message = 'deleting a data source is for its owners and analytics.manage';
  end if;
  return jsonb_build_object('id', v_source.id);
end
$$;
comment on function api.delete_data_source(uuid, text) is $c$Delete a data source with its uploaded tables, its jobs and their results. Needs level owner or analytics.manage.

@audience app
@param org_id  the organization
@param source  slug or id
@returns       {id}
@errors        22004, 42501, PT404, PT409
@effect        destructive$c$;
revoke all on function api.delete_data_source(uuid, text) from public;
grant execute on function api.delete_data_source(uuid, text) to authenticated;

create function api.list_data_sources(org_id uuid)
returns table (id uuid, slug text, name text, description text, relations text[], may_ask boolean, created_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_data_sources.org_id);
  return query
    select d.id, d.slug, d.name, d.description, d.relations, d.id = any (array(select authz.granted_data_sources('viewer'))), d.created_at
    from app.data_source d
    where d.org_id = list_data_sources.org_id
    order by d.slug, d.id
    limit 1000;
end
$$;
comment on function api.list_data_sources(uuid) is $c$List the data sources you may ask, and with analytics.manage every other too.

@audience app
@param org_id  the organization
@returns       array of {id, slug, name, description, relations, may_ask, created_at}, at most 1000; by slug
@errors        22004
@effect        read$c$;
revoke all on function api.list_data_sources(uuid) from public;
grant execute on function api.list_data_sources(uuid) to authenticated;

create function api.describe_data_source(org_id uuid, source text) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_source app.data_source := authz.data_source_named(describe_data_source.org_id, describe_data_source.source);
  v_found jsonb := authz.describe_source(v_source.org_id, v_source.id);
begin
  if v_found is null then
    raise sqlstate '42501' using message = 'this data source is not shared with you: whoever owns it may';
  end if;
  -- What SQL reads it from is the worker's to know.
  return jsonb_set(v_found, '{relations}', coalesce((
    select jsonb_agg(r.value - 'target' order by r.place) from jsonb_array_elements(v_found -> 'relations') with ordinality r (value, place)), '[]'));
end
$$;
comment on function api.describe_data_source(uuid, text) is $c$Tell what a data source that you may ask holds: relations, columns, types, what they mean, how things are counted, and questions with their SQL that were accepted.

@audience app
@param org_id  the organization
@param source  slug or id
@returns       {source, id, name, description, relations: [{name, description, columns: [{name, type, meaning}]}], metrics: [{name, version, description, sql, sha256, tests}], examples: [{question, sql}]: the latest 8}
@errors        22004, 42501, PT404, PT409
@effect        read$c$;
revoke all on function api.describe_data_source(uuid, text) from public;
grant execute on function api.describe_data_source(uuid, text) to authenticated;

create function api.share_data_source(
  org_id uuid, source text, role text default null, user_id uuid default null, team_id uuid default null, level text default 'viewer')
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_source app.data_source := authz.data_source_named(share_data_source.org_id, share_data_source.source);
  v_role uuid := case when share_data_source.role is not null then authz.role_named(share_data_source.org_id, share_data_source.role) end;
  v_id uuid;
begin
  perform authz.require(num_nonnulls(share_data_source.role, share_data_source.user_id, share_data_source.team_id) <= 1,
    'name a role, a person or a team, or none of them for everyone');
  perform authz.require(share_data_source.level in ('viewer', 'editor', 'owner'), 'level: viewer, editor or owner');
  insert into app.data_source_grant (org_id, data_source_id, role_id, user_id, team_id, level)
  values (v_source.org_id, v_source.id, v_role, share_data_source.user_id, share_data_source.team_id, share_data_source.level)
  returning id into v_id;
  return jsonb_build_object('id', v_id);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'shared with them already: withdraw that first';
  when foreign_key_violation then raise sqlstate 'PT404' using message = 'no such member or team';
end
$$;
comment on function api.share_data_source(uuid, text, text, uuid, uuid, text) is $c$Let a role, a member, a team or (naming none) everyone in the organization ask a data source: viewer asks it, editor also loads tables into it, owner also shares and deletes it. Of our own relations everybody sees in it what they may see anyway. Needs level owner or analytics.manage; for a role or everyone also resources.publish.

@audience app
@param org_id   the organization
@param source   slug or id
@param role     name of a role
@param user_id  a member
@param team_id  a team
@param level    viewer, editor or owner
@returns        {id}
@errors         22004, 22023, 42501, PT404, PT409
@effect         write$c$;
revoke all on function api.share_data_source(uuid, text, text, uuid, uuid, text) from public;
grant execute on function api.share_data_source(uuid, text, text, uuid, uuid, text) to authenticated;

create function api.unshare_data_source(org_id uuid, source text, role text default null, user_id uuid default null, team_id uuid default null)
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_source app.data_source := authz.data_source_named(unshare_data_source.org_id, unshare_data_source.source);
  v_role uuid := case when unshare_data_source.role is not null then authz.role_named(unshare_data_source.org_id, unshare_data_source.role) end;
  v_id uuid;
begin
  perform authz.require(num_nonnulls(unshare_data_source.role, unshare_data_source.user_id, unshare_data_source.team_id) <= 1,
    'name a role, a person or a team, or none of them for everyone');
  delete from app.data_source_grant g
  where g.org_id = v_source.org_id and g.data_source_id = v_source.id
    and (g.role_id, g.user_id, g.team_id) is not distinct from (v_role, unshare_data_source.user_id, unshare_data_source.team_id)
  returning g.id into v_id;
  if not found then
    raise sqlstate 'PT404' using message = 'not shared so, or not yours to withdraw';
  end if;
  return jsonb_build_object('id', v_id);
end
$$;
comment on function api.unshare_data_source(uuid, text, text, uuid, uuid) is $c$Withdraw one sharing of a data source. It works at once: jobs that wait end as cancelled_revoked, and old results are not read any more.

@audience app
@param org_id   the organization
@param source   slug or id
@param role     name of a role
@param user_id  a member
@param team_id  a team
@returns        {id}
@errors         22004, 22023, PT404, PT409
@effect         write$c$;
revoke all on function api.unshare_data_source(uuid, text, text, uuid, uuid) from public;
grant execute on function api.unshare_data_source(uuid, text, text, uuid, uuid) to authenticated;

create function api.list_data_source_shares(org_id uuid, source text)
returns table (id uuid, user_id uuid, team_id uuid, team text, role text, level text, created_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_source app.data_source := authz.data_source_named(list_data_source_shares.org_id, list_data_source_shares.source);
begin
  return query
    select g.id, g.user_id, g.team_id, t.slug, o.name, g.level, g.created_at
    from app.data_source_grant g
    left join app.team t on t.org_id = g.org_id and t.id = g.team_id
    left join app.role o on o.org_id = g.org_id and o.id = g.role_id
    where g.org_id = v_source.org_id and g.data_source_id = v_source.id
    order by g.created_at, g.id
    limit 1000;
end
$$;
comment on function api.list_data_source_shares(uuid, text) is $c$List with whom a data source is shared: its owners and analytics.manage see all, others what lets them ask it. A row that names nobody is everyone in the organization.

@audience app
@param org_id  the organization
@param source  slug or id
@returns       array of {id, user_id, team_id, team, role, level, created_at}, at most 1000; oldest first
@errors        22004, PT404, PT409
@effect        read$c$;
revoke all on function api.list_data_source_shares(uuid, text) from public;
grant execute on function api.list_data_source_shares(uuid, text) to authenticated;
