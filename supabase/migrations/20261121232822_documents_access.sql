-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

DROP POLICY "chunk_insert_manager" ON "app"."chunk";

DROP POLICY "chunk_select_reader" ON "app"."chunk";

DROP POLICY "chunk_select_search_owner" ON "app"."chunk";

DROP POLICY "document_delete_manager" ON "app"."document";

DROP POLICY "document_insert_manager" ON "app"."document";

DROP POLICY "document_select_reader" ON "app"."document";

DROP POLICY "document_select_search_owner" ON "app"."document";

DROP POLICY "document_update_manager" ON "app"."document";

DROP POLICY "knowledge_base_delete_nobody" ON "app"."knowledge_base";

DROP POLICY "knowledge_base_insert_manager" ON "app"."knowledge_base";

DROP POLICY "knowledge_base_select_reader" ON "app"."knowledge_base";

DROP POLICY "knowledge_base_update_manager" ON "app"."knowledge_base";

DROP INDEX "app"."document_shared_key";

ALTER TABLE "app"."chunk"
  DROP CONSTRAINT "chunk_document_access_fkey";

ALTER TABLE "app"."document"
  DROP CONSTRAINT "document_access_key";

ALTER TABLE "app"."document"
  DROP CONSTRAINT "document_knowledge_base_id_fkey";

ALTER TABLE "app"."document"
  DROP CONSTRAINT "document_visibility_check";

DROP FUNCTION "api"."begin_document"(uuid, uuid, text, text, text, text);

DROP FUNCTION "api"."create_knowledge_base"(uuid, text, text);

DROP FUNCTION "api"."list_documents"(uuid, uuid);

DROP FUNCTION "api"."list_knowledge_bases"(uuid);

CREATE TABLE "app"."deletion_receipt" (
  "org_id"             uuid                     NOT NULL,
  "id"                 uuid                     NOT NULL DEFAULT gen_random_uuid(),
  "document_id"        uuid                     NOT NULL,
  "knowledge_base_id"  uuid                     NOT NULL,
  "sha256"             text                     NOT NULL,
  "chunks"             integer                  NOT NULL,
  "parts"              integer                  NOT NULL,
  "citations_redacted" integer,
  "deleted_at"         timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT "deletion_receipt_chunks_check" CHECK ((chunks >= 0)),
  CONSTRAINT "deletion_receipt_citations_redacted_check" CHECK ((citations_redacted >= 0)),
  CONSTRAINT "deletion_receipt_parts_check" CHECK ((parts >= 0)),
  CONSTRAINT "deletion_receipt_pkey" PRIMARY KEY (org_id, id),
  "deleted_by"         uuid                     DEFAULT authz.uid()
);

ALTER TABLE "app"."deletion_receipt"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."deletion_receipt"
  FORCE ROW LEVEL SECURITY;

CREATE TABLE "app"."document_grant" (
  "org_id"      uuid                     NOT NULL,
  "id"          uuid                     NOT NULL DEFAULT gen_random_uuid(),
  "document_id" uuid                     NOT NULL,
  "user_id"     uuid,
  "team_id"     uuid,
  "level"       text                     NOT NULL DEFAULT 'viewer'::text,
  "created_at"  timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT "document_grant_level_check" CHECK ((level = ANY (ARRAY['viewer'::text, 'editor'::text, 'owner'::text]))),
  CONSTRAINT "document_grant_one_principal_check" CHECK ((num_nonnulls(user_id, team_id) <= 1)),
  CONSTRAINT "document_grant_pkey" PRIMARY KEY (org_id, id),
  CONSTRAINT "document_grant_principal_key" UNIQUE NULLS NOT DISTINCT (org_id, document_id, user_id, team_id),
  "created_by"  uuid                     NOT NULL DEFAULT authz.uid()
);

ALTER TABLE "app"."document_grant"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."document_grant"
  FORCE ROW LEVEL SECURITY;

CREATE TABLE "app"."document_part" (
  "org_id"            uuid                     NOT NULL,
  "id"                uuid                     NOT NULL DEFAULT gen_random_uuid(),
  "document_id"       uuid                     NOT NULL,
  "knowledge_base_id" uuid                     NOT NULL,
  "visibility"        text                     NOT NULL,
  "owner_id"          uuid                     NOT NULL,
  "classification"    smallint                 NOT NULL DEFAULT 1,
  "acl_expires_at"    timestamp with time zone NOT NULL DEFAULT 'infinity'::timestamp WITH time zone,
  "position"          integer                  NOT NULL,
  "content"           bytea                    NOT NULL,
  CONSTRAINT "document_part_content_check" CHECK (((octet_length(content) >= 1) AND (octet_length(content) <= 180000))),
  CONSTRAINT "document_part_org_id_document_id_position_key" UNIQUE (org_id, document_id, "position"),
  CONSTRAINT "document_part_pkey" PRIMARY KEY (org_id, id),
  CONSTRAINT "document_part_position_check" CHECK ((("position" >= 0) AND ("position" <= 999)))
);

ALTER TABLE "app"."document_part"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."document_part"
  FORCE ROW LEVEL SECURITY;

CREATE TABLE "app"."kb_grant" (
  "org_id"            uuid                     NOT NULL,
  "id"                uuid                     NOT NULL DEFAULT gen_random_uuid(),
  "knowledge_base_id" uuid                     NOT NULL,
  "user_id"           uuid,
  "team_id"           uuid,
  "level"             text                     NOT NULL DEFAULT 'viewer'::text,
  "created_at"        timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT "kb_grant_level_check" CHECK ((level = ANY (ARRAY['viewer'::text, 'editor'::text, 'owner'::text]))),
  CONSTRAINT "kb_grant_one_principal_check" CHECK ((num_nonnulls(user_id, team_id) <= 1)),
  CONSTRAINT "kb_grant_pkey" PRIMARY KEY (org_id, id),
  CONSTRAINT "kb_grant_principal_key" UNIQUE NULLS NOT DISTINCT (org_id, knowledge_base_id, user_id, team_id),
  "created_by"        uuid                     NOT NULL DEFAULT authz.uid()
);

ALTER TABLE "app"."kb_grant"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."kb_grant"
  FORCE ROW LEVEL SECURITY;

ALTER TABLE "app"."chunk"
  ADD COLUMN "classification" smallint NOT NULL DEFAULT 1;

ALTER TABLE "app"."chunk"
  ADD COLUMN "acl_expires_at" timestamp WITH time zone NOT NULL DEFAULT 'infinity'::timestamp WITH time zone;

ALTER TABLE "app"."chunk"
  ADD COLUMN "heading" text;

ALTER TABLE "app"."document"
  ADD COLUMN "base_visibility" text NOT NULL DEFAULT 'organization'::text;

ALTER TABLE "app"."document"
  ADD COLUMN "classification" smallint NOT NULL DEFAULT 1;

ALTER TABLE "app"."document"
  ADD COLUMN "media_type" text NOT NULL DEFAULT 'text/plain'::text;

ALTER TABLE "app"."document"
  ADD COLUMN "byte_size" bigint;

ALTER TABLE "app"."document"
  ADD COLUMN "tags" text[] NOT NULL DEFAULT '{}'::text[];

ALTER TABLE "app"."document"
  ADD COLUMN "source" text NOT NULL DEFAULT 'upload'::text;

ALTER TABLE "app"."document"
  ADD COLUMN "trust" text NOT NULL DEFAULT 'untrusted'::text;

ALTER TABLE "app"."document"
  ADD COLUMN "acl_synced_at" timestamp WITH time zone;

ALTER TABLE "app"."document"
  ADD COLUMN "acl_max_age_hours" integer;

ALTER TABLE "app"."document"
  ADD COLUMN "acl_expires_at" timestamp WITH time zone NOT NULL DEFAULT 'infinity'::timestamp WITH time zone;

ALTER TABLE "app"."document"
  ADD COLUMN "modified_at" timestamp WITH time zone;

ALTER TABLE "app"."knowledge_base"
  ADD COLUMN "visibility" text NOT NULL DEFAULT 'organization'::text;

ALTER TABLE "app"."organization"
  ADD COLUMN "acl_max_age_hours" integer NOT NULL DEFAULT 168;

