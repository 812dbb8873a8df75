-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

DROP TRIGGER "_110_step_up" ON "app"."organization";

ALTER TABLE "app"."audit_event"
  DROP CONSTRAINT "audit_event_action_check";

ALTER TABLE "app"."model_call"
  DROP CONSTRAINT "model_call_refused_by_check";

ALTER TABLE "app"."run"
  DROP CONSTRAINT "run_taint_check";

ALTER TABLE "app"."run_step"
  DROP CONSTRAINT "run_step_taint_check";

DROP FUNCTION "api"."begin_model_call"(uuid, text, text, integer, uuid, text);

DROP FUNCTION "api"."list_audit_events"(uuid, text, uuid, text, uuid, timestamp WITH time zone, timestamp WITH time zone, timestamp WITH time zone, uuid, integer);

DROP FUNCTION "api"."set_data_policy"(uuid, text, text[], boolean, boolean, boolean);

DROP FUNCTION "authz"."finish_job"(text, text, text, text, jsonb);

DROP FUNCTION "authz"."provider_refusal"(uuid, text);

DROP FUNCTION "authz"."record_event"(uuid, text, text, uuid, uuid, integer, text, text, text, text, text, text[]);

DROP FUNCTION "authz"."reserve_model_call"(uuid, uuid, text, text, text, integer, text);

DROP FUNCTION "authz"."run_history"(uuid, uuid);

CREATE TABLE "app"."accepted_query" (
  "org_id"         uuid                     NOT NULL,
  "id"             uuid                     NOT NULL DEFAULT gen_random_uuid(),
  "data_source_id" uuid                     NOT NULL,
  "question"       text                     NOT NULL,
  "sql"            text                     NOT NULL,
  "created_at"     timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT "accepted_query_pkey" PRIMARY KEY (org_id, id),
  CONSTRAINT "accepted_query_question_check" CHECK (((char_length(question) >= 1) AND (char_length(question) <= 400))),
  CONSTRAINT "accepted_query_sql_check" CHECK (((char_length(sql) >= 1) AND (char_length(sql) <= 2000))),
  "created_by"     uuid                     NOT NULL DEFAULT authz.uid()
);

ALTER TABLE "app"."accepted_query"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."accepted_query"
  FORCE ROW LEVEL SECURITY;

ALTER TABLE "app"."analytics_job"
  ADD COLUMN "drafted_sql" text;

ALTER TABLE "app"."audit_event"
  ADD COLUMN "documents" uuid[];

ALTER TABLE "app"."model_call"
  ADD COLUMN "classification" smallint NOT NULL DEFAULT 0;

ALTER TABLE "app"."organization"
  ADD COLUMN "rows_to_model" boolean NOT NULL DEFAULT false;

ALTER TABLE "app"."organization"
  ADD COLUMN "external_classification" smallint NOT NULL DEFAULT 3;

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

