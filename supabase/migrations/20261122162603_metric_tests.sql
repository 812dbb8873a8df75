-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

DROP FUNCTION "api"."create_metric"(uuid, text, text, text, text, boolean);

DROP FUNCTION "api"."list_model_calls"(uuid, uuid, integer);

ALTER TABLE "app"."metric"
  ADD COLUMN "tests" text[] NOT NULL DEFAULT '{}'::text[];

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
  v_sql text;
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
  v_sql := coalesce(v_job.drafted_sql, v_job.sql);
  perform authz.require(char_length(v_sql) <= 2000, 'job_id: its SQL was not kept, or has more than 2000 characters');
  perform authz.lock_name(v_job.org_id, 'example ' || v_job.data_source_id);
  -- The same question again takes the place of the one before.
  delete from app.accepted_query q where q.org_id = v_job.org_id and q.data_source_id = v_job.data_source_id and q.question = v_question;
  insert into app.accepted_query (org_id, data_source_id, question, sql)
  values (v_job.org_id, v_job.data_source_id, v_question, v_sql)
  returning id into v_id;
  return jsonb_build_object('id', v_id, 'question', v_question, 'sql', v_sql);
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
    -- Whoever calls single tools writes with what they returned in mind.
    v_class := authz.taint_classification(authz.single_calls_taint());
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