CREATE OR REPLACE FUNCTION api.add_chunks (
  org_id      uuid,
  document_id uuid,
  chunks      jsonb
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION api.add_file_part (
  org_id      uuid,
  document_id uuid,
  "position"  integer,
  content     text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_document app.document;
begin
  perform authz.require_org(add_file_part.org_id);
  perform authz.require(char_length(content) between 1 and 250000, 'content: base64 of 1..180000 bytes');
  v_document := authz.loading_document(add_file_part.org_id, add_file_part.document_id);
  insert into app.document_part (org_id, document_id, knowledge_base_id, visibility, owner_id, classification, acl_expires_at, position, content)
  values (v_document.org_id, v_document.id, v_document.knowledge_base_id, v_document.visibility, v_document.owner_id,
    v_document.classification, v_document.acl_expires_at, add_file_part.position, decode(add_file_part.content, 'base64'));
  return jsonb_build_object('parts',
    (select count(*) from app.document_part p where p.org_id = v_document.org_id and p.document_id = v_document.id));
end
$function$;

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
end
$function$;

CREATE OR REPLACE FUNCTION api.create_knowledge_base (
  org_id     uuid,
  slug       text,
  name       text,
  visibility text DEFAULT 'organization'::text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_id uuid;
begin
  perform authz.require_org(create_knowledge_base.org_id);
  insert into app.knowledge_base (org_id, slug, name, visibility)
  values (create_knowledge_base.org_id, create_knowledge_base.slug, create_knowledge_base.name, create_knowledge_base.visibility)
  returning id into v_id;
  return jsonb_build_object('id', v_id);
exception when unique_violation then
  raise sqlstate 'PT409' using message = 'the organization has a knowledge base of that slug';
end
$function$;

CREATE OR REPLACE FUNCTION api.delete_document (
  org_id      uuid,
  document_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION api.delete_knowledge_base (
  org_id            uuid,
  knowledge_base_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_documents uuid[];
  v_deleted jsonb;
begin
  perform authz.require_org(delete_knowledge_base.org_id);
  -- Locked for update: the policy for changing it is asked, too.
  perform from app.knowledge_base k
  where k.org_id = delete_knowledge_base.org_id and k.id = delete_knowledge_base.knowledge_base_id for update;
  if not found then
    raise sqlstate 'PT404' using message = 'no such knowledge base of yours to change';
  end if;
  begin
    with gone as (
      delete from app.document d
      where d.org_id = delete_knowledge_base.org_id and d.knowledge_base_id = delete_knowledge_base.knowledge_base_id returning d.id
    )
    select coalesce(array_agg(g.id), '{}') into v_documents from gone g;
    delete from app.knowledge_base k
    where k.org_id = delete_knowledge_base.org_id and k.id = delete_knowledge_base.knowledge_base_id;
  exception when foreign_key_violation then
    raise sqlstate 'PT409' using message = 'the knowledge base holds documents that are not yours to delete: nothing was deleted';
  end;
  select jsonb_build_object('documents', count(*), 'chunks', coalesce(sum(r.chunks), 0), 'parts', coalesce(sum(r.parts), 0),
      'citations_redacted', coalesce(sum(r.citations_redacted), 0)) into v_deleted
  from app.deletion_receipt r where r.org_id = delete_knowledge_base.org_id and r.document_id = any (v_documents);
  return jsonb_build_object('knowledge_base_id', delete_knowledge_base.knowledge_base_id) || v_deleted;
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
  delete from app.document d
  where d.org_id = v_document.org_id and d.knowledge_base_id = v_document.knowledge_base_id and d.uri = v_document.uri
    and (d.visibility = 'private') = (v_document.visibility = 'private')
    and (d.visibility <> 'private' or d.owner_id = v_document.owner_id)
    and d.state = 'ready'
  returning d.id into v_replaced;
  update app.document d set state = 'ready' where d.org_id = v_document.org_id and d.id = v_document.id;
  return jsonb_build_object('document_id', v_document.id, 'chunks', v_chunks, 'replaced', v_replaced);
exception when unique_violation then
  raise sqlstate 'PT409' using message = 'another document has this uri, and it is not yours to replace';
end
$function$;

CREATE OR REPLACE FUNCTION api.get_document (
  org_id      uuid,
  document_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION api.list_documents (
  org_id            uuid,
  knowledge_base_id uuid,
  tagged            text[]                   DEFAULT NULL::text[],
  since             timestamp with time zone DEFAULT NULL::timestamp WITH time zone,
  until             timestamp with time zone DEFAULT NULL::timestamp WITH time zone,
  after_uri         text                     DEFAULT NULL::text,
  max_rows          integer                  DEFAULT 1000
)
  RETURNS TABLE (
    id             uuid,
    title          text,
    uri            text,
    sha256         text,
    visibility     text,
    classification integer,
    owner_id       uuid,
    state          text,
    media_type     text,
    byte_size      bigint,
    tags           text[],
    source         text,
    trust          text,
    modified_at    timestamp with time zone,
    created_at     timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION api.list_knowledge_bases (
  org_id uuid
)
  RETURNS TABLE (
    id         uuid,
    slug       text,
    name       text,
    visibility text,
    documents  bigint,
    chunks     bigint
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_knowledge_bases.org_id);
  return query
    select k.id, k.slug, k.name, k.visibility,
      (select count(*) from app.document d where d.org_id = k.org_id and d.knowledge_base_id = k.id and d.state = 'ready'),
      (select count(*) from app.chunk c join app.document d on d.org_id = c.org_id and d.id = c.document_id
        where c.org_id = k.org_id and c.knowledge_base_id = k.id and d.state = 'ready')
    from app.knowledge_base k
    where k.org_id = list_knowledge_bases.org_id
    order by k.slug;
end
$function$;

CREATE OR REPLACE FUNCTION api.preview_document (
  org_id      uuid,
  document_id uuid,
  start_char  integer DEFAULT 0,
  max_chars   integer DEFAULT 2000
)
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_chunk record;
  v_text text := '';
  v_at integer := preview_document.start_char;
  v_end bigint := preview_document.start_char::bigint + preview_document.max_chars;
begin
  perform authz.require_org(preview_document.org_id);
  perform authz.require(preview_document.start_char >= 0, 'start_char: 0..2147483647');
  perform authz.require(preview_document.max_chars between 1 and 20000, 'max_chars: 1..20000');
  if not authz.can_read_document(preview_document.org_id, preview_document.document_id) then
    raise sqlstate 'PT404' using message = 'no such document';
  end if;
  for v_chunk in
    select c.content, c.start_char, c.end_char from app.chunk c
    where c.org_id = preview_document.org_id and c.document_id = preview_document.document_id
      and c.end_char > preview_document.start_char and c.start_char < v_end
    order by c.position
  loop
    -- Passages are cut at white space and may overlap: what lies between two is a line break, what both have is taken once.
    if v_chunk.start_char > v_at then
      v_text := v_text || case when v_text = '' then '' else e'\n' end;
      v_at := v_chunk.start_char;
    end if;
    if v_chunk.end_char > v_at then
      v_text := v_text || substr(v_chunk.content, v_at - v_chunk.start_char + 1, (least(v_chunk.end_char, v_end) - v_at)::integer);
      v_at := least(v_chunk.end_char, v_end);
    end if;
  end loop;
  return jsonb_build_object('text', left(v_text, preview_document.max_chars), 'start_char', preview_document.start_char, 'end_char', v_at);
end
$function$;

CREATE OR REPLACE FUNCTION api.read_file_part (
  org_id      uuid,
  document_id uuid,
  "position"  integer
)
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_content bytea;
begin
  perform authz.require_org(read_file_part.org_id);
  perform authz.require(read_file_part.position between 0 and 999, 'position: 0..999');
  if authz.can_read_document(read_file_part.org_id, read_file_part.document_id) then
    select p.content into v_content from app.document_part p
    where p.org_id = read_file_part.org_id and p.document_id = read_file_part.document_id and p.position = read_file_part.position;
  end if;
  if v_content is null then
    raise sqlstate 'PT404' using message = 'no such part of a document';
  end if;
  -- PostgreSQL breaks base64 into lines.
  return jsonb_build_object('content', translate(encode(v_content, 'base64'), e'\n', ''));
end
$function$;

CREATE OR REPLACE FUNCTION api.set_knowledge_base_visibility (
  org_id            uuid,
  knowledge_base_id uuid,
  visibility        text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(set_knowledge_base_visibility.org_id);
  perform authz.require(set_knowledge_base_visibility.visibility in ('organization', 'restricted'), 'visibility: organization or restricted');
  update app.knowledge_base k set visibility = set_knowledge_base_visibility.visibility
  where k.org_id = set_knowledge_base_visibility.org_id and k.id = set_knowledge_base_visibility.knowledge_base_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such knowledge base of yours to change';
  end if;
  return jsonb_build_object('id', set_knowledge_base_visibility.knowledge_base_id, 'visibility', set_knowledge_base_visibility.visibility);
end
$function$;

CREATE OR REPLACE FUNCTION authz.can_read_document (
  org_id      uuid,
  document_id uuid
)
  RETURNS boolean
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  -- Row security answers.
  select exists (select from app.document d where d.org_id = can_read_document.org_id and d.id = can_read_document.document_id)
$function$;

CREATE OR REPLACE FUNCTION authz.denied (
  kind text
)
  RETURNS SETOF uuid
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  ROWS 1
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select case denied.kind when 'knowledge_base' then r.knowledge_base_id when 'document' then r.document_id when 'bot' then r.bot_id end
  from app.deny_rule r
  where case denied.kind when 'knowledge_base' then r.knowledge_base_id when 'document' then r.document_id when 'bot' then r.bot_id end is not null
    -- The policy shows the owner role more than this: what a replacing document inherits.
    and (r.user_id = (select authz.uid()) or r.team_id = any (array(select authz.team_ids())) or r.role_id = any (array(select authz.role_ids()))
      or num_nonnulls(r.user_id, r.team_id, r.role_id) = 0)
$function$;

CREATE OR REPLACE FUNCTION authz.granted_documents (
  level text DEFAULT 'viewer'::text
)
  RETURNS SETOF uuid
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  ROWS 10
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select g.document_id from app.document_grant g
  where g.level = any (authz.levels_from(granted_documents.level))
    -- The policy shows the owner role more than this: what a replacement inherits.
    and (g.user_id = (select authz.uid()) or g.team_id = any (array(select authz.team_ids())) or num_nonnulls(g.user_id, g.team_id) = 0)
$function$;

ALTER FUNCTION "authz"."granted_documents"(text) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.granted_knowledge_bases (
  level text DEFAULT 'viewer'::text
)
  RETURNS SETOF uuid
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  ROWS 10
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select k.id from app.knowledge_base k
  where k.created_by = (select authz.uid()) and k.org_id = any (array(select authz.org_ids()))
    and cardinality(authz.levels_from(granted_knowledge_bases.level)) > 0
  union all
  select g.knowledge_base_id from app.kb_grant g
  where g.level = any (authz.levels_from(granted_knowledge_bases.level))
$function$;

ALTER FUNCTION "authz"."granted_knowledge_bases"(text) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.loading_document (
  org_id      uuid,
  document_id uuid
)
  RETURNS app.document
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION authz.tg_document_forget()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_cited jsonb := jsonb_build_array(jsonb_build_object('document_id', old.id));
  v_redacted integer := 0;
begin
  select coalesce(sum((select count(*) from jsonb_array_elements(m.citations) c where c.value ->> 'document_id' = old.id::text)), 0)
    into v_redacted
  from app.message m where m.org_id = old.org_id and m.citations @> v_cited;
  update app.message m set citations = (
    select jsonb_agg(case when c.value ->> 'document_id' = old.id::text
        then jsonb_strip_nulls(jsonb_build_object('n', c.value -> 'n', 'redacted', true)) else c.value end order by c.ordinality)
    from jsonb_array_elements(m.citations) with ordinality c)
  where m.org_id = old.org_id and m.citations @> v_cited;
  update app.deletion_receipt r set citations_redacted = v_redacted
  where r.org_id = old.org_id and r.document_id = old.id and r.citations_redacted is null;
  return null;
end
$function$;

ALTER FUNCTION "authz"."tg_document_forget"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.tg_document_guard()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_manages boolean;
  v_owns boolean;
begin
  -- Also when a foreign key carries a change of the knowledge base or of the organization here.
  if tg_op = 'INSERT' then
    new.base_visibility := coalesce((select k.visibility from app.knowledge_base k where k.org_id = new.org_id and k.id = new.knowledge_base_id),
      'organization');
  end if;
  if new.visibility <> 'private' then
    new.visibility := case new.base_visibility when 'restricted' then 'knowledge_base' else 'organization' end;
  end if;
  if new.acl_synced_at is not null and new.acl_max_age_hours is null then
    new.acl_max_age_hours := (select o.acl_max_age_hours from app.organization o where o.id = new.org_id);
  end if;
  new.acl_expires_at := coalesce(new.acl_synced_at + make_interval(hours => new.acl_max_age_hours), 'infinity');
  -- What a change may be; where policies do not apply (an operator, a foreign key) there is nobody to ask.
  if not row_security_active('app.document') then
    return new;
  end if;
  v_manages := new.org_id = any (array(select authz.orgs_with('documents.manage')));
  if new.trust = 'trusted' and (tg_op = 'INSERT' or old.trust <> 'trusted') and not v_manages then
    raise sqlstate '42501' using message = 'only documents.manage calls a document trusted';
  end if;
  if tg_op = 'UPDATE' then
    v_owns := v_manages or old.owner_id = authz.uid() or old.id = any (array(select authz.granted_documents('owner')))
      or old.visibility <> 'private' and old.knowledge_base_id = any (array(select authz.granted_knowledge_bases('owner')));
    if (new.visibility <> old.visibility or new.classification < old.classification or new.acl_synced_at is distinct from old.acl_synced_at)
      and not v_owns
    then
      raise sqlstate '42501' using message = 'who reads a document is for its owners to change';
    end if;
    if new.acl_synced_at is distinct from old.acl_synced_at then
      perform authz.require(new.acl_synced_at >= coalesce(old.acl_synced_at, '-infinity') and new.acl_synced_at <= clock_timestamp(),
        'synced_at: not in the future, and not before the last time');
    end if;
    perform authz.require(new.state = old.state or new.state = 'ready', 'a document that is ready is not loaded again');
    -- Loading takes its time: what was allowed at its beginning must still be when it is published.
    if (new.visibility = 'organization' and old.visibility <> 'organization' or new.state <> old.state)
      and not new.knowledge_base_id = any (array(select authz.granted_knowledge_bases('editor')))
      and not (v_manages and (new.visibility <> 'organization' or new.org_id = any (array(select authz.orgs_with('resources.publish'))))
        and (new.state = old.state or exists (select from app.knowledge_base k where k.org_id = new.org_id and k.id = new.knowledge_base_id)))
    then
      raise sqlstate '42501' using message = 'publishing in this knowledge base takes level editor, or documents.manage and resources.publish';
    end if;
  end if;
  return new;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_document_inherit()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_next uuid;
begin
  -- The policy shows the person's own documents being loaded and no others: the version that takes this one's place is among them.
  for v_next in
    select d.id from app.document d
    where d.org_id = old.org_id and d.knowledge_base_id = old.knowledge_base_id and d.uri = old.uri
      and d.owner_id = authz.uid() and d.state = 'loading'
      and (d.visibility = 'private') = (old.visibility = 'private')
  loop
    insert into app.document_grant (org_id, document_id, user_id, team_id, level)
      select g.org_id, v_next, g.user_id, g.team_id, g.level from app.document_grant g
      where g.org_id = old.org_id and g.document_id = old.id
    on conflict do nothing;
    if old.owner_id <> authz.uid() then
      -- Someone who has left cannot be shared with.
      begin
        insert into app.document_grant (org_id, document_id, user_id, level) values (old.org_id, v_next, old.owner_id, 'owner')
        on conflict do nothing;
      exception when foreign_key_violation then null;
      end;
    end if;
    insert into app.deny_rule (org_id, user_id, team_id, role_id, document_id, reason)
      select r.org_id, r.user_id, r.team_id, r.role_id, v_next, r.reason from app.deny_rule r
      where r.org_id = old.org_id and r.document_id = old.id
    on conflict do nothing;
  end loop;
  return old;
end
$function$;

ALTER FUNCTION "authz"."tg_document_inherit"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.tg_document_receipt()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  insert into app.deletion_receipt (org_id, document_id, knowledge_base_id, sha256, chunks, parts)
  select old.org_id, old.id, old.knowledge_base_id, old.sha256,
    (select count(*) from app.chunk c where c.org_id = old.org_id and c.document_id = old.id),
    (select count(*) from app.document_part p where p.org_id = old.org_id and p.document_id = old.id);
  return old;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_knowledge_base_guard()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  -- A policy sees one row, old or new: what a change may be, only a trigger can say.
  if row_security_active('app.knowledge_base') and new.visibility = 'organization' and old.visibility <> 'organization'
    and not new.org_id = any (array(select authz.orgs_with('resources.publish')))
  then
    raise sqlstate '42501' using message = 'sharing with the whole organization takes the permission resources.publish';
  end if;
  return new;
end
$function$;

ALTER TABLE "app"."chunk"
  ADD CONSTRAINT "chunk_heading_check" CHECK (((char_length(heading) >= 1) AND (char_length(heading) <= 300)));

ALTER TABLE "app"."deletion_receipt"
  ADD CONSTRAINT "deletion_receipt_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."document"
  ADD CONSTRAINT "document_access_key" UNIQUE (org_id, id, knowledge_base_id, visibility, owner_id, classification, acl_expires_at);

ALTER TABLE "app"."chunk"
  ADD CONSTRAINT "chunk_document_access_fkey" FOREIGN KEY (org_id, document_id, knowledge_base_id, visibility, owner_id, classification, acl_expires_at)
    REFERENCES app.document(org_id, id, knowledge_base_id, visibility, owner_id, classification, acl_expires_at) ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE "app"."document"
  ADD CONSTRAINT "document_acl_check" CHECK (((acl_synced_at IS NULL) = (acl_max_age_hours IS NULL)));

ALTER TABLE "app"."document"
  ADD CONSTRAINT "document_base_visibility_check" CHECK (((visibility = 'private'::text) OR (visibility =
CASE base_visibility
    WHEN 'restricted'::text THEN 'knowledge_base'::text
    ELSE 'organization'::text
END)));

ALTER TABLE "app"."document"
  ADD CONSTRAINT "document_byte_size_check" CHECK (((byte_size >= 0) AND (byte_size <= 104857600)));

ALTER TABLE "app"."document"
  ADD CONSTRAINT "document_classification_check" CHECK (((classification >= 0) AND (classification <= 3)));

ALTER TABLE "app"."document"
  ADD CONSTRAINT "document_media_type_check" CHECK ((media_type ~ '^[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$'::text));

ALTER TABLE "app"."document"
  ADD CONSTRAINT "document_source_check" CHECK ((source ~ '^[a-z][a-z0-9_-]{0,39}$'::text));

ALTER TABLE "app"."document"
  ADD CONSTRAINT "document_tags_check" CHECK (((cardinality(tags) <= 20) AND (array_position(tags, NULL::text) IS NULL) AND (char_length(array_to_string(tags, ''::text)) <= 1000)));

ALTER TABLE "app"."document"
  ADD CONSTRAINT "document_trust_check" CHECK ((trust = ANY (ARRAY['trusted'::text, 'untrusted'::text])));

ALTER TABLE "app"."document"
  ADD CONSTRAINT "document_visibility_check" CHECK ((visibility = ANY (ARRAY['organization'::text, 'knowledge_base'::text, 'private'::text])));

ALTER TABLE "app"."document_grant"
  ADD CONSTRAINT "document_grant_document_id_fkey" FOREIGN KEY (org_id, document_id) REFERENCES app.document(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."document_grant"
  ADD CONSTRAINT "document_grant_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."document_grant"
  ADD CONSTRAINT "document_grant_team_id_fkey" FOREIGN KEY (org_id, team_id) REFERENCES app.team(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."document_grant"
  ADD CONSTRAINT "document_grant_user_id_fkey" FOREIGN KEY (org_id, user_id) REFERENCES app.membership(org_id, user_id) ON DELETE CASCADE;

ALTER TABLE "app"."document_part"
  ADD CONSTRAINT "document_part_document_access_fkey" FOREIGN KEY (org_id, document_id, knowledge_base_id, visibility, owner_id, classification, acl_expires_at)
    REFERENCES app.document(org_id, id, knowledge_base_id, visibility, owner_id, classification, acl_expires_at) ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE "app"."document_part"
  ADD CONSTRAINT "document_part_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."kb_grant"
  ADD CONSTRAINT "kb_grant_knowledge_base_id_fkey" FOREIGN KEY (org_id, knowledge_base_id) REFERENCES app.knowledge_base(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."kb_grant"
  ADD CONSTRAINT "kb_grant_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."kb_grant"
  ADD CONSTRAINT "kb_grant_team_id_fkey" FOREIGN KEY (org_id, team_id) REFERENCES app.team(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."kb_grant"
  ADD CONSTRAINT "kb_grant_user_id_fkey" FOREIGN KEY (org_id, user_id) REFERENCES app.membership(org_id, user_id) ON DELETE CASCADE;

ALTER TABLE "app"."knowledge_base"
  ADD CONSTRAINT "knowledge_base_visibility_check" CHECK ((visibility = ANY (ARRAY['organization'::text, 'restricted'::text])));

ALTER TABLE "app"."knowledge_base"
  ADD CONSTRAINT "knowledge_base_visibility_key" UNIQUE (org_id, id, visibility);

ALTER TABLE "app"."document"
  ADD CONSTRAINT "document_knowledge_base_id_fkey" FOREIGN KEY (org_id, knowledge_base_id, base_visibility) REFERENCES app.knowledge_base(org_id, id, visibility) ON UPDATE CASCADE;

ALTER TABLE "app"."organization"
  ADD CONSTRAINT "organization_acl_max_age_hours_check" CHECK (((acl_max_age_hours >= 1) AND (acl_max_age_hours <= 8760)));

ALTER TABLE "app"."organization"
  ADD CONSTRAINT "organization_acl_max_age_hours_key" UNIQUE (id, acl_max_age_hours);

ALTER TABLE "app"."document"
  ADD CONSTRAINT "document_acl_max_age_hours_fkey" FOREIGN KEY (org_id, acl_max_age_hours) REFERENCES app.organization(id, acl_max_age_hours) ON UPDATE CASCADE ON DELETE CASCADE;

CREATE INDEX deletion_receipt_org_id_document_id_idx ON app.deletion_receipt USING btree (org_id, document_id);

CREATE INDEX document_acl_max_age_hours_idx ON app.document USING btree (org_id, acl_max_age_hours)
  WHERE (acl_max_age_hours IS NOT NULL);

CREATE UNIQUE INDEX document_shared_key ON app.document USING btree (org_id, knowledge_base_id, uri)
  WHERE ((state = 'ready'::text) AND (visibility <> 'private'::text));

CREATE TRIGGER _100_guard
  BEFORE INSERT OR UPDATE ON app.document
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_document_guard();

CREATE TRIGGER _400_inherit
  BEFORE DELETE ON app.document
  FOR EACH ROW
  WHEN ((old.state = 'ready'::text))
  EXECUTE FUNCTION authz.tg_document_inherit();

CREATE TRIGGER _500_receipt
  BEFORE DELETE ON app.document
  FOR EACH ROW
  WHEN ((old.state = 'ready'::text))
  EXECUTE FUNCTION authz.tg_document_receipt();

CREATE TRIGGER _510_forget
  AFTER DELETE ON app.document
  FOR EACH ROW
  WHEN ((old.state = 'ready'::text))
  EXECUTE FUNCTION authz.tg_document_forget();

CREATE TRIGGER _900_audit
  AFTER INSERT OR DELETE OR UPDATE ON app.document_grant
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _900_audit
  AFTER INSERT OR DELETE OR UPDATE ON app.kb_grant
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _100_guard
  BEFORE UPDATE ON app.knowledge_base
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_knowledge_base_guard();

CREATE POLICY "chunk_classification_floor" ON "app"."chunk"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING
    (((classification <= 1) OR ((classification = 2) AND (org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.read_confidential'::text) AS orgs_with)))) OR (org_id = ANY (ARRAY(
    SELECT authz.orgs_with('documents.read_secret'::text) AS orgs_with)))))
  WITH
    CHECK
    (((classification <= 1) OR ((classification = 2) AND (org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.read_confidential'::text) AS orgs_with)))) OR (org_id = ANY (ARRAY(
    SELECT authz.orgs_with('documents.read_secret'::text) AS orgs_with)))));

CREATE POLICY "chunk_denied_floor" ON "app"."chunk"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING
    (((document_id <> ALL (ARRAY( SELECT authz.denied('document'::text) AS denied))) AND (knowledge_base_id <> ALL (ARRAY( SELECT authz.denied('knowledge_base'::text) AS
    denied)))))
  WITH
    CHECK
    (((document_id <> ALL (ARRAY( SELECT authz.denied('document'::text) AS denied))) AND (knowledge_base_id <> ALL (ARRAY( SELECT authz.denied('knowledge_base'::text) AS
    denied)))));

CREATE POLICY "chunk_expired_floor" ON "app"."chunk"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING (((acl_expires_at > now()) OR (owner_id = ( SELECT authz.uid() AS uid))))
  WITH CHECK (((acl_expires_at > now()) OR (owner_id = ( SELECT authz.uid() AS uid))));

CREATE POLICY "chunk_insert_loader" ON "app"."chunk"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (((org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.read'::text) AS orgs_with))) AND (document_id IN ( SELECT d.id
   FROM app.document d
  WHERE ((d.state = 'loading'::text) AND (d.owner_id = ( SELECT authz.uid() AS uid)))))));

CREATE POLICY "chunk_select_reader" ON "app"."chunk"
  FOR SELECT
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.read'::text) AS orgs_with))) AND ((visibility = 'organization'::text) OR (owner_id = ( SELECT authz.uid() AS uid)) OR
    (document_id = ANY (ARRAY( SELECT authz.granted_documents() AS granted_documents))) OR
    ((visibility = 'knowledge_base'::text) AND (knowledge_base_id = ANY (ARRAY( SELECT authz.granted_knowledge_bases() AS granted_knowledge_bases)))))));

CREATE POLICY "chunk_select_search_owner" ON "app"."chunk"
  FOR SELECT
  TO "ringfence_owner"
  USING
    (((org_id = ( SELECT authz.search_org_id() AS search_org_id)) AND ((visibility = 'organization'::text) OR (owner_id = ( SELECT authz.uid() AS uid)) OR (document_id = ANY
    (ARRAY( SELECT authz.granted_documents() AS granted_documents))) OR
    ((visibility = 'knowledge_base'::text) AND (knowledge_base_id = ANY (ARRAY( SELECT authz.granted_knowledge_bases() AS granted_knowledge_bases))))) AND
    ((classification <= 1) OR ((classification = 2) AND (org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.read_confidential'::text) AS orgs_with)))) OR (org_id = ANY (ARRAY(
    SELECT authz.orgs_with('documents.read_secret'::text) AS orgs_with)))) AND (document_id <> ALL (ARRAY( SELECT authz.denied('document'::text) AS denied))) AND
    (knowledge_base_id <> ALL (ARRAY( SELECT authz.denied('knowledge_base'::text) AS denied))) AND ((acl_expires_at > now()) OR (owner_id = ( SELECT authz.uid() AS uid))) AND
    (terms @@ ( SELECT authz.search_terms() AS search_terms))));

CREATE POLICY "deletion_receipt_delete_nobody" ON "app"."deletion_receipt"
  FOR DELETE
  TO "authenticated"
  USING (false);

CREATE POLICY "deletion_receipt_floor" ON "app"."deletion_receipt"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "deletion_receipt_update_nobody" ON "app"."deletion_receipt"
  FOR UPDATE
  TO "authenticated"
  USING (false)
  WITH CHECK (false);

CREATE POLICY "deny_rule_insert_inherited_owner" ON "app"."deny_rule"
  FOR INSERT
  TO "ringfence_owner"
  WITH CHECK (((created_by = ( SELECT authz.uid() AS uid)) AND (document_id IN ( SELECT d.id
   FROM app.document d
  WHERE ((d.owner_id = ( SELECT authz.uid() AS uid)) AND (d.state = 'loading'::text))))));

CREATE POLICY "deny_rule_select_inherited_owner" ON "app"."deny_rule"
  FOR SELECT
  TO "ringfence_owner"
  USING (((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))) AND (document_id IS NOT NULL)));

CREATE POLICY "document_classification_floor" ON "app"."document"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING
    (((classification <= 1) OR ((classification = 2) AND (org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.read_confidential'::text) AS orgs_with)))) OR (org_id = ANY (ARRAY(
    SELECT authz.orgs_with('documents.read_secret'::text) AS orgs_with)))))
  WITH
    CHECK
    (((classification <= 1) OR ((classification = 2) AND (org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.read_confidential'::text) AS orgs_with)))) OR (org_id = ANY (ARRAY(
    SELECT authz.orgs_with('documents.read_secret'::text) AS orgs_with)))));

CREATE POLICY "document_delete_editor" ON "app"."document"
  FOR DELETE
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.read'::text) AS orgs_with))) AND ((owner_id = ( SELECT authz.uid() AS uid)) OR (id = ANY (ARRAY( SELECT
    authz.granted_documents('editor'::text) AS granted_documents))) OR
    ((visibility <> 'private'::text) AND (knowledge_base_id = ANY (ARRAY( SELECT authz.granted_knowledge_bases('editor'::text) AS granted_knowledge_bases)))) OR
    ((org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.manage'::text) AS orgs_with))) AND ((visibility = 'organization'::text) OR (id = ANY (ARRAY( SELECT
    authz.granted_documents() AS granted_documents))) OR
    ((visibility = 'knowledge_base'::text) AND (knowledge_base_id = ANY (ARRAY( SELECT authz.granted_knowledge_bases() AS granted_knowledge_bases)))))))));

