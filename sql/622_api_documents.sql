-- Documents: loading a text in batches, and taking the place of its earlier version in one statement.

create function api.begin_document(
  org_id uuid, knowledge_base_id uuid, title text, uri text, sha256 text, visibility text default null, media_type text default 'text/plain',
  byte_size bigint default null, tags text[] default '{}', classification integer default null, source text default 'upload',
  trust text default 'untrusted', modified_at timestamptz default null)
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_base app.knowledge_base;
  v_old app.document;
  v_visibility text;
  v_id uuid;
  v_message text;
begin
  perform authz.require_org(begin_document.org_id);
  select k.* into v_base from app.knowledge_base k
  where k.org_id = begin_document.org_id and k.id = begin_document.knowledge_base_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such knowledge base';
  end if;
  v_visibility := coalesce(begin_document.visibility, case v_base.visibility when 'restricted' then 'knowledge_base' else 'organization' end);
  perform authz.require(v_visibility <> 'organization' or v_base.visibility = 'organization',
    'visibility: the knowledge base is restricted, and so are its documents; share the document itself with others');
  select d.* into v_old from app.document d
  where d.org_id = begin_document.org_id and d.knowledge_base_id = begin_document.knowledge_base_id and d.state = 'ready'
    and d.uri = begin_document.uri and (d.visibility = 'private') = (v_visibility = 'private')
    and (d.visibility <> 'private' or d.owner_id = authz.uid())
  -- There are several where one was hidden from whoever loaded the next.
  order by d.sha256 = begin_document.sha256 desc, d.classification desc, d.created_at desc limit 1;
  if v_old.sha256 = begin_document.sha256 then
    return jsonb_build_object('document_id', v_old.id, 'state', 'unchanged');
  end if;
  -- What this person left half loaded at this place is of no use to anyone.
  delete from app.document d
  where d.org_id = begin_document.org_id and d.knowledge_base_id = begin_document.knowledge_base_id and d.state = 'loading'
    and d.uri = begin_document.uri and d.owner_id = authz.uid();
  insert into app.document (org_id, knowledge_base_id, title, uri, sha256, visibility, classification, media_type, byte_size, tags, source,
    trust, modified_at)
  values (begin_document.org_id, begin_document.knowledge_base_id, begin_document.title, begin_document.uri, begin_document.sha256,
    -- A new version is not less confidential than the one before unless somebody says so.
    v_visibility, coalesce(begin_document.classification, v_old.classification, 1), begin_document.media_type, begin_document.byte_size,
    coalesce(begin_document.tags, '{}'), begin_document.source, begin_document.trust, begin_document.modified_at)
  returning id into v_id;
  perform authz.inherit_rules(begin_document.org_id, v_old.id, v_id);
  return jsonb_build_object('document_id', v_id, 'state', 'loading');
exception when insufficient_privilege then
  get stacked diagnostics v_message = message_text;
  -- PostgreSQL's own sentence names a table; ours say what is missing.
  if v_message like 'new row violates row-level security policy%' then
    v_message := 'adding documents takes level editor on the knowledge base, or documents.manage (for the whole organization with resources.publish), and the permission to read their classification';
  end if;
  raise sqlstate '42501' using message = v_message;
end
$$;
comment on function api.begin_document(uuid, uuid, text, text, text, text, text, bigint, text[], integer, text, text, timestamptz) is $c$Begin to load a document, or learn that it is there unchanged.

@audience app
@param org_id             the organization
@param knowledge_base_id  the knowledge base
@param title              title; 1..300 characters
@param uri                where it comes from; names its place; 1..1000 characters
@param sha256             SHA-256 of the source, hexadecimal; 64..64 characters
@param visibility         organization, knowledge_base or private
@param media_type         media type of the source, as type/subtype; 3..191 characters
@param byte_size          bytes of the source; 0..104857600
@param tags               words to filter by; at most 20, 1000 characters in all
@param classification     0 public, 1 internal, 2 confidential, 3 secret; 0..3; without it the earlier version's, or 1
@param source             upload, api, or the name of a connector; 1..40 of a-z, 0-9, _ and -
@param trust              untrusted or trusted
@param modified_at        when the source was last changed
@returns                  {document_id, state: loading or unchanged}
@errors                   22004, 22023, 23514, 42501, PT404
@effect                   write$c$;
revoke all on function api.begin_document(uuid, uuid, text, text, text, text, text, bigint, text[], integer, text, text, timestamptz) from public;
grant execute on function api.begin_document(uuid, uuid, text, text, text, text, text, bigint, text[], integer, text, text, timestamptz)
  to authenticated;

create function authz.loading_document(org_id uuid, document_id uuid) returns app.document
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_document app.document;
begin
  select d.* into v_document from app.document d
  where d.org_id = loading_document.org_id and d.id = loading_document.document_id and d.state = 'loading' and d.owner_id = authz.uid();
  if not found then
    raise sqlstate 'PT404' using message = 'no such document being loaded by you';
  end if;
  return v_document;
end
$$;
comment on function authz.loading_document(uuid, uuid) is 'The document the signed-in person is loading; PT404 for any other.';
revoke all on function authz.loading_document(uuid, uuid) from public;
grant execute on function authz.loading_document(uuid, uuid) to authenticated;