CREATE OR REPLACE FUNCTION api.create_metric (
  org_id      uuid,
  source      text,
  name        text,
  description text,
  sql         text,
  retired     boolean DEFAULT false,
  tests       text[]  DEFAULT '{}'::text[]
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
declare
  v_source app.data_source := authz.data_source_named(create_metric.org_id, create_metric.source);
  v_metric app.metric;
begin
  perform authz.lock_name(v_source.org_id, 'metric ' || v_source.id || ' ' || create_metric.name);
  insert into app.metric (org_id, data_source_id, name, version, description, sql, retired, tests)
  values (v_source.org_id, v_source.id, create_metric.name, 1 + coalesce((
      select max(m.version) from app.metric m where m.org_id = v_source.org_id and m.data_source_id = v_source.id and m.name = create_metric.name), 0),
    create_metric.description, create_metric.sql, coalesce(create_metric.retired, false), coalesce(create_metric.tests, '{}'))
  returning * into v_metric;
  return jsonb_build_object('id', v_metric.id, 'version', v_metric.version, 'sha256', v_metric.sha256);
end
$function$;

CREATE OR REPLACE FUNCTION api.list_model_calls (
  org_id   uuid,
  in_run   uuid    DEFAULT NULL::uuid,
  max_rows integer DEFAULT 100
)
  RETURNS TABLE (
    id              uuid,
    user_id         uuid,
    run_id          uuid,
    purpose         text,
    provider        text,
    model           text,
    region          text,
    retention_days  integer,
    trains          boolean,
    redacted        boolean,
    refused_by      text,
    classification  smallint,
    reserved_tokens integer,
    input_tokens    integer,
    output_tokens   integer,
    cost            bigint,
    started_at      timestamp with time zone,
    ended_at        timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_model_calls.org_id);
  perform authz.require(max_rows between 1 and 1000, 'max_rows: 1..1000');
  return query
    select c.id, c.user_id, c.run_id, c.purpose, c.provider, c.model, c.region, c.retention_days, c.trains, c.redacted, c.refused_by,
      c.classification, c.reserved_tokens, c.input_tokens, c.output_tokens, c.cost, c.started_at, c.ended_at
    from app.model_call c
    where c.org_id = list_model_calls.org_id and (list_model_calls.in_run is null or c.run_id = list_model_calls.in_run)
    order by c.started_at desc, c.id
    limit max_rows;
end
$function$;

CREATE OR REPLACE FUNCTION authz.begin_job (
  job_id uuid,
  lease  uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_job app.analytics_job;
  v_entered jsonb;
begin
  if exists (select authz.begun_jobs()) then
    raise sqlstate '55000' using message = 'this transaction has begun a job: one transaction, one job';
  end if;
  select j.* into v_job from app.analytics_job j join app.job_lease l on l.org_id = j.org_id and l.job_id = j.id
  where j.id = begin_job.job_id and l.lease = begin_job.lease and l.expires_at > clock_timestamp() and j.status = 'running';
  if not found then
    raise sqlstate 'PT409' using message = 'this job is not held under this lease';
  end if;
  v_entered := authz.enter_job(v_job);
  if v_entered ->> 'objection' is null then
    return jsonb_build_object('outcome', 'begun', 'job_id', v_job.id, 'org_id', v_job.org_id, 'source', v_entered ->> 'source',
      'question', v_job.question, 'sql', v_job.sql, 'attempt', v_job.attempts);
  end if;
  if authz.runs_the_queue() then
    perform authz.end_job(v_job.org_id, v_job.id, 'cancelled_revoked', v_entered ->> 'objection', null, null);
  end if;
  delete from app.job_scope s where s.xact_id = pg_current_xact_id();
  return jsonb_build_object('outcome', 'revoked', 'job_id', v_job.id, 'code', v_entered ->> 'objection');
end
$function$;

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
        select jsonb_agg(jsonb_build_object('name', m.name, 'version', m.version, 'description', m.description, 'sql', m.sql, 'sha256', m.sha256, 'tests', to_jsonb(m.tests)) order by m.name)
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

CREATE OR REPLACE FUNCTION authz.enter_job (
  job app.analytics_job
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  insert into app.job_scope (org_id, job_id, data_source_id, claims)
  values (job.org_id, job.id, job.data_source_id, job.session || jsonb_build_object('sub', job.user_id, 'org_id', job.org_id, 'role', 'authenticated', 'job_id', job.id));
  -- From here on this is the requester: the same functions answer what they may, as it is now.
  return jsonb_build_object('objection', authz.job_objection(job),
    'source', (select d.slug from app.data_source d where d.org_id = job.org_id and d.id = job.data_source_id));
end
$function$;

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
  -- api.call_tool() sets it for the call it is about to record. No route sets a setting; with SQL one would need no function to read.
  if current_setting('ringfence.recorded_run', true) = note_reading.run_id::text then
    return;
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
    ('metric', '{created_by,name,description,sql,tests}', 'retained', 'as that'),
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

CREATE OR REPLACE FUNCTION authz.rehearse_job()
  RETURNS void
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_job app.analytics_job;
begin
  if exists (select authz.begun_jobs()) then
    raise sqlstate '55000' using message = 'this transaction has begun a job: one transaction, one job';
  end if;
  v_job.org_id := gen_random_uuid();
  v_job.id := gen_random_uuid();
  v_job.user_id := gen_random_uuid();
  v_job.data_source_id := gen_random_uuid();
  v_job.session := '{}';
  -- Made ready now, so that a session that is new when a job comes has its plans. An objection of nobody's is found before the rest is looked at.
  perform authz.enter_job(v_job), (select count(*) from authz.org_ids()), (select count(*) from authz.orgs_with('analytics.run')),
    (select count(*) from authz.granted_data_sources('viewer'));
end
$function$;

CREATE OR REPLACE FUNCTION authz.single_calls_taint()
  RETURNS text[]
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return array(
    select distinct t.label
    from app.run r cross join unnest(r.taint) t (label)
    where r.org_id = any (array(select authz.org_ids())) and r.user_id = authz.uid() and r.started_at > now() - authz.run_lasts()
      and authz.is_tool_conversation(r.org_id, r.conversation_id)
    order by t.label);
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_run_taint()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  if authz.is_tool_conversation(new.org_id, new.conversation_id) then
    new.taint := authz.single_calls_taint();
  else
    new.taint := array(
      select distinct t.label
      from app.run r cross join unnest(r.taint) t (label)
      where r.org_id = new.org_id and r.conversation_id = new.conversation_id and r.user_id = new.user_id
      order by t.label);
  end if;
  return new;
end
$function$;

ALTER TABLE "app"."metric"
  ADD CONSTRAINT "metric_tests_check"
    CHECK (((cardinality(tests) <= 10) AND (array_position(tests, NULL::text) IS NULL) AND (''::text <> ALL (tests)) AND (char_length(array_to_string(tests, ''::text)) <= 10000)));

COMMENT ON COLUMN "app"."metric"."tests" IS 'SELECTs over the relations of the source that give no row as long as the metric counts what it says; at most 10, 1..10000 characters in all. Text as well: who tests a metric asks them of the source, as themselves.';

COMMENT ON FUNCTION "api"."create_metric"(uuid, text, text, text, text, boolean, text[]) IS 'Say how something is counted, as a new version of the metric of that name. Who writes SQL, people and models, is told to use it. Needs level editor or analytics.manage.

@audience app
@param org_id       the organization
@param source       slug or id
@param name         2..60 of a-z 0-9 _
@param description  what it says; 1..500 characters
@param sql          an expression or a SELECT over the relations of the source; 1..4000 characters
@param retired      true: from this version on it is not to be used any more
@param tests        SELECTs that give no row as long as it counts what it says; at most 10, of 10000 characters together. `ringfence metric test` asks them
@returns            {id, version, sha256}
@errors             22004, 23502, 23514, 42501, PT404, PT409
@effect             write';

COMMENT ON FUNCTION "api"."describe_data_source"(uuid, text) IS 'Tell what a data source that you may ask holds: relations, columns, types, what they mean, how things are counted, and questions with their SQL that were accepted.

@audience app
@param org_id  the organization
@param source  slug or id
@returns       {source, id, name, description, relations: [{name, description, columns: [{name, type, meaning}]}], metrics: [{name, version, description, sql, sha256, tests}], examples: [{question, sql}]: the latest 8}
@errors        22004, 42501, PT404, PT409
@effect        read';

COMMENT ON FUNCTION "api"."list_model_calls"(uuid, uuid, integer) IS 'List calls of models: yours, with runs.read everybody''s; what was known of the provider then, and what refused the call.

@audience app
@param org_id    the organization
@param in_run    only those of this run
@param max_rows  number of calls; 1..1000
@returns         array of {id, user_id, run_id, purpose, provider, model, region, retention_days, trains, redacted, refused_by, classification: the highest of the documents known to be in it from 2 on; else 0, reserved_tokens, input_tokens, output_tokens, cost, started_at, ended_at}; newest first
@errors          22004, 22023
@effect          read';

COMMENT ON FUNCTION "authz"."enter_job"(app.analytics_job) IS 'Make this transaction act for the requester of a job: {objection: why they may no longer run it, or null, source: its slug}. For authz.begin_job(), which looks at who may, and for its rehearsal.';

COMMENT ON FUNCTION "authz"."single_calls_taint"() IS 'What single tool calls of authz.uid() brought in, in whatever organization: who makes them keeps what they returned where no run sees it, so it counts for as long as a run may last (F39).';

REVOKE ALL ON FUNCTION "api"."create_metric"(uuid, text, text, text, text, boolean, text[]) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."create_metric"(uuid, text, text, text, text, boolean, text[]) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."create_metric"(uuid, text, text, text, text, boolean, text[]) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."create_metric"(uuid, text, text, text, text, boolean, text[]) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_model_calls"(uuid, uuid, integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_model_calls"(uuid, uuid, integer) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_model_calls"(uuid, uuid, integer) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_model_calls"(uuid, uuid, integer) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."enter_job"(app.analytics_job) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."enter_job"(app.analytics_job) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."enter_job"(app.analytics_job) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."enter_job"(app.analytics_job) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."single_calls_taint"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."single_calls_taint"() TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."single_calls_taint"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."single_calls_taint"() TO "postgres";

REVOKE ALL ("tests") ON TABLE "app"."metric" FROM "authenticated";

GRANT INSERT ("tests") ON TABLE "app"."metric" TO "authenticated";

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