CREATE OR REPLACE FUNCTION api.accept_analytics_query (
  org_id   uuid,
  job_id   uuid,
  question text DEFAULT NULL::text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
declare
  v_job app.analytics_job;
  v_question text;
  v_id uuid;
begin
  perform authz.require_org(accept_analytics_query.org_id);
  select j.* into v_job from app.analytics_job j
  where j.org_id = accept_analytics_query.org_id and j.id = accept_analytics_query.job_id and j.user_id = authz.uid() and j.status = 'succeeded';
  if not found then
    raise sqlstate 'PT404' using message = 'no such job of yours that succeeded';
  end if;
  v_question := coalesce(accept_analytics_query.question, v_job.question);
  perform authz.require(v_question is not null, 'question: the job was asked in SQL, so say what it answers');
  perform authz.require(char_length(v_question) between 1 and 400, 'question: 1..400 characters');
  -- What ran names what the guard put in the place of relations; an example names the relations.
  perform authz.require(char_length(coalesce(v_job.drafted_sql, v_job.sql)) <= 2000, 'job_id: its SQL was not kept, or has more than 2000 characters');
  perform authz.lock_name(v_job.org_id, 'example ' || v_job.data_source_id);
  -- The same question again takes the place of the one before.
  delete from app.accepted_query q where q.org_id = v_job.org_id and q.data_source_id = v_job.data_source_id and q.question = v_question;
  insert into app.accepted_query (org_id, data_source_id, question, sql)
  values (v_job.org_id, v_job.data_source_id, v_question, coalesce(v_job.drafted_sql, v_job.sql))
  returning id into v_id;
  return jsonb_build_object('id', v_id, 'question', v_question, 'sql', coalesce(v_job.drafted_sql, v_job.sql));
end
$function$;

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

CREATE OR REPLACE FUNCTION api.begin_model_call (
  org_id      uuid,
  provider    text,
  model       text,
  max_tokens  integer,
  run_id      uuid    DEFAULT NULL::uuid,
  purpose     text    DEFAULT 'answer'::text,
  document_id uuid    DEFAULT NULL::uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_run app.run;
  v_key text := 'rfm_' || translate(rtrim(encode(sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')), 'base64'), '='), '+/', '-_');
  v_class smallint := 0;
  v_call app.model_call;
begin
  perform authz.require_org(begin_model_call.org_id);
  perform authz.require(max_tokens between 1 and 1000000, 'max_tokens: 1..1000000');
  if begin_model_call.run_id is not null then
    v_run := authz.running(begin_model_call.run_id);
  end if;
  if (begin_model_call.org_id = any (array(select authz.org_ids()))) is not true
    or v_run.org_id is not null and v_run.org_id <> begin_model_call.org_id
  then
    raise sqlstate 'PT404' using message = 'no such organization, or no such running run of yours in it';
  end if;
  if begin_model_call.document_id is not null then
    select d.classification into v_class from app.document d where d.org_id = begin_model_call.org_id and d.id = begin_model_call.document_id;
    if not found then
      raise sqlstate 'PT404' using message = 'no such document of that organization that you can see';
    end if;
  elsif begin_model_call.run_id is null then
    -- Whoever calls single tools writes with what they returned in mind (authz.tg_run_taint()).
    select coalesce(max(authz.taint_classification(r.taint)), 0) into v_class
    from app.run r
    where r.org_id = any (array(select authz.org_ids())) and r.user_id = authz.uid() and r.started_at > now() - authz.run_lasts()
      and authz.is_tool_conversation(r.org_id, r.conversation_id);
  end if;
  v_call := authz.reserve_model_call(begin_model_call.org_id, begin_model_call.run_id, begin_model_call.purpose, begin_model_call.provider,
    begin_model_call.model, max_tokens, encode(sha256(convert_to(v_key, 'UTF8')), 'hex'), v_class);
  if v_call.refused_by is not null and v_run.id is not null then
    -- An answer and not an error, or the record of the refusal would go with it (F64).
    insert into app.run_step (org_id, run_id, position, kind, name, provider, input_tokens, output_tokens, duration_ms, outcome)
    values (v_run.org_id, v_run.id, authz.next_position(v_run.org_id, v_run.id), 'model', v_call.model, v_call.provider, 0, 0, 0, 'denied');
  end if;
  return jsonb_build_object('call_id', v_call.id, 'key', case when v_call.refused_by is null then v_key end, 'refused_by', v_call.refused_by,
    'redact', v_call.redacted);
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

CREATE OR REPLACE FUNCTION api.list_accepted_queries (
  org_id uuid,
  source text
)
  RETURNS TABLE (
    id         uuid,
    question   text,
    sql        text,
    created_by uuid,
    created_at timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
declare
  v_source app.data_source := authz.data_source_named(list_accepted_queries.org_id, list_accepted_queries.source);
begin
  return query
    select q.id, q.question, q.sql, q.created_by, q.created_at
    from app.accepted_query q where q.org_id = v_source.org_id and q.data_source_id = v_source.id
    order by q.created_at desc, q.id
    limit 1000;
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

CREATE OR REPLACE FUNCTION api.organization_settings (
  org_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_settings jsonb;
begin
  perform authz.require_org(organization_settings.org_id);
  select jsonb_build_object('id', o.id, 'slug', o.slug, 'name', o.name, 'created_at', o.created_at, 'require_mfa', o.require_mfa,
    'region', o.region, 'allowed_regions', o.allowed_regions, 'zero_retention', o.zero_retention, 'no_training', o.no_training, 'redact', o.redact,
    'rows_to_model', o.rows_to_model,
    'external_classification', o.external_classification, 'approve_writes', o.approve_writes, 'approve_by_another', o.approve_by_another)
  into v_settings from app.organization o where o.id = organization_settings.org_id;
  if v_settings is null then
    raise sqlstate 'PT404' using message = 'no such organization of yours';
  end if;
  return v_settings;
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

CREATE OR REPLACE FUNCTION api.read_analytics_result (
  org_id   uuid,
  job_id   uuid,
  after    integer DEFAULT 0,
  max_rows integer DEFAULT 100
)
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_result app.analytics_result;
begin
  perform authz.require_org(read_analytics_result.org_id);
  perform authz.require(read_analytics_result.after >= 0, 'after: 0..2147483647');
  perform authz.require(read_analytics_result.max_rows between 1 and 1000, 'max_rows: 1..1000');
  select r.* into v_result from app.analytics_result r where r.org_id = read_analytics_result.org_id and r.job_id = read_analytics_result.job_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such result, or not yours to read';
  end if;
  return jsonb_build_object('job_id', v_result.job_id, 'columns', v_result.columns,
    'rows', (select coalesce(jsonb_agg(r.value order by r.place), '[]') from jsonb_array_elements(v_result.rows) with ordinality r (value, place)
      where r.place > read_analytics_result.after and r.place <= read_analytics_result.after::bigint + read_analytics_result.max_rows),
    'row_count', v_result.row_count, 'truncated', v_result.truncated, 'chart', v_result.chart, 'expires_at', v_result.expires_at,
    -- Looked up now, like the right to read: what a run may show its model.
    'rows_to_model', (select o.rows_to_model from app.organization o where o.id = v_result.org_id),
    'next_after', case when read_analytics_result.after::bigint + read_analytics_result.max_rows < v_result.row_count
      then read_analytics_result.after + read_analytics_result.max_rows end);
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

CREATE OR REPLACE FUNCTION api.resume_run (
  approval_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_approval app.approval;
  v_run app.run;
  v_version app.bot_version;
  v_history jsonb;
begin
  select a.* into v_approval from app.approval a where a.id = resume_run.approval_id and a.user_id = authz.uid();
  if not found then
    raise sqlstate 'PT404' using message = 'no such request of yours';
  end if;
  v_run := authz.running(v_approval.run_id);
  if v_approval.state not in ('approved', 'denied') or v_approval.expires_at <= now() then
    raise sqlstate 'PT409' using message = 'it waits to be decided, was used before, or its time is over';
  end if;
  select v.* into strict v_version from app.bot_version v
  where v.org_id = v_run.org_id and v.bot_id = v_run.bot_id and v.version = v_run.bot_version;
  -- What was said since is not in the context that the run's labels speak of.
  v_history := authz.run_history(v_run.org_id, v_run.conversation_id, v_run.id);
  return jsonb_build_object(
    'run_id', v_run.id, 'org_id', v_run.org_id, 'conversation_id', v_run.conversation_id,
    'bot', jsonb_build_object('id', v_run.bot_id, 'slug', (select b.slug from app.bot b where b.org_id = v_run.org_id and b.id = v_run.bot_id),
      'name', v_version.name, 'version', v_version.version, 'instructions', v_version.instructions, 'sha256', v_version.sha256),
    'tools', to_jsonb(authz.run_tools(v_run.org_id, v_run.bot_id)),
    'history', v_history,
    'call', jsonb_build_object('tool', v_approval.tool, 'arguments', v_approval.arguments, 'state', v_approval.state));
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

CREATE OR REPLACE FUNCTION api.set_data_policy (
  org_id                  uuid,
  region                  text    DEFAULT NULL::text,
  allowed_regions         text[]  DEFAULT NULL::text[],
  zero_retention          boolean DEFAULT false,
  no_training             boolean DEFAULT false,
  redact                  boolean DEFAULT false,
  rows_to_model           boolean DEFAULT false,
  external_classification integer DEFAULT NULL::integer
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(set_data_policy.org_id);
  perform authz.require(num_nulls(set_data_policy.zero_retention, set_data_policy.no_training, set_data_policy.redact, set_data_policy.rows_to_model) = 0,
    'zero_retention, no_training, redact, rows_to_model: true or false');
  perform authz.require(coalesce(set_data_policy.external_classification, 3) between 1 and 3, 'external_classification: 1..3');
  perform authz.require(array_position(set_data_policy.allowed_regions, null) is null, 'allowed_regions: no null among them');
  -- Asked before anything is looked up, so the answer is the same for every organization there is or is not.
  perform authz.require_step_up();
  update app.organization o set region = set_data_policy.region, allowed_regions = set_data_policy.allowed_regions,
    zero_retention = set_data_policy.zero_retention, no_training = set_data_policy.no_training, redact = set_data_policy.redact,
    rows_to_model = set_data_policy.rows_to_model,
    external_classification = coalesce(set_data_policy.external_classification, o.external_classification)
  where o.id = set_data_policy.org_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such organization, or not yours to manage';
  end if;
  return api.organization_settings(set_data_policy.org_id);
end
$function$;

CREATE OR REPLACE FUNCTION api.withdraw_accepted_query (
  org_id   uuid,
  query_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(withdraw_accepted_query.org_id);
  delete from app.accepted_query q where q.org_id = withdraw_accepted_query.org_id and q.id = withdraw_accepted_query.query_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such example, or not yours to withdraw';
  end if;
  return jsonb_build_object('id', withdraw_accepted_query.query_id);
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

CREATE OR REPLACE FUNCTION authz.describe_source (
  org_id         uuid,
  data_source_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return (
    select jsonb_build_object('source', d.slug, 'id', d.id, 'name', d.name, 'description', d.description, 'relations', coalesce((
      select jsonb_agg(jsonb_build_object('name', c.relname, 'target', 'source.' || c.relname, 'description', obj_description(c.oid, 'pg_class'), 'columns', (
        select jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, null), 'meaning', coalesce((
            select m.meaning from app.column_meaning m
            where m.org_id = d.org_id and m.data_source_id = d.id and m.relation = c.relname and m.column_name = a.attname), col_description(c.oid, a.attnum)))
          order by a.attnum)
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)) order by c.relname)
      from pg_class c where c.relnamespace = 'source'::regnamespace and c.relkind = 'v' and c.relname = any (d.relations)), '[]') || coalesce((
      select jsonb_agg(jsonb_build_object('name', t.name, 'description', format('Uploaded table of %s rows.', t.row_count),
        -- Identifiers are quoted, types from a closed list; the id is ours.
        'target', (select format('select %s from source.uploaded u where u.table_id = %L', string_agg(
            format('(u.data ->> %L)::%s as %I', c.value ->> 'name', c.value ->> 'type', c.value ->> 'name'), ', ' order by c.place), t.id)
          from jsonb_array_elements(t.columns) with ordinality c (value, place)),
        'columns', (select jsonb_agg(jsonb_build_object('name', c.value ->> 'name', 'type', c.value ->> 'type', 'meaning', coalesce((
            select m.meaning from app.column_meaning m
            where m.org_id = d.org_id and m.data_source_id = d.id and m.relation = t.name and m.column_name = c.value ->> 'name'), c.value ->> 'meaning', ''))
          order by c.place) from jsonb_array_elements(t.columns) with ordinality c (value, place))) order by t.name)
      from app.uploaded_table t where t.org_id = d.org_id and t.data_source_id = d.id), '[]'),
      'metrics', coalesce((
        select jsonb_agg(jsonb_build_object('name', m.name, 'version', m.version, 'description', m.description, 'sql', m.sql, 'sha256', m.sha256) order by m.name)
        from (select distinct on (v.name) v.* from app.metric v where v.org_id = d.org_id and v.data_source_id = d.id order by v.name, v.version desc) m
        where not m.retired), '[]'),
      -- The latest only: they are an example to a model, not a library.
      'examples', coalesce((
        select jsonb_agg(jsonb_build_object('question', q.question, 'sql', q.sql) order by q.created_at desc, q.id)
        from (select a.* from app.accepted_query a where a.org_id = d.org_id and a.data_source_id = d.id order by a.created_at desc, a.id limit 8) q), '[]'))
    from app.data_source d
    where d.org_id = describe_source.org_id and d.id = describe_source.data_source_id);
end
$function$;

CREATE OR REPLACE FUNCTION authz.finish_job (
  status        text,
  error_code    text  DEFAULT NULL::text,
  error_message text  DEFAULT NULL::text,
  ran_sql       text  DEFAULT NULL::text,
  result        jsonb DEFAULT NULL::jsonb,
  drafted_sql   text  DEFAULT NULL::text
)
  RETURNS boolean
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_scope app.job_scope;
begin
  perform authz.require(finish_job.status in ('succeeded', 'failed', 'refused'), 'status: succeeded, failed or refused');
  perform authz.require((finish_job.status = 'succeeded') = (finish_job.result is not null), 'result: with succeeded, and only then');
  select s.* into v_scope from app.job_scope s where s.xact_id = pg_current_xact_id();
  if not found then
    raise sqlstate '55000' using message = 'no job was begun in this transaction';
  end if;
  if finish_job.drafted_sql is not null then
    update app.analytics_job j set drafted_sql = finish_job.drafted_sql
    where j.org_id = v_scope.org_id and j.id = v_scope.job_id and j.status = 'running';
  end if;
  if not authz.end_job(v_scope.org_id, v_scope.job_id, finish_job.status, finish_job.error_code, finish_job.error_message, finish_job.ran_sql) then
    return false;
  end if;
  if finish_job.status = 'succeeded' then
    insert into app.analytics_result (org_id, job_id, user_id, data_source_id, columns, rows, row_count, byte_count, truncated, chart, sha256, expires_at)
    select v_scope.org_id, v_scope.job_id, authz.uid(), v_scope.data_source_id, finish_job.result -> 'columns', finish_job.result -> 'rows',
      jsonb_array_length(finish_job.result -> 'rows'), octet_length(finish_job.result ->> 'rows'), (finish_job.result -> 'truncated')::boolean,
      nullif(finish_job.result -> 'chart', 'null'), encode(sha256(convert_to((finish_job.result -> 'columns')::text || (finish_job.result ->> 'rows'), 'UTF8')), 'hex'),
      now() + make_interval(days => l.result_days)
    from authz.job_limits() l;
  end if;
  return true;
end
$function$;

ALTER FUNCTION "authz"."finish_job"(text, text, text, text, jsonb, text) OWNER TO "ringfence_owner";

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
  perform authz.require(note_reading.action in ('documents.search', 'document.read'), 'action: documents.search or document.read');
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

CREATE OR REPLACE FUNCTION authz.personal_columns()
  RETURNS TABLE (
    table_name text,
    columns    text[],
    on_erasure text,
    reason     text
  )
  LANGUAGE sql
  IMMUTABLE
  PARALLEL SAFE
  ROWS 60
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  values
    ('membership', '{user_id,email,service_owner_id}'::text[], 'deleted', 'goes when the person leaves, which is part of the erasure'),
    ('team_member', '{user_id}', 'deleted', 'goes with the membership'),
    ('member_activity', '{user_id}', 'deleted', 'goes with the membership'),
    ('session_choice', '{user_id,session_id}', 'deleted', 'goes with the membership'),
    ('sso_member', '{user_id}', 'deleted', 'goes with the membership'),
    ('bot_runner', '{user_id}', 'deleted', 'what was shared with the person goes with the membership'),
    ('kb_grant', '{user_id}', 'deleted', 'as that'),
    ('document_grant', '{user_id}', 'deleted', 'as that'),
    ('deny_rule', '{user_id}', 'deleted', 'rules about the person go with the membership'),
    ('conversation', '{user_id,title}', 'deleted', 'the person''s own, with all that was said'),
    ('message', '{user_id,content,citations}', 'deleted', 'goes with the conversation'),
    ('run', '{user_id,on_behalf_of,question_sha256,answer_sha256,client_id,request_id}', 'deleted', 'goes with the conversation'),
    ('run_step', '{user_id,arguments_sha256,sources}', 'deleted', 'goes with the run'),
    ('model_call', '{user_id}', 'deleted', 'goes with the run'),
    ('approval', '{user_id,on_behalf_of,arguments,arguments_sha256}', 'deleted', 'goes with the run'),
    ('approval', '{decided_by}', 'retained', 'an opaque identifier: who said yes or no'),
    ('analytics_job', '{user_id,question,sql,drafted_sql,ran_sql,sql_sha256,ran_sha256,session}', 'deleted', 'what the person asked of data'),
    ('analytics_result', '{user_id,rows,columns,chart,sha256}', 'deleted', 'goes with the job'),
    ('analytics_result_grant', '{user_id,created_by}', 'deleted', 'goes with the result, and with the membership of whom it was shared with'),
    ('data_source_grant', '{user_id}', 'deleted', 'what was shared with the person goes with the membership'),
    ('job_scope', '{claims}', 'retained', 'lives no longer than its transaction'),
    ('data_source', '{created_by,name,slug,description}', 'retained', 'the organization''s own; who made it is an opaque identifier'),
    ('metric', '{created_by,name,description,sql}', 'retained', 'as that'),
    ('column_meaning', '{meaning}', 'retained', 'the organization''s own'),
    ('accepted_query', '{created_by,question,sql}', 'retained', 'handed over to the organization as an example; withdraw it to delete it'),
    ('uploaded_table', '{created_by,name,columns}', 'retained', 'the organization''s own; who brought it is an opaque identifier'),
    ('uploaded_row', '{data}', 'retained', 'data that the organization keeps of its own account: delete the table to delete it'),
    ('support_ticket', '{user_id,subject,body}', 'deleted', 'what the person asked for help with'),
    ('document', '{owner_id}', 'anonymised', 'private and unfinished documents are deleted with their passages and files; of the others a random identifier takes the owner''s place'),
    ('document', '{title,uri,tags}', 'retained', 'a document that the organization reads is the organization''s; private ones are deleted'),
    ('chunk', '{owner_id}', 'anonymised', 'follows the document'),
    ('chunk', '{heading,content,embedding,terms}', 'retained', 'follows the document'),
    ('document_part', '{owner_id}', 'anonymised', 'follows the document'),
    ('document_part', '{content}', 'retained', 'follows the document'),
    ('api_token', '{name}', 'anonymised', 'every token is revoked and its name blotted out; the row stays, or its session would be an ordinary one'),
    ('api_token', '{user_id,session_id}', 'retained', 'an opaque identifier: without the row a revoked session would open again'),
    ('invitation', '{email}', 'anonymised', 'of the invitation that the person accepted'),
    ('invitation', '{accepted_by,created_by}', 'retained', 'an opaque identifier: who let whom in'),
    ('customer_order', '{user_id,items}', 'retained', 'books of account are kept as long as the law says; GDPR 17(3)(b), CCPA 1798.105(d)(8)'),
    ('audit_event', '{actor_id,on_behalf_of,object_id,client_id,auth_session_id,request_id,arguments_sha256,object_sha256}', 'retained', 'the trail holds identifiers, names of acts and digests, no content; changing it would break its proof; GDPR 17(3)(b) and (e)'),
    ('departure', '{user_id,ended_by}', 'retained', 'an opaque identifier: whoever was sent away comes back only by invitation'),
    ('usage_entry', '{actor_id}', 'retained', 'an opaque identifier beside a number: what was used is billed'),
    ('deletion_receipt', '{deleted_by}', 'retained', 'proof of a deletion; an opaque identifier'),
    ('organization_export', '{requested_by}', 'retained', 'proof of who took the organization along; an opaque identifier'),
    ('erasure', '{user_id,requested_by}', 'retained', 'proof of this erasure; an opaque identifier'),
    ('legal_hold', '{user_id,created_by,released_by,reason}', 'retained', 'proof of what was held, and why'),
    ('secret', '{user_id,ciphertext,wrapped_key}', 'deleted', 'the person''s own credentials go with the membership'),
    ('secret', '{created_by}', 'retained', 'an opaque identifier: who sealed a secret of the organization'),
    ('retention_rule', '{set_by}', 'retained', 'an opaque identifier: who said how long'),
    ('organization', '{created_by,name,slug}', 'retained', 'the organization''s own; its founder is an opaque identifier'),
    ('team', '{created_by,name,slug}', 'retained', 'the organization''s own'),
    ('role', '{name}', 'retained', 'the organization''s own'),
    ('bot', '{created_by,name,slug,instructions}', 'retained', 'the organization''s own; who made it is an opaque identifier'),
    ('bot_version', '{created_by,name,instructions}', 'retained', 'as that: records of runs name it'),
    ('knowledge_base', '{created_by,name,slug}', 'retained', 'the organization''s own; who made it is an opaque identifier'),
    ('kb_grant', '{created_by}', 'retained', 'an opaque identifier: who shared it'),
    ('document_grant', '{created_by}', 'retained', 'as that'),
    ('deny_rule', '{created_by,reason}', 'retained', 'an opaque identifier: who made the rule, and the organization''s reason for it'),
    ('sso_group', '{created_by,name}', 'retained', 'an opaque identifier: who said so; the group is the identity provider''s')
$function$;

CREATE OR REPLACE FUNCTION authz.provider_refusal (
  org_id         uuid,
  provider       text,
  classification smallint
)
  RETURNS text
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select case
    when not p.leaves then null
    when o.allowed_regions is not null and (p.region = any (o.allowed_regions)) is not true then 'region'
    when o.zero_retention and p.retention_days is distinct from 0 then 'retention'
    when o.no_training and p.trains is distinct from false then 'training'
    when provider_refusal.classification > o.external_classification then 'classification' end
  from app.organization o
  left join app.provider r on r.name = provider_refusal.provider
  cross join lateral (select coalesce(r.leaves, true) as leaves, r.region, r.retention_days, r.trains) p
  where o.id = provider_refusal.org_id
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

CREATE OR REPLACE FUNCTION authz.reserve_model_call (
  org_id         uuid,
  run_id         uuid,
  purpose        text,
  provider       text,
  model          text,
  tokens         integer,
  key_sha256     text,
  classification smallint DEFAULT 0
)
  RETURNS app.model_call
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_provider app.provider;
  v_rule text;
  v_class smallint;
  v_budget app.budget;
  v_ids uuid[] := '{}';
  v_cost bigint;
  v_call app.model_call;
begin
  -- What is in the context of the run, or of the run that asked for the job begun here, whatever the caller says.
  select max(c.class) into v_class
  from (
    select coalesce(reserve_model_call.classification, 3::smallint) as class
    union all
    select authz.taint_classification(r.taint)
    from app.run r
    where r.org_id = reserve_model_call.org_id and r.user_id = authz.uid()
      and r.id = any (array(select j.run_id from authz.begun_jobs() b join app.analytics_job j on j.id = b) || reserve_model_call.run_id)) c;
  v_rule := authz.provider_refusal(reserve_model_call.org_id, reserve_model_call.provider, v_class);
  select p.* into v_provider from app.provider p where p.name = reserve_model_call.provider;
  v_cost := coalesce(authz.model_cost(tokens, 0, greatest(v_provider.input_price, v_provider.output_price), 0), 0);
  -- Always in the same order, so that two calls never wait for each other.
  for v_budget in select b.* from app.budget b where b.org_id = reserve_model_call.org_id and v_rule is null order by b.period for update loop
    if v_budget.starts_on <> authz.period_start(v_budget.period) then
      v_budget.used_tokens := 0;
      v_budget.used_cost := 0;
    end if;
    if v_budget.used_tokens + tokens > v_budget.max_tokens or v_budget.used_cost + v_cost > v_budget.max_cost
      -- A limit on money says nothing about a provider whose price nobody knows.
      or v_budget.max_cost is not null and coalesce(v_provider.leaves, true) and num_nulls(v_provider.input_price, v_provider.output_price) > 0
    then
      v_rule := 'budget';
      exit;
    end if;
    v_ids := v_ids || v_budget.id;
  end loop;
  if v_rule is null then
    update app.budget b set starts_on = authz.period_start(b.period),
      used_tokens = case when b.starts_on = authz.period_start(b.period) then b.used_tokens else 0 end + tokens,
      used_cost = case when b.starts_on = authz.period_start(b.period) then b.used_cost else 0 end + v_cost
    where b.org_id = reserve_model_call.org_id and b.id = any (v_ids);
  end if;
  insert into app.model_call (org_id, user_id, run_id, purpose, provider, model, region, retention_days, trains, redacted, classification, refused_by,
    input_price, output_price, reserved_tokens, reserved_cost, budget_ids, key_sha256, ended_at)
  values (reserve_model_call.org_id, authz.uid(), reserve_model_call.run_id, reserve_model_call.purpose, reserve_model_call.provider,
    reserve_model_call.model, v_provider.region, v_provider.retention_days, v_provider.trains,
    coalesce(v_provider.leaves, true) and exists (select from app.organization o where o.id = reserve_model_call.org_id and o.redact), v_class,
    v_rule, v_provider.input_price, v_provider.output_price,
    case when v_rule is null then tokens else 0 end, case when v_rule is null then v_cost else 0 end,
    case when v_rule is null then v_ids else '{}' end, reserve_model_call.key_sha256,
    case when v_rule is not null then clock_timestamp() end)
  returning * into v_call;
  return v_call;
end
$function$;

ALTER FUNCTION "authz"."reserve_model_call"(uuid, uuid, text, text, text, integer, text, smallint) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.run_history (
  org_id          uuid,
  conversation_id uuid,
  until_run       uuid DEFAULT NULL::uuid
)
  RETURNS jsonb
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  -- The last 20 messages, as many as make at most 40,000 characters, oldest first.
  select coalesce(jsonb_agg(jsonb_build_object('role', h.role, 'content', h.content) order by h.created_at, h.id)
    filter (where h.characters <= 40000), '[]')
  from (select m.*, sum(char_length(m.content)) over (order by m.created_at desc, m.id) as characters
    from app.message m where m.org_id = run_history.org_id and m.conversation_id = run_history.conversation_id
      and (until_run is null or m.created_at <= (select q.created_at from app.message q
        where q.org_id = run_history.org_id and q.run_id = until_run and q.role = 'user'))
    order by m.created_at desc, m.id limit 20) h
$function$;

CREATE OR REPLACE FUNCTION authz.taint_classification (
  taint text[]
)
  RETURNS smallint
  LANGUAGE sql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
RETURN (CASE WHEN ('secret'::text = ANY (taint)) THEN 3 WHEN ('confidential'::text = ANY (taint)) THEN 2 ELSE 0 END)::smallint;

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

CREATE OR REPLACE FUNCTION authz.tg_step_taint()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  if new.kind = 'tool' and new.outcome = 'ok' and (new.row_count > 0 or new.sources <> '[]') then
    new.taint := array['private'] || case
      when 'untrusted' = any (new.taint)
        -- A passage is as trusted as its document is now, whatever was said of it.
        or exists (select from jsonb_array_elements(new.sources) s
          where s.value ? 'chunk_id' and not exists (select from app.document d
            where d.org_id = new.org_id and d.trust = 'trusted'
              and d.id = case when pg_input_is_valid(s.value ->> 'document_id', 'uuid') then (s.value ->> 'document_id')::uuid end))
      then array['untrusted'] else '{}' end
      -- As classified as its document is now; one that is not to be seen counts as secret.
      || array(
        select distinct case when d.classification = 2 then 'confidential' else 'secret' end
        from jsonb_array_elements(new.sources) s
        cross join lateral (select coalesce(s.value ->> 'document_id', s.value ->> 'id') as id) named
        left join app.document d on d.org_id = new.org_id and d.id = case when pg_input_is_valid(named.id, 'uuid') then named.id::uuid end
        where coalesce(d.classification >= 2, s.value ? 'chunk_id')
        order by 1);
  else
    new.taint := null;
  end if;
  return new;
end
$function$;

ALTER TABLE "app"."accepted_query"
  ADD CONSTRAINT "accepted_query_data_source_id_fkey" FOREIGN KEY (org_id, data_source_id) REFERENCES app.data_source(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."accepted_query"
  ADD CONSTRAINT "accepted_query_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."analytics_job"
  ADD CONSTRAINT "analytics_job_drafted_sql_check" CHECK (((char_length(drafted_sql) >= 1) AND (char_length(drafted_sql) <= 20000)));

ALTER TABLE "app"."audit_event"
  ADD CONSTRAINT "audit_event_action_check"
    CHECK
    (((action ~ '^[a-z_]+\.(insert|update|delete)$'::text) OR (action = ANY (ARRAY['tool.call'::text, 'model.call'::text, 'documents.search'::text, 'document.read'::text,
    'access.deny'::text, 'session.start'::text]))));

ALTER TABLE "app"."audit_event"
  ADD CONSTRAINT "audit_event_documents_check" CHECK ((cardinality(documents) <= 50));

ALTER TABLE "app"."model_call"
  ADD CONSTRAINT "model_call_classification_check" CHECK (((classification >= 0) AND (classification <= 3)));

ALTER TABLE "app"."model_call"
  ADD CONSTRAINT "model_call_refused_by_check" CHECK ((refused_by = ANY (ARRAY['region'::text, 'retention'::text, 'training'::text, 'classification'::text, 'budget'::text])));

ALTER TABLE "app"."organization"
  ADD CONSTRAINT "organization_external_classification_check" CHECK (((external_classification >= 1) AND (external_classification <= 3)));

ALTER TABLE "app"."run"
  ADD CONSTRAINT "run_taint_check" CHECK ((taint <@ ARRAY['private'::text, 'untrusted'::text, 'confidential'::text, 'secret'::text]));

ALTER TABLE "app"."run_step"
  ADD CONSTRAINT "run_step_taint_check" CHECK ((taint <@ ARRAY['private'::text, 'untrusted'::text, 'confidential'::text, 'secret'::text]));

CREATE INDEX accepted_query_org_id_data_source_id_idx ON app.accepted_query USING btree (org_id, data_source_id, created_at DESC);

CREATE TRIGGER _060_in_scope
  BEFORE INSERT OR DELETE ON app.accepted_query
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_scope('analytics.manage');

CREATE TRIGGER _900_audit
  AFTER INSERT OR DELETE ON app.accepted_query
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _900_audit
  AFTER INSERT ON app.model_call
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit_model_call();

CREATE TRIGGER _110_step_up
  BEFORE UPDATE OF require_mfa,
    region, allowed_regions, zero_retention, no_training, redact, rows_to_model, external_classification, approve_writes, approve_by_another ON app.organization
  FOR EACH ROW
  WHEN
    (((old.require_mfa IS DISTINCT FROM new.require_mfa) OR (old.region IS DISTINCT FROM new.region) OR (old.allowed_regions IS DISTINCT FROM new.allowed_regions) OR
    (old.zero_retention IS DISTINCT FROM new.zero_retention) OR (old.no_training IS DISTINCT FROM new.no_training) OR (old.redact IS DISTINCT FROM new.redact) OR
    (old.rows_to_model IS DISTINCT FROM new.rows_to_model) OR (old.external_classification IS DISTINCT FROM new.external_classification) OR
    (old.approve_writes IS DISTINCT FROM new.approve_writes) OR (old.approve_by_another IS DISTINCT FROM new.approve_by_another)))
  EXECUTE FUNCTION authz.tg_step_up('always');

CREATE POLICY "accepted_query_delete_editor" ON "app"."accepted_query"
  FOR DELETE
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('editor'::text) AS
    granted_data_sources)))));

CREATE POLICY "accepted_query_denied_floor" ON "app"."accepted_query"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((NOT (data_source_id = ANY (ARRAY( SELECT authz.denied('data_source'::text) AS denied)))))
  WITH CHECK ((NOT (data_source_id = ANY (ARRAY( SELECT authz.denied('data_source'::text) AS denied)))));

CREATE POLICY "accepted_query_floor" ON "app"."accepted_query"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "accepted_query_select_described_owner" ON "app"."accepted_query"
  FOR SELECT
  TO "ringfence_owner"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "accepted_query_select_viewer" ON "app"."accepted_query"
  FOR SELECT
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('viewer'::text) AS
    granted_data_sources)))));

