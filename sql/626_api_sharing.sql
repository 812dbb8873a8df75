-- Sharing knowledge bases and documents: with whom, and how far (F14). Nobody gives more than they have: sharing at all takes level owner.

create function api.share_knowledge_base(
  org_id uuid, knowledge_base_id uuid, user_id uuid default null, team_id uuid default null, level text default 'viewer')
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform authz.require_org(share_knowledge_base.org_id);
  perform authz.require(num_nonnulls(share_knowledge_base.user_id, share_knowledge_base.team_id) <= 1, 'name a person or a team, or neither for everyone');
  perform authz.require(share_knowledge_base.level in ('viewer', 'editor', 'owner'), 'level: viewer, editor or owner');
  if not exists (select from app.knowledge_base r where r.org_id = share_knowledge_base.org_id and r.id = share_knowledge_base.knowledge_base_id) then
    raise sqlstate 'PT404' using message = 'no such knowledge base';
  end if;
  -- Shared anew at another level; the insert's policy decides, and takes the delete back with it.
  delete from app.kb_grant g
  where g.org_id = share_knowledge_base.org_id and g.knowledge_base_id = share_knowledge_base.knowledge_base_id
    and (g.user_id, g.team_id) is not distinct from (share_knowledge_base.user_id, share_knowledge_base.team_id) and g.level <> share_knowledge_base.level;
  insert into app.kb_grant (org_id, knowledge_base_id, user_id, team_id, level)
  values (share_knowledge_base.org_id, share_knowledge_base.knowledge_base_id, share_knowledge_base.user_id, share_knowledge_base.team_id, share_knowledge_base.level)
  returning id into v_id;
  return jsonb_build_object('id', v_id);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'already shared so';
  when foreign_key_violation then raise sqlstate 'PT404' using message = 'no such member or team';
end
$$;
comment on function api.share_knowledge_base(uuid, uuid, uuid, uuid, text) is $c$Share a knowledge base with a member, a team or (naming neither) everyone in the organization, or change the level: viewer reads its documents, editor also adds, replaces and deletes them, owner also shares, renames and deletes it. Needs level owner, or documents.manage on what you can read; for everyone also resources.publish.

@audience app
@param org_id   the organization
@param knowledge_base_id  the knowledge base
@param user_id  a member
@param team_id  a team
@param level    viewer, editor or owner
@returns        {id}
@errors         22004, 22023, 42501, PT404, PT409
@effect         write$c$;
revoke all on function api.share_knowledge_base(uuid, uuid, uuid, uuid, text) from public;
grant execute on function api.share_knowledge_base(uuid, uuid, uuid, uuid, text) to authenticated;

create function api.unshare_knowledge_base(org_id uuid, knowledge_base_id uuid, user_id uuid default null, team_id uuid default null) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform authz.require_org(unshare_knowledge_base.org_id);
  perform authz.require(num_nonnulls(unshare_knowledge_base.user_id, unshare_knowledge_base.team_id) <= 1, 'name a person or a team, or neither for everyone');
  delete from app.kb_grant g
  where g.org_id = unshare_knowledge_base.org_id and g.knowledge_base_id = unshare_knowledge_base.knowledge_base_id
    and (g.user_id, g.team_id) is not distinct from (unshare_knowledge_base.user_id, unshare_knowledge_base.team_id)
  returning g.id into v_id;
  if not found then
    raise sqlstate 'PT404' using message = 'not shared so, or not yours to withdraw';
  end if;
  return jsonb_build_object('id', v_id);
end
$$;
comment on function api.unshare_knowledge_base(uuid, uuid, uuid, uuid) is $c$Withdraw one sharing of a knowledge base: the member's, the team's or (naming neither) everyone's. It works on their next request.

@audience app
@param org_id   the organization
@param knowledge_base_id  the knowledge base
@param user_id  a member
@param team_id  a team
@returns        {id}
@errors         22004, 22023, PT404
@effect         write$c$;
revoke all on function api.unshare_knowledge_base(uuid, uuid, uuid, uuid) from public;
grant execute on function api.unshare_knowledge_base(uuid, uuid, uuid, uuid) to authenticated;

create function api.list_knowledge_base_grants(org_id uuid, knowledge_base_id uuid)
returns table (id uuid, user_id uuid, team_id uuid, team text, level text, created_by uuid, created_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_knowledge_base_grants.org_id);
  return query
    select g.id, g.user_id, g.team_id, t.slug, g.level, g.created_by, g.created_at
    from app.kb_grant g
    left join app.team t on t.org_id = g.org_id and t.id = g.team_id
    where g.org_id = list_knowledge_base_grants.org_id and g.knowledge_base_id = list_knowledge_base_grants.knowledge_base_id
    order by g.created_at, g.id
    limit 1000;
end
$$;
comment on function api.list_knowledge_base_grants(uuid, uuid) is $c$List with whom a knowledge base is shared: its owners and documents.manage see everybody, others what is shared with themselves.