CREATE POLICY "document_denied_floor" ON "app"."document"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING (((id <> ALL (ARRAY( SELECT authz.denied('document'::text) AS denied))) AND (knowledge_base_id <> ALL (ARRAY( SELECT authz.denied('knowledge_base'::text) AS denied)))))
  WITH
    CHECK (((id <> ALL (ARRAY( SELECT authz.denied('document'::text) AS denied))) AND (knowledge_base_id <> ALL (ARRAY( SELECT authz.denied('knowledge_base'::text) AS denied)))));

CREATE POLICY "document_expired_floor" ON "app"."document"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING (((acl_expires_at > now()) OR (owner_id = ( SELECT authz.uid() AS uid))))
  WITH CHECK (((acl_expires_at > now()) OR (owner_id = ( SELECT authz.uid() AS uid))));

CREATE POLICY "document_insert_editor" ON "app"."document"
  FOR INSERT
  TO "authenticated"
  WITH
    CHECK
    (((owner_id = ( SELECT authz.uid() AS uid)) AND (org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.read'::text) AS orgs_with))) AND ((knowledge_base_id = ANY (ARRAY(
    SELECT authz.granted_knowledge_bases('editor'::text) AS granted_knowledge_bases))) OR
    ((org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.manage'::text) AS orgs_with))) AND (knowledge_base_id IN ( SELECT k.id
   FROM app.knowledge_base k)) AND ((visibility <> 'organization'::text) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('resources.publish'::text) AS orgs_with))))))));