CREATE POLICY "accepted_query_update_nobody" ON "app"."accepted_query"
  FOR UPDATE
  TO "authenticated"
  USING (false)
  WITH CHECK (false);

CREATE POLICY "audit_event_select_subject_owner" ON "app"."audit_event"
  FOR SELECT
  TO "ringfence_owner"
  USING
    (((object_id = (( SELECT authz.uid() AS uid))::text) AND (action = ANY (ARRAY['membership.insert'::text, 'membership.update'::text, 'membership.delete'::text])) AND (org_id =
    ANY (ARRAY( SELECT authz.org_ids() AS org_ids)))));

CREATE POLICY "model_call_data_policy_floor" ON "app"."model_call"
  AS RESTRICTIVE
  FOR INSERT
  TO "ringfence_owner"
  WITH CHECK (((refused_by IS NOT NULL) OR (authz.provider_refusal(org_id, provider, classification) IS NULL)));

COMMENT ON COLUMN "app"."accepted_query"."created_at" IS 'Since when.';

COMMENT ON COLUMN "app"."accepted_query"."data_source_id" IS 'The data source.';

COMMENT ON COLUMN "app"."accepted_query"."id" IS 'Random identifier.';

COMMENT ON COLUMN "app"."accepted_query"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."accepted_query"."question" IS 'The question; 1..400 characters.';

