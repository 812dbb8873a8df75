-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

CREATE OR REPLACE FUNCTION api.begin_document (
  org_id            uuid,
  knowledge_base_id uuid,
  title             text,
  uri               text,
  sha256            text,
  visibility        text                     DEFAULT NULL::text,
  media_type        text                     DEFAULT 'text/plain'::text,
  byte_size         bigint                   DEFAULT NULL::bigint,
  tags              text[]                   DEFAULT '{}'::text[],
  classification    integer                  DEFAULT NULL::integer,
  source            text                     DEFAULT 'upload'::text,
  trust             text                     DEFAULT 'untrusted'::text,
  modified_at       timestamp with time zone DEFAULT NULL::timestamp WITH time zone
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
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
    and (d.visibility <> 'private' or d.owner_id = authz.uid());
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
  return jsonb_build_object('document_id', v_id, 'state', 'loading');
exception when insufficient_privilege then
  get stacked diagnostics v_message = message_text;
  -- PostgreSQL's own sentence names a table; ours say what is missing.
  if v_message like 'new row violates row-level security policy%' then
    v_message := 'adding documents takes level editor on the knowledge base, or documents.manage (for the whole organization with resources.publish), and the permission to read their classification';
  end if;
  raise sqlstate '42501' using message = v_message;
end
$function$;

CREATE OR REPLACE FUNCTION api.finish_document (
  org_id      uuid,
  document_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_document app.document;
  v_old app.document;
  v_chunks bigint;
  v_replaced uuid;
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
  select d.* into v_old from app.document d
  where d.org_id = v_document.org_id and d.knowledge_base_id = v_document.knowledge_base_id and d.uri = v_document.uri
    and (d.visibility = 'private') = (v_document.visibility = 'private')
    and (d.visibility <> 'private' or d.owner_id = v_document.owner_id)
    and d.state = 'ready';
  -- As changing it would ask (authz.tg_document_guard): a new version is no way around.
  if v_document.classification < v_old.classification
    and not (v_old.owner_id = authz.uid() or v_old.org_id = any (array(select authz.orgs_with('documents.manage')))
      or v_old.id = any (array(select authz.granted_documents('owner')))
      or v_old.visibility <> 'private' and v_old.knowledge_base_id = any (array(select authz.granted_knowledge_bases('owner'))))
  then
    raise sqlstate '42501' using message = 'who reads a document is for its owners to change: the earlier version is more confidential';
  end if;
  delete from app.document d where d.org_id = v_old.org_id and d.id = v_old.id returning d.id into v_replaced;
  -- Access that runs out runs out for the new version, too, until it is checked again.
  update app.document d set state = 'ready', acl_synced_at = greatest(d.acl_synced_at, v_old.acl_synced_at)
  where d.org_id = v_document.org_id and d.id = v_document.id;
  return jsonb_build_object('document_id', v_document.id, 'chunks', v_chunks, 'replaced', v_replaced);
exception when unique_violation then
  raise sqlstate 'PT409' using message = 'another document has this uri, and it is not yours to replace';
end
$function$;

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
