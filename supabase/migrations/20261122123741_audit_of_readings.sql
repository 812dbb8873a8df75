-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

ALTER TABLE "app"."audit_event"
  DROP CONSTRAINT "audit_event_action_check";

DROP FUNCTION "api"."list_audit_events"(uuid, text, uuid, text, uuid, timestamp WITH time zone, timestamp WITH time zone, timestamp WITH time zone, uuid, integer);

DROP FUNCTION "authz"."record_event"(uuid, text, text, uuid, uuid, integer, text, text, text, text, text, text[]);

ALTER TABLE "app"."audit_event"
  ADD COLUMN "documents" uuid[];

CREATE TYPE "authz"."passage" AS (
  "document_id"       uuid,
  "chunk_id"          uuid,
  "knowledge_base_id" uuid,
  "title"             text,
  "uri"               text,
  "content"           text,
  "start_char"        integer,
  "end_char"          integer,
  "chunk_sha256"      text,
  "score"             double precision,
  "similarity"        double precision,
  "retrieved_at"      timestamp WITH time zone,
  "heading"           text,
  "trust"             text
);

CREATE OR REPLACE FUNCTION api.audit_narrative (
  run_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_run app.run;
  v_begun app.audit_event;
  v_steps jsonb;
  v_totals jsonb;
begin
  select r.* into v_run from app.run r where r.id = audit_narrative.run_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such run that you may see';
  end if;
  select e.* into v_begun from app.audit_event e
  where e.org_id = v_run.org_id and e.run_id = v_run.id and e.action = 'run.insert' limit 1;
  select
    coalesce(jsonb_agg(jsonb_build_object(
      'position', s.position, 'at', s.created_at, 'kind', s.kind, 'name', s.name, 'provider', s.provider, 'arguments_sha256', s.arguments_sha256,
      'outcome', s.outcome, 'rule', e.rule, 'sqlstate', s.sqlstate, 'taint', s.taint,
      'documents', (
        select coalesce(jsonb_agg(jsonb_build_object('document_id', d.document_id, 'title', t.title, 'chunk_ids', d.chunk_ids) order by d.document_id), '[]')
        from (select p.value ->> 'document_id' as document_id, jsonb_agg(p.value -> 'chunk_id') as chunk_ids
          from jsonb_array_elements(s.sources) p where p.value ? 'chunk_id' group by 1) d
        -- A title is for those who may read the document themselves.
        left join app.document t on t.org_id = s.org_id and t.id::text = d.document_id),
      'rows', (select coalesce(jsonb_agg(p.value -> 'id'), '[]') from jsonb_array_elements(s.sources) p where p.value ? 'id'),
      'row_count', s.row_count, 'input_tokens', s.input_tokens, 'output_tokens', s.output_tokens, 'duration_ms', s.duration_ms,
      -- Null for those who cannot see the trail of this run.
      'recorded', case when v_begun.id is not null then coalesce(e.object_sha256 = authz.step_digest(s), false) end,
      'lane', l.lane, 'sequence', l.sequence) order by s.position), '[]'),
    jsonb_build_object('model_calls', count(*) filter (where s.kind = 'model'), 'tool_calls', count(*) filter (where s.kind = 'tool'),
      'denied', count(*) filter (where s.outcome = 'denied'), 'input_tokens', coalesce(sum(s.input_tokens), 0),
      'output_tokens', coalesce(sum(s.output_tokens), 0))
    into v_steps, v_totals
  from app.run_step s
  left join app.audit_event e on e.org_id = s.org_id and e.run_id = s.run_id and e.object_id = s.id::text and e.action = s.kind || '.call'
  left join app.audit_link l on l.org_id = e.org_id and l.event_id = e.id
  where s.org_id = v_run.org_id and s.run_id = v_run.id;
  return jsonb_build_object(
    'run_id', v_run.id,
    'organization', (select jsonb_build_object('id', o.id, 'slug', o.slug) from app.organization o where o.id = v_run.org_id),
    'request_id', v_run.request_id, 'conversation_id', v_run.conversation_id,
    'who', jsonb_build_object('user_id', v_run.user_id,
      'email', (select m.email from app.membership m where m.org_id = v_run.org_id and m.user_id = v_run.user_id),
      'role', v_begun.actor_role, 'actor_kind', v_run.actor_kind, 'on_behalf_of', v_run.on_behalf_of, 'client_id', v_run.client_id,
      'api_token_id', v_run.api_token_id, 'session_id', v_begun.auth_session_id),
    'bot', jsonb_build_object('id', v_run.bot_id, 'version', v_run.bot_version,
      'slug', (select b.slug from app.bot b where b.org_id = v_run.org_id and b.id = v_run.bot_id),
      'sha256', (select v.sha256 from app.bot_version v where v.org_id = v_run.org_id and v.bot_id = v_run.bot_id and v.version = v_run.bot_version)),
    'question_sha256', v_run.question_sha256, 'answer_sha256', v_run.answer_sha256,
    'started_at', v_run.started_at, 'finished_at', v_run.finished_at,
    'status', case when authz.run_is_over(v_run.status, v_run.started_at) then 'failed' else v_run.status end,
    'error_code', case when authz.run_is_over(v_run.status, v_run.started_at) then 'abandoned' else v_run.error_code end,
    'taint', v_run.taint,
    'steps', v_steps,
    -- What else was done or refused in this run.
    'events', (select coalesce(jsonb_agg(jsonb_build_object('at', e.at, 'action', e.action, 'object_id', e.object_id, 'target', e.target,
        'outcome', e.outcome, 'rule', e.rule, 'actor_id', e.actor_id, 'changed', e.changed) order by e.at, e.id), '[]')
      from app.audit_event e where e.org_id = v_run.org_id and e.run_id = v_run.id and e.action not in ('tool.call', 'model.call', 'model_call.insert')),
    'model_calls', (select coalesce(jsonb_agg(jsonb_build_object('at', c.started_at, 'provider', c.provider, 'model', c.model, 'purpose', c.purpose,
        'region', c.region, 'retention_days', c.retention_days, 'trains', c.trains, 'redacted', c.redacted, 'refused_by', c.refused_by,
        'input_tokens', c.input_tokens, 'output_tokens', c.output_tokens, 'cost', c.cost) order by c.started_at, c.id), '[]')
      from app.model_call c where c.org_id = v_run.org_id and c.run_id = v_run.id),
    'approvals', (select coalesce(jsonb_agg(jsonb_build_object('id', a.id, 'tool', a.tool, 'arguments_sha256', a.arguments_sha256, 'reason', a.reason,
        'state', a.state, 'requested_at', a.requested_at, 'decided_by', a.decided_by, 'decided_at', a.decided_at, 'used_at', a.used_at)
        order by a.requested_at, a.id), '[]')
      from app.approval a where a.org_id = v_run.org_id and a.run_id = v_run.id),
    'totals', v_totals);
end
$function$;

CREATE OR REPLACE FUNCTION api.call_tool (
  run_id          uuid,
  tool            text,
  arguments       jsonb             DEFAULT '{}'::jsonb,
  query_embedding extensions.vector DEFAULT NULL::extensions.vector
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_run app.run := authz.running(call_tool.run_id);
  v_position integer := authz.next_position(v_run.org_id, v_run.id);
  v_started timestamptz := clock_timestamp();
  v_digest text := authz.digest(v_run.org_id, v_run.conversation_id, jsonb_build_array(call_tool.tool, call_tool.arguments)::text);
  v_context jsonb := jsonb_strip_nulls(jsonb_build_object(
    'org_id', v_run.org_id, 'run_id', v_run.id, 'query_embedding', call_tool.query_embedding::text,
    -- The same call again in the same run is the same act (R103).
    'idempotency_key', left(encode(sha256(convert_to(v_run.id || v_digest, 'UTF8')), 'hex'), 32)));
  v_rows jsonb := '[]';
  v_outcome text := 'ok';
  v_code text;
  v_message text;
  v_step uuid;
  v_statement text;
  v_approval app.approval;
begin
  begin
    perform authz.require(jsonb_typeof(call_tool.arguments) = 'object', 'arguments: an object');
    if call_tool.tool = any (authz.run_tools(v_run.org_id, v_run.bot_id)) is not true then
      raise sqlstate '42501';
    end if;
    v_statement := authz.tool_statement(call_tool.tool, call_tool.arguments, v_context);
    v_approval := authz.approval_for(v_run.org_id, v_run.id, call_tool.tool, call_tool.arguments, v_digest);
    if v_approval.state = 'denied' then
      raise sqlstate '42501';
    elsif v_approval.state = 'pending' then
      v_outcome := 'needs_approval';
    else
      -- What it reads is recorded by the step below, and not once more (authz.note_reading()).
      perform set_config('ringfence.recorded_run', v_run.id::text, true);
      execute v_statement into v_rows using call_tool.arguments, v_context;
      perform set_config('ringfence.recorded_run', '', true);
    end if;
  exception when others then
    -- The failed call is undone; that it was tried stays in the record (F34). A cancelled statement is not caught by "others".
    get stacked diagnostics v_code = returned_sqlstate, v_message = message_text;
    v_outcome := case
      when v_code = '42501' then 'denied'
      when v_code = 'PT404' then 'not_found'
      when v_code in ('PT409', '23505') then 'conflict'
      when v_code like '22%' or v_code in ('23502', '23514') then 'invalid'
      else 'failed' end;
    -- PostgreSQL's own sentences about tables and policies are for the log, not for a model.
    v_message := case
      when v_outcome = 'denied' and v_approval.state = 'denied' then 'not allowed: this call was asked for and denied'
      when v_outcome = 'denied' then 'not allowed: the bot is not bound to this tool, your role lacks the permission, or a rule of the organization forbids it'
      when v_outcome = 'failed' then 'the tool failed'
      else v_message end;
  end;
  insert into app.run_step (org_id, run_id, position, kind, name, arguments_sha256, sources, row_count, duration_ms, outcome, sqlstate,
    taint)
  values (v_run.org_id, v_run.id, v_position, 'tool',
    -- A name a model made up is not a place for it to write text for an auditor.
    case when call_tool.tool ~ '^[a-z_][a-z0-9_]{0,62}$' then call_tool.tool else '?' end, v_digest,
    (select coalesce(jsonb_agg(distinct case
        when r ? 'chunk_id' then jsonb_build_object('document_id', r -> 'document_id', 'chunk_id', r -> 'chunk_id')
        else jsonb_build_object('id', r -> 'id') end) filter (where r ?| array['chunk_id', 'id']), '[]')
      from jsonb_array_elements(v_rows) r),
    jsonb_array_length(v_rows), extract(milliseconds from clock_timestamp() - v_started)::integer, v_outcome, v_code,
    -- A row that does not say it is trusted is not. What a passage is is looked up once more (authz.tg_step_taint()).
    case when exists (select from jsonb_array_elements(v_rows) r where r ->> 'trust' is distinct from 'trusted') then array['untrusted'] end)
  returning id into v_step;
  return jsonb_build_object('step_id', v_step, 'outcome', v_outcome, 'code', v_code, 'message', v_message,
    'row_count', jsonb_array_length(v_rows), 'rows', v_rows)
    || case when v_outcome = 'needs_approval' then jsonb_build_object('message', 'waits for an approval',
      'approval', jsonb_build_object('id', v_approval.id, 'reason', v_approval.reason, 'expires_at', v_approval.expires_at)) else '{}' end;
end
$function$;

CREATE OR REPLACE FUNCTION api.export_me (
  org_id     uuid,
  table_name text    DEFAULT NULL::text,
  after      text[]  DEFAULT NULL::text[],
  max_rows   integer DEFAULT 500
)
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET statement_timeout TO '60s'
  AS $function$
declare
  v_name text;
  v_rows bigint;
  v_tables jsonb := '{}';
begin
  perform authz.require_org(export_me.org_id);
  perform authz.require(max_rows between 1 and 1000, 'max_rows: 1..1000');
  -- Asked before anything is looked up, so the answer is the same for every organization there is or is not.
  perform authz.require_step_up();
  if (export_me.org_id = any (array(select authz.org_ids()))) is not true then
    raise sqlstate 'PT404' using message = 'no such organization of yours';
  end if;
  if export_me.table_name is not null then
    return authz.rows_page(export_me.org_id, export_me.table_name, true, export_me.after, max_rows);
  end if;
  for v_name in select t.name from authz.organization_tables() t where authz.names_me(t.name) is not null order by t.name loop
    execute format('select count(*) from app.%I t where t.%I = $1 and %s', v_name, case v_name when 'organization' then 'id' else 'org_id' end, authz.names_me(v_name))
      into v_rows using export_me.org_id;
    v_tables := v_tables || jsonb_build_object(v_name, v_rows);
  end loop;
  return jsonb_build_object('org_id', export_me.org_id, 'user_id', authz.uid(), 'email', authz.verified_email(), 'at', now(), 'tables', v_tables,
    'by_others', authz.acts_on_me(export_me.org_id));
end
$function$;

CREATE OR REPLACE FUNCTION api.list_audit_events (
  org_id    uuid,
  did       text                     DEFAULT NULL::text,
  by_actor  uuid                     DEFAULT NULL::uuid,
  on_object text                     DEFAULT NULL::text,
  in_run    uuid                     DEFAULT NULL::uuid,
  since     timestamp with time zone DEFAULT NULL::timestamp WITH time zone,
  until     timestamp with time zone DEFAULT NULL::timestamp WITH time zone,
  before_at timestamp with time zone DEFAULT NULL::timestamp WITH time zone,
  before_id uuid                     DEFAULT NULL::uuid,
  max_rows  integer                  DEFAULT 100
)
  RETURNS TABLE (
    id               uuid,
    at               timestamp with time zone,
    actor_id         uuid,
    actor_kind       text,
    actor_role       text,
    on_behalf_of     uuid,
    api_token_id     uuid,
    client_id        text,
    action           text,
    object_id        text,
    run_id           uuid,
    bot_id           uuid,
    changed          text[],
    auth_session_id  uuid,
    bot_version      integer,
    target           text,
    outcome          text,
    rule             text,
    request_id       text,
    arguments_sha256 text,
    object_sha256    text,
    documents        uuid[]
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_custom_plan'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_audit_events.org_id);
  perform authz.require(coalesce(char_length(did), 1) between 1 and 80, 'did: 1..80 characters');
  perform authz.require(coalesce(char_length(on_object), 1) between 1 and 200, 'on_object: 1..200 characters');
  perform authz.require(num_nulls(before_at, before_id) in (0, 2), 'before_at, before_id: both of the last event seen, or neither');
  perform authz.require(max_rows between 1 and 1000, 'max_rows: 1..1000');
  return query
    select e.id, e.at, e.actor_id, e.actor_kind, e.actor_role, e.on_behalf_of, e.api_token_id, e.client_id,
      e.action, e.object_id, e.run_id, e.bot_id, e.changed, e.auth_session_id, e.bot_version, e.target, e.outcome, e.rule, e.request_id,
      e.arguments_sha256, e.object_sha256, e.documents
    from app.audit_event e
    where e.org_id = list_audit_events.org_id
      and (did is null or e.action = did)
      and (by_actor is null or e.actor_id = by_actor)
      and (on_object is null or e.object_id = on_object or on_object = any (e.documents::text[]))
      and (in_run is null or e.run_id = in_run)
      and (since is null or e.at >= since)
      and (until is null or e.at < until)
      and (before_at is null or (e.at, e.id) < (before_at, before_id))
    order by e.at desc, e.id desc
    limit max_rows;
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
$function$;

CREATE OR REPLACE FUNCTION api.read_file_part (
  org_id      uuid,
  document_id uuid,
  "position"  integer
)
  RETURNS jsonb
  LANGUAGE plpgsql
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
  perform authz.note_reading(read_file_part.org_id, 'document.read', 'read_file_part', array[read_file_part.document_id]);
  -- PostgreSQL breaks base64 into lines.
  return jsonb_build_object('content', translate(encode(v_content, 'base64'), e'\n', ''));
end
$function$;

CREATE OR REPLACE FUNCTION api.search_documents (
  org_id          uuid,
  query           text,
  query_embedding extensions.vector        DEFAULT NULL::extensions.vector,
  max_rows        integer                  DEFAULT 8,
  run_id          uuid                     DEFAULT NULL::uuid,
  knowledge_bases uuid[]                   DEFAULT NULL::uuid[],
  tags            text[]                   DEFAULT NULL::text[],
  since           timestamp with time zone DEFAULT NULL::timestamp WITH time zone,
  until           timestamp with time zone DEFAULT NULL::timestamp WITH time zone
)
  RETURNS TABLE (
    document_id       uuid,
    chunk_id          uuid,
    knowledge_base_id uuid,
    title             text,
    uri               text,
    content           text,
    start_char        integer,
    end_char          integer,
    chunk_sha256      text,
    score             double precision,
    similarity        double precision,
    retrieved_at      timestamp with time zone,
    heading           text,
    trust             text
  )
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET statement_timeout TO '5s'
  AS $function$
#variable_conflict use_column
declare
  -- A question is rarely a sentence of the text: any of its words may match, and the rank says how well. The first 32 different
  -- words count: ranking by hundreds takes seconds.
  v_terms tsquery := (
    select string_agg(w.word, ' | ' order by w.place)::tsquery
    from (select u.word, min(u.place) as place
      from unnest(string_to_array(plainto_tsquery('pg_catalog.english', query)::text, ' & ')) with ordinality u (word, place)
      group by u.word order by 2 limit 32) w);
  v_bases uuid[] := search_documents.knowledge_bases;
  v_found authz.passage[];
begin
  perform authz.require_org(search_documents.org_id);
  perform authz.require(char_length(query) between 1 and 2000, 'query: 1..2000 characters');
  perform authz.require(max_rows between 1 and 50, 'max_rows: 1..50');
  if query_embedding is not null then
    perform authz.require(extensions.vector_dims(query_embedding) = 384, 'query_embedding: 384 numbers');
    perform authz.require(extensions.vector_norm(query_embedding) > 0, 'query_embedding: not all zero');
  end if;
  if v_bases is not null then
    perform authz.require(cardinality(v_bases) between 1 and 100 and array_position(v_bases, null) is null, 'knowledge_bases: 1..100 items');
  end if;
  if search_documents.tags is not null then
    perform authz.require(cardinality(search_documents.tags) between 1 and 20
      and (select bool_and(char_length(t.tag) between 1 and 100) from unnest(search_documents.tags) t (tag)), 'tags: 1..20 items of 1..100 characters');
  end if;
  if search_documents.run_id is not null then
    -- Inside a run: what the person may read, and of that only what the bot is bound to (F13).
    v_bases := array(select b.id from unnest(authz.run_knowledge_bases(search_documents.org_id, search_documents.run_id)) b (id)
      where v_bases is null or b.id = any (v_bases));
  end if;
  v_found := array(
    with candidate as materialized (
      select * from authz.search_candidates(search_documents.org_id, v_terms, query_embedding,
        row(v_bases, search_documents.tags, search_documents.since, search_documents.until)::authz.search_filter)
    ), fused as (
      select c.id, sum(1.0 / (60 + c.place))::double precision as score
      from candidate c
      group by c.id
      order by score desc, c.id limit max_rows
    )
    select row(c.document_id, f.id, c.knowledge_base_id, c.title, c.uri, c.content, c.start_char, c.end_char,
      encode(sha256(convert_to(c.content, 'UTF8')), 'hex'), f.score, 1 - c.distance, now(), c.heading, c.trust)::authz.passage
    from fused f
    cross join lateral (select * from candidate c where c.id = f.id limit 1) c
    order by f.score desc, f.id);
  perform authz.note_reading(search_documents.org_id, 'documents.search', 'search_documents',
    array(select distinct p.document_id from unnest(v_found) p), search_documents.run_id);
  return query select p.* from unnest(v_found) p;
end
$function$;

CREATE OR REPLACE FUNCTION authz.acts_on_me (
  org_id uuid
)
  RETURNS jsonb
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  -- When and what, and as which role: who it was is data about them.
  select coalesce(jsonb_agg(jsonb_build_object('at', e.at, 'action', e.action, 'by_role', e.actor_role, 'changed', e.changed, 'outcome', e.outcome) order by e.at), '[]')
  from (
    select a.at, a.action, a.actor_role, a.changed, a.outcome from app.audit_event a
    where a.org_id = acts_on_me.org_id and a.object_id = authz.uid()::text and a.actor_id is distinct from authz.uid()
    order by a.at desc limit 1000) e
$function$;

ALTER FUNCTION "authz"."acts_on_me"(uuid) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.model_rule (
  refused_by text
)
  RETURNS text
  LANGUAGE sql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
RETURN CASE WHEN (refused_by = 'budget'::text) THEN 'budget'::text ELSE ('data_policy:'::text || refused_by) END;

CREATE OR REPLACE FUNCTION authz.note_reading (
  org_id    uuid,
  action    text,
  target    text,
  documents uuid[],
  run_id    uuid   DEFAULT NULL::uuid
)
  RETURNS void
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_run record;
begin
  -- In an organization that is not theirs nothing was read, and nothing is written.
  if (note_reading.org_id = any (array(select authz.org_ids()))) is not true then
    return;
  end if;
  if note_reading.run_id is not null then
    -- api.call_tool() sets it for the call it is about to record. No route sets a setting; with SQL one would need no function to read.
    if current_setting('ringfence.recorded_run', true) = note_reading.run_id::text then
      return;
    end if;
  end if;
  select r.id, r.bot_id, r.bot_version into v_run from app.run r
  where r.org_id = note_reading.org_id and r.id = note_reading.run_id and r.user_id = authz.uid();
  perform authz.record_event(
    org_id => note_reading.org_id, action => note_reading.action, target => note_reading.target,
    object_id => case when note_reading.action = 'document.read' then note_reading.documents[1]::text end,
    run_id => v_run.id, bot_id => v_run.bot_id, bot_version => v_run.bot_version,
    documents => case when note_reading.action = 'documents.search' then note_reading.documents end);
end
$function$;

ALTER FUNCTION "authz"."note_reading"(uuid, text, text, uuid[], uuid) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.ocsf_class (
  action text
)
  RETURNS integer[]
  LANGUAGE sql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  -- Class and activity: Authentication, Account Change, Entity Management (what decides who may do what), API Activity.
  select case
    when kind.noun = 'session' then array[3002, 1]
    when kind.noun = 'membership' then array[3001, case kind.verb when 'insert' then 1 when 'delete' then 6 else 99 end]
    when kind.noun in ('organization', 'role', 'role_permission', 'deny_rule', 'sso_connection', 'sso_group')
      then array[3004, case kind.verb when 'insert' then 1 when 'update' then 3 else 4 end]
    else array[6003, case kind.verb when 'insert' then 1 when 'search' then 2 when 'read' then 2 when 'update' then 3 when 'delete' then 4 else 99 end] end
  from (select split_part(ocsf_class.action, '.', 1), split_part(ocsf_class.action, '.', 2)) kind (noun, verb)
$function$;

CREATE OR REPLACE FUNCTION authz.ocsf_event (
  event app.audit_event,
  link  app.audit_link
)
  RETURNS jsonb
  LANGUAGE sql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select jsonb_strip_nulls(jsonb_build_object(
    'class_uid', k.class[1], 'category_uid', k.class[1] / 1000, 'activity_id', k.class[2], 'type_uid', k.class[1] * 100 + k.class[2],
    'activity_name', case when k.class[2] = 99 then event.action end,
    'severity_id', case event.outcome when 'ok' then 1 else 2 end,
    'status_id', case event.outcome when 'ok' then 1 else 2 end, 'status_code', event.outcome, 'status_detail', event.rule,
    'time', floor(extract(epoch from event.at) * 1000)::bigint,
    'metadata', jsonb_build_object(
      'version', '1.8.0', 'product', jsonb_build_object('name', 'Ringfence', 'vendor_name', 'Ringfence'), 'log_name', 'audit',
      'uid', event.id, 'sequence', link.sequence, 'event_code', event.action, 'tenant_uid', event.org_id, 'correlation_uid', coalesce(event.run_id::text, event.request_id)),
    'actor', case when event.actor_id is null then jsonb_build_object('app_name', 'database operator') else jsonb_build_object(
      'user', p.person,
      'session', case when event.auth_session_id is not null then jsonb_build_object('uid', event.auth_session_id) end,
      'app_uid', event.client_id) end,
    'user', case k.class[1] when 3002 then p.person when 3001 then jsonb_build_object('uid', event.object_id) end,
    'service', case k.class[1] when 3002 then jsonb_build_object('name', 'Supabase Auth') end,
    'entity', case k.class[1] when 3004 then jsonb_build_object('type', split_part(event.action, '.', 1), 'uid', coalesce(event.object_id, event.org_id::text)) end)
    -- Of API Activity the endpoint is required; whose address it was is in the log of the edge.
    || case k.class[1] when 6003 then jsonb_build_object(
      'src_endpoint', jsonb_build_object('uid', coalesce(event.auth_session_id::text, 'database')),
      'api', jsonb_build_object('operation', coalesce(event.target, event.action), 'service', jsonb_build_object('name', 'Ringfence'),
        'request', case when event.request_id is not null then jsonb_build_object('uid', event.request_id) end),
      'resources', case
        when event.object_id is not null then jsonb_build_array(jsonb_build_object('uid', event.object_id, 'type', split_part(event.action, '.', 1)))
        when cardinality(event.documents) > 0 then
          (select jsonb_agg(jsonb_build_object('uid', d.id, 'type', 'document') order by d.id) from unnest(event.documents) d (id)) end) else '{}' end
    || jsonb_build_object('unmapped', jsonb_strip_nulls(jsonb_build_object(
      'actor_kind', event.actor_kind, 'actor_role', event.actor_role, 'on_behalf_of', event.on_behalf_of, 'api_token_id', event.api_token_id,
      'run_id', event.run_id, 'bot_id', event.bot_id, 'bot_version', event.bot_version, 'target', event.target,
      'changed', case when event.changed <> '{}' then to_jsonb(event.changed) end,
      'arguments_sha256', event.arguments_sha256, 'object_sha256', event.object_sha256,
      'lane', link.lane, 'event_sha256', link.event_sha256, 'prev_hash', link.prev_hash, 'hash', link.hash))))
  from (select authz.ocsf_class(event.action)) k (class)
  cross join lateral (select jsonb_build_object('uid', event.actor_id, 'org', jsonb_build_object('uid', event.org_id),
    'groups', case when event.actor_role is not null then jsonb_build_array(jsonb_build_object('name', event.actor_role)) end)) p (person)
$function$;

CREATE OR REPLACE FUNCTION authz.record_event (
  org_id           uuid,
  action           text,
  object_id        text    DEFAULT NULL::text,
  run_id           uuid    DEFAULT NULL::uuid,
  bot_id           uuid    DEFAULT NULL::uuid,
  bot_version      integer DEFAULT NULL::integer,
  target           text    DEFAULT NULL::text,
  outcome          text    DEFAULT 'ok'::text,
  rule             text    DEFAULT NULL::text,
  arguments_sha256 text    DEFAULT NULL::text,
  object_sha256    text    DEFAULT NULL::text,
  changed          text[]  DEFAULT '{}'::text[],
  documents        uuid[]  DEFAULT NULL::uuid[]
)
  RETURNS void
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_owner uuid;
  v_role text;
begin
  -- An organization that goes keeps no record of going: its receipt is elsewhere (F23).
  if authz.is_purging(record_event.org_id) then
    return;
  end if;
  select m.service_owner_id, r.name into v_owner, v_role
  from app.membership m join app.role r on r.org_id = m.org_id and r.id = m.role_id
  where m.org_id = record_event.org_id and m.user_id = authz.uid();
  insert into app.audit_event (
    org_id, actor_id, actor_kind, actor_role, on_behalf_of, api_token_id, client_id, auth_session_id, request_id,
    action, object_id, run_id, bot_id, bot_version, target, outcome, rule, arguments_sha256, object_sha256, changed, documents)
  values (
    record_event.org_id,
    authz.uid(),
    case when authz.uid() is null then 'operator' when v_owner is not null then 'service' else 'user' end,
    v_role,
    v_owner,
    authz.api_token_id(),
    left(authz.claims() ->> 'client_id', 100),
    authz.session_id(),
    authz.request_id(),
    record_event.action, record_event.object_id, record_event.run_id, record_event.bot_id, record_event.bot_version, record_event.target,
    record_event.outcome, record_event.rule, record_event.arguments_sha256, record_event.object_sha256, record_event.changed, record_event.documents);
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_audit_model_call()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_bot record;
begin
  select r.bot_id, r.bot_version into v_bot from app.run r where r.org_id = new.org_id and r.id = new.run_id;
  perform authz.record_event(
    org_id => new.org_id, action => 'model_call.insert', object_id => new.id::text, run_id => new.run_id,
    bot_id => v_bot.bot_id, bot_version => v_bot.bot_version, target => new.model,
    outcome => case when new.refused_by is null then 'ok' else 'denied' end, rule => authz.model_rule(new.refused_by));
  return null;
end
$function$;

ALTER FUNCTION "authz"."tg_audit_model_call"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.tg_audit_step()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_bot record;
begin
  select r.bot_id, r.bot_version into v_bot from app.run r where r.org_id = new.org_id and r.id = new.run_id;
  perform authz.record_event(
    org_id => new.org_id, action => new.kind || '.call', object_id => new.id::text, run_id => new.run_id,
    bot_id => v_bot.bot_id, bot_version => v_bot.bot_version, target => new.name, outcome => new.outcome,
    rule => case when new.outcome = 'denied' and new.kind = 'model' then (
        select authz.model_rule(c.refused_by) from app.model_call c
        where c.org_id = new.org_id and c.run_id = new.run_id and c.refused_by is not null order by c.ended_at desc limit 1)
      when new.outcome = 'denied' then coalesce(
      (select 'deny_rule:' || d.id from app.deny_rule d where d.org_id = new.org_id and d.tool = new.name order by d.id limit 1),
      'binding_or_permission')
      else (select 'approval:' || a.id from app.approval a where a.org_id = new.org_id and (a.step_id = new.id
        or new.outcome = 'needs_approval' and a.run_id = new.run_id and a.arguments_sha256 = new.arguments_sha256 and a.state = 'pending')
        order by a.requested_at desc limit 1) end,
    arguments_sha256 => new.arguments_sha256, object_sha256 => authz.step_digest(new));
  return null;
end
$function$;

ALTER TABLE "app"."audit_event"
  ADD CONSTRAINT "audit_event_action_check"
    CHECK
    (((action ~ '^[a-z_]+\.(insert|update|delete)$'::text) OR (action = ANY (ARRAY['tool.call'::text, 'model.call'::text, 'documents.search'::text, 'document.read'::text,
    'access.deny'::text, 'session.start'::text]))));

ALTER TABLE "app"."audit_event"
  ADD CONSTRAINT "audit_event_documents_check" CHECK ((cardinality(documents) <= 50));

CREATE TRIGGER _900_audit
  AFTER INSERT ON app.model_call
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit_model_call();

CREATE POLICY "audit_event_select_subject_owner" ON "app"."audit_event"
  FOR SELECT
  TO "ringfence_owner"
  USING
    (((object_id = (( SELECT authz.uid() AS uid))::text) AND (action = ANY (ARRAY['membership.insert'::text, 'membership.update'::text, 'membership.delete'::text])) AND (org_id =
    ANY (ARRAY( SELECT authz.org_ids() AS org_ids)))));

COMMENT ON COLUMN "app"."audit_event"."action" IS 'table.command for a change of state; tool.call, model.call, documents.search, document.read, access.deny and session.start for what changes none. Names are added, never changed.';

COMMENT ON COLUMN "app"."audit_event"."documents" IS 'The documents whose passages a search outside a run returned; null for other acts.';

COMMENT ON FUNCTION "api"."export_me"(uuid, text, text[], integer) IS 'Give what an organization holds about you: first the tables with the number of rows, then their rows page by page, without what checks a secret.

@audience app
@param org_id      the organization; needs a recent second factor of your own
@param table_name  name of a table that the first answer told; leave it out for the first answer
@param after       next of the page before; leave it out for the first page
@param max_rows    number of rows; 1..1000
@returns           {org_id, user_id, email, at, tables: {table: rows}, by_others: [{at, action, by_role, changed, outcome}]: what others did to your membership}; with table_name {table, rows: [text], next (null: that was the last page), sha256 (of the rows with a line feed between them)}
@errors            22004, 22023, 42501, PT401, PT404
@effect            read';

COMMENT ON FUNCTION "api"."list_audit_events"(uuid, text, uuid, text, uuid, timestamp with time zone, timestamp with time zone, timestamp
  with time zone, uuid, integer) IS 'List what was done in an organization: your own acts; with audit.read, everybody''s.

@audience app
@param org_id     the organization
@param did        only this act, as document.delete, tool.call, model.call, documents.search, document.read, access.deny or session.start; 1..80 characters
@param by_actor   only what this person did
@param on_object  only what was done to this, by its identifier, or a search that found it; 1..200 characters
@param in_run     only what was part of this run
@param since      only at this time or later
@param until      only before this time
@param before_at  go on after the last event seen: its at, as it was given
@param before_id  and its id
@param max_rows   number of events; 1..1000
@returns          array of {id, at, actor_id, actor_kind, actor_role, on_behalf_of, api_token_id, client_id, action, object_id, run_id, bot_id, changed, auth_session_id, bot_version, target, outcome, rule, request_id, arguments_sha256, object_sha256, documents}; newest first
@errors           22004, 22023
@effect           read';

COMMENT ON FUNCTION "api"."preview_document"(uuid, uuid, integer, integer) IS 'Read a stretch of the text of a document you may read.

@audience app
@param org_id       the organization
@param document_id  the document
@param start_char   first character, as in a citation; 0..2147483647
@param max_chars    number of characters; 1..20000
@returns            {text, start_char, end_char: one past the last character; equal to start_char at the end of the text}
@errors             22004, 22023, PT404
@effect             read
@changes            nothing';

COMMENT ON FUNCTION "api"."read_file_part"(uuid, uuid, integer) IS 'Read a piece of the original file of a document you may read.

@audience app
@param org_id       the organization
@param document_id  the document
@param position     place of the piece in the file; get_document says how many there are; 0..999
@returns            {content: base64}
@errors             22004, 22023, PT404
@effect             read
@changes            nothing';

COMMENT ON FUNCTION "api"."search_documents"(uuid, text, extensions.vector, integer, uuid, uuid[], text[], timestamp with time zone, timestamp
  with time zone) IS 'Search the documents of the organization for passages that answer a question: how something works, what a text says, terms, instructions.

@audience bot
@context org_id           the organization
@context query_embedding  the query as 384 numbers; without it only words are compared
@context run_id           narrows the search to what the run''s bot is bound to
@context knowledge_bases  only in these knowledge bases; 1..100 items
@param query              the question in plain words; 1..2000 characters
@param max_rows           number of passages; 1..50
@param tags               only documents that have one of these tags; 1..20 items of 1..100 characters
@param since              only documents changed at this time or later
@param until              only documents changed before this time
@returns                  array of {document_id, chunk_id, knowledge_base_id, title, uri, content, start_char, end_char, chunk_sha256, score, similarity, retrieved_at, heading, trust: trusted or untrusted}; best first
@errors                   22004, 22023, PT404
@effect                   read
@changes                  nothing';

COMMENT ON FUNCTION "authz"."acts_on_me"(uuid) IS 'What others did to the membership of the person asking, from the audit trail, without who: the newest 1000.';

COMMENT ON FUNCTION "authz"."model_rule"(text) IS 'What the trail calls the rule that refused a model call: data_policy: with its name, or budget; null for none.';

COMMENT ON FUNCTION "authz"."note_reading"(uuid, text, text, uuid[], uuid) IS 'Record that authz.uid() searched documents or read one, in an organization of theirs; not where a call of a tool in a run records it.';

COMMENT ON FUNCTION "authz"."record_event"(uuid, text, text, uuid, uuid, integer, text, text, text, text, text, text[], uuid[]) IS 'Record an act of the person asking in app.audit_event, in the transaction of the act: the only writer there. For functions and triggers of ringfence_owner.';

COMMENT ON FUNCTION "authz"."tg_audit_model_call"() IS 'Trigger: record that a model call was allowed or refused, and by which rule, in the same transaction; also where no run is, as for an embedding or a job (F70, F71).';

COMMENT ON POLICY "audit_event_select_subject_owner" ON "app"."audit_event" IS 'An export for a person tells what others did to their membership (F67).';

COMMENT ON TYPE "authz"."passage" IS 'A passage that a search found, as api.search_documents() answers it.';

REVOKE ALL
  ON FUNCTION "api"."list_audit_events"(uuid, text, uuid, text, uuid, timestamp WITH time zone, timestamp WITH time zone, timestamp WITH time zone, uuid, integer)
  FROM PUBLIC;

GRANT EXECUTE
  ON FUNCTION "api"."list_audit_events"(uuid, text, uuid, text, uuid, timestamp WITH time zone, timestamp WITH time zone, timestamp WITH time zone, uuid, integer)
  TO "authenticated";

REVOKE ALL
  ON FUNCTION "api"."list_audit_events"(uuid, text, uuid, text, uuid, timestamp WITH time zone, timestamp WITH time zone, timestamp WITH time zone, uuid, integer)
  FROM "postgres";

GRANT EXECUTE
  ON FUNCTION "api"."list_audit_events"(uuid, text, uuid, text, uuid, timestamp WITH time zone, timestamp WITH time zone, timestamp WITH time zone, uuid, integer)
  TO "postgres";

REVOKE ALL ON FUNCTION "authz"."acts_on_me"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."acts_on_me"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."acts_on_me"(uuid) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."acts_on_me"(uuid) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."model_rule"(text) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."model_rule"(text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."model_rule"(text) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."model_rule"(text) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."note_reading"(uuid, text, text, uuid[], uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."note_reading"(uuid, text, text, uuid[], uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."note_reading"(uuid, text, text, uuid[], uuid) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."note_reading"(uuid, text, text, uuid[], uuid) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."record_event"(uuid, text, text, uuid, uuid, integer, text, text, text, text, text, text[], uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."record_event"(uuid, text, text, uuid, uuid, integer, text, text, text, text, text, text[], uuid[]) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."record_event"(uuid, text, text, uuid, uuid, integer, text, text, text, text, text, text[], uuid[]) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."record_event"(uuid, text, text, uuid, uuid, integer, text, text, text, text, text, text[], uuid[]) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."tg_audit_model_call"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_audit_model_call"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."tg_audit_model_call"() TO "ringfence_owner";

REVOKE ALL ("action") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("action"), SELECT ("action") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("actor_id") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("actor_id"), SELECT ("actor_id") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("actor_role") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("actor_role"), SELECT ("actor_role") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("at") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT SELECT ("at") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("changed") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("changed"), SELECT ("changed") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("documents") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("documents") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("object_id") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("object_id"), SELECT ("object_id") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("outcome") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("outcome"), SELECT ("outcome") ON TABLE "app"."audit_event" TO "ringfence_owner";

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';

-- What pg-delta does not see: comments on the columns of a type.
comment on column authz.passage.document_id is 'Its document.';
comment on column authz.passage.chunk_id is 'The chunk.';
comment on column authz.passage.knowledge_base_id is 'The knowledge base of the document.';
comment on column authz.passage.title is 'Title of the document.';
comment on column authz.passage.uri is 'Where the document came from.';
comment on column authz.passage.content is 'The text.';
comment on column authz.passage.start_char is 'First character in the text of the document.';
comment on column authz.passage.end_char is 'One past its last character there.';
comment on column authz.passage.chunk_sha256 is 'SHA-256, hexadecimal, of the text.';
comment on column authz.passage.score is 'By which the passages are in order; more is better.';
comment on column authz.passage.similarity is '1 less the distance to the question; null where only words were compared.';
comment on column authz.passage.retrieved_at is 'When the search was.';
comment on column authz.passage.heading is 'The headings above it.';
comment on column authz.passage.trust is 'trusted or untrusted, as its document.';