COMMENT ON COLUMN "app"."accepted_query"."sql" IS 'SQL over the relations of the source; 1..2000 characters.';

COMMENT ON COLUMN "app"."analytics_job"."drafted_sql" IS 'The SQL that a model wrote for the question, as it wrote it, or null; at most 20000 characters.';

COMMENT ON COLUMN "app"."audit_event"."action" IS 'table.command for a change of state; tool.call, model.call, documents.search, document.read, access.deny and session.start for what changes none. Names are added, never changed.';

COMMENT ON COLUMN "app"."audit_event"."documents" IS 'The documents whose passages a search outside a run returned; null for other acts.';

COMMENT ON COLUMN "app"."audit_event"."rule" IS 'What denied it: policy:, privilege:, deny_rule: with the rule''s identifier, function:, data_policy:, budget, binding, permission or step_up (F64); of a call that waited, approval: with its identifier, and of that what became of it (F36).';

COMMENT ON COLUMN "app"."model_call"."classification" IS 'The highest classification of documents known to be in what it sent, from confidential on.';

COMMENT ON COLUMN "app"."model_call"."refused_by" IS 'The rule that refused it: region, retention, training, classification or budget; null for one that was allowed.';

COMMENT ON COLUMN "app"."organization"."external_classification" IS 'Documents classified higher than this go to no provider that leaves this machine (F15): 1 nothing confidential, 2 nothing secret, 3 everything.';

