-- Knowledge bases and documents: loading a text in batches, and taking the place of its earlier version in one statement.

create function api.create_knowledge_base(org_id uuid, slug text, name text) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform authz.require_org(create_knowledge_base.org_id);
  insert into app.knowledge_base (org_id, slug, name)
  values (create_knowledge_base.org_id, create_knowledge_base.slug, create_knowledge_base.name) returning id into v_id;
  return jsonb_build_object('id', v_id);
exception when unique_violation then
  raise sqlstate 'PT409' using message = 'the organization has a knowledge base of that slug';
end
$$;
comment on function api.create_knowledge_base(uuid, text, text) is $c$Create a knowledge base.

@audience app
@param org_id  the organization
@param slug    short name; 2..40 of a-z, 0-9 and -
@param name    display name; 1..120 characters
@returns       {id}
@errors        22004, 23514, 42501, PT409
@effect        write$c$;
revoke all on function api.create_knowledge_base(uuid, text, text) from public;
grant execute on function api.create_knowledge_base(uuid, text, text) to authenticated;

create function api.list_knowledge_bases(org_id uuid)
returns table (id uuid, slug text, name text, documents bigint, chunks bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_knowledge_bases.org_id);
  return query
    select k.id, k.slug, k.name,
      (select count(*) from app.document d where d.org_id = k.org_id and d.knowledge_base_id = k.id and d.state = 'ready'),
      (select count(*) from app.chunk c join app.document d on d.org_id = c.org_id and d.id = c.document_id
        where c.org_id = k.org_id and c.knowledge_base_id = k.id and d.state = 'ready')
    from app.knowledge_base k
    where k.org_id = list_knowledge_bases.org_id
    order by k.slug;
end
$$;
comment on function api.list_knowledge_bases(uuid) is $c$List the knowledge bases of an organization, counting the documents and chunks you may read.

@audience app
@param org_id  the organization
@returns       array of {id, slug, name, documents, chunks}; by slug
@errors        22004
@effect        read$c$;
revoke all on function api.list_knowledge_bases(uuid) from public;
grant execute on function api.list_knowledge_bases(uuid) to authenticated;

create function api.list_documents(org_id uuid, knowledge_base_id uuid)
returns table (id uuid, title text, uri text, sha256 text, visibility text, owner_id uuid, state text, created_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_documents.org_id);
  return query
    select d.id, d.title, d.uri, d.sha256, d.visibility, d.owner_id, d.state, d.created_at
    from app.document d
    where d.org_id = list_documents.org_id and d.knowledge_base_id = list_documents.knowledge_base_id
    order by d.uri, d.id
    limit 1000;
end
$$;
comment on function api.list_documents(uuid, uuid) is $c$List the documents of a knowledge base that you may read.

@audience app
@param org_id             the organization
@param knowledge_base_id  the knowledge base
@returns                  array of at most 1000 {id, title, uri, sha256, visibility, owner_id, state, created_at}; by uri
@errors                   22004
@effect                   read$c$;
revoke all on function api.list_documents(uuid, uuid) from public;
grant execute on function api.list_documents(uuid, uuid) to authenticated;

create function api.begin_document(
  org_id uuid, knowledge_base_id uuid, title text, uri text, sha256 text, visibility text default 'organization')
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform authz.require_org(begin_document.org_id);
  if not exists (select from app.knowledge_base k where k.org_id = begin_document.org_id and k.id = begin_document.knowledge_base_id) then
    raise sqlstate 'PT404' using message = 'no such knowledge base';
  end if;
  select d.id into v_id from app.document d
  where d.org_id = begin_document.org_id and d.knowledge_base_id = begin_document.knowledge_base_id and d.state = 'ready'
    and d.uri = begin_document.uri and d.sha256 = begin_document.sha256
    and d.visibility = begin_document.visibility and (d.visibility = 'organization' or d.owner_id = authz.uid());
  if found then
    return jsonb_build_object('document_id', v_id, 'state', 'unchanged');
  end if;
  -- What this person left half loaded at this place is of no use to anyone.
  delete from app.document d
  where d.org_id = begin_document.org_id and d.knowledge_base_id = begin_document.knowledge_base_id and d.state = 'loading'
    and d.uri = begin_document.uri and d.owner_id = authz.uid();
  insert into app.document (org_id, knowledge_base_id, title, uri, sha256, visibility)
  values (begin_document.org_id, begin_document.knowledge_base_id, begin_document.title, begin_document.uri, begin_document.sha256,
    begin_document.visibility)
  returning id into v_id;
  return jsonb_build_object('document_id', v_id, 'state', 'loading');