CREATE POLICY "document_select_loading_owner" ON "app"."document"
  FOR SELECT
  TO "ringfence_owner"
  USING (((owner_id = ( SELECT authz.uid() AS uid)) AND (state = 'loading'::text) AND (org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids)))));

CREATE POLICY "document_select_reader" ON "app"."document"
  FOR SELECT
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.read'::text) AS orgs_with))) AND ((visibility = 'organization'::text) OR (owner_id = ( SELECT authz.uid() AS uid)) OR
    (id = ANY (ARRAY( SELECT authz.granted_documents() AS granted_documents))) OR
    ((visibility = 'knowledge_base'::text) AND (knowledge_base_id = ANY (ARRAY( SELECT authz.granted_knowledge_bases() AS granted_knowledge_bases)))))));

CREATE POLICY "document_select_search_owner" ON "app"."document"
  FOR SELECT
  TO "ringfence_owner"
  USING
    (((org_id = ( SELECT authz.search_org_id() AS search_org_id)) AND ((visibility = 'organization'::text) OR (owner_id = ( SELECT authz.uid() AS uid)) OR (id = ANY (ARRAY( SELECT
    authz.granted_documents() AS granted_documents))) OR
    ((visibility = 'knowledge_base'::text) AND (knowledge_base_id = ANY (ARRAY( SELECT authz.granted_knowledge_bases() AS granted_knowledge_bases))))) AND
    ((classification <= 1) OR ((classification = 2) AND (org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.read_confidential'::text) AS orgs_with)))) OR (org_id = ANY (ARRAY(
    SELECT authz.orgs_with('documents.read_secret'::text) AS orgs_with)))) AND (id <> ALL (ARRAY( SELECT authz.denied('document'::text) AS denied))) AND
    (knowledge_base_id <> ALL (ARRAY( SELECT authz.denied('knowledge_base'::text) AS denied))) AND ((acl_expires_at > now()) OR (owner_id = ( SELECT authz.uid() AS uid)))));

CREATE POLICY "document_update_editor" ON "app"."document"
  FOR UPDATE
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.read'::text) AS orgs_with))) AND ((owner_id = ( SELECT authz.uid() AS uid)) OR (id = ANY (ARRAY( SELECT
    authz.granted_documents('editor'::text) AS granted_documents))) OR
    ((visibility <> 'private'::text) AND (knowledge_base_id = ANY (ARRAY( SELECT authz.granted_knowledge_bases('editor'::text) AS granted_knowledge_bases)))) OR
    ((org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.manage'::text) AS orgs_with))) AND ((visibility = 'organization'::text) OR (id = ANY (ARRAY( SELECT
    authz.granted_documents() AS granted_documents))) OR
    ((visibility = 'knowledge_base'::text) AND (knowledge_base_id = ANY (ARRAY( SELECT authz.granted_knowledge_bases() AS granted_knowledge_bases)))))))))
  WITH
    CHECK
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.read'::text) AS orgs_with))) AND ((owner_id = ( SELECT authz.uid() AS uid)) OR (id = ANY (ARRAY( SELECT
    authz.granted_documents('editor'::text) AS granted_documents))) OR
    ((visibility <> 'private'::text) AND (knowledge_base_id = ANY (ARRAY( SELECT authz.granted_knowledge_bases('editor'::text) AS granted_knowledge_bases)))) OR
    ((org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.manage'::text) AS orgs_with))) AND ((visibility = 'organization'::text) OR (id = ANY (ARRAY( SELECT
    authz.granted_documents() AS granted_documents))) OR
    ((visibility = 'knowledge_base'::text) AND (knowledge_base_id = ANY (ARRAY( SELECT authz.granted_knowledge_bases() AS granted_knowledge_bases)))))))));

CREATE POLICY "document_grant_delete_owner" ON "app"."document_grant"
  FOR DELETE
  TO "authenticated"
  USING (((document_id IN ( SELECT d.id
   FROM app.document d)) AND
     ((user_id = ( SELECT authz.uid() AS uid)) OR (document_id = ANY (ARRAY( SELECT authz.granted_documents('owner'::text) AS granted_documents))) OR (org_id = ANY (ARRAY( SELECT
     authz.orgs_with('documents.manage'::text) AS orgs_with))) OR (document_id IN ( SELECT d.id
   FROM app.document d
  WHERE
    ((d.owner_id = ( SELECT authz.uid() AS uid)) OR ((d.visibility <> 'private'::text) AND (d.knowledge_base_id = ANY (ARRAY( SELECT authz.granted_knowledge_bases('owner'::text) AS
    granted_knowledge_bases))))))))));

CREATE POLICY "document_grant_floor" ON "app"."document_grant"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "document_grant_select_concerned" ON "app"."document_grant"
  FOR SELECT
  TO "authenticated"
  USING (((document_id IN ( SELECT d.id
   FROM app.document d)) AND
     ((user_id = ( SELECT authz.uid() AS uid)) OR (team_id = ANY (ARRAY( SELECT authz.team_ids() AS team_ids))) OR (num_nonnulls(user_id, team_id) = 0) OR (document_id = ANY
     (ARRAY( SELECT authz.granted_documents('owner'::text) AS granted_documents))) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.manage'::text) AS orgs_with))) OR
     (document_id IN ( SELECT d.id
   FROM app.document d
  WHERE
    ((d.owner_id = ( SELECT authz.uid() AS uid)) OR ((d.visibility <> 'private'::text) AND (d.knowledge_base_id = ANY (ARRAY( SELECT authz.granted_knowledge_bases('owner'::text) AS
    granted_knowledge_bases))))))))));