COMMENT ON COLUMN "app"."organization"."rows_to_model" IS 'True: a model that asked data in a run is shown rows of the answer; false: its shape and totals of its numbers alone.';

COMMENT ON COLUMN "app"."run"."taint" IS 'What is in its context (F39): private, rows and documents of the organization or the person; untrusted, text that nobody the organization trusts vouches for; confidential and secret, documents classified so. It only grows.';

COMMENT ON FUNCTION "api"."accept_analytics_query"(uuid, uuid, text) IS 'Accept what one of your jobs was answered with as an example: whoever asks this source in words has the question and the SQL shown to the model, and may read them. Needs level editor or analytics.manage.

@audience app
@param org_id    the organization
@param job_id    a job of yours that succeeded; its SQL has at most 2000 characters
@param question  what it answers, in words; 1..400 characters; null: as it was asked
@returns         {id, question, sql}
@errors          22004, 22023, 23514, 42501, PT404
@effect          write';

COMMENT ON FUNCTION "api"."begin_model_call"(uuid, text, text, integer, uuid, text, uuid) IS 'Ask whether a model may be called now, and reserve what it may take: by the data policy and the budgets of the organization. The decision is kept either way.

@audience app
@param org_id       an organization of yours
@param provider     who would serve it, as registered; 1..100 of a-z 0-9 . _ -
@param model        the model; 1..200 characters
@param max_tokens   what it may take at most, sent and received; 1..1000000
@param run_id       your running run, when it is part of one
@param purpose      answer, embedding or analytics
@param document_id  the document whose text is sent, when it is not from the run: its classification counts
@returns           {call_id, key: settles it, null when refused, refused_by: region, retention, training, classification, budget or null, redact: whether personal data must be replaced first}
@errors            22004, 22023, 23514, PT404
@effect            write';