create function api.add_chunks(org_id uuid, document_id uuid, chunks jsonb) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_document app.document;
begin
  perform authz.require_org(add_chunks.org_id);
  perform authz.require(jsonb_typeof(chunks) = 'array', 'chunks: an array');
  perform authz.require(jsonb_array_length(chunks) between 1 and 64, 'chunks: 1..64 a call');
  v_document := authz.loading_document(add_chunks.org_id, add_chunks.document_id);
  insert into app.chunk (org_id, document_id, knowledge_base_id, visibility, owner_id, classification, acl_expires_at,
    position, heading, content, start_char, end_char, embedding)
  select v_document.org_id, v_document.id, v_document.knowledge_base_id, v_document.visibility, v_document.owner_id,
    v_document.classification, v_document.acl_expires_at,
    (c ->> 'position')::integer, nullif(c ->> 'heading', ''), c ->> 'content', (c ->> 'start_char')::integer, (c ->> 'end_char')::integer,
    (c ->> 'embedding')::extensions.vector
  from jsonb_array_elements(chunks) c;
  return jsonb_build_object('chunks',
    (select count(*) from app.chunk c where c.org_id = v_document.org_id and c.document_id = v_document.id));
end
$$;
comment on function api.add_chunks(uuid, uuid, jsonb) is $c$Add passages to a document being loaded.

@audience app
@param org_id       the organization
@param document_id  the document, as begin_document answered
@param chunks       array of 1..64 {position, heading: 0..300 characters, content: 1..4000 characters, start_char, end_char, embedding: 384 numbers}
@returns            {chunks: how many the document has now}
@errors             22004, 22023, 22P02, 23505, 23514, 42501, PT404
@effect             write$c$;
revoke all on function api.add_chunks(uuid, uuid, jsonb) from public;
grant execute on function api.add_chunks(uuid, uuid, jsonb) to authenticated;

create function api.finish_document(org_id uuid, document_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_document app.document;
  v_old app.document;
  v_chunks bigint;
  v_replaced uuid;
  v_synced timestamptz;
begin
  perform authz.require_org(finish_document.org_id);
  v_document := authz.loading_document(finish_document.org_id, finish_document.document_id);
  select count(*) into v_chunks from app.chunk c where c.org_id = v_document.org_id and c.document_id = v_document.id;
  perform authz.require(v_chunks > 0, 'the document has no chunks');
  perform authz.require((
    select p.parts = 0 or p.last = p.parts - 1 and p.sha256 = v_document.sha256
    from (select count(*) as parts, max(f.position) as last,
        encode(sha256(coalesce(string_agg(f.content, ''::bytea order by f.position), ''::bytea)), 'hex') as sha256
      from app.document_part f where f.org_id = v_document.org_id and f.document_id = v_document.id) p),
    'the parts are not the file whose sha256 was given');
  perform authz.lock_name(v_document.org_id, 'document ' || v_document.knowledge_base_id || ' ' || v_document.uri);
  -- What the person cannot see stays beside the new version, and nothing tells them of it (R51).
  for v_old in
    select d.* from app.document d
    where d.org_id = v_document.org_id and d.knowledge_base_id = v_document.knowledge_base_id and d.uri = v_document.uri
      and (d.visibility = 'private') = (v_document.visibility = 'private')
      and (d.visibility <> 'private' or d.owner_id = v_document.owner_id)
      and d.state = 'ready'
    order by d.created_at
  loop
    -- As changing it would ask (authz.tg_document_guard): a new version is no way around.
    if v_document.classification < v_old.classification
      and not (v_old.owner_id = authz.uid() and v_old.owner_left_at is null or v_old.org_id = any (array(select authz.orgs_with('documents.manage')))
        or v_old.id = any (array(select authz.granted_documents('owner')))
        or v_old.visibility <> 'private' and v_old.knowledge_base_id = any (array(select authz.granted_knowledge_bases('owner'))))
    then
      raise sqlstate '42501' using message = 'who reads a document is for its owners to change: the earlier version is more confidential';
    end if;
    delete from app.document d where d.org_id = v_old.org_id and d.id = v_old.id returning d.id into v_replaced;
    if not found then
      raise sqlstate 'PT409' using message = 'another document has this uri, and it is not yours to replace';
    end if;
    v_synced := greatest(v_synced, v_old.acl_synced_at);
  end loop;
  -- Access that runs out runs out for the new version, too, until it is checked again.
  update app.document d set state = 'ready', acl_synced_at = greatest(d.acl_synced_at, v_synced)
  where d.org_id = v_document.org_id and d.id = v_document.id;
  return jsonb_build_object('document_id', v_document.id, 'chunks', v_chunks, 'replaced', v_replaced);
end
$$;
comment on function api.finish_document(uuid, uuid) is $c$Make a loaded document findable, replacing the earlier version at the same uri in the same transaction; with whom that was shared, this is.

@audience app
@param org_id       the organization
@param document_id  the document, as begin_document answered
@returns            {document_id, chunks, replaced: the earlier version or null}
@errors             22004, 22023, 42501, PT404, PT409
@effect             write$c$;
revoke all on function api.finish_document(uuid, uuid) from public;
grant execute on function api.finish_document(uuid, uuid) to authenticated;