CREATE POLICY "document_grant_select_inherited_owner" ON "app"."document_grant"
  FOR SELECT
  TO "ringfence_owner"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "document_grant_update_nobody" ON "app"."document_grant"
  FOR UPDATE
  TO "authenticated"
  USING (false)
  WITH CHECK (false);

CREATE POLICY "document_part_classification_floor" ON "app"."document_part"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING
    (((classification <= 1) OR ((classification = 2) AND (org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.read_confidential'::text) AS orgs_with)))) OR (org_id = ANY (ARRAY(
    SELECT authz.orgs_with('documents.read_secret'::text) AS orgs_with)))))
  WITH
    CHECK
    (((classification <= 1) OR ((classification = 2) AND (org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.read_confidential'::text) AS orgs_with)))) OR (org_id = ANY (ARRAY(
    SELECT authz.orgs_with('documents.read_secret'::text) AS orgs_with)))));

CREATE POLICY "document_part_delete_nobody" ON "app"."document_part"
  FOR DELETE
  TO "authenticated"
  USING (false);

CREATE POLICY "document_part_denied_floor" ON "app"."document_part"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING
    (((document_id <> ALL (ARRAY( SELECT authz.denied('document'::text) AS denied))) AND (knowledge_base_id <> ALL (ARRAY( SELECT authz.denied('knowledge_base'::text) AS
    denied)))))
  WITH
    CHECK
    (((document_id <> ALL (ARRAY( SELECT authz.denied('document'::text) AS denied))) AND (knowledge_base_id <> ALL (ARRAY( SELECT authz.denied('knowledge_base'::text) AS
    denied)))));

CREATE POLICY "document_part_expired_floor" ON "app"."document_part"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING (((acl_expires_at > now()) OR (owner_id = ( SELECT authz.uid() AS uid))))
  WITH CHECK (((acl_expires_at > now()) OR (owner_id = ( SELECT authz.uid() AS uid))));

CREATE POLICY "document_part_floor" ON "app"."document_part"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "document_part_insert_loader" ON "app"."document_part"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (((org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.read'::text) AS orgs_with))) AND (document_id IN ( SELECT d.id
   FROM app.document d
  WHERE ((d.state = 'loading'::text) AND (d.owner_id = ( SELECT authz.uid() AS uid)))))));

CREATE POLICY "document_part_select_reader" ON "app"."document_part"
  FOR SELECT
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.read'::text) AS orgs_with))) AND ((visibility = 'organization'::text) OR (owner_id = ( SELECT authz.uid() AS uid)) OR
    (document_id = ANY (ARRAY( SELECT authz.granted_documents() AS granted_documents))) OR
    ((visibility = 'knowledge_base'::text) AND (knowledge_base_id = ANY (ARRAY( SELECT authz.granted_knowledge_bases() AS granted_knowledge_bases)))))));

CREATE POLICY "document_part_update_nobody" ON "app"."document_part"
  FOR UPDATE
  TO "authenticated"
  USING (false)
  WITH CHECK (false);

CREATE POLICY "kb_grant_delete_owner" ON "app"."kb_grant"
  FOR DELETE
  TO "authenticated"
  USING (((knowledge_base_id IN ( SELECT k.id
   FROM app.knowledge_base k)) AND
     ((user_id = ( SELECT authz.uid() AS uid)) OR (knowledge_base_id = ANY (ARRAY( SELECT authz.granted_knowledge_bases('owner'::text) AS granted_knowledge_bases))) OR (org_id =
     ANY (ARRAY( SELECT authz.orgs_with('documents.manage'::text) AS orgs_with))))));

CREATE POLICY "kb_grant_floor" ON "app"."kb_grant"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "kb_grant_select_concerned" ON "app"."kb_grant"
  FOR SELECT
  TO "authenticated"
  USING (((knowledge_base_id IN ( SELECT k.id
   FROM app.knowledge_base k)) AND
     ((user_id = ( SELECT authz.uid() AS uid)) OR (team_id = ANY (ARRAY( SELECT authz.team_ids() AS team_ids))) OR (num_nonnulls(user_id, team_id) = 0) OR (knowledge_base_id = ANY
     (ARRAY( SELECT authz.granted_knowledge_bases('owner'::text) AS granted_knowledge_bases))) OR
     (org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.manage'::text) AS orgs_with))))));

CREATE POLICY "kb_grant_select_self_owner" ON "app"."kb_grant"
  FOR SELECT
  TO "ringfence_owner"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))) AND ((user_id = ( SELECT authz.uid() AS uid)) OR (team_id = ANY (ARRAY( SELECT authz.team_ids() AS team_ids))) OR
    (num_nonnulls(user_id, team_id) = 0))));

CREATE POLICY "kb_grant_update_nobody" ON "app"."kb_grant"
  FOR UPDATE
  TO "authenticated"
  USING (false)
  WITH CHECK (false);

CREATE POLICY "knowledge_base_delete_manager" ON "app"."knowledge_base"
  FOR DELETE
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.read'::text) AS orgs_with))) AND ((id = ANY (ARRAY( SELECT authz.granted_knowledge_bases('owner'::text) AS
    granted_knowledge_bases))) OR
    ((org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.manage'::text) AS orgs_with))) AND ((visibility = 'organization'::text) OR (id = ANY (ARRAY( SELECT
    authz.granted_knowledge_bases() AS granted_knowledge_bases))))))));

CREATE POLICY "knowledge_base_denied_floor" ON "app"."knowledge_base"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((id <> ALL (ARRAY( SELECT authz.denied('knowledge_base'::text) AS denied))))
  WITH CHECK ((id <> ALL (ARRAY( SELECT authz.denied('knowledge_base'::text) AS denied))));

CREATE POLICY "knowledge_base_insert_manager" ON "app"."knowledge_base"
  FOR INSERT
  TO "authenticated"
  WITH
    CHECK
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.manage'::text) AS orgs_with))) AND (created_by = ( SELECT authz.uid() AS uid)) AND ((visibility <>
    'organization'::text) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('resources.publish'::text) AS orgs_with))))));

CREATE POLICY "knowledge_base_select_creator_owner" ON "app"."knowledge_base"
  FOR SELECT
  TO "ringfence_owner"
  USING (((created_by = ( SELECT authz.uid() AS uid)) AND (org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids)))));

CREATE POLICY "knowledge_base_select_reader" ON "app"."knowledge_base"
  FOR SELECT
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.read'::text) AS orgs_with))) AND ((visibility = 'organization'::text) OR (created_by = ( SELECT authz.uid() AS uid))
    OR (id = ANY (ARRAY( SELECT authz.granted_knowledge_bases() AS granted_knowledge_bases))))));

CREATE POLICY "knowledge_base_update_manager" ON "app"."knowledge_base"
  FOR UPDATE
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.read'::text) AS orgs_with))) AND ((id = ANY (ARRAY( SELECT authz.granted_knowledge_bases('owner'::text) AS
    granted_knowledge_bases))) OR
    ((org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.manage'::text) AS orgs_with))) AND ((visibility = 'organization'::text) OR (id = ANY (ARRAY( SELECT
    authz.granted_knowledge_bases() AS granted_knowledge_bases))))))))
  WITH
    CHECK
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.read'::text) AS orgs_with))) AND ((id = ANY (ARRAY( SELECT authz.granted_knowledge_bases('owner'::text) AS
    granted_knowledge_bases))) OR
    ((org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.manage'::text) AS orgs_with))) AND ((visibility = 'organization'::text) OR (id = ANY (ARRAY( SELECT
    authz.granted_knowledge_bases() AS granted_knowledge_bases))))))));

CREATE POLICY "message_select_citing_owner" ON "app"."message"
  FOR SELECT
  TO "ringfence_owner"
  USING (((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))) AND (citations <> '[]'::jsonb)));

CREATE POLICY "message_update_citing_owner" ON "app"."message"
  FOR UPDATE
  TO "ringfence_owner"
  USING (((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))) AND (citations <> '[]'::jsonb)))
  WITH CHECK (((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))) AND (citations <> '[]'::jsonb)));

COMMENT ON COLUMN "app"."chunk"."acl_expires_at" IS 'The document''s.';

COMMENT ON COLUMN "app"."chunk"."classification" IS 'The document''s classification.';

COMMENT ON COLUMN "app"."chunk"."heading" IS 'The heading it stands under, if any; 1..300 characters.';

COMMENT ON COLUMN "app"."deletion_receipt"."chunks" IS 'Passages deleted, each with its vector and its terms.';

COMMENT ON COLUMN "app"."deletion_receipt"."citations_redacted" IS 'Citations of it in stored answers, now without its title, place and identifiers; null when an operator deleted it in the database.';

COMMENT ON COLUMN "app"."deletion_receipt"."deleted_at" IS 'When.';

COMMENT ON COLUMN "app"."deletion_receipt"."document_id" IS 'The document that was.';

COMMENT ON COLUMN "app"."deletion_receipt"."id" IS 'Random identifier.';

COMMENT ON COLUMN "app"."deletion_receipt"."knowledge_base_id" IS 'The knowledge base it was in.';

COMMENT ON COLUMN "app"."deletion_receipt"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."deletion_receipt"."parts" IS 'Pieces of the original file deleted.';

COMMENT ON COLUMN "app"."deletion_receipt"."sha256" IS 'SHA-256 of its source.';

COMMENT ON COLUMN "app"."document"."acl_expires_at" IS 'acl_synced_at and acl_max_age_hours together: from then on nobody reads it but its owner, until it is checked again (F30).';

COMMENT ON COLUMN "app"."document"."acl_max_age_hours" IS 'The organization''s, held equal by the foreign key; null where there is no source to check.';

COMMENT ON COLUMN "app"."document"."acl_synced_at" IS 'When its access was last checked at its source; null where there is none to check.';

COMMENT ON COLUMN "app"."document"."base_visibility" IS 'The knowledge base''s visibility, held equal by the foreign key: narrowing the base narrows its documents in the same statement.';

COMMENT ON COLUMN "app"."document"."byte_size" IS 'Bytes of the source, if known.';

COMMENT ON COLUMN "app"."document"."classification" IS '0 public, 1 internal, 2 confidential, 3 secret; from 2 on no grant suffices without the permission to read such.';

COMMENT ON COLUMN "app"."document"."media_type" IS 'Media type of the source.';

COMMENT ON COLUMN "app"."document"."modified_at" IS 'When the source was last changed, if known.';

COMMENT ON COLUMN "app"."document"."source" IS 'What brought it in: upload, api, or the name of a connector.';

COMMENT ON COLUMN "app"."document"."tags" IS 'At most 20 words to filter by, 1000 characters in all.';

COMMENT ON COLUMN "app"."document"."trust" IS 'trusted only where documents.manage says so; text of an untrusted document is labelled when a model reads it (F31).';

COMMENT ON COLUMN "app"."document"."visibility" IS 'organization: all with documents.read; knowledge_base: the readers of its restricted knowledge base; private: its owner; and in each case those it is shared with (document_grant).';

COMMENT ON COLUMN "app"."document_grant"."created_at" IS 'Since when.';

COMMENT ON COLUMN "app"."document_grant"."document_id" IS 'The document.';

COMMENT ON COLUMN "app"."document_grant"."id" IS 'Random identifier.';

COMMENT ON COLUMN "app"."document_grant"."level" IS 'viewer reads it; editor also changes and deletes it; owner also shares it and decides who reads it.';

COMMENT ON COLUMN "app"."document_grant"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."document_grant"."team_id" IS 'Everyone in this team, or null. Both null: everyone in the organization.';