COMMENT ON FUNCTION "api"."describe_data_source"(uuid, text) IS 'Tell what a data source that you may ask holds: relations, columns, types, what they mean, how things are counted, and questions with their SQL that were accepted.

@audience app
@param org_id  the organization
@param source  slug or id
@returns       {source, id, name, description, relations: [{name, description, columns: [{name, type, meaning}]}], metrics: [{name, version, description, sql, sha256}], examples: [{question, sql}]: the latest 8}
@errors        22004, 42501, PT404, PT409
@effect        read';

COMMENT ON FUNCTION "api"."export_me"(uuid, text, text[], integer) IS 'Give what an organization holds about you: first the tables with the number of rows, then their rows page by page, without what checks a secret.

@audience app
@param org_id      the organization; needs a recent second factor of your own
@param table_name  name of a table that the first answer told; leave it out for the first answer
@param after       next of the page before; leave it out for the first page
@param max_rows    number of rows; 1..1000
@returns           {org_id, user_id, email, at, tables: {table: rows}, by_others: [{at, action, by_role, changed, outcome}]: what others did to your membership}; with table_name {table, rows: [text], next (null: that was the last page), sha256 (of the rows with a line feed between them)}
@errors            22004, 22023, 42501, PT401, PT404
@effect            read';

COMMENT ON FUNCTION "api"."list_accepted_queries"(uuid, text) IS 'List the examples of a data source; the first 8 are shown to the model that writes SQL for a question.

