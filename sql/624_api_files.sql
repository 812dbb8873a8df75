-- Files: the bytes a document was made from, in parts that fit a request, and a look into its text. Nobody gets here what retrieval
-- would not give them: both ask authz.can_read_document(), and the rows have the document's own policies (F33).

create function api.add_file_part(org_id uuid, document_id uuid, "position" integer, content text) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
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
$$;
comment on function api.add_file_part(uuid, uuid, integer, text) is $c$Add a piece of the original file to a document being loaded.

@audience app
@param org_id       the organization
@param document_id  the document, as begin_document answered
@param position     place of the piece in the file; 0..999
@param content      1..180000 bytes as base64
@returns            {parts: how many the document has now}
@errors             22004, 22023, 23502, 23505, 23514, 42501, PT404
@effect             write$c$;
revoke all on function api.add_file_part(uuid, uuid, integer, text) from public;
grant execute on function api.add_file_part(uuid, uuid, integer, text) to authenticated;

create function api.read_file_part(org_id uuid, document_id uuid, "position" integer) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
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
  perform authz.note_reading(read_file_part.org_id, 'document.read', 'read_file_part', array[read_file_part.document_id]);
  -- PostgreSQL breaks base64 into lines.
  return jsonb_build_object('content', translate(encode(v_content, 'base64'), e'\n', ''));
end
$$;
comment on function api.read_file_part(uuid, uuid, integer) is $c$Read a piece of the original file of a document you may read.

@audience app
@param org_id       the organization
@param document_id  the document
@param position     place of the piece in the file; get_document says how many there are; 0..999
@returns            {content: base64}
@errors             22004, 22023, PT404
@effect             read
@changes            nothing$c$;
revoke all on function api.read_file_part(uuid, uuid, integer) from public;
grant execute on function api.read_file_part(uuid, uuid, integer) to authenticated;

create function api.preview_document(org_id uuid, document_id uuid, start_char integer default 0, max_chars integer default 2000) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
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
  perform authz.note_reading(preview_document.org_id, 'document.read', 'preview_document', array[preview_document.document_id]);
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
$$;
comment on function api.preview_document(uuid, uuid, integer, integer) is $c$Read a stretch of the text of a document you may read.

@audience app
@param org_id       the organization
@param document_id  the document
@param start_char   first character, as in a citation; 0..2147483647
@param max_chars    number of characters; 1..20000
@returns            {text, start_char, end_char: one past the last character; equal to start_char at the end of the text}
@errors             22004, 22023, PT404
@effect             read
@changes            nothing$c$;
revoke all on function api.preview_document(uuid, uuid, integer, integer) from public;
grant execute on function api.preview_document(uuid, uuid, integer, integer) to authenticated;