COMMENT ON COLUMN "app"."document_grant"."user_id" IS 'One member, or null.';

COMMENT ON COLUMN "app"."document_part"."acl_expires_at" IS 'The document''s.';

COMMENT ON COLUMN "app"."document_part"."classification" IS 'The document''s classification.';

COMMENT ON COLUMN "app"."document_part"."content" IS 'The bytes; at most 180000.';

COMMENT ON COLUMN "app"."document_part"."document_id" IS 'The document.';

COMMENT ON COLUMN "app"."document_part"."id" IS 'Random identifier.';

COMMENT ON COLUMN "app"."document_part"."knowledge_base_id" IS 'The document''s knowledge base.';

COMMENT ON COLUMN "app"."document_part"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."document_part"."owner_id" IS 'The document''s owner.';

COMMENT ON COLUMN "app"."document_part"."position" IS 'Place in the file, from 0.';

COMMENT ON COLUMN "app"."document_part"."visibility" IS 'The document''s visibility.';

COMMENT ON COLUMN "app"."kb_grant"."created_at" IS 'Since when.';

COMMENT ON COLUMN "app"."kb_grant"."id" IS 'Random identifier.';

COMMENT ON COLUMN "app"."kb_grant"."knowledge_base_id" IS 'The knowledge base.';

COMMENT ON COLUMN "app"."kb_grant"."level" IS 'viewer reads its documents; editor also adds, replaces and deletes them; owner also shares, renames and deletes it.';

COMMENT ON COLUMN "app"."kb_grant"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."kb_grant"."team_id" IS 'Everyone in this team, or null. Both null: everyone in the organization.';

COMMENT ON COLUMN "app"."kb_grant"."user_id" IS 'One member, or null.';

COMMENT ON COLUMN "app"."knowledge_base"."created_by" IS 'Who made it, and has level owner on it.';

COMMENT ON COLUMN "app"."knowledge_base"."visibility" IS 'organization: all with documents.read; restricted: who made it and those it is shared with (kb_grant).';

COMMENT ON COLUMN "app"."organization"."acl_max_age_hours" IS 'How long, in hours, a document from another system is read after its access was last checked there (F30). The one place that says so; documents carry a copy.';

COMMENT ON FUNCTION "api"."add_chunks"(uuid, uuid, jsonb) IS 'Add passages to a document being loaded.

@audience app
@param org_id       the organization
@param document_id  the document, as begin_document answered
@param chunks       array of 1..64 {position, heading: 0..300 characters, content: 1..4000 characters, start_char, end_char, embedding: 384 numbers}
@returns            {chunks: how many the document has now}
@errors             22004, 22023, 22P02, 23505, 23514, 42501, PT404
@effect             write';

COMMENT ON FUNCTION "api"."add_file_part"(uuid, uuid, integer, text) IS 'Add a piece of the original file to a document being loaded.

@audience app
@param org_id       the organization
@param document_id  the document, as begin_document answered
@param position     place of the piece in the file; 0..999
@param content      1..180000 bytes as base64
@returns            {parts: how many the document has now}
@errors             22004, 22023, 23502, 23505, 23514, 42501, PT404
@effect             write';

COMMENT ON FUNCTION "api"."begin_document"(uuid, uuid, text, text, text, text, text, bigint, text[], integer, text, text, timestamp with time zone) IS 'Begin to load a document, or learn that it is there unchanged.

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
@param classification     0 public, 1 internal, 2 confidential, 3 secret; 0..3; without it the earlier version''s, or 1
@param source             upload, api, or the name of a connector; 1..40 of a-z, 0-9, _ and -
@param trust              untrusted or trusted
@param modified_at        when the source was last changed
@returns                  {document_id, state: loading or unchanged}
@errors                   22004, 22023, 23514, 42501, PT404
@effect                   write';

COMMENT ON FUNCTION "api"."create_knowledge_base"(uuid, text, text, text) IS 'Create a knowledge base, for the organization or restricted to those you share it with.

@audience app
@param org_id      the organization
@param slug        short name; 2..40 of a-z, 0-9 and -
@param name        display name; 1..120 characters
@param visibility  organization or restricted
@returns           {id}
@errors            22004, 23514, 42501, PT409
@effect            write';

COMMENT ON FUNCTION "api"."delete_document"(uuid, uuid) IS 'Delete a document with its passages, their vectors and its file; what answers cite of it is redacted.

@audience app
@param org_id       the organization
@param document_id  the document
@returns            {document_id, receipt_id: null for one that was still loading, chunks, parts, citations_redacted}
@errors             22004, PT404
@effect             destructive';

COMMENT ON FUNCTION "api"."delete_knowledge_base"(uuid, uuid) IS 'Delete a knowledge base with all its documents, or, if one of these is not yours to delete, nothing.

@audience app
@param org_id             the organization
@param knowledge_base_id  the knowledge base
@returns                  {knowledge_base_id, documents, chunks, parts, citations_redacted}
@errors                   22004, 42501, PT404, PT409
@effect                   destructive';

COMMENT ON FUNCTION "api"."finish_document"(uuid, uuid) IS 'Make a loaded document findable, replacing the earlier version at the same uri in the same transaction; with whom that was shared, this is.

@audience app
@param org_id       the organization
@param document_id  the document, as begin_document answered
@returns            {document_id, chunks, replaced: the earlier version or null}
@errors             22004, 22023, 42501, PT404, PT409
@effect             write';

COMMENT ON FUNCTION "api"."get_document"(uuid, uuid) IS 'Tell about a document you may read: where it came from, who added it, how far it is trusted.

@audience app
@param org_id       the organization
@param document_id  the document
@returns            {id, knowledge_base_id, title, uri, media_type, byte_size, sha256, visibility, classification, tags, trust, source, owner_id, state, modified_at, created_at, acl_synced_at, acl_expires_at, parts, chunks}
@errors             22004, PT404
@effect             read';

COMMENT ON FUNCTION "api"."list_documents"(uuid, uuid, text[], timestamp with time zone, timestamp with time zone, text, integer) IS 'List the documents of a knowledge base that you may read.

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
@effect                   read';

COMMENT ON FUNCTION "api"."list_knowledge_bases"(uuid) IS 'List the knowledge bases you may read, counting the documents and chunks you may read.

@audience app
@param org_id  the organization
@returns       array of {id, slug, name, visibility, documents, chunks}; by slug
@errors        22004
@effect        read';

COMMENT ON FUNCTION "api"."preview_document"(uuid, uuid, integer, integer) IS 'Read a stretch of the text of a document you may read.

@audience app
@param org_id       the organization
@param document_id  the document
@param start_char   first character, as in a citation; 0..2147483647
@param max_chars    number of characters; 1..20000
@returns            {text, start_char, end_char: one past the last character; equal to start_char at the end of the text}
@errors             22004, 22023, PT404
@effect             read';

COMMENT ON FUNCTION "api"."read_file_part"(uuid, uuid, integer) IS 'Read a piece of the original file of a document you may read.

@audience app
@param org_id       the organization
@param document_id  the document
@param position     place of the piece in the file; get_document says how many there are; 0..999
@returns            {content: base64}
@errors             22004, 22023, PT404
@effect             read';

COMMENT ON FUNCTION "api"."set_knowledge_base_visibility"(uuid, uuid, text) IS 'Open a knowledge base to the organization, or restrict it to those it is shared with; its documents follow at once.

@audience app
@param org_id             the organization
@param knowledge_base_id  the knowledge base
@param visibility         organization or restricted
@returns                  {id, visibility}
@errors                   22004, 22023, 42501, PT404
@effect                   write';

COMMENT ON FUNCTION "authz"."can_read_document"(uuid, uuid) IS 'Whether the signed-in person may read the document now: the one answer for preview, download and citation, the same policies as retrieval''s (F33).';

COMMENT ON FUNCTION "authz"."granted_documents"(text) IS 'The documents that are shared at this level or above with the signed-in person, a team of theirs or everyone; their own are not among them.';

COMMENT ON FUNCTION "authz"."granted_knowledge_bases"(text) IS 'The knowledge bases the signed-in person made, or that are shared at this level or above with them, a team of theirs or everyone.';

COMMENT ON FUNCTION "authz"."loading_document"(uuid, uuid) IS 'The document the signed-in person is loading; PT404 for any other.';

COMMENT ON FUNCTION "authz"."tg_document_forget"() IS 'Trigger: what stored answers cite of a deleted document is redacted, whosever answers they are, and counted on its receipt (F32).';

COMMENT ON FUNCTION "authz"."tg_document_guard"() IS 'Trigger: visibility follows the knowledge base, the expiry its two sources; and who reads a document, or trusts it, is changed only by those who may (42501).';

COMMENT ON FUNCTION "authz"."tg_document_inherit"() IS 'Trigger: the version that replaces a document has its grants and the rules that deny it, seen by the person replacing or not; its earlier owner stays one.';

COMMENT ON FUNCTION "authz"."tg_document_receipt"() IS 'Trigger: count what goes with a document, while it is there.';

COMMENT ON FUNCTION "authz"."tg_knowledge_base_guard"() IS 'Trigger: opening a knowledge base to the whole organization takes resources.publish (42501).';

COMMENT ON POLICY "chunk_classification_floor" ON "app"."chunk" IS 'Whatever else is allowed, confidential and secret only with the permission to read such (F26).';

COMMENT ON POLICY "chunk_denied_floor" ON "app"."chunk" IS 'Whatever else is allowed, nothing that a rule takes from the person (F15).';

COMMENT ON POLICY "chunk_expired_floor" ON "app"."chunk" IS 'Whatever else is allowed, nothing whose access was last checked at its source too long ago; who brought it in keeps it, to check again (F30).';

COMMENT ON POLICY "chunk_insert_loader" ON "app"."chunk" IS 'Into a document one is loading oneself; a ready one is never added to.';

COMMENT ON POLICY "chunk_select_reader" ON "app"."chunk" IS 'The same rule as document_select_reader.';

COMMENT ON POLICY "chunk_select_search_owner" ON "app"."chunk" IS 'What the person asking may read in the organization they search, and of that only what has a word of the search.';

COMMENT ON POLICY "deletion_receipt_delete_nobody" ON "app"."deletion_receipt" IS 'Append-only.';

COMMENT ON POLICY "deletion_receipt_floor" ON "app"."deletion_receipt" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "deletion_receipt_update_nobody" ON "app"."deletion_receipt" IS 'Append-only.';

COMMENT ON POLICY "deny_rule_insert_inherited_owner" ON "app"."deny_rule" IS 'Only onto a version the person asking is loading.';

COMMENT ON POLICY "deny_rule_select_inherited_owner" ON "app"."deny_rule" IS 'A replacement copies the rules of the version it replaces; authz.denied() says itself whom a rule concerns.';

COMMENT ON POLICY "document_classification_floor" ON "app"."document" IS 'Whatever else is allowed, confidential and secret only with the permission to read such (F26).';

COMMENT ON POLICY "document_delete_editor" ON "app"."document" IS 'As changing it.';

COMMENT ON POLICY "document_denied_floor" ON "app"."document" IS 'Whatever else is allowed, nothing that a rule takes from the person (F15).';

COMMENT ON POLICY "document_expired_floor" ON "app"."document" IS 'Whatever else is allowed, nothing whose access was last checked at its source too long ago; who brought it in keeps it, to check again (F30).';