@audience app
@param org_id  the organization
@param source  slug or id
@returns       array of {id, question, sql, created_by, created_at}, at most 1000; newest first
@errors        22004, PT404, PT409
@effect        read';

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

COMMENT ON FUNCTION "api"."organization_settings"(uuid) IS 'Tell how an organization is set up.

@audience app
@param org_id  the organization
@returns       {id, slug, name, created_at, require_mfa, region, allowed_regions, zero_retention, no_training, redact, rows_to_model, external_classification, approve_writes, approve_by_another}
@errors        22004, PT404
@effect        read';

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

COMMENT ON FUNCTION "api"."read_analytics_result"(uuid, uuid, integer, integer) IS 'Read what a job found, page by page: yours, or shared with you. Whether you may is looked up at every page.

@audience app
@param org_id    the organization
@param job_id    the job
@param after     how many rows to pass over; 0..2147483647
@param max_rows  number of rows; 1..1000
@returns         {job_id, columns: [{name, type}], rows: [[...]], row_count, truncated, chart, expires_at, rows_to_model, next_after (null at the end)}
@errors          22004, 22023, PT404
@effect          read';

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

COMMENT ON FUNCTION "api"."set_data_policy"(uuid, text, text[], boolean, boolean, boolean, boolean, integer) IS 'Say what an organization allows providers of models; works on the next call. What the operator does not know of a provider counts as the worst.

@audience app
@param org_id                   the organization; needs organization.manage and a recent second factor of your own
@param region                   where the organization keeps its data; 2..40 of a-z 0-9 -
@param allowed_regions          where providers may process what they are sent; 1..20; none: anywhere
@param zero_retention           true: only providers attested to keep nothing
@param no_training              true: only providers attested not to train on it
@param redact                   true: personal data is replaced by pseudonyms before anything leaves
@param rows_to_model            true: a model that asked data is shown rows of the answer; false: its shape and totals of its numbers alone
@param external_classification  the highest classification of documents that may leave, 1 internal, 2 confidential, 3 secret; 1..3; null: as it is
@returns                {id, slug, name, created_at, require_mfa, region, allowed_regions, zero_retention, no_training, redact, rows_to_model, external_classification, approve_writes, approve_by_another}
@errors                 22004, 22023, 23514, 42501, PT401, PT404
@effect                 write';

COMMENT ON FUNCTION "api"."update_organization"(uuid, text, text) IS 'Give an organization another slug or name.

@audience app
@param org_id  the organization; needs organization.manage
@param slug    short name; 2..40 of a-z, 0-9 and -, no uuid; null: as it is
@param name    display name; 1..120 characters; null: as it is
@returns       {id, slug, name, created_at, require_mfa, region, allowed_regions, zero_retention, no_training, redact, rows_to_model, external_classification, approve_writes, approve_by_another}
@errors        22004, 22023, 23514, 42501, PT404
@effect        write';

COMMENT ON FUNCTION "api"."withdraw_accepted_query"(uuid, uuid) IS 'Withdraw an example: it is shown to no model from the next question on. Needs level editor on its source or analytics.manage.

@audience app
@param org_id    the organization
@param query_id  the example
@returns         {id}
@errors          22004, 42501, PT404
@effect          write';

COMMENT ON FUNCTION "authz"."acts_on_me"(uuid) IS 'What others did to the membership of the person asking, from the audit trail, without who: the newest 1000.';

COMMENT ON FUNCTION "authz"."finish_job"(text, text, text, text, jsonb, text) IS 'End the job that this transaction has begun, once, with its result {columns, rows, truncated, chart} when it succeeded and with what a model wrote for its question; false when it had ended otherwise meanwhile.';

COMMENT ON FUNCTION "authz"."model_rule"(text) IS 'What the trail calls the rule that refused a model call: data_policy: with its name, or budget; null for none.';

COMMENT ON FUNCTION "authz"."note_reading"(uuid, text, text, uuid[], uuid) IS 'Record that authz.uid() searched documents or read one, in an organization of theirs; not where a call of a tool in a run records it.';

COMMENT ON FUNCTION "authz"."provider_refusal"(uuid, text, smallint) IS 'Which rule of the organization refuses to send this provider text of documents classified so: region, retention, training or classification; null when none does.';

COMMENT ON FUNCTION "authz"."record_event"(uuid, text, text, uuid, uuid, integer, text, text, text, text, text, text[], uuid[]) IS 'Record an act of the person asking in app.audit_event, in the transaction of the act: the only writer there. For functions and triggers of ringfence_owner.';

COMMENT ON FUNCTION "authz"."reserve_model_call"(uuid, uuid, text, text, text, integer, text, smallint) IS 'Decide whether a model may be called for the person asking in an organization of theirs, by its data policy and budgets, reserve the tokens, and keep the decision.';

COMMENT ON FUNCTION "authz"."run_history"(uuid, uuid, uuid) IS 'What was said last in one''s own conversation, as an array of {role, content}; an empty one for another''s; up to the question of a run where one is named.';

COMMENT ON FUNCTION "authz"."taint_classification"(text[]) IS 'How classified the documents are at most that a context with these labels holds: 3 secret, 2 confidential, 0 nothing of the kind.';

COMMENT ON FUNCTION "authz"."tg_audit_model_call"() IS 'Trigger: record that a model call was allowed or refused, and by which rule, in the same transaction; also where no run is, as for an embedding or a job (F70, F71).';

COMMENT ON FUNCTION "authz"."tg_step_taint"() IS 'Trigger: what a tool returned is private, and untrusted where a row or the document of a passage is not trusted, and as classified as the documents (F15, F31, F39).';