@audience app
@param org_id  the organization
@param knowledge_base_id  the knowledge base
@returns       array of at most 1000 {id, user_id, team_id, team, level, created_by, created_at}; both null for everyone; oldest first
@errors        22004
@effect        read$c$;
revoke all on function api.list_knowledge_base_grants(uuid, uuid) from public;
grant execute on function api.list_knowledge_base_grants(uuid, uuid) to authenticated;

create function api.share_document(
  org_id uuid, document_id uuid, user_id uuid default null, team_id uuid default null, level text default 'viewer')
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform authz.require_org(share_document.org_id);
  perform authz.require(num_nonnulls(share_document.user_id, share_document.team_id) <= 1, 'name a person or a team, or neither for everyone');
  perform authz.require(share_document.level in ('viewer', 'editor', 'owner'), 'level: viewer, editor or owner');
  if not exists (select from app.document r where r.org_id = share_document.org_id and r.id = share_document.document_id) then
    raise sqlstate 'PT404' using message = 'no such document';
  end if;
  -- Shared anew at another level; the insert's policy decides, and takes the delete back with it.
  delete from app.document_grant g
  where g.org_id = share_document.org_id and g.document_id = share_document.document_id
    and (g.user_id, g.team_id) is not distinct from (share_document.user_id, share_document.team_id) and g.level <> share_document.level;
  insert into app.document_grant (org_id, document_id, user_id, team_id, level)
  values (share_document.org_id, share_document.document_id, share_document.user_id, share_document.team_id, share_document.level)
  returning id into v_id;
  return jsonb_build_object('id', v_id);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'already shared so';
  when foreign_key_violation then raise sqlstate 'PT404' using message = 'no such member or team';
end
$$;
comment on function api.share_document(uuid, uuid, uuid, uuid, text) is $c$Share a document with a member, a team or (naming neither) everyone in the organization, or change the level: viewer reads it, editor also changes and deletes it, owner also shares it. Needs level owner, or documents.manage on what you can read; for everyone also resources.publish.

@audience app
@param org_id   the organization
@param document_id  the document
@param user_id  a member
@param team_id  a team
@param level    viewer, editor or owner
@returns        {id}
@errors         22004, 22023, 42501, PT404, PT409
@effect         write$c$;
revoke all on function api.share_document(uuid, uuid, uuid, uuid, text) from public;
grant execute on function api.share_document(uuid, uuid, uuid, uuid, text) to authenticated;

create function api.unshare_document(org_id uuid, document_id uuid, user_id uuid default null, team_id uuid default null) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform authz.require_org(unshare_document.org_id);
  perform authz.require(num_nonnulls(unshare_document.user_id, unshare_document.team_id) <= 1, 'name a person or a team, or neither for everyone');
  delete from app.document_grant g
  where g.org_id = unshare_document.org_id and g.document_id = unshare_document.document_id
    and (g.user_id, g.team_id) is not distinct from (unshare_document.user_id, unshare_document.team_id)
  returning g.id into v_id;
  if not found then
    raise sqlstate 'PT404' using message = 'not shared so, or not yours to withdraw';
  end if;
  return jsonb_build_object('id', v_id);
end
$$;
comment on function api.unshare_document(uuid, uuid, uuid, uuid) is $c$Withdraw one sharing of a document: the member's, the team's or (naming neither) everyone's. It works on their next request.

@audience app
@param org_id   the organization
@param document_id  the document
@param user_id  a member
@param team_id  a team
@returns        {id}
@errors         22004, 22023, PT404
@effect         write$c$;
revoke all on function api.unshare_document(uuid, uuid, uuid, uuid) from public;
grant execute on function api.unshare_document(uuid, uuid, uuid, uuid) to authenticated;

create function api.list_document_grants(org_id uuid, document_id uuid)
returns table (id uuid, user_id uuid, team_id uuid, team text, level text, created_by uuid, created_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_document_grants.org_id);
  return query
    select g.id, g.user_id, g.team_id, t.slug, g.level, g.created_by, g.created_at
    from app.document_grant g
    left join app.team t on t.org_id = g.org_id and t.id = g.team_id
    where g.org_id = list_document_grants.org_id and g.document_id = list_document_grants.document_id
    order by g.created_at, g.id
    limit 1000;
end
$$;
comment on function api.list_document_grants(uuid, uuid) is $c$List with whom a document is shared: its owners and documents.manage see everybody, others what is shared with themselves.

@audience app
@param org_id  the organization
@param document_id  the document
@returns       array of at most 1000 {id, user_id, team_id, team, level, created_by, created_at}; both null for everyone; oldest first
@errors        22004
@effect        read$c$;
revoke all on function api.list_document_grants(uuid, uuid) from public;
grant execute on function api.list_document_grants(uuid, uuid) to authenticated;
