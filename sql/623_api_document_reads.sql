-- Documents that are there: listing them, reading about one, deleting one.

create function api.list_documents(
  org_id uuid, knowledge_base_id uuid, tagged text[] default null, since timestamptz default null, until timestamptz default null,
  after_uri text default null, max_rows integer default 1000)
returns table (
  id uuid, title text, uri text, sha256 text, visibility text, classification integer, owner_id uuid, state text, media_type text, byte_size bigint,
  tags text[], source text, trust text, modified_at timestamptz, created_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_documents.org_id);
  perform authz.require(max_rows between 1 and 1000, 'max_rows: 1..1000');
  perform authz.require(coalesce(char_length(after_uri), 0) <= 1000, 'after_uri: 0..1000 characters');
  return query
    select d.id, d.title, d.uri, d.sha256, d.visibility, d.classification::integer, d.owner_id, d.state, d.media_type, d.byte_size,
      d.tags, d.source, d.trust, d.modified_at, d.created_at
    from app.document d
    where d.org_id = list_documents.org_id and d.knowledge_base_id = list_documents.knowledge_base_id
      and (tagged is null or d.tags @> tagged)
      and (since is null or coalesce(d.modified_at, d.created_at) >= since)
      and (until is null or coalesce(d.modified_at, d.created_at) < until)
      and (after_uri is null or d.uri > after_uri)
    order by d.uri, d.id
    limit max_rows;
end
$$;
comment on function api.list_documents(uuid, uuid, text[], timestamptz, timestamptz, text, integer) is $c$List the documents of a knowledge base that you may read.

@audience app
@param org_id             the organization
@param knowledge_base_id  the knowledge base
@param tagged             only documents with all of these tags
@param since              only documents changed, or if that is unknown added, at this time or later
@param until              only documents changed, or if that is unknown added, before this time
@param after_uri          go on after this uri; 0..1000 characters
@param max_rows           number of documents; 1..1000
@returns                  array of {id, title, uri, sha256, visibility, classification, owner_id, state, media_type, byte_size, tags, source, trust, modified_at, created_at}; by uri
@errors                   22004, 22023
@effect                   read$c$;
revoke all on function api.list_documents(uuid, uuid, text[], timestamptz, timestamptz, text, integer) from public;
grant execute on function api.list_documents(uuid, uuid, text[], timestamptz, timestamptz, text, integer) to authenticated;

create function api.get_document(org_id uuid, document_id uuid) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_found jsonb;
begin
  perform authz.require_org(get_document.org_id);
  select jsonb_build_object('id', d.id, 'knowledge_base_id', d.knowledge_base_id, 'title', d.title, 'uri', d.uri, 'media_type', d.media_type,
      'byte_size', d.byte_size, 'sha256', d.sha256, 'visibility', d.visibility, 'classification', d.classification, 'tags', d.tags,
      'trust', d.trust, 'source', d.source, 'owner_id', d.owner_id, 'state', d.state, 'modified_at', d.modified_at, 'created_at', d.created_at,
      'acl_synced_at', d.acl_synced_at, 'acl_expires_at', nullif(d.acl_expires_at, 'infinity'),
      'parts', (select count(*) from app.document_part p where p.org_id = d.org_id and p.document_id = d.id),
      'chunks', (select count(*) from app.chunk c where c.org_id = d.org_id and c.document_id = d.id)) into v_found
  from app.document d
  where d.org_id = get_document.org_id and d.id = get_document.document_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such document';
  end if;
  return v_found;
end
$$;
comment on function api.get_document(uuid, uuid) is $c$Tell about a document you may read: where it came from, who added it, how far it is trusted.

@audience app
@param org_id       the organization
@param document_id  the document
@returns            {id, knowledge_base_id, title, uri, media_type, byte_size, sha256, visibility, classification, tags, trust, source, owner_id, state, modified_at, created_at, acl_synced_at, acl_expires_at, parts, chunks}
@errors             22004, PT404
@effect             read$c$;
revoke all on function api.get_document(uuid, uuid) from public;
grant execute on function api.get_document(uuid, uuid) to authenticated;

create function api.delete_document(org_id uuid, document_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_receipt app.deletion_receipt;
begin
  perform authz.require_org(delete_document.org_id);
  delete from app.document d where d.org_id = delete_document.org_id and d.id = delete_document.document_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such document of yours to delete';
  end if;
  select r.* into v_receipt from app.deletion_receipt r
  where r.org_id = delete_document.org_id and r.document_id = delete_document.document_id;
  return jsonb_build_object('document_id', delete_document.document_id, 'receipt_id', v_receipt.id, 'chunks', coalesce(v_receipt.chunks, 0),
    'parts', coalesce(v_receipt.parts, 0), 'citations_redacted', coalesce(v_receipt.citations_redacted, 0));
end
$$;
comment on function api.delete_document(uuid, uuid) is $c$Delete a document with its passages, their vectors and its file; what answers cite of it is redacted.

@audience app
@param org_id       the organization
@param document_id  the document
@returns            {document_id, receipt_id: null for one that was still loading, chunks, parts, citations_redacted}
@errors             22004, PT404
@effect             destructive$c$;
revoke all on function api.delete_document(uuid, uuid) from public;
grant execute on function api.delete_document(uuid, uuid) to authenticated;