COMMENT ON POLICY "accepted_query_delete_editor" ON "app"."accepted_query" IS 'analytics.manage and the source''s editors withdraw it.';

COMMENT ON POLICY "accepted_query_denied_floor" ON "app"."accepted_query" IS 'Whatever else is allowed, never of a source that a rule takes from the person (F15).';

COMMENT ON POLICY "accepted_query_floor" ON "app"."accepted_query" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "accepted_query_select_described_owner" ON "app"."accepted_query" IS 'authz.describe_source() tells those of a source that the person asking may ask.';

COMMENT ON POLICY "accepted_query_select_viewer" ON "app"."accepted_query" IS 'Who sees the source sees its examples.';

COMMENT ON POLICY "accepted_query_update_nobody" ON "app"."accepted_query" IS 'An example is accepted and withdrawn, not edited.';

COMMENT ON POLICY "audit_event_select_subject_owner" ON "app"."audit_event" IS 'An export for a person tells what others did to their membership (F67).';

COMMENT ON POLICY "model_call_data_policy_floor" ON "app"."model_call" IS 'Whatever function writes it, and whatever its permissive policies allow: no call that the organization''s data policy refuses is on record as allowed (F15, F70).';

COMMENT ON TABLE "app"."accepted_query" IS 'A question to a source and the SQL that answered it, as an example for whoever writes SQL. It is text and never runs by itself.';

COMMENT ON TYPE "authz"."passage" IS 'A passage that a search found, as api.search_documents() answers it.';

REVOKE ALL ON FUNCTION "api"."accept_analytics_query"(uuid, uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."accept_analytics_query"(uuid, uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."accept_analytics_query"(uuid, uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."accept_analytics_query"(uuid, uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."begin_model_call"(uuid, text, text, integer, uuid, text, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."begin_model_call"(uuid, text, text, integer, uuid, text, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."begin_model_call"(uuid, text, text, integer, uuid, text, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."begin_model_call"(uuid, text, text, integer, uuid, text, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_accepted_queries"(uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_accepted_queries"(uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_accepted_queries"(uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_accepted_queries"(uuid, text) TO "postgres";

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

REVOKE ALL ON FUNCTION "api"."set_data_policy"(uuid, text, text[], boolean, boolean, boolean, boolean, integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."set_data_policy"(uuid, text, text[], boolean, boolean, boolean, boolean, integer) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."set_data_policy"(uuid, text, text[], boolean, boolean, boolean, boolean, integer) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."set_data_policy"(uuid, text, text[], boolean, boolean, boolean, boolean, integer) TO "postgres";

REVOKE ALL ON FUNCTION "api"."withdraw_accepted_query"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."withdraw_accepted_query"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."withdraw_accepted_query"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."withdraw_accepted_query"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."acts_on_me"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."acts_on_me"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."acts_on_me"(uuid) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."acts_on_me"(uuid) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."finish_job"(text, text, text, text, jsonb, text) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."finish_job"(text, text, text, text, jsonb, text) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."finish_job"(text, text, text, text, jsonb, text) TO "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."finish_job"(text, text, text, text, jsonb, text) TO "ringfence_worker";

REVOKE ALL ON FUNCTION "authz"."model_rule"(text) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."model_rule"(text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."model_rule"(text) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."model_rule"(text) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."note_reading"(uuid, text, text, uuid[], uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."note_reading"(uuid, text, text, uuid[], uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."note_reading"(uuid, text, text, uuid[], uuid) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."note_reading"(uuid, text, text, uuid[], uuid) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."provider_refusal"(uuid, text, smallint) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."provider_refusal"(uuid, text, smallint) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."provider_refusal"(uuid, text, smallint) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."provider_refusal"(uuid, text, smallint) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."record_event"(uuid, text, text, uuid, uuid, integer, text, text, text, text, text, text[], uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."record_event"(uuid, text, text, uuid, uuid, integer, text, text, text, text, text, text[], uuid[]) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."record_event"(uuid, text, text, uuid, uuid, integer, text, text, text, text, text, text[], uuid[]) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."record_event"(uuid, text, text, uuid, uuid, integer, text, text, text, text, text, text[], uuid[]) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."reserve_model_call"(uuid, uuid, text, text, text, integer, text, smallint) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."reserve_model_call"(uuid, uuid, text, text, text, integer, text, smallint) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."reserve_model_call"(uuid, uuid, text, text, text, integer, text, smallint) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."reserve_model_call"(uuid, uuid, text, text, text, integer, text, smallint) TO "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."reserve_model_call"(uuid, uuid, text, text, text, integer, text, smallint) TO "ringfence_worker";

REVOKE ALL ON FUNCTION "authz"."run_history"(uuid, uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."run_history"(uuid, uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."run_history"(uuid, uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."run_history"(uuid, uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."taint_classification"(text[]) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."taint_classification"(text[]) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."taint_classification"(text[]) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."taint_classification"(text[]) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."taint_classification"(text[]) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."tg_audit_model_call"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_audit_model_call"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."tg_audit_model_call"() TO "ringfence_owner";

GRANT INSERT ("data_source_id") ON TABLE "app"."accepted_query" TO "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."accepted_query" TO "authenticated";

GRANT INSERT ("question") ON TABLE "app"."accepted_query" TO "authenticated";

GRANT INSERT ("sql") ON TABLE "app"."accepted_query" TO "authenticated";

GRANT DELETE, SELECT ON TABLE "app"."accepted_query" TO "authenticated";

GRANT SELECT ON TABLE "app"."accepted_query" TO "ringfence_owner";

REVOKE ALL ("drafted_sql") ON TABLE "app"."analytics_job" FROM "ringfence_owner";

GRANT UPDATE ("drafted_sql") ON TABLE "app"."analytics_job" TO "ringfence_owner";

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

REVOKE ALL ("classification") ON TABLE "app"."model_call" FROM "ringfence_owner";

GRANT INSERT ("classification") ON TABLE "app"."model_call" TO "ringfence_owner";

REVOKE ALL ("external_classification") ON TABLE "app"."organization" FROM "authenticated";

GRANT UPDATE ("external_classification") ON TABLE "app"."organization" TO "authenticated";

REVOKE ALL ("rows_to_model") ON TABLE "app"."organization" FROM "authenticated";

GRANT UPDATE ("rows_to_model") ON TABLE "app"."organization" TO "authenticated";

CREATE POLICY "accepted_query_insert_editor" ON "app"."accepted_query"
  FOR INSERT
  TO "authenticated"
  WITH
    CHECK
    (((created_by = ( SELECT authz.uid() AS uid)) AND ((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (data_source_id = ANY (ARRAY(
    SELECT authz.granted_data_sources('editor'::text) AS granted_data_sources))))));

COMMENT ON COLUMN "app"."accepted_query"."created_by" IS 'Who accepted it, and answers for it.';

COMMENT ON POLICY "accepted_query_insert_editor" ON "app"."accepted_query" IS 'analytics.manage and the source''s editors, in their own name: an example changes how others are answered.';

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