COMMENT ON POLICY "document_insert_editor" ON "app"."document" IS 'Editors of the knowledge base add documents, in their own name; so does documents.manage where it can read the base, for the whole organization with resources.publish.';

COMMENT ON POLICY "document_select_loading_owner" ON "app"."document" IS 'A replacement finds the version being loaded: the person''s own.';

COMMENT ON POLICY "document_select_reader" ON "app"."document" IS 'documents.read sees the organization''s, one''s own, those shared with one, and those of a restricted knowledge base one may read.';

COMMENT ON POLICY "document_select_search_owner" ON "app"."document" IS 'What the person asking may read in the organization they search: whether it is ready, and what it is called.';

COMMENT ON POLICY "document_update_editor" ON "app"."document" IS 'Its owner, editors of it or (unless it is private) of its knowledge base, and documents.manage where it can read it.';

COMMENT ON POLICY "document_grant_delete_owner" ON "app"."document_grant" IS 'Its owners and documents.manage withdraw sharing; one may give up one''s own.';

COMMENT ON POLICY "document_grant_floor" ON "app"."document_grant" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "document_grant_select_concerned" ON "app"."document_grant" IS 'One sees what is shared with oneself; its owners and documents.manage see with whom else.';

COMMENT ON POLICY "document_grant_select_inherited_owner" ON "app"."document_grant" IS 'A replacement copies the grants of the version it replaces; authz.granted_documents() says itself whom a grant concerns.';

COMMENT ON POLICY "document_grant_update_nobody" ON "app"."document_grant" IS 'Sharing is added and withdrawn, not edited.';

COMMENT ON POLICY "document_part_classification_floor" ON "app"."document_part" IS 'Whatever else is allowed, confidential and secret only with the permission to read such (F26).';

COMMENT ON POLICY "document_part_delete_nobody" ON "app"."document_part" IS 'Parts go with their document.';

COMMENT ON POLICY "document_part_denied_floor" ON "app"."document_part" IS 'Whatever else is allowed, nothing that a rule takes from the person (F15).';

COMMENT ON POLICY "document_part_expired_floor" ON "app"."document_part" IS 'Whatever else is allowed, nothing whose access was last checked at its source too long ago; who brought it in keeps it, to check again (F30).';

COMMENT ON POLICY "document_part_floor" ON "app"."document_part" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "document_part_insert_loader" ON "app"."document_part" IS 'Into a document one is loading oneself; a ready one is never added to.';

COMMENT ON POLICY "document_part_select_reader" ON "app"."document_part" IS 'The same rule as document_select_reader.';

COMMENT ON POLICY "document_part_update_nobody" ON "app"."document_part" IS 'A changed file is loaded anew.';

COMMENT ON POLICY "kb_grant_delete_owner" ON "app"."kb_grant" IS 'Its owners and documents.manage withdraw sharing; one may give up one''s own.';

COMMENT ON POLICY "kb_grant_floor" ON "app"."kb_grant" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "kb_grant_select_concerned" ON "app"."kb_grant" IS 'One sees what is shared with oneself; its owners and documents.manage see with whom else.';

COMMENT ON POLICY "kb_grant_select_self_owner" ON "app"."kb_grant" IS 'authz.granted_knowledge_bases() sees the rows that apply to the person asking and no others.';

COMMENT ON POLICY "kb_grant_update_nobody" ON "app"."kb_grant" IS 'Sharing is added and withdrawn, not edited.';

COMMENT ON POLICY "knowledge_base_delete_manager" ON "app"."knowledge_base" IS 'As changing it. Its documents go first, one by one: a cascade would pass by the policy on other people''s private ones.';

COMMENT ON POLICY "knowledge_base_denied_floor" ON "app"."knowledge_base" IS 'Whatever else is allowed, never one that a rule takes from the person (F15).';

COMMENT ON POLICY "knowledge_base_insert_manager" ON "app"."knowledge_base" IS 'documents.manage makes them, in their own name; for the whole organization only with resources.publish.';

COMMENT ON POLICY "knowledge_base_select_creator_owner" ON "app"."knowledge_base" IS 'authz.granted_knowledge_bases() sees those the person asking made and no others.';

COMMENT ON POLICY "knowledge_base_select_reader" ON "app"."knowledge_base" IS 'documents.read sees those of the organization, one''s own and those shared with one.';

COMMENT ON POLICY "knowledge_base_update_manager" ON "app"."knowledge_base" IS 'Its owners, and documents.manage where they can read it.';

COMMENT ON POLICY "message_select_citing_owner" ON "app"."message" IS 'Deleting a document finds the answers that cite it; of them only who cites what.';

COMMENT ON POLICY "message_update_citing_owner" ON "app"."message" IS 'Deleting a document redacts its citations in everybody''s answers.';

COMMENT ON TABLE "app"."deletion_receipt" IS 'Proof of a deletion: what there was of a document, in numbers. Holds no title, place or text.';

COMMENT ON TABLE "app"."document_grant" IS 'A document shared with somebody. Without documents.read, or against its classification or a rule, it gives nothing.';

COMMENT ON TABLE "app"."document_part" IS 'A piece of a document''s original file.';

COMMENT ON TABLE "app"."kb_grant" IS 'A knowledge base shared with somebody. Without documents.read it gives nothing.';

