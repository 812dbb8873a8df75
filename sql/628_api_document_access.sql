-- Changing what a document is called and who reads it; and the access it has at its source, kept by a connector (F30).

create function api.update_document(
  org_id uuid, document_id uuid, title text default null, visibility text default null, classification integer default null,
  tags text[] default null, trust text default null)
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_document app.document;
begin
  perform authz.require_org(update_document.org_id);
  update app.document d set
    title = coalesce(update_document.title, d.title),
    visibility = coalesce(update_document.visibility, d.visibility),
    classification = coalesce(update_document.classification, d.classification),
    tags = coalesce(update_document.tags, d.tags),
    trust = coalesce(update_document.trust, d.trust)
  where d.org_id = update_document.org_id and d.id = update_document.document_id
  returning d.* into v_document;
  if not found then
    raise sqlstate 'PT404' using message = 'no such document of yours to change';
  end if;
  -- Only of one that the person sees is told that it is there.
  if update_document.visibility is not null and exists (select from app.document d
    where d.org_id = v_document.org_id and d.knowledge_base_id = v_document.knowledge_base_id and d.uri = v_document.uri
      and d.id <> v_document.id and d.state = 'ready' and (d.visibility = 'private') = (v_document.visibility = 'private')
      and (d.visibility <> 'private' or d.owner_id = v_document.owner_id))
  then
    raise sqlstate 'PT409' using message = 'another document has this uri';
  end if;
  return jsonb_build_object('id', v_document.id, 'title', v_document.title, 'visibility', v_document.visibility,
    'classification', v_document.classification, 'tags', v_document.tags, 'trust', v_document.trust);
end
$$;
comment on function api.update_document(uuid, uuid, text, text, integer, text[], text) is $c$Change a document's title, tags, visibility, classification or trust; what is left out stays. Who reads it is for its owners to change, to less confidential too; only documents.manage calls it trusted.

@audience app
@param org_id          the organization
@param document_id     the document
@param title           title; 1..300 characters
@param visibility      organization, knowledge_base or private
@param classification  0 public, 1 internal, 2 confidential, 3 secret; 0..3
@param tags            words to filter by; at most 20, 1000 characters in all
@param trust           untrusted or trusted
@returns               {id, title, visibility, classification, tags, trust}
@errors                22004, 22023, 23514, 42501, PT404, PT409
@effect                write$c$;
revoke all on function api.update_document(uuid, uuid, text, text, integer, text[], text) from public;
grant execute on function api.update_document(uuid, uuid, text, text, integer, text[], text) to authenticated;

create function api.sync_document_access(org_id uuid, document_id uuid, synced_at timestamptz, grants jsonb) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_document app.document;
begin
  perform authz.require_org(sync_document_access.org_id);
  perform authz.require(synced_at is not null, 'synced_at: required');
  perform authz.require(jsonb_typeof(grants) = 'array', 'grants: an array');
  perform authz.require(jsonb_array_length(grants) <= 1000, 'grants: at most 1000');
  perform authz.require(not exists (
    select from jsonb_array_elements(grants) g
    where jsonb_typeof(g.value) <> 'object'
      or num_nonnulls(g.value ->> 'user_id', g.value ->> 'team_id') <> 1
      or coalesce(g.value ->> 'level', 'viewer') not in ('viewer', 'editor', 'owner')
      or not pg_input_is_valid(coalesce(g.value ->> 'user_id', g.value ->> 'team_id'), 'uuid')),
    'grants: each {user_id or team_id, level: viewer, editor or owner}');
  update app.document d set acl_synced_at = sync_document_access.synced_at
  where d.org_id = sync_document_access.org_id and d.id = sync_document_access.document_id
  returning d.* into v_document;
  if not found then
    raise sqlstate 'PT404' using message = 'no such document of yours to change';
  end if;
  -- As it is at the source, no more and no less.
  delete from app.document_grant g where g.org_id = v_document.org_id and g.document_id = v_document.id
    and not exists (select from jsonb_array_elements(grants) a
      where (a.value ->> 'user_id')::uuid is not distinct from g.user_id and (a.value ->> 'team_id')::uuid is not distinct from g.team_id
        and coalesce(a.value ->> 'level', 'viewer') = g.level);
  insert into app.document_grant (org_id, document_id, user_id, team_id, level)
  select distinct v_document.org_id, v_document.id, (a.value ->> 'user_id')::uuid, (a.value ->> 'team_id')::uuid,
    coalesce(a.value ->> 'level', 'viewer')
  from jsonb_array_elements(grants) a
  where not exists (select from app.document_grant g where g.org_id = v_document.org_id and g.document_id = v_document.id
    and (a.value ->> 'user_id')::uuid is not distinct from g.user_id and (a.value ->> 'team_id')::uuid is not distinct from g.team_id);
  return jsonb_build_object('document_id', v_document.id, 'acl_expires_at', v_document.acl_expires_at, 'grants',
    (select count(*) from app.document_grant g where g.org_id = v_document.org_id and g.document_id = v_document.id));
exception
  when unique_violation then raise sqlstate '22023' using message = 'grants: one person or team twice';
  when foreign_key_violation then raise sqlstate 'PT404' using message = 'no such member or team';
end
$$;
comment on function api.sync_document_access(uuid, uuid, timestamptz, jsonb) is $c$Give a document the access it has at its source, for a connector: exactly these grants, good for as long as the organization's setting says (set_access_max_age).

@audience app
@param org_id       the organization
@param document_id  a document of yours; private, or others read it besides
@param synced_at    when the access was read at the source; not in the future, and not before the last time
@param grants       array of at most 1000 {user_id or team_id, level: viewer, editor or owner}
@returns            {document_id, acl_expires_at, grants: how many it has now}
@errors             22004, 22023, 42501, PT404
@effect             write$c$;
revoke all on function api.sync_document_access(uuid, uuid, timestamptz, jsonb) from public;
grant execute on function api.sync_document_access(uuid, uuid, timestamptz, jsonb) to authenticated;

create function api.set_access_max_age(org_id uuid, hours integer) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(set_access_max_age.org_id);
  perform authz.require(hours between 1 and 8760, 'hours: 1..8760');
  update app.organization o set acl_max_age_hours = hours where o.id = set_access_max_age.org_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such organization of yours to manage';
  end if;
  return jsonb_build_object('hours', hours);
end
$$;
comment on function api.set_access_max_age(uuid, integer) is $c$Set how long a document from another system is read after its access was last checked there; documents of the organization follow at once.

@audience app
@param org_id  the organization
@param hours   1..8760
@returns       {hours}
@errors        22004, 22023, PT404
@effect        write$c$;
revoke all on function api.set_access_max_age(uuid, integer) from public;
grant execute on function api.set_access_max_age(uuid, integer) to authenticated;