end
$$;
comment on function api.begin_document(uuid, uuid, text, text, text, text) is $c$Begin to load a document, or learn that it is there unchanged.

@audience app
@param org_id             the organization
@param knowledge_base_id  the knowledge base
@param title              title; 1..300 characters
@param uri                where it comes from; names its place; 1..1000 characters
@param sha256             SHA-256 of the source, hexadecimal; 64..64 characters
@param visibility         organization or private
@returns                  {document_id, state: loading or unchanged}
@errors                   22004, 23514, 42501, PT404
@effect                   write$c$;
revoke all on function api.begin_document(uuid, uuid, text, text, text, text) from public;
grant execute on function api.begin_document(uuid, uuid, text, text, text, text) to authenticated;

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
  select d.* into v_document from app.document d
  where d.org_id = add_chunks.org_id and d.id = add_chunks.document_id and d.state = 'loading' and d.owner_id = authz.uid();
  if not found then
    raise sqlstate 'PT404' using message = 'no such document being loaded by you';
  end if;
  insert into app.chunk (org_id, document_id, knowledge_base_id, visibility, owner_id, position, content, start_char, end_char, embedding)
  select v_document.org_id, v_document.id, v_document.knowledge_base_id, v_document.visibility, v_document.owner_id,
    (c ->> 'position')::integer, c ->> 'content', (c ->> 'start_char')::integer, (c ->> 'end_char')::integer,
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
@param chunks       array of 1..64 {position, content: 1..4000 characters, start_char, end_char, embedding: 384 numbers}
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
  v_chunks bigint;
  v_replaced uuid;
begin
  perform authz.require_org(finish_document.org_id);
  select d.* into v_document from app.document d
  where d.org_id = finish_document.org_id and d.id = finish_document.document_id and d.state = 'loading' and d.owner_id = authz.uid();
  if not found then
    raise sqlstate 'PT404' using message = 'no such document being loaded by you';
  end if;
  select count(*) into v_chunks from app.chunk c where c.org_id = v_document.org_id and c.document_id = v_document.id;
  perform authz.require(v_chunks > 0, 'the document has no chunks');
  delete from app.document d
  where d.org_id = v_document.org_id and d.knowledge_base_id = v_document.knowledge_base_id and d.uri = v_document.uri
    and d.visibility = v_document.visibility and (d.visibility = 'organization' or d.owner_id = v_document.owner_id)
    and d.state = 'ready'
  returning d.id into v_replaced;
  update app.document d set state = 'ready' where d.org_id = v_document.org_id and d.id = v_document.id;
  return jsonb_build_object('document_id', v_document.id, 'chunks', v_chunks, 'replaced', v_replaced);
end
$$;
comment on function api.finish_document(uuid, uuid) is $c$Make a loaded document findable, replacing the earlier version at the same uri in the same transaction.

@audience app
@param org_id       the organization
@param document_id  the document, as begin_document answered
@returns            {document_id, chunks, replaced: the earlier version or null}
@errors             22004, 22023, 42501, PT404
@effect             write$c$;
revoke all on function api.finish_document(uuid, uuid) from public;
grant execute on function api.finish_document(uuid, uuid) to authenticated;