REVOKE ALL ON FUNCTION "api"."add_file_part"(uuid, uuid, integer, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."add_file_part"(uuid, uuid, integer, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."add_file_part"(uuid, uuid, integer, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."add_file_part"(uuid, uuid, integer, text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."begin_document"(uuid, uuid, text, text, text, text, text, bigint, text[], integer, text, text, timestamp WITH time zone) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."begin_document"(uuid, uuid, text, text, text, text, text, bigint, text[], integer, text, text, timestamp WITH time zone) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."begin_document"(uuid, uuid, text, text, text, text, text, bigint, text[], integer, text, text, timestamp WITH time zone) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."begin_document"(uuid, uuid, text, text, text, text, text, bigint, text[], integer, text, text, timestamp WITH time zone) TO "postgres";

REVOKE ALL ON FUNCTION "api"."create_knowledge_base"(uuid, text, text, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."create_knowledge_base"(uuid, text, text, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."create_knowledge_base"(uuid, text, text, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."create_knowledge_base"(uuid, text, text, text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."delete_document"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."delete_document"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."delete_document"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."delete_document"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."delete_knowledge_base"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."delete_knowledge_base"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."delete_knowledge_base"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."delete_knowledge_base"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."get_document"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."get_document"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."get_document"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."get_document"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_documents"(uuid, uuid, text[], timestamp WITH time zone, timestamp WITH time zone, text, integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_documents"(uuid, uuid, text[], timestamp WITH time zone, timestamp WITH time zone, text, integer) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_documents"(uuid, uuid, text[], timestamp WITH time zone, timestamp WITH time zone, text, integer) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_documents"(uuid, uuid, text[], timestamp WITH time zone, timestamp WITH time zone, text, integer) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_knowledge_bases"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_knowledge_bases"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_knowledge_bases"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_knowledge_bases"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."preview_document"(uuid, uuid, integer, integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."preview_document"(uuid, uuid, integer, integer) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."preview_document"(uuid, uuid, integer, integer) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."preview_document"(uuid, uuid, integer, integer) TO "postgres";

REVOKE ALL ON FUNCTION "api"."read_file_part"(uuid, uuid, integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."read_file_part"(uuid, uuid, integer) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."read_file_part"(uuid, uuid, integer) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."read_file_part"(uuid, uuid, integer) TO "postgres";

REVOKE ALL ON FUNCTION "api"."set_knowledge_base_visibility"(uuid, uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."set_knowledge_base_visibility"(uuid, uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."set_knowledge_base_visibility"(uuid, uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."set_knowledge_base_visibility"(uuid, uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."can_read_document"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."can_read_document"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."can_read_document"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."can_read_document"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."granted_documents"(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."granted_documents"(text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."granted_documents"(text) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."granted_documents"(text) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."granted_knowledge_bases"(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."granted_knowledge_bases"(text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."granted_knowledge_bases"(text) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."granted_knowledge_bases"(text) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."loading_document"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."loading_document"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."loading_document"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."loading_document"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_document_forget"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_document_forget"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."tg_document_forget"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."tg_document_guard"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_document_guard"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_document_guard"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_document_inherit"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_document_inherit"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."tg_document_inherit"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."tg_document_receipt"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_document_receipt"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_document_receipt"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_knowledge_base_guard"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_knowledge_base_guard"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_knowledge_base_guard"() TO "postgres";

REVOKE ALL ("acl_expires_at") ON TABLE "app"."chunk" FROM "authenticated";

GRANT INSERT ("acl_expires_at") ON TABLE "app"."chunk" TO "authenticated";

REVOKE ALL ("classification") ON TABLE "app"."chunk" FROM "authenticated";

GRANT INSERT ("classification") ON TABLE "app"."chunk" TO "authenticated";

REVOKE ALL ("heading") ON TABLE "app"."chunk" FROM "authenticated";

GRANT INSERT ("heading") ON TABLE "app"."chunk" TO "authenticated";

GRANT INSERT ("chunks") ON TABLE "app"."deletion_receipt" TO "authenticated";

GRANT INSERT ("document_id") ON TABLE "app"."deletion_receipt" TO "authenticated";

GRANT INSERT ("knowledge_base_id") ON TABLE "app"."deletion_receipt" TO "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."deletion_receipt" TO "authenticated";

GRANT INSERT ("parts") ON TABLE "app"."deletion_receipt" TO "authenticated";

GRANT INSERT ("sha256") ON TABLE "app"."deletion_receipt" TO "authenticated";

GRANT SELECT ON TABLE "app"."deletion_receipt" TO "authenticated";

GRANT SELECT ("citations_redacted"), UPDATE ("citations_redacted") ON TABLE "app"."deletion_receipt" TO "ringfence_owner";

GRANT SELECT ("document_id") ON TABLE "app"."deletion_receipt" TO "ringfence_owner";

GRANT SELECT ("org_id") ON TABLE "app"."deletion_receipt" TO "ringfence_owner";

REVOKE ALL ("document_id") ON TABLE "app"."deny_rule" FROM "ringfence_owner";

GRANT INSERT ("document_id") ON TABLE "app"."deny_rule" TO "ringfence_owner";

REVOKE ALL ("org_id") ON TABLE "app"."deny_rule" FROM "ringfence_owner";

GRANT INSERT ("org_id") ON TABLE "app"."deny_rule" TO "ringfence_owner";

REVOKE ALL ("reason") ON TABLE "app"."deny_rule" FROM "ringfence_owner";

GRANT INSERT ("reason") ON TABLE "app"."deny_rule" TO "ringfence_owner";

REVOKE ALL ("role_id") ON TABLE "app"."deny_rule" FROM "ringfence_owner";

GRANT INSERT ("role_id") ON TABLE "app"."deny_rule" TO "ringfence_owner";

REVOKE ALL ("team_id") ON TABLE "app"."deny_rule" FROM "ringfence_owner";

GRANT INSERT ("team_id") ON TABLE "app"."deny_rule" TO "ringfence_owner";

REVOKE ALL ("user_id") ON TABLE "app"."deny_rule" FROM "ringfence_owner";

GRANT INSERT ("user_id") ON TABLE "app"."deny_rule" TO "ringfence_owner";

REVOKE ALL ("acl_synced_at") ON TABLE "app"."document" FROM "authenticated";

GRANT UPDATE ("acl_synced_at") ON TABLE "app"."document" TO "authenticated";

REVOKE ALL ("byte_size") ON TABLE "app"."document" FROM "authenticated";

GRANT INSERT ("byte_size") ON TABLE "app"."document" TO "authenticated";

REVOKE ALL ("classification") ON TABLE "app"."document" FROM "authenticated";

GRANT INSERT ("classification"), UPDATE ("classification") ON TABLE "app"."document" TO "authenticated";

REVOKE ALL ("media_type") ON TABLE "app"."document" FROM "authenticated";

GRANT INSERT ("media_type") ON TABLE "app"."document" TO "authenticated";

REVOKE ALL ("modified_at") ON TABLE "app"."document" FROM "authenticated";

GRANT INSERT ("modified_at") ON TABLE "app"."document" TO "authenticated";

REVOKE ALL ("source") ON TABLE "app"."document" FROM "authenticated";

GRANT INSERT ("source") ON TABLE "app"."document" TO "authenticated";

REVOKE ALL ("tags") ON TABLE "app"."document" FROM "authenticated";

GRANT INSERT ("tags"), UPDATE ("tags") ON TABLE "app"."document" TO "authenticated";

REVOKE ALL ("trust") ON TABLE "app"."document" FROM "authenticated";

GRANT INSERT ("trust"), UPDATE ("trust") ON TABLE "app"."document" TO "authenticated";

GRANT INSERT ("document_id") ON TABLE "app"."document_grant" TO "authenticated";

GRANT INSERT ("level") ON TABLE "app"."document_grant" TO "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."document_grant" TO "authenticated";

GRANT INSERT ("team_id") ON TABLE "app"."document_grant" TO "authenticated";

GRANT INSERT ("user_id") ON TABLE "app"."document_grant" TO "authenticated";

GRANT DELETE, SELECT ON TABLE "app"."document_grant" TO "authenticated";

GRANT INSERT ("document_id"), SELECT ("document_id") ON TABLE "app"."document_grant" TO "ringfence_owner";

GRANT INSERT ("level"), SELECT ("level") ON TABLE "app"."document_grant" TO "ringfence_owner";

GRANT INSERT ("org_id"), SELECT ("org_id") ON TABLE "app"."document_grant" TO "ringfence_owner";

GRANT INSERT ("team_id"), SELECT ("team_id") ON TABLE "app"."document_grant" TO "ringfence_owner";

GRANT INSERT ("user_id"), SELECT ("user_id") ON TABLE "app"."document_grant" TO "ringfence_owner";

GRANT INSERT ("acl_expires_at") ON TABLE "app"."document_part" TO "authenticated";

GRANT INSERT ("classification") ON TABLE "app"."document_part" TO "authenticated";

GRANT INSERT ("content") ON TABLE "app"."document_part" TO "authenticated";

GRANT INSERT ("document_id") ON TABLE "app"."document_part" TO "authenticated";

GRANT INSERT ("knowledge_base_id") ON TABLE "app"."document_part" TO "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."document_part" TO "authenticated";

GRANT INSERT ("owner_id") ON TABLE "app"."document_part" TO "authenticated";

GRANT INSERT ("position") ON TABLE "app"."document_part" TO "authenticated";

GRANT INSERT ("visibility") ON TABLE "app"."document_part" TO "authenticated";

GRANT SELECT ON TABLE "app"."document_part" TO "authenticated";

GRANT INSERT ("knowledge_base_id") ON TABLE "app"."kb_grant" TO "authenticated";

GRANT INSERT ("level") ON TABLE "app"."kb_grant" TO "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."kb_grant" TO "authenticated";

GRANT INSERT ("team_id") ON TABLE "app"."kb_grant" TO "authenticated";

GRANT INSERT ("user_id") ON TABLE "app"."kb_grant" TO "authenticated";

GRANT DELETE, SELECT ON TABLE "app"."kb_grant" TO "authenticated";

GRANT SELECT ("knowledge_base_id") ON TABLE "app"."kb_grant" TO "ringfence_owner";

GRANT SELECT ("level") ON TABLE "app"."kb_grant" TO "ringfence_owner";

GRANT SELECT ("org_id") ON TABLE "app"."kb_grant" TO "ringfence_owner";

GRANT SELECT ("team_id") ON TABLE "app"."kb_grant" TO "ringfence_owner";

GRANT SELECT ("user_id") ON TABLE "app"."kb_grant" TO "ringfence_owner";

REVOKE ALL ON TABLE "app"."knowledge_base" FROM "authenticated";

REVOKE ALL ("name") ON TABLE "app"."knowledge_base" FROM "authenticated";

GRANT INSERT ("name"), UPDATE ("name") ON TABLE "app"."knowledge_base" TO "authenticated";

REVOKE ALL ("org_id") ON TABLE "app"."knowledge_base" FROM "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."knowledge_base" TO "authenticated";

REVOKE ALL ("slug") ON TABLE "app"."knowledge_base" FROM "authenticated";

GRANT INSERT ("slug"), UPDATE ("slug") ON TABLE "app"."knowledge_base" TO "authenticated";

REVOKE ALL ("visibility") ON TABLE "app"."knowledge_base" FROM "authenticated";

GRANT INSERT ("visibility"), UPDATE ("visibility") ON TABLE "app"."knowledge_base" TO "authenticated";

GRANT DELETE, SELECT ON TABLE "app"."knowledge_base" TO "authenticated";

REVOKE ALL ("created_by") ON TABLE "app"."knowledge_base" FROM "ringfence_owner";

GRANT SELECT ("created_by") ON TABLE "app"."knowledge_base" TO "ringfence_owner";

REVOKE ALL ("id") ON TABLE "app"."knowledge_base" FROM "ringfence_owner";

GRANT SELECT ("id") ON TABLE "app"."knowledge_base" TO "ringfence_owner";

REVOKE ALL ("org_id") ON TABLE "app"."knowledge_base" FROM "ringfence_owner";

GRANT SELECT ("org_id") ON TABLE "app"."knowledge_base" TO "ringfence_owner";

REVOKE ALL ("citations") ON TABLE "app"."message" FROM "ringfence_owner";

GRANT SELECT ("citations"), UPDATE ("citations") ON TABLE "app"."message" TO "ringfence_owner";

REVOKE ALL ("org_id") ON TABLE "app"."message" FROM "ringfence_owner";

GRANT SELECT ("org_id") ON TABLE "app"."message" TO "ringfence_owner";

REVOKE ALL ("acl_max_age_hours") ON TABLE "app"."organization" FROM "authenticated";

GRANT UPDATE ("acl_max_age_hours") ON TABLE "app"."organization" TO "authenticated";

CREATE POLICY "deletion_receipt_insert_deleter" ON "app"."deletion_receipt"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (((deleted_by = ( SELECT authz.uid() AS uid)) AND (document_id IN ( SELECT d.id
   FROM app.document d))));

CREATE POLICY "deletion_receipt_select_deleter_owner" ON "app"."deletion_receipt"
  FOR SELECT
  TO "ringfence_owner"
  USING (((deleted_by = ( SELECT authz.uid() AS uid)) AND (org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids)))));

CREATE POLICY "deletion_receipt_select_deleter" ON "app"."deletion_receipt"
  FOR SELECT
  TO "authenticated"
  USING
    ((((deleted_by = ( SELECT authz.uid() AS uid)) AND (org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.read'::text) AS orgs_with)))) OR (org_id = ANY (ARRAY( SELECT
    authz.orgs_with('audit.read'::text) AS orgs_with)))));

CREATE POLICY "deletion_receipt_update_deleter_owner" ON "app"."deletion_receipt"
  FOR UPDATE
  TO "ringfence_owner"
  USING (((deleted_by = ( SELECT authz.uid() AS uid)) AND (org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids)))))
  WITH CHECK (((deleted_by = ( SELECT authz.uid() AS uid)) AND (org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids)))));

COMMENT ON COLUMN "app"."deletion_receipt"."deleted_by" IS 'Who deleted it; null for an operator.';

COMMENT ON POLICY "deletion_receipt_insert_deleter" ON "app"."deletion_receipt" IS 'In one''s own name, for a document one can see: the trigger, before it is gone. Not confirmed until citations_redacted is filled.';

COMMENT ON POLICY "deletion_receipt_select_deleter" ON "app"."deletion_receipt" IS 'One sees one''s own deletions; audit.read the organization''s.';

COMMENT ON POLICY "deletion_receipt_select_deleter_owner" ON "app"."deletion_receipt" IS 'The trigger that confirms it finds the receipt of the person deleting.';

COMMENT ON POLICY "deletion_receipt_update_deleter_owner" ON "app"."deletion_receipt" IS 'The trigger that confirms it fills in how many citations it redacted.';

GRANT SELECT ("deleted_by") ON TABLE "app"."deletion_receipt" TO "ringfence_owner";

CREATE POLICY "document_grant_insert_inherited_owner" ON "app"."document_grant"
  FOR INSERT
  TO "ringfence_owner"
  WITH CHECK (((created_by = ( SELECT authz.uid() AS uid)) AND (document_id IN ( SELECT d.id
   FROM app.document d
  WHERE ((d.owner_id = ( SELECT authz.uid() AS uid)) AND (d.state = 'loading'::text))))));

CREATE POLICY "document_grant_insert_owner" ON "app"."document_grant"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (((created_by = ( SELECT authz.uid() AS uid)) AND (document_id IN ( SELECT d.id
   FROM app.document d)) AND
     ((document_id = ANY (ARRAY( SELECT authz.granted_documents('owner'::text) AS granted_documents))) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.manage'::text) AS
     orgs_with))) OR (document_id IN ( SELECT d.id
   FROM app.document d
  WHERE
    ((d.owner_id = ( SELECT authz.uid() AS uid)) OR ((d.visibility <> 'private'::text) AND (d.knowledge_base_id = ANY (ARRAY( SELECT authz.granted_knowledge_bases('owner'::text) AS
    granted_knowledge_bases)))))))) AND ((num_nonnulls(user_id, team_id) = 1) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('resources.publish'::text) AS orgs_with))))));

COMMENT ON COLUMN "app"."document_grant"."created_by" IS 'Who shared it.';

COMMENT ON POLICY "document_grant_insert_inherited_owner" ON "app"."document_grant" IS 'Only onto a version the person asking is loading.';

COMMENT ON POLICY "document_grant_insert_owner" ON "app"."document_grant" IS 'Its owners and documents.manage share what they can read; with everyone only who holds resources.publish. Nobody gives more than they have: both have all.';

CREATE POLICY "kb_grant_insert_owner" ON "app"."kb_grant"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (((created_by = ( SELECT authz.uid() AS uid)) AND (knowledge_base_id IN ( SELECT k.id
   FROM app.knowledge_base k)) AND
     ((knowledge_base_id = ANY (ARRAY( SELECT authz.granted_knowledge_bases('owner'::text) AS granted_knowledge_bases))) OR (org_id = ANY (ARRAY( SELECT
     authz.orgs_with('documents.manage'::text) AS orgs_with)))) AND
     ((num_nonnulls(user_id, team_id) = 1) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('resources.publish'::text) AS orgs_with))))));

COMMENT ON COLUMN "app"."kb_grant"."created_by" IS 'Who shared it.';

COMMENT ON POLICY "kb_grant_insert_owner" ON "app"."kb_grant" IS 'Its owners and documents.manage share what they can read; with everyone only who holds resources.publish. Nobody gives more than they have: both have all.';

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
