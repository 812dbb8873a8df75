-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

DROP POLICY "bot_binding_insert_editor" ON "app"."bot_binding";

ALTER TABLE "app"."bot_binding"
  DROP CONSTRAINT "bot_binding_one_target_check";

ALTER TABLE "app"."bot_binding"
  DROP CONSTRAINT "bot_binding_target_key";

ALTER TABLE "app"."deny_rule"
  DROP CONSTRAINT "deny_rule_key";

ALTER TABLE "app"."deny_rule"
  DROP CONSTRAINT "deny_rule_one_object_check";

DROP FUNCTION "api"."bind_bot"(uuid, uuid, uuid, text);

DROP FUNCTION "api"."create_deny_rule"(uuid, text, uuid, uuid, text, uuid, uuid, uuid, text);

DROP FUNCTION "api"."list_bot_bindings"(uuid, uuid);

DROP FUNCTION "api"."list_deny_rules"(uuid);

ALTER ROLE "ringfence_analyst" SET "statement_timeout" TO '45s';

ALTER ROLE "ringfence_worker" SET "statement_timeout" TO '30s';

CREATE SCHEMA "source";

CREATE TABLE "app"."analytics_job" (
  "org_id"          uuid                     NOT NULL,
  "id"              uuid                     NOT NULL DEFAULT gen_random_uuid(),
  "data_source_id"  uuid                     NOT NULL,
  "bot_id"          uuid,
  "run_id"          uuid,
  "session"         jsonb                    NOT NULL DEFAULT '{}'::jsonb,
  "question"        text,
  "sql"             text,
  "sql_sha256"      text,
  "ran_sql"         text,
  "ran_sha256"      text,
  "idempotency_key" text,
  "status"          text                     NOT NULL DEFAULT 'queued'::text,
  "error_code"      text,
  "error_message"   text,
  "attempts"        integer                  NOT NULL DEFAULT 0,
  "created_at"      timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  "started_at"      timestamp with time zone,
  "finished_at"     timestamp with time zone,
  CONSTRAINT "analytics_job_bot_check" CHECK (((bot_id IS NULL) = (run_id IS NULL))),
  CONSTRAINT "analytics_job_error_code_check" CHECK ((error_code ~ '^[A-Za-z0-9_]{1,60}$'::text)),
  CONSTRAINT "analytics_job_error_message_check" CHECK ((char_length(error_message) <= 500)),
  CONSTRAINT "analytics_job_finished_check" CHECK (((finished_at IS NULL) OR (status <> ALL (ARRAY['queued'::text, 'running'::text])))),
  CONSTRAINT "analytics_job_idempotency_key_check" CHECK ((idempotency_key ~ '^[A-Za-z0-9._:-]{1,100}$'::text)),
  CONSTRAINT "analytics_job_one_question_check" CHECK ((num_nonnulls(question, sql) = 1)),
  CONSTRAINT "analytics_job_pkey" PRIMARY KEY (org_id, id),
  CONSTRAINT "analytics_job_question_check" CHECK (((char_length(question) >= 1) AND (char_length(question) <= 2000))),
  CONSTRAINT "analytics_job_ran_sha256_check" CHECK ((ran_sha256 ~ '^[0-9a-f]{64}$'::text)),
  CONSTRAINT "analytics_job_ran_sql_check" CHECK ((char_length(ran_sql) <= 100000)),
  CONSTRAINT "analytics_job_sql_check" CHECK (((char_length(sql) >= 1) AND (char_length(sql) <= 20000))),
  CONSTRAINT "analytics_job_sql_sha256_check" CHECK ((sql_sha256 ~ '^[0-9a-f]{64}$'::text)),
  CONSTRAINT "analytics_job_status_check"
    CHECK ((status = ANY (ARRAY['queued'::text, 'running'::text, 'succeeded'::text, 'failed'::text, 'refused'::text, 'cancelled'::text, 'cancelled_revoked'::text]))),
  "user_id"         uuid                     NOT NULL DEFAULT authz.uid(),
  CONSTRAINT "analytics_job_idempotency_key_key" UNIQUE (org_id, user_id, idempotency_key)
);

ALTER TABLE "app"."analytics_job"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."analytics_job"
  FORCE ROW LEVEL SECURITY;

CREATE TABLE "app"."analytics_result_grant" (
  "org_id"     uuid                     NOT NULL,
  "id"         uuid                     NOT NULL DEFAULT gen_random_uuid(),
  "job_id"     uuid                     NOT NULL,
  "user_id"    uuid,
  "team_id"    uuid,
  "created_at" timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT "analytics_result_grant_one_principal_check" CHECK ((num_nonnulls(user_id, team_id) <= 1)),
  CONSTRAINT "analytics_result_grant_pkey" PRIMARY KEY (org_id, id),
  CONSTRAINT "analytics_result_grant_principal_key" UNIQUE NULLS NOT DISTINCT (org_id, job_id, user_id, team_id),
  "created_by" uuid                     NOT NULL DEFAULT authz.uid()
);

ALTER TABLE "app"."analytics_result_grant"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."analytics_result_grant"
  FORCE ROW LEVEL SECURITY;

CREATE TABLE "app"."analytics_result" (
  "org_id"         uuid                     NOT NULL,
  "job_id"         uuid                     NOT NULL,
  "user_id"        uuid                     NOT NULL,
  "data_source_id" uuid                     NOT NULL,
  "columns"        jsonb                    NOT NULL,
  "rows"           jsonb                    NOT NULL,
  "row_count"      integer                  NOT NULL,
  "byte_count"     integer                  NOT NULL,
  "truncated"      boolean                  NOT NULL,
  "chart"          jsonb,
  "sha256"         text                     NOT NULL,
  "created_at"     timestamp with time zone NOT NULL DEFAULT now(),
  "expires_at"     timestamp with time zone NOT NULL,
  CONSTRAINT "analytics_result_pkey" PRIMARY KEY (org_id, job_id)
);

ALTER TABLE "app"."analytics_result"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."analytics_result"
  FORCE ROW LEVEL SECURITY;

CREATE TABLE "app"."column_meaning" (
  "org_id"         uuid                     NOT NULL,
  "data_source_id" uuid                     NOT NULL,
  "relation"       text                     NOT NULL,
  "column_name"    text                     NOT NULL,
  "meaning"        text                     NOT NULL,
  "updated_at"     timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT "column_meaning_column_name_check" CHECK ((column_name ~ '^[a-z_][a-z0-9_]{0,62}$'::text)),
  CONSTRAINT "column_meaning_meaning_check" CHECK (((char_length(meaning) >= 1) AND (char_length(meaning) <= 500))),
  CONSTRAINT "column_meaning_pkey" PRIMARY KEY (org_id, data_source_id, relation, column_name),
  CONSTRAINT "column_meaning_relation_check" CHECK ((relation ~ '^[a-z_][a-z0-9_]{0,62}$'::text))
);

ALTER TABLE "app"."column_meaning"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."column_meaning"
  FORCE ROW LEVEL SECURITY;

CREATE TABLE "app"."data_source_grant" (
  "org_id"         uuid                     NOT NULL,
  "id"             uuid                     NOT NULL DEFAULT gen_random_uuid(),
  "data_source_id" uuid                     NOT NULL,
  "user_id"        uuid,
  "team_id"        uuid,
  "role_id"        uuid,
  "level"          text                     NOT NULL DEFAULT 'viewer'::text,
  "created_at"     timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT "data_source_grant_level_check" CHECK ((level = ANY (ARRAY['viewer'::text, 'editor'::text, 'owner'::text]))),
  CONSTRAINT "data_source_grant_one_principal_check" CHECK ((num_nonnulls(user_id, team_id, role_id) <= 1)),
  CONSTRAINT "data_source_grant_pkey" PRIMARY KEY (org_id, id),
  CONSTRAINT "data_source_grant_principal_key" UNIQUE NULLS NOT DISTINCT (org_id, data_source_id, user_id, team_id, role_id)
);

ALTER TABLE "app"."data_source_grant"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."data_source_grant"
  FORCE ROW LEVEL SECURITY;

CREATE TABLE "app"."data_source" (
  "org_id"      uuid                     NOT NULL,
  "id"          uuid                     NOT NULL DEFAULT gen_random_uuid(),
  "slug"        text                     NOT NULL,
  "name"        text                     NOT NULL,
  "description" text                     NOT NULL DEFAULT ''::text,
  "relations"   text[]                   NOT NULL DEFAULT '{}'::text[],
  "created_at"  timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT "data_source_description_check" CHECK ((char_length(description) <= 2000)),
  CONSTRAINT "data_source_name_check" CHECK (((char_length(name) >= 1) AND (char_length(name) <= 120))),
  CONSTRAINT "data_source_pkey" PRIMARY KEY (org_id, id),
  CONSTRAINT "data_source_relations_check"
    CHECK
    (((relations <@ ARRAY['orders'::text, 'tickets'::text, 'conversations'::text, 'usage'::text]) AND (array_position(relations, NULL::text) IS NULL) AND (cardinality(relations) <=
    4))),
  CONSTRAINT "data_source_slug_check" CHECK ((slug ~ '^[a-z0-9][a-z0-9-]{1,39}$'::text)),
  CONSTRAINT "data_source_slug_no_id_check" CHECK ((slug !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'::text)),
  "created_by"  uuid                     NOT NULL DEFAULT authz.uid()
);

ALTER TABLE "app"."data_source"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."data_source"
  FORCE ROW LEVEL SECURITY;

CREATE TABLE "app"."job_lease" (
  "org_id"     uuid                     NOT NULL,
  "job_id"     uuid                     NOT NULL,
  "lease"      uuid                     NOT NULL,
  "worker"     text                     NOT NULL,
  "place"      smallint                 NOT NULL,
  "expires_at" timestamp with time zone NOT NULL,
  CONSTRAINT "job_lease_pkey" PRIMARY KEY (org_id, job_id),
  CONSTRAINT "job_lease_place_check" CHECK (((place >= 1) AND (place <= 100))),
  CONSTRAINT "job_lease_place_key" UNIQUE (org_id, place),
  CONSTRAINT "job_lease_worker_check" CHECK (((char_length(worker) >= 1) AND (char_length(worker) <= 100)))
);

ALTER TABLE "app"."job_lease"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."job_lease"
  FORCE ROW LEVEL SECURITY;

CREATE TABLE "app"."job_scope" (
  "org_id"         uuid                     NOT NULL,
  "xact_id"        xid8                     NOT NULL DEFAULT pg_current_xact_id(),
  "began_at"       timestamp with time zone NOT NULL DEFAULT now(),
  "job_id"         uuid                     NOT NULL,
  "data_source_id" uuid                     NOT NULL,
  "claims"         jsonb                    NOT NULL,
  CONSTRAINT "job_scope_pkey" PRIMARY KEY (org_id, xact_id),
  CONSTRAINT "job_scope_xact_id_key" UNIQUE (xact_id)
);

ALTER TABLE "app"."job_scope"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."job_scope"
  FORCE ROW LEVEL SECURITY;

CREATE TABLE "app"."metric" (
  "org_id"         uuid                     NOT NULL,
  "id"             uuid                     NOT NULL DEFAULT gen_random_uuid(),
  "data_source_id" uuid                     NOT NULL,
  "name"           text                     NOT NULL,
  "version"        integer                  NOT NULL,
  "description"    text                     NOT NULL,
  "sql"            text                     NOT NULL,
  "sha256"         text                     NOT NULL DEFAULT repeat('0'::text, 64),
  "retired"        boolean                  NOT NULL DEFAULT false,
  "created_at"     timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT "metric_description_check" CHECK (((char_length(description) >= 1) AND (char_length(description) <= 500))),
  CONSTRAINT "metric_name_check" CHECK ((name ~ '^[a-z][a-z0-9_]{1,59}$'::text)),
  CONSTRAINT "metric_pkey" PRIMARY KEY (org_id, id),
  CONSTRAINT "metric_sha256_check" CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text)),
  CONSTRAINT "metric_sql_check" CHECK (((char_length(sql) >= 1) AND (char_length(sql) <= 4000))),
  CONSTRAINT "metric_version_check" CHECK ((version >= 1)),
  CONSTRAINT "metric_version_key" UNIQUE (org_id, data_source_id, name, VERSION),
  "created_by"     uuid                     NOT NULL DEFAULT authz.uid()
);

ALTER TABLE "app"."metric"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."metric"
  FORCE ROW LEVEL SECURITY;

CREATE TABLE "app"."uploaded_row" (
  "org_id"   uuid    NOT NULL,
  "table_id" uuid    NOT NULL,
  "position" integer NOT NULL,
  "data"     jsonb   NOT NULL,
  CONSTRAINT "uploaded_row_data_check" CHECK ((jsonb_typeof(data) = 'object'::text)),
  CONSTRAINT "uploaded_row_pkey" PRIMARY KEY (org_id, table_id, "position")
);

ALTER TABLE "app"."uploaded_row"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."uploaded_row"
  FORCE ROW LEVEL SECURITY;

CREATE TABLE "app"."uploaded_table" (
  "org_id"         uuid                     NOT NULL,
  "id"             uuid                     NOT NULL DEFAULT gen_random_uuid(),
  "data_source_id" uuid                     NOT NULL,
  "name"           text                     NOT NULL,
  "columns"        jsonb                    NOT NULL,
  "state"          text                     NOT NULL DEFAULT 'loading'::text,
  "row_count"      integer                  NOT NULL DEFAULT 0,
  "byte_count"     bigint                   NOT NULL DEFAULT 0,
  "created_at"     timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT "uploaded_table_name_check" CHECK ((name ~ '^[a-z_][a-z0-9_]{0,62}$'::text)),
  CONSTRAINT "uploaded_table_pkey" PRIMARY KEY (org_id, id),
  CONSTRAINT "uploaded_table_state_check" CHECK ((state = ANY (ARRAY['loading'::text, 'ready'::text]))),
  "created_by"     uuid                     NOT NULL DEFAULT authz.uid()
);

ALTER TABLE "app"."uploaded_table"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."uploaded_table"
  FORCE ROW LEVEL SECURITY;

ALTER TABLE "app"."bot_binding"
  ADD COLUMN "data_source_id" uuid;

ALTER TABLE "app"."deny_rule"
  ADD COLUMN "data_source_id" uuid;

CREATE OR REPLACE FUNCTION api.append_uploaded_rows (
  org_id   uuid,
  table_id uuid,
  rows     jsonb
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
declare
  v_table app.uploaded_table := authz.loading_table(append_uploaded_rows.org_id, append_uploaded_rows.table_id);
  v_names text[] := array(select c.value ->> 'name' from jsonb_array_elements(v_table.columns) with ordinality c (value, place) order by c.place);
begin
  perform authz.require(jsonb_typeof(append_uploaded_rows.rows) = 'array', 'rows: an array of arrays');
  perform authz.require(jsonb_array_length(append_uploaded_rows.rows) between 1 and (select l.rows_per_call from authz.upload_limits() l), 'rows: 1..5000');
  perform authz.require(not exists (
    select from jsonb_array_elements(append_uploaded_rows.rows) r
    where case when jsonb_typeof(r.value) = 'array' then jsonb_array_length(r.value) <> cardinality(v_names) else true end),
    'rows: each an array with one value for each column');
  insert into app.uploaded_row (org_id, table_id, position, data)
  select v_table.org_id, v_table.id, v_table.row_count + r.place, coalesce((
    select jsonb_object_agg(v_names[v.place], v.value) filter (where v.value <> 'null')
    from jsonb_array_elements(r.value) with ordinality v (value, place)), '{}')
  from jsonb_array_elements(append_uploaded_rows.rows) with ordinality r (value, place);
  return (select jsonb_build_object('row_count', t.row_count) from app.uploaded_table t where t.org_id = v_table.org_id and t.id = v_table.id);
end
$function$;

CREATE OR REPLACE FUNCTION api.ask_data (
  org_id          uuid,
  run_id          uuid,
  source          text,
  question        text,
  idempotency_key text
)
  RETURNS TABLE (
    id     uuid,
    status text
  )
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
declare
  v_run app.run;
  v_source app.data_source;
begin
  perform authz.require_org(ask_data.org_id);
  perform authz.require(char_length(ask_data.source) between 2 and 40, 'source: 2..40 characters');
  v_run := authz.running(ask_data.run_id);
  v_source := authz.data_source_named(ask_data.org_id, ask_data.source);
  if v_run.org_id <> v_source.org_id or not exists (select from app.bot_binding b
    where b.org_id = v_run.org_id and b.bot_id = v_run.bot_id and b.data_source_id = v_source.id)
  then
    raise sqlstate 'PT404' using message = 'no such data source';
  end if;
  return query
    select j.id, j.status from authz.submit_job(v_source.org_id, v_source.id::text, ask_data.question, null, ask_data.idempotency_key, v_run.id, v_run.bot_id) j;
end
$function$;

CREATE OR REPLACE FUNCTION api.bind_bot (
  org_id            uuid,
  bot_id            uuid,
  knowledge_base_id uuid DEFAULT NULL::uuid,
  tool              text DEFAULT NULL::text,
  data_source_id    uuid DEFAULT NULL::uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_id uuid;
begin
  perform authz.require_org(bind_bot.org_id);
  perform authz.require(num_nonnulls(bind_bot.knowledge_base_id, bind_bot.data_source_id, bind_bot.tool) = 1, 'name a knowledge base, a data source or a tool');
  perform authz.require(bind_bot.tool is null or authz.is_tool(bind_bot.tool), 'tool: not a function that may be bound to bots');
  if bind_bot.knowledge_base_id is not null
      and not exists (select from app.knowledge_base k where k.org_id = bind_bot.org_id and k.id = bind_bot.knowledge_base_id)
    or bind_bot.data_source_id is not null
      and not exists (select from app.data_source s where s.org_id = bind_bot.org_id and s.id = bind_bot.data_source_id)
  then
    raise sqlstate 'PT404' using message = 'no such bot, or no such knowledge base or data source';
  end if;
  insert into app.bot_binding (org_id, bot_id, knowledge_base_id, data_source_id, tool)
  values (bind_bot.org_id, bind_bot.bot_id, bind_bot.knowledge_base_id, bind_bot.data_source_id, bind_bot.tool) returning id into v_id;
  return jsonb_build_object('id', v_id);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'already bound so';
  when foreign_key_violation then raise sqlstate 'PT404' using message = 'no such bot, or no such knowledge base or data source';
end
$function$;

CREATE OR REPLACE FUNCTION api.cancel_analytics_job (
  org_id uuid,
  job_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_status text;
begin
  perform authz.require_org(cancel_analytics_job.org_id);
  update app.analytics_job j set status = 'cancelled'
  where j.org_id = cancel_analytics_job.org_id and j.id = cancel_analytics_job.job_id;
  select j.status into v_status from app.analytics_job j where j.org_id = cancel_analytics_job.org_id and j.id = cancel_analytics_job.job_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such job of yours';
  end if;
  return jsonb_build_object('job_id', cancel_analytics_job.job_id, 'status', v_status);
end
$function$;

CREATE OR REPLACE FUNCTION api.commit_uploaded_table (
  org_id   uuid,
  table_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_table app.uploaded_table := authz.loading_table(commit_uploaded_table.org_id, commit_uploaded_table.table_id);
begin
  perform authz.lock_name(v_table.org_id, 'upload ' || v_table.data_source_id);
  -- Another upload of the same name takes the place of the one before, at once.
  delete from app.uploaded_table t
  where t.org_id = v_table.org_id and t.data_source_id = v_table.data_source_id and t.name = v_table.name and t.state = 'ready';
  update app.uploaded_table t set state = 'ready' where t.org_id = v_table.org_id and t.id = v_table.id;
  return jsonb_build_object('table_id', v_table.id, 'name', v_table.name, 'row_count', v_table.row_count);
end
$function$;

CREATE OR REPLACE FUNCTION api.create_data_source (
  org_id      uuid,
  slug        text,
  name        text,
  description text   DEFAULT ''::text,
  relations   text[] DEFAULT '{}'::text[]
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_id uuid;
begin
  perform authz.require_org(create_data_source.org_id);
  perform authz.require(create_data_source.relations is not null, 'relations: an array, empty for a source of uploaded tables');
  perform authz.lock_name(create_data_source.org_id, 'data source ' || create_data_source.slug);
  -- Only of one that the person sees is told that it is there; whoever sees both names them by id.
  if exists (select from app.data_source d where d.org_id = create_data_source.org_id and d.slug = create_data_source.slug) then
    raise sqlstate 'PT409' using message = 'the organization has a data source of that slug';
  end if;
  insert into app.data_source (org_id, slug, name, description, relations)
  values (create_data_source.org_id, create_data_source.slug, create_data_source.name, create_data_source.description, create_data_source.relations)
  returning id into v_id;
  return jsonb_build_object('id', v_id);
end
$function$;

CREATE OR REPLACE FUNCTION api.create_deny_rule (
  org_id            uuid,
  reason            text,
  user_id           uuid DEFAULT NULL::uuid,
  team_id           uuid DEFAULT NULL::uuid,
  role              text DEFAULT NULL::text,
  knowledge_base_id uuid DEFAULT NULL::uuid,
  document_id       uuid DEFAULT NULL::uuid,
  bot_id            uuid DEFAULT NULL::uuid,
  tool              text DEFAULT NULL::text,
  data_source_id    uuid DEFAULT NULL::uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_id uuid;
begin
  perform authz.require_org(create_deny_rule.org_id);
  perform authz.require(num_nonnulls(create_deny_rule.user_id, create_deny_rule.team_id, create_deny_rule.role) <= 1,
    'name a person, a team or a role, or none of them for everybody');
  perform authz.require(num_nonnulls(create_deny_rule.knowledge_base_id, create_deny_rule.document_id, create_deny_rule.bot_id,
    create_deny_rule.data_source_id, create_deny_rule.tool) = 1, 'name one of a knowledge base, a document, a bot, a data source and a tool');
  perform authz.require(create_deny_rule.tool is null or authz.is_tool(create_deny_rule.tool), 'tool: not a function that may be bound to bots');
  insert into app.deny_rule (org_id, user_id, team_id, role_id, knowledge_base_id, document_id, bot_id, data_source_id, tool, reason)
  values (create_deny_rule.org_id, create_deny_rule.user_id, create_deny_rule.team_id,
    case when create_deny_rule.role is not null then authz.role_named(create_deny_rule.org_id, create_deny_rule.role) end,
    create_deny_rule.knowledge_base_id, create_deny_rule.document_id, create_deny_rule.bot_id, create_deny_rule.data_source_id,
    create_deny_rule.tool, create_deny_rule.reason)
  returning id into v_id;
  return jsonb_build_object('id', v_id);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'there is a rule that says so';
  when foreign_key_violation then raise sqlstate 'PT404' using message = 'no such person, team or resource in the organization';
end
$function$;

CREATE OR REPLACE FUNCTION api.create_metric (
  org_id      uuid,
  source      text,
  name        text,
  description text,
  sql         text,
  retired     boolean DEFAULT false
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
  insert into app.metric (org_id, data_source_id, name, version, description, sql, retired)
  values (v_source.org_id, v_source.id, create_metric.name, 1 + coalesce((
      select max(m.version) from app.metric m where m.org_id = v_source.org_id and m.data_source_id = v_source.id and m.name = create_metric.name), 0),
    create_metric.description, create_metric.sql, coalesce(create_metric.retired, false))
  returning * into v_metric;
  return jsonb_build_object('id', v_metric.id, 'version', v_metric.version, 'sha256', v_metric.sha256);
end
$function$;

CREATE OR REPLACE FUNCTION api.create_uploaded_table (
  org_id  uuid,
  source  text,
  name    text,
  columns jsonb
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
declare
  v_source app.data_source := authz.data_source_named(create_uploaded_table.org_id, create_uploaded_table.source);
  v_id uuid;
begin
  perform authz.require(authz.are_columns(create_uploaded_table.columns),
    'columns: 1..200 of {name, type, meaning}; names of a-z 0-9 _; types text, bigint, numeric, double precision, boolean, date, timestamptz');
  perform authz.require(create_uploaded_table.name ~ '^[a-z_][a-z0-9_]{0,62}$', 'name: 1..63 of a-z 0-9 _');
  perform authz.require(not create_uploaded_table.name = any (v_source.relations), 'name: the source has a relation of that name');
  perform authz.lock_name(v_source.org_id, 'upload ' || v_source.id);
  if (select count(*) from app.uploaded_table t where t.org_id = v_source.org_id and t.data_source_id = v_source.id)
    >= (select l.tables_per_source from authz.upload_limits() l)
  then
    raise sqlstate 'PT429' using message = 'a data source holds at most 50 tables: delete some';
  end if;
  insert into app.uploaded_table (org_id, data_source_id, name, columns)
  values (v_source.org_id, v_source.id, create_uploaded_table.name, create_uploaded_table.columns) returning id into v_id;
  return jsonb_build_object('table_id', v_id);
end
$function$;

CREATE OR REPLACE FUNCTION api.delete_data_source (
  org_id uuid,
  source text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_source app.data_source := authz.data_source_named(delete_data_source.org_id, delete_data_source.source);
begin
  delete from app.data_source d where d.org_id = v_source.org_id and d.id = v_source.id;
  if not found then
    raise sqlstate '42501' using message = 'deleting a data source is for its owners and analytics.manage';
  end if;
  return jsonb_build_object('id', v_source.id);
end
$function$;

CREATE OR REPLACE FUNCTION api.delete_uploaded_table (
  org_id   uuid,
  table_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(delete_uploaded_table.org_id);
  delete from app.uploaded_table t where t.org_id = delete_uploaded_table.org_id and t.id = delete_uploaded_table.table_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such table, or not yours to delete';
  end if;
  return jsonb_build_object('table_id', delete_uploaded_table.table_id);
end
$function$;

CREATE OR REPLACE FUNCTION api.describe_data_source (
  org_id uuid,
  source text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_source app.data_source := authz.data_source_named(describe_data_source.org_id, describe_data_source.source);
  v_found jsonb := authz.describe_source(v_source.org_id, v_source.id);
begin
  if v_found is null then
    raise sqlstate '42501' using message = 'this data source is not shared with you: whoever owns it may';
  end if;
  -- What SQL reads it from is the worker's to know.
  return jsonb_set(v_found, '{relations}', coalesce((
    select jsonb_agg(r.value - 'target' order by r.place) from jsonb_array_elements(v_found -> 'relations') with ordinality r (value, place)), '[]'));
end
$function$;

CREATE OR REPLACE FUNCTION api.get_analytics_job (
  org_id uuid,
  job_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_job app.analytics_job;
begin
  perform authz.require_org(get_analytics_job.org_id);
  select j.* into v_job from app.analytics_job j where j.org_id = get_analytics_job.org_id and j.id = get_analytics_job.job_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such job of yours';
  end if;
  return authz.job_answer(v_job) || coalesce((
    select jsonb_build_object('row_count', r.row_count, 'truncated', r.truncated, 'expires_at', r.expires_at)
    from app.analytics_result r where r.org_id = v_job.org_id and r.job_id = v_job.id),
    jsonb_build_object('row_count', null, 'truncated', null, 'expires_at', null));
end
$function$;

CREATE OR REPLACE FUNCTION api.list_analytics_jobs (
  org_id   uuid,
  max_rows integer DEFAULT 50
)
  RETURNS TABLE (
    job_id      uuid,
    source_id   uuid,
    source      text,
    status      text,
    question    text,
    sql         text,
    error_code  text,
    created_at  timestamp with time zone,
    finished_at timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_analytics_jobs.org_id);
  perform authz.require(max_rows between 1 and 200, 'max_rows: 1..200');
  return query
    select j.id, j.data_source_id, d.slug, j.status, j.question, coalesce(j.ran_sql, j.sql), j.error_code, j.created_at, j.finished_at
    from app.analytics_job j
    left join app.data_source d on d.org_id = j.org_id and d.id = j.data_source_id
    where j.org_id = list_analytics_jobs.org_id and j.user_id = authz.uid()
    order by j.created_at desc, j.id
    limit max_rows;
end
$function$;

CREATE OR REPLACE FUNCTION api.list_bot_bindings (
  org_id uuid,
  bot_id uuid
)
  RETURNS TABLE (
    id                uuid,
    knowledge_base_id uuid,
    knowledge_base    text,
    data_source_id    uuid,
    data_source       text,
    tool              text,
    created_at        timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_bot_bindings.org_id);
  return query
    select b.id, b.knowledge_base_id, k.slug, b.data_source_id, s.slug, b.tool, b.created_at
    from app.bot_binding b
    left join app.knowledge_base k on k.org_id = b.org_id and k.id = b.knowledge_base_id
    left join app.data_source s on s.org_id = b.org_id and s.id = b.data_source_id
    where b.org_id = list_bot_bindings.org_id and b.bot_id = list_bot_bindings.bot_id
    order by b.tool nulls first, k.slug, s.slug, b.id
    limit 1000;
end
$function$;

CREATE OR REPLACE FUNCTION api.list_data_source_shares (
  org_id uuid,
  source text
)
  RETURNS TABLE (
    id         uuid,
    user_id    uuid,
    team_id    uuid,
    team       text,
    role       text,
    level      text,
    created_at timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
declare
  v_source app.data_source := authz.data_source_named(list_data_source_shares.org_id, list_data_source_shares.source);
begin
  return query
    select g.id, g.user_id, g.team_id, t.slug, o.name, g.level, g.created_at
    from app.data_source_grant g
    left join app.team t on t.org_id = g.org_id and t.id = g.team_id
    left join app.role o on o.org_id = g.org_id and o.id = g.role_id
    where g.org_id = v_source.org_id and g.data_source_id = v_source.id
    order by g.created_at, g.id
    limit 1000;
end
$function$;

CREATE OR REPLACE FUNCTION api.list_data_sources (
  org_id uuid
)
  RETURNS TABLE (
    id          uuid,
    slug        text,
    name        text,
    description text,
    relations   text[],
    may_ask     boolean,
    created_at  timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_data_sources.org_id);
  return query
    select d.id, d.slug, d.name, d.description, d.relations, d.id = any (array(select authz.granted_data_sources('viewer'))), d.created_at
    from app.data_source d
    where d.org_id = list_data_sources.org_id
    order by d.slug, d.id
    limit 1000;
end
$function$;

CREATE OR REPLACE FUNCTION api.list_deny_rules (
  org_id uuid
)
  RETURNS TABLE (
    id                uuid,
    user_id           uuid,
    team_id           uuid,
    team              text,
    role              text,
    knowledge_base_id uuid,
    document_id       uuid,
    bot_id            uuid,
    data_source_id    uuid,
    tool              text,
    reason            text,
    created_by        uuid,
    created_at        timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_deny_rules.org_id);
  return query
    select r.id, r.user_id, r.team_id, t.slug, o.name, r.knowledge_base_id, r.document_id, r.bot_id, r.data_source_id, r.tool, r.reason, r.created_by, r.created_at
    from app.deny_rule r
    left join app.team t on t.org_id = r.org_id and t.id = r.team_id
    left join app.role o on o.org_id = r.org_id and o.id = r.role_id
    where r.org_id = list_deny_rules.org_id
    order by r.created_at, r.id
    limit 1000;
end
$function$;

CREATE OR REPLACE FUNCTION api.list_uploaded_tables (
  org_id uuid,
  source text
)
  RETURNS TABLE (
    table_id   uuid,
    name       text,
    columns    jsonb,
    state      text,
    row_count  integer,
    byte_count bigint,
    created_by uuid,
    created_at timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
declare
  v_source app.data_source := authz.data_source_named(list_uploaded_tables.org_id, list_uploaded_tables.source);
begin
  return query
    select t.id, t.name, t.columns, t.state, t.row_count, t.byte_count, t.created_by, t.created_at
    from app.uploaded_table t where t.org_id = v_source.org_id and t.data_source_id = v_source.id order by t.name, t.created_at, t.id;
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
    'next_after', case when read_analytics_result.after::bigint + read_analytics_result.max_rows < v_result.row_count
      then read_analytics_result.after + read_analytics_result.max_rows end);
end
$function$;

CREATE OR REPLACE FUNCTION api.set_column_meaning (
  org_id      uuid,
  source      text,
  relation    text,
  column_name text,
  meaning     text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
declare
  v_source app.data_source := authz.data_source_named(set_column_meaning.org_id, set_column_meaning.source);
begin
  perform authz.lock_name(v_source.org_id, 'meaning ' || v_source.id);
  update app.column_meaning m set meaning = set_column_meaning.meaning
  where m.org_id = v_source.org_id and m.data_source_id = v_source.id and m.relation = set_column_meaning.relation and m.column_name = set_column_meaning.column_name;
  if not found then
    insert into app.column_meaning (org_id, data_source_id, relation, column_name, meaning)
    values (v_source.org_id, v_source.id, set_column_meaning.relation, set_column_meaning.column_name, set_column_meaning.meaning);
  end if;
  return jsonb_build_object('relation', set_column_meaning.relation, 'column_name', set_column_meaning.column_name);
end
$function$;

CREATE OR REPLACE FUNCTION api.share_analytics_result (
  org_id  uuid,
  job_id  uuid,
  user_id uuid DEFAULT NULL::uuid,
  team_id uuid DEFAULT NULL::uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_id uuid;
begin
  perform authz.require_org(share_analytics_result.org_id);
  perform authz.require(num_nonnulls(share_analytics_result.user_id, share_analytics_result.team_id) <= 1, 'name a person or a team, or neither for everyone');
  if not exists (select from app.analytics_result r
    where r.org_id = share_analytics_result.org_id and r.job_id = share_analytics_result.job_id and r.user_id = authz.uid())
  then
    raise sqlstate 'PT404' using message = 'no such result of yours, or no such member or team';
  end if;
  insert into app.analytics_result_grant (org_id, job_id, user_id, team_id)
  values (share_analytics_result.org_id, share_analytics_result.job_id, share_analytics_result.user_id, share_analytics_result.team_id)
  returning id into v_id;
  return jsonb_build_object('id', v_id);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'already shared so';
  when foreign_key_violation then raise sqlstate 'PT404' using message = 'no such result of yours, or no such member or team';
end
$function$;

CREATE OR REPLACE FUNCTION api.share_data_source (
  org_id  uuid,
  source  text,
  role    text DEFAULT NULL::text,
  user_id uuid DEFAULT NULL::uuid,
  team_id uuid DEFAULT NULL::uuid,
  level   text DEFAULT 'viewer'::text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_source app.data_source := authz.data_source_named(share_data_source.org_id, share_data_source.source);
  v_role uuid := case when share_data_source.role is not null then authz.role_named(share_data_source.org_id, share_data_source.role) end;
  v_id uuid;
begin
  perform authz.require(num_nonnulls(share_data_source.role, share_data_source.user_id, share_data_source.team_id) <= 1,
    'name a role, a person or a team, or none of them for everyone');
  perform authz.require(share_data_source.level in ('viewer', 'editor', 'owner'), 'level: viewer, editor or owner');
  insert into app.data_source_grant (org_id, data_source_id, role_id, user_id, team_id, level)
  values (v_source.org_id, v_source.id, v_role, share_data_source.user_id, share_data_source.team_id, share_data_source.level)
  returning id into v_id;
  return jsonb_build_object('id', v_id);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'shared with them already: withdraw that first';
  when foreign_key_violation then raise sqlstate 'PT404' using message = 'no such member or team';
end
$function$;

CREATE OR REPLACE FUNCTION api.submit_analytics_job (
  org_id          uuid,
  source          text,
  question        text DEFAULT NULL::text,
  sql             text DEFAULT NULL::text,
  idempotency_key text DEFAULT NULL::text
)
  RETURNS jsonb
  LANGUAGE sql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select jsonb_build_object('job_id', j.id, 'status', j.status)
  from authz.submit_job(submit_analytics_job.org_id, submit_analytics_job.source, submit_analytics_job.question, submit_analytics_job.sql,
    submit_analytics_job.idempotency_key) j
$function$;

CREATE OR REPLACE FUNCTION api.unshare_analytics_result (
  org_id  uuid,
  job_id  uuid,
  user_id uuid DEFAULT NULL::uuid,
  team_id uuid DEFAULT NULL::uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_id uuid;
begin
  perform authz.require_org(unshare_analytics_result.org_id);
  perform authz.require(num_nonnulls(unshare_analytics_result.user_id, unshare_analytics_result.team_id) <= 1, 'name a person or a team, or neither for everyone');
  -- First all of this result, then the one: somebody's row of another organization is not looked at because it names the same person.
  with shared as materialized (
    select g.id, g.user_id, g.team_id from app.analytics_result_grant g
    where g.org_id = unshare_analytics_result.org_id and g.job_id = unshare_analytics_result.job_id)
  delete from app.analytics_result_grant g using shared s
  where g.org_id = unshare_analytics_result.org_id and g.id = s.id
    and (s.user_id, s.team_id) is not distinct from (unshare_analytics_result.user_id, unshare_analytics_result.team_id)
  returning g.id into v_id;
  if not found then
    raise sqlstate 'PT404' using message = 'not shared so, or not yours to withdraw';
  end if;
  return jsonb_build_object('id', v_id);
end
$function$;

CREATE OR REPLACE FUNCTION api.unshare_data_source (
  org_id  uuid,
  source  text,
  role    text DEFAULT NULL::text,
  user_id uuid DEFAULT NULL::uuid,
  team_id uuid DEFAULT NULL::uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_source app.data_source := authz.data_source_named(unshare_data_source.org_id, unshare_data_source.source);
  v_role uuid := case when unshare_data_source.role is not null then authz.role_named(unshare_data_source.org_id, unshare_data_source.role) end;
  v_id uuid;
begin
  perform authz.require(num_nonnulls(unshare_data_source.role, unshare_data_source.user_id, unshare_data_source.team_id) <= 1,
    'name a role, a person or a team, or none of them for everyone');
  delete from app.data_source_grant g
  where g.org_id = v_source.org_id and g.data_source_id = v_source.id
    and (g.role_id, g.user_id, g.team_id) is not distinct from (v_role, unshare_data_source.user_id, unshare_data_source.team_id)
  returning g.id into v_id;
  if not found then
    raise sqlstate 'PT404' using message = 'not shared so, or not yours to withdraw';
  end if;
  return jsonb_build_object('id', v_id);
end
$function$;

CREATE OR REPLACE FUNCTION authz.acts_in_person()
  RETURNS boolean
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select authz.uid() is not null and not authz.claims() ?| array['client_id', 'job_id'] and authz.claims() -> 'is_anonymous' is distinct from 'true'
    and authz.api_token_id() is null
$function$;

CREATE OR REPLACE FUNCTION authz.are_columns (
  columns jsonb
)
  RETURNS boolean
  LANGUAGE sql
  IMMUTABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select jsonb_typeof(are_columns.columns) = 'array' and jsonb_array_length(are_columns.columns) between 1 and 200
    and (select bool_and(coalesce(jsonb_typeof(c.value) = 'object' and (c.value ->> 'name') ~ '^[a-z_][a-z0-9_]{0,62}$'
        and (c.value ->> 'type') = any (array['text', 'bigint', 'numeric', 'double precision', 'boolean', 'date', 'timestamptz'])
        and jsonb_typeof(coalesce(c.value -> 'meaning', '""')) = 'string' and char_length(coalesce(c.value ->> 'meaning', '')) <= 500
        and c.value - array['name', 'type', 'meaning'] = '{}', false))
      and count(distinct c.value ->> 'name') = count(*)
      from jsonb_array_elements(case when jsonb_typeof(are_columns.columns) = 'array' then are_columns.columns else '[]' end) c)
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
  v_source app.data_source;
  v_objection text;
begin
  if exists (select authz.begun_jobs()) then
    raise sqlstate '55000' using message = 'this transaction has begun a job: one transaction, one job';
  end if;
  select j.* into v_job from app.analytics_job j join app.job_lease l on l.org_id = j.org_id and l.job_id = j.id
  where j.id = begin_job.job_id and l.lease = begin_job.lease and l.expires_at > clock_timestamp() and j.status = 'running';
  if not found then
    raise sqlstate 'PT409' using message = 'this job is not held under this lease';
  end if;
  insert into app.job_scope (org_id, job_id, data_source_id, claims)
  values (v_job.org_id, v_job.id, v_job.data_source_id, v_job.session || jsonb_build_object(
    'sub', v_job.user_id, 'org_id', v_job.org_id, 'role', 'authenticated', 'job_id', v_job.id));
  -- From here on this is the requester: the same functions answer what they may, as it is now.
  v_objection := authz.job_objection(v_job);
  if v_objection is null then
    select d.* into v_source from app.data_source d where d.org_id = v_job.org_id and d.id = v_job.data_source_id;
    return jsonb_build_object('outcome', 'begun', 'job_id', v_job.id, 'org_id', v_job.org_id, 'source', v_source.slug,
      'question', v_job.question, 'sql', v_job.sql, 'attempt', v_job.attempts);
  end if;
  if authz.runs_the_queue() then
    perform authz.end_job(v_job.org_id, v_job.id, 'cancelled_revoked', v_objection, null, null);
  end if;
  delete from app.job_scope s where s.xact_id = pg_current_xact_id();
  return jsonb_build_object('outcome', 'revoked', 'job_id', v_job.id, 'code', v_objection);
end
$function$;

ALTER FUNCTION "authz"."begin_job"(uuid, uuid) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.begun_jobs()
  RETURNS SETOF uuid
  LANGUAGE plpgsql
  STABLE
  ROWS 1
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return query
    select s.job_id from app.job_scope s where s.xact_id = pg_current_xact_id_if_assigned();
end
$function$;

CREATE OR REPLACE FUNCTION authz.built_in_roles()
  RETURNS TABLE (
    role       text,
    permission text
  )
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select 'owner', p.name from app.permission p
  union all
  select 'admin', p.name from app.permission p where p.name <> 'organization.manage'
  union all
  select r.role, unnest(r.permissions) from (values
    ('builder', array['members.read', 'documents.read', 'documents.manage', 'bots.run', 'bots.manage', 'orders.place', 'tickets.create',
      'resources.publish', 'tokens.create', 'analytics.run']),
    ('analyst', array['members.read', 'documents.read', 'bots.run', 'orders.read', 'tickets.read', 'usage.read', 'tokens.create', 'analytics.run',
      'analytics.manage']),
    ('agent', array['members.read', 'documents.read', 'bots.run', 'orders.read', 'tickets.create', 'tickets.read', 'tickets.manage', 'tokens.create',
      'analytics.run']),
    ('member', array['documents.read', 'bots.run', 'orders.place', 'tickets.create', 'tokens.create', 'analytics.run']),
    ('auditor', array['members.read', 'bots.run', 'runs.read', 'audit.read', 'usage.read'])
  ) r (role, permissions)
$function$;

CREATE OR REPLACE FUNCTION authz.claims()
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_text text := current_setting('request.jwt.claims', true);
begin
  -- session_user cannot be changed by SQL: a worker or analyst session never takes its identity from a setting, but from the job that
  -- this transaction has begun (DESIGN 6).
  if session_user in ('ringfence_worker', 'ringfence_analyst') then
    return coalesce(authz.job_claims(), '{}');
  end if;
  return case when (v_text is json object) is not true or not pg_input_is_valid(v_text, 'jsonb') then '{}' else v_text::jsonb end;
end
$function$;

CREATE OR REPLACE FUNCTION authz.data_source_named (
  org_id uuid,
  source text
)
  RETURNS app.data_source
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_sources app.data_source[];
begin
  perform authz.require_org(data_source_named.org_id);
  select array_agg(d) into v_sources from app.data_source d
  where d.org_id = data_source_named.org_id and data_source_named.source in (d.slug, d.id::text);
  if v_sources is null then
    raise sqlstate 'PT404' using message = 'no such data source';
  elsif cardinality(v_sources) > 1 then
    raise sqlstate 'PT409' using message = 'several data sources have that name: use the id instead';
  end if;
  return v_sources[1];
end
$function$;

CREATE OR REPLACE FUNCTION authz.denied (
  kind text
)
  RETURNS SETOF uuid
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  ROWS 1
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return query
    select d.id
    from app.deny_rule r, lateral (select case denied.kind
      when 'knowledge_base' then r.knowledge_base_id when 'document' then r.document_id when 'bot' then r.bot_id when 'data_source' then r.data_source_id end as id) d
    where d.id is not null
      -- The policy shows the owner role more than this: what a replacing document inherits.
      and (r.user_id = (select authz.uid()) or r.team_id = any (array(select authz.team_ids())) or r.role_id = any (array(select authz.role_ids()))
        or num_nonnulls(r.user_id, r.team_id, r.role_id) = 0
        or r.user_id = any (array(select authz.service_owner_ids())) or r.role_id = any (array(select authz.service_owner_role_ids())));
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
        select jsonb_agg(jsonb_build_object('name', m.name, 'version', m.version, 'description', m.description, 'sql', m.sql, 'sha256', m.sha256) order by m.name)
        from (select distinct on (v.name) v.* from app.metric v where v.org_id = d.org_id and v.data_source_id = d.id order by v.name, v.version desc) m
        where not m.retired), '[]'))
    from app.data_source d
    where d.org_id = describe_source.org_id and d.id = describe_source.data_source_id);
end
$function$;

ALTER FUNCTION "authz"."describe_source"(uuid, uuid) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.end_job (
  org_id        uuid,
  job_id        uuid,
  status        text,
  error_code    text,
  error_message text,
  ran_sql       text
)
  RETURNS boolean
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  -- Once: whoever comes second finds nothing that is running.
  update app.analytics_job j set status = end_job.status, error_code = end_job.error_code, error_message = left(end_job.error_message, 500),
    ran_sql = end_job.ran_sql, ran_sha256 = encode(sha256(convert_to(end_job.ran_sql, 'UTF8')), 'hex')
  where j.org_id = end_job.org_id and j.id = end_job.job_id and j.status = 'running';
  delete from app.job_lease l where l.org_id = end_job.org_id and l.job_id = end_job.job_id;
  return exists (select from app.analytics_job j where j.org_id = end_job.org_id and j.id = end_job.job_id and j.status = end_job.status);
end
$function$;

CREATE OR REPLACE FUNCTION authz.fetch_rows (
  max_rows  integer,
  max_bytes integer
)
  RETURNS TABLE (
    line text,
    more boolean
  )
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_cursor refcursor := 'job_result';
  v_row record;
  v_rows integer := 0;
  v_bytes bigint := 0;
begin
  loop
    fetch v_cursor into v_row;
    exit when not found;
    -- Measured here, so that nothing larger is ever sent: first as it is kept, which costs nothing, then as text.
    v_rows := v_rows + 1;
    line := case when v_rows <= fetch_rows.max_rows and pg_column_size(v_row) <= fetch_rows.max_bytes then (
      -- A list, not an object: two columns may have one name.
      select coalesce(json_agg(c.value), '[]')::text from json_each(row_to_json(v_row)) c) end;
    v_bytes := v_bytes + octet_length(line);
    if line is null or v_bytes > fetch_rows.max_bytes then
      line := null;
      more := true;
      return next;
      return;
    end if;
    more := false;
    return next;
  end loop;
end
$function$;

CREATE OR REPLACE FUNCTION authz.finish_job (
  status        text,
  error_code    text  DEFAULT NULL::text,
  error_message text  DEFAULT NULL::text,
  ran_sql       text  DEFAULT NULL::text,
  result        jsonb DEFAULT NULL::jsonb
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

ALTER FUNCTION "authz"."finish_job"(text, text, text, text, jsonb) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.granted_data_sources (
  level text
)
  RETURNS SETOF uuid
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  ROWS 10
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return query
    select g.data_source_id from app.data_source_grant g
    where g.org_id = any (array(select authz.orgs_with('analytics.run'))) and g.level = any (authz.levels_from(granted_data_sources.level))
      -- What one may do to a source as its editor or owner, an API token may with analytics.manage only (F08).
      and (granted_data_sources.level = 'viewer' or (select authz.in_scope(array['analytics.manage'])))
      and not (g.data_source_id = any (array(select authz.denied('data_source'))));
end
$function$;

ALTER FUNCTION "authz"."granted_data_sources"(text) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.job_answer (
  job app.analytics_job
)
  RETURNS jsonb
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select jsonb_build_object('job_id', job.id, 'source_id', job.data_source_id,
    'source', (select d.slug from app.data_source d where d.org_id = job.org_id and d.id = job.data_source_id),
    'status', job.status, 'question', job.question, 'sql', coalesce(job.ran_sql, job.sql), 'sql_sha256', coalesce(job.ran_sha256, job.sql_sha256),
    'run_id', job.run_id, 'bot_id', job.bot_id, 'error_code', job.error_code, 'error_message', job.error_message, 'attempts', job.attempts,
    'created_at', job.created_at, 'started_at', job.started_at, 'finished_at', job.finished_at)
$function$;

CREATE OR REPLACE FUNCTION authz.job_claims()
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return (
    select s.claims from app.job_scope s where s.xact_id = pg_current_xact_id_if_assigned());
end
$function$;

ALTER FUNCTION "authz"."job_claims"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.job_context()
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return (
    select authz.describe_source(s.org_id, s.data_source_id) from app.job_scope s where s.xact_id = pg_current_xact_id_if_assigned());
end
$function$;

ALTER FUNCTION "authz"."job_context"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.job_limits()
  RETURNS TABLE (
    max_rows          integer,
    max_bytes         integer,
    max_seconds       integer,
    max_plan_cost     double precision,
    work_mem_kb       integer,
    lease_seconds     integer,
    max_attempts      integer,
    running_per_org   integer,
    queued_per_person integer,
    result_days       integer
  )
  LANGUAGE sql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select 10000, 4194304, 30, 5000000, 32768, 30, 3, 4, 1000, 30
$function$;

CREATE OR REPLACE FUNCTION authz.job_objection (
  job app.analytics_job
)
  RETURNS text
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return case
    when not authz.person_is_well() then 'person'
    when not job.org_id = any (array(select authz.org_ids())) then 'membership'
    when not job.org_id = any (array(select authz.orgs_with('analytics.run'))) then 'permission'
    when not job.data_source_id = any (array(select authz.granted_data_sources('viewer'))) then 'source'
    when job.bot_id is not null and not exists (
      select from app.bot b
      where b.org_id = job.org_id and b.id = job.bot_id and b.archived_at is null and b.id = any (array(select authz.shared_bots('viewer')))
        and not (b.id = any (array(select authz.denied('bot'))))
        and exists (select from app.bot_binding t where t.org_id = b.org_id and t.bot_id = b.id and t.tool = 'ask_data')
        and exists (select from app.bot_binding t where t.org_id = b.org_id and t.bot_id = b.id and t.data_source_id = job.data_source_id)
        and not exists (select from authz.denied_tools() d where d.org_id = b.org_id and d.tool = 'ask_data')) then 'bot'
    end;
end
$function$;

CREATE OR REPLACE FUNCTION authz.job_orgs (
  relation text
)
  RETURNS SETOF uuid
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  ROWS 1
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return query
    select s.org_id from app.job_scope s join app.data_source d on d.org_id = s.org_id and d.id = s.data_source_id
    where s.xact_id = pg_current_xact_id_if_assigned() and job_orgs.relation = any (d.relations) and s.org_id = any (array(select authz.org_ids()));
end
$function$;

ALTER FUNCTION "authz"."job_orgs"(text) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.job_tables()
  RETURNS SETOF uuid
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  ROWS 10
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return query
    select t.id from app.job_scope s join app.uploaded_table t on t.org_id = s.org_id and t.data_source_id = s.data_source_id
    where s.xact_id = pg_current_xact_id_if_assigned() and s.data_source_id = any (array(select authz.granted_data_sources('viewer')));
end
$function$;

ALTER FUNCTION "authz"."job_tables"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.loading_table (
  org_id   uuid,
  table_id uuid
)
  RETURNS app.uploaded_table
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_table app.uploaded_table;
begin
  perform authz.require_org(loading_table.org_id);
  select t.* into v_table from app.uploaded_table t
  where t.org_id = loading_table.org_id and t.id = loading_table.table_id and t.created_by = authz.uid() and t.state = 'loading' for update;
  if not found then
    raise sqlstate 'PT404' using message = 'no such table that you are loading';
  end if;
  return v_table;
end
$function$;

CREATE OR REPLACE FUNCTION authz.next_job (
  worker text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_limits record;
  v_org uuid;
  v_job uuid;
  v_lease uuid := gen_random_uuid();
begin
  select * into v_limits from authz.job_limits();
  perform authz.recover_jobs();
  -- Who has least running comes first, then who was not served for longest: nobody waits behind somebody else's queue.
  for v_org in
    select w.org_id from authz.waiting_orgs() w where w.running < v_limits.running_per_org
    order by w.running, w.served_at nulls first, w.org_id
  loop
    select j.id into v_job from app.analytics_job j
    where j.org_id = v_org and j.status = 'queued' order by j.created_at, j.id limit 1 for update skip locked;
    if found and authz.take_place(v_org, v_job, v_lease, next_job.worker) then
      update app.analytics_job j set status = 'running', attempts = j.attempts + 1, started_at = clock_timestamp()
      where j.org_id = v_org and j.id = v_job;
      return authz.begin_job(v_job, v_lease) || jsonb_build_object('lease', v_lease);
    end if;
  end loop;
  return null;
end
$function$;

ALTER FUNCTION "authz"."next_job"(text) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.open_query (
  query text
)
  RETURNS text
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_cursor refcursor := 'job_result';
begin
  -- As a parameter: pg_stat_activity shows every analyst what other analysts run, and there stands this call.
  open v_cursor no scroll for execute open_query.query;
  return v_cursor;
end
$function$;

CREATE OR REPLACE FUNCTION authz.permission_bit (
  permission text
)
  RETURNS bigint
  LANGUAGE plpgsql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  -- For good: a new one goes to the end. Not a column of the registry: the helpers of the policies would have to read it each time.
  return 1::bigint << array_position(array[
      'organization.manage', 'members.read', 'members.manage', 'documents.read', 'documents.manage', 'bots.run', 'bots.manage',
      'orders.place', 'orders.read', 'tickets.create', 'tickets.read', 'tickets.manage', 'runs.read', 'audit.read',
      'roles.manage', 'teams.manage', 'rules.manage', 'resources.publish', 'documents.read_confidential', 'documents.read_secret',
      'tokens.create', 'usage.read', 'members.deprovision', 'analytics.run', 'analytics.manage'],
    permission_bit.permission) - 1;
end
$function$;

CREATE OR REPLACE FUNCTION authz.person_is_well()
  RETURNS boolean
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
BEGIN ATOMIC
 SELECT (EXISTS ( SELECT
            FROM auth.users u
           WHERE
             ((u.id = ( SELECT authz.uid() AS uid)) AND (u.deleted_at IS NULL) AND ((u.banned_until IS NULL) OR (u.banned_until <= now())) AND (NOT COALESCE(u.is_anonymous,
             false)))))
  AS "exists";
END;

ALTER FUNCTION "authz"."person_is_well"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.recover_jobs()
  RETURNS integer
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_lost record;
  v_count integer := 0;
begin
  for v_lost in
    select l.org_id, l.job_id from app.job_lease l where l.expires_at <= clock_timestamp() order by l.expires_at limit 100 for update skip locked
  loop
    delete from app.job_lease l where l.org_id = v_lost.org_id and l.job_id = v_lost.job_id;
    update app.analytics_job j set
      status = case when j.attempts >= l.max_attempts then 'failed' else 'queued' end,
      error_code = case when j.attempts >= l.max_attempts then 'worker_lost' end,
      error_message = case when j.attempts >= l.max_attempts then 'every worker that began it was lost before it ended' end
    from authz.job_limits() l
    where j.org_id = v_lost.org_id and j.id = v_lost.job_id and j.status = 'running';
    v_count := v_count + 1;
  end loop;
  -- Whoever looks for work also takes out what has expired, a little at a time.
  delete from app.analytics_result r
  where (r.org_id, r.job_id) in (select o.org_id, o.job_id from app.analytics_result o where o.expires_at <= now() order by o.expires_at limit 100);
  return v_count;
end
$function$;

ALTER FUNCTION "authz"."recover_jobs"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.rehearse_job()
  RETURNS void
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_nobody jsonb := jsonb_build_object('sub', gen_random_uuid(), 'org_id', gen_random_uuid(), 'role', 'authenticated', 'job_id', gen_random_uuid());
begin
  if exists (select authz.begun_jobs()) then
    raise sqlstate '55000' using message = 'this transaction has begun a job: one transaction, one job';
  end if;
  insert into app.job_scope (org_id, job_id, data_source_id, claims)
  values ((v_nobody ->> 'org_id')::uuid, (v_nobody ->> 'job_id')::uuid, gen_random_uuid(), v_nobody);
  -- Made ready now, so that a session that is new when a job comes has its plans.
  perform authz.person_is_well(), (select count(*) from authz.org_ids()), (select count(*) from authz.granted_data_sources('viewer'));
end
$function$;

ALTER FUNCTION "authz"."rehearse_job"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.release_job (
  job_id uuid,
  lease  uuid,
  counts boolean DEFAULT true
)
  RETURNS boolean
  LANGUAGE sql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  -- A worker that was told to stop is no attempt of the job's.
  update app.analytics_job j set attempts = j.attempts - 1
  from app.job_lease l where not release_job.counts and l.job_id = release_job.job_id and l.lease = release_job.lease and j.org_id = l.org_id and j.id = l.job_id;
  update app.job_lease l set expires_at = clock_timestamp() where l.job_id = release_job.job_id and l.lease = release_job.lease;
  select authz.recover_jobs() > 0
$function$;

ALTER FUNCTION "authz"."release_job"(uuid, uuid, boolean) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.renew_job (
  job_id uuid,
  lease  uuid
)
  RETURNS boolean
  LANGUAGE sql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  update app.job_lease l set expires_at = clock_timestamp() + make_interval(secs => m.lease_seconds)
  from authz.job_limits() m, app.analytics_job j
  where l.job_id = renew_job.job_id and l.lease = renew_job.lease and l.expires_at > clock_timestamp()
    and j.org_id = l.org_id and j.id = l.job_id and j.status = 'running'
  returning true
$function$;

ALTER FUNCTION "authz"."renew_job"(uuid, uuid) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.runs_the_queue()
  RETURNS boolean
  LANGUAGE plpgsql
  STABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return session_user = 'ringfence_worker';
end
$function$;

CREATE OR REPLACE FUNCTION authz.shared_results()
  RETURNS SETOF uuid
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  ROWS 10
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return query
    select g.job_id from app.analytics_result_grant g where g.org_id = any (array(select authz.orgs_with('analytics.run')));
end
$function$;

ALTER FUNCTION "authz"."shared_results"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.submit_job (
  org_id          uuid,
  source          text,
  question        text,
  sql             text,
  idempotency_key text,
  run_id          uuid DEFAULT NULL::uuid,
  bot_id          uuid DEFAULT NULL::uuid
)
  RETURNS app.analytics_job
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
declare
  v_source app.data_source := authz.data_source_named(submit_job.org_id, submit_job.source);
  v_job app.analytics_job;
begin
  perform authz.require(num_nonnulls(submit_job.question, submit_job.sql) = 1, 'name one of question and sql');
  if v_source.id = any (array(select authz.granted_data_sources('viewer'))) is not true then
    raise sqlstate '42501' using message = 'this data source is not shared with you: whoever owns it may';
  end if;
  select j.* into v_job from app.analytics_job j
  where j.org_id = submit_job.org_id and j.user_id = authz.uid() and j.idempotency_key = submit_job.idempotency_key;
  if not found then
    if (select count(*) from app.analytics_job j where j.org_id = submit_job.org_id and j.user_id = authz.uid() and j.status = 'queued')
      >= (select l.queued_per_person from authz.job_limits() l)
    then
      raise sqlstate 'PT429' using message = 'too many of your jobs wait: let some end, or cancel them';
    end if;
    begin
      insert into app.analytics_job (org_id, data_source_id, bot_id, run_id, question, sql, idempotency_key)
      values (submit_job.org_id, v_source.id, submit_job.bot_id, submit_job.run_id, submit_job.question, submit_job.sql, submit_job.idempotency_key)
      returning * into v_job;
    exception when unique_violation then
      -- Side by side: the other one was first.
      select j.* into v_job from app.analytics_job j
      where j.org_id = submit_job.org_id and j.user_id = authz.uid() and j.idempotency_key = submit_job.idempotency_key;
    end;
  end if;
  if (v_job.data_source_id, v_job.question, v_job.sql) is distinct from (v_source.id, submit_job.question, submit_job.sql) then
    raise sqlstate 'PT409' using message = 'that idempotency key was used for another job';
  end if;
  return v_job;
end
$function$;

CREATE OR REPLACE FUNCTION authz.take_place (
  org_id uuid,
  job_id uuid,
  lease  uuid,
  worker text
)
  RETURNS boolean
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET lock_timeout TO '200ms'
  AS $function$
declare
  v_limits record;
  v_taken boolean;
begin
  select * into v_limits from authz.job_limits();
  for v_place in 1..v_limits.running_per_org loop
    -- Whoever finds another about to take the same place waits for that one to be done: the key counts, whatever both have seen.
    insert into app.job_lease (org_id, job_id, lease, worker, place, expires_at)
    values (take_place.org_id, take_place.job_id, take_place.lease, take_place.worker, v_place, clock_timestamp() + make_interval(secs => v_limits.lease_seconds))
    on conflict on constraint job_lease_place_key do nothing returning true into v_taken;
    if v_taken then
      return true;
    end if;
  end loop;
  return false;
exception when lock_not_available then
  -- Not done for long: nobody waits for a worker that hangs.
  return false;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_audit()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_old jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  v_row jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) else v_old end;
begin
  perform authz.record_event(
    org_id => coalesce(v_row ->> 'org_id', v_row ->> 'id')::uuid,
    action => tg_table_name || '.' || lower(tg_op),
    object_id => coalesce(v_row ->> 'id', v_row ->> 'user_id', (v_row ->> 'role_id') || ' ' || (v_row ->> 'permission'),
      (v_row ->> 'data_source_id') || ' ' || (v_row ->> 'relation') || ' ' || (v_row ->> 'column_name')),
    run_id => case when tg_table_name = 'run' then v_row ->> 'id' else v_row ->> 'run_id' end::uuid,
    bot_id => case when tg_table_name = 'bot' then v_row ->> 'id' else v_row ->> 'bot_id' end::uuid,
    bot_version => case when tg_table_name = 'bot' then v_row ->> 'version' else v_row ->> 'bot_version' end::integer,
    changed => case when tg_op = 'UPDATE' then array(
      select n.key from jsonb_each(v_row) n where v_old -> n.key is distinct from n.value order by n.key) else '{}' end);
  return case when tg_op = 'DELETE' then old else new end;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_data_source_owner()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  -- A row and not a rule about created_by: it can be withdrawn, and goes with the membership. An operator's insert is nobody's.
  if new.created_by = authz.uid() then
    insert into app.data_source_grant (org_id, data_source_id, user_id, level) values (new.org_id, new.id, new.created_by, 'owner');
  end if;
  return null;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_job_end()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  -- How a job ended is the worker's to say.
  if row_security_active('app.analytics_job') and current_user <> 'ringfence_owner' and new.status <> 'cancelled' then
    raise sqlstate '42501' using message = 'you can cancel a job, and nothing else';
  end if;
  new.finished_at := case when new.status not in ('queued', 'running') then clock_timestamp() end;
  return new;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_job_notify()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  -- Without a word: whoever listens learns that there is something to look at, and nothing else.
  notify ringfence_jobs;
  return null;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_job_scope_over()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  delete from app.job_scope s where s.xact_id = pg_current_xact_id();
  return null;
end
$function$;

ALTER FUNCTION "authz"."tg_job_scope_over"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.tg_job_session()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  new.session := jsonb_strip_nulls(jsonb_build_object('aal', authz.claims() ->> 'aal', 'session_id', authz.session_id(), 'client_id', left(authz.claims() ->> 'client_id', 100)));
  new.sql_sha256 := encode(sha256(convert_to(new.sql, 'UTF8')), 'hex');
  return new;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_metric()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  new.sha256 := encode(sha256(convert_to(new.sql, 'UTF8')), 'hex');
  return new;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_uploaded_rows()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_wrong record;
  v_limits record;
begin
  -- SQL that reads a table casts its values: one that is not of its type would make every question about the table fail.
  select n.position, c.value ->> 'name' as name, c.value ->> 'type' as type into v_wrong
  from added n join app.uploaded_table t on t.org_id = n.org_id and t.id = n.table_id
  cross join jsonb_array_elements(t.columns) c
  where not pg_input_is_valid(n.data ->> (c.value ->> 'name'), c.value ->> 'type')
  limit 1;
  if found then
    raise sqlstate '22023' using message = format('row %s, column %s: not a %s', v_wrong.position, v_wrong.name, v_wrong.type);
  end if;
  update app.uploaded_table t set row_count = t.row_count + n.rows, byte_count = t.byte_count + n.bytes
  from (select a.org_id, a.table_id, count(*) as rows, sum(octet_length(a.data::text)) as bytes from added a group by 1, 2) n
  where t.org_id = n.org_id and t.id = n.table_id;
  select * into v_limits from authz.upload_limits();
  if exists (select from added n join app.uploaded_table t on t.org_id = n.org_id and t.id = n.table_id
    where t.row_count > v_limits.rows_per_table or t.byte_count > v_limits.bytes_per_table)
  then
    raise sqlstate 'PT429' using message = format('a table holds at most %s rows and %s bytes', v_limits.rows_per_table, v_limits.bytes_per_table);
  end if;
  return null;
end
$function$;

CREATE OR REPLACE FUNCTION authz.upload_limits()
  RETURNS TABLE (
    rows_per_table    integer,
    bytes_per_table   bigint,
    tables_per_source integer,
    rows_per_call     integer,
    columns           integer
  )
  LANGUAGE sql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select 200000, 67108864::bigint, 50, 5000, 200
$function$;

CREATE OR REPLACE FUNCTION authz.waiting_orgs()
  RETURNS TABLE (
    org_id    uuid,
    running   bigint,
    served_at timestamp with time zone
  )
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  -- One step through the index for each organization that waits, not one for each job: somebody's 10,000 jobs cost the others nothing.
  with recursive waiting as (
    (select j.org_id from app.analytics_job j where j.status = 'queued' order by j.org_id limit 1)
    union all
    select (select j.org_id from app.analytics_job j where j.status = 'queued' and j.org_id > w.org_id order by j.org_id limit 1)
    from waiting w where w.org_id is not null
  )
  select w.org_id,
    (select count(*) from app.job_lease l where l.org_id = w.org_id),
    (select j.started_at from app.analytics_job j where j.org_id = w.org_id and j.started_at is not null order by j.started_at desc limit 1)
  from waiting w where w.org_id is not null
$function$;

CREATE OR REPLACE FUNCTION authz.works_the_queue()
  RETURNS boolean
  LANGUAGE plpgsql
  STABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return session_user in ('ringfence_worker', 'ringfence_analyst');
end
$function$;

ALTER TABLE "app"."analytics_job"
  ADD CONSTRAINT "analytics_job_bot_id_fkey" FOREIGN KEY (org_id, bot_id) REFERENCES app.bot(org_id, id);

ALTER TABLE "app"."analytics_job"
  ADD CONSTRAINT "analytics_job_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."analytics_result"
  ADD CONSTRAINT "analytics_result_job_id_fkey" FOREIGN KEY (org_id, job_id) REFERENCES app.analytics_job(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."analytics_result"
  ADD CONSTRAINT "analytics_result_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."analytics_result_grant"
  ADD CONSTRAINT "analytics_result_grant_job_id_fkey" FOREIGN KEY (org_id, job_id) REFERENCES app.analytics_result(org_id, job_id) ON DELETE CASCADE;

ALTER TABLE "app"."analytics_result_grant"
  ADD CONSTRAINT "analytics_result_grant_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."analytics_result_grant"
  ADD CONSTRAINT "analytics_result_grant_team_id_fkey" FOREIGN KEY (org_id, team_id) REFERENCES app.team(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."analytics_result_grant"
  ADD CONSTRAINT "analytics_result_grant_user_id_fkey" FOREIGN KEY (org_id, user_id) REFERENCES app.membership(org_id, user_id) ON DELETE CASCADE;

ALTER TABLE "app"."bot_binding"
  ADD CONSTRAINT "bot_binding_one_target_check" CHECK ((num_nonnulls(knowledge_base_id, data_source_id, tool) = 1));

ALTER TABLE "app"."bot_binding"
  ADD CONSTRAINT "bot_binding_target_key" UNIQUE NULLS NOT DISTINCT (org_id, bot_id, knowledge_base_id, data_source_id, tool);

ALTER TABLE "app"."column_meaning"
  ADD CONSTRAINT "column_meaning_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."data_source"
  ADD CONSTRAINT "data_source_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."analytics_job"
  ADD CONSTRAINT "analytics_job_data_source_id_fkey" FOREIGN KEY (org_id, data_source_id) REFERENCES app.data_source(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."bot_binding"
  ADD CONSTRAINT "bot_binding_data_source_id_fkey" FOREIGN KEY (org_id, data_source_id) REFERENCES app.data_source(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."column_meaning"
  ADD CONSTRAINT "column_meaning_data_source_id_fkey" FOREIGN KEY (org_id, data_source_id) REFERENCES app.data_source(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."data_source_grant"
  ADD CONSTRAINT "data_source_grant_data_source_id_fkey" FOREIGN KEY (org_id, data_source_id) REFERENCES app.data_source(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."data_source_grant"
  ADD CONSTRAINT "data_source_grant_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."data_source_grant"
  ADD CONSTRAINT "data_source_grant_role_id_fkey" FOREIGN KEY (org_id, role_id) REFERENCES app.role(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."data_source_grant"
  ADD CONSTRAINT "data_source_grant_team_id_fkey" FOREIGN KEY (org_id, team_id) REFERENCES app.team(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."data_source_grant"
  ADD CONSTRAINT "data_source_grant_user_id_fkey" FOREIGN KEY (org_id, user_id) REFERENCES app.membership(org_id, user_id) ON DELETE CASCADE;

ALTER TABLE "app"."deny_rule"
  ADD CONSTRAINT "deny_rule_data_source_id_fkey" FOREIGN KEY (org_id, data_source_id) REFERENCES app.data_source(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."deny_rule"
  ADD CONSTRAINT "deny_rule_key" UNIQUE NULLS NOT DISTINCT (org_id, user_id, team_id, role_id, knowledge_base_id, document_id, bot_id, data_source_id, tool);

ALTER TABLE "app"."deny_rule"
  ADD CONSTRAINT "deny_rule_one_object_check" CHECK ((num_nonnulls(knowledge_base_id, document_id, bot_id, data_source_id, tool) = 1));

ALTER TABLE "app"."job_lease"
  ADD CONSTRAINT "job_lease_job_id_fkey" FOREIGN KEY (org_id, job_id) REFERENCES app.analytics_job(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."job_lease"
  ADD CONSTRAINT "job_lease_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."job_scope"
  ADD CONSTRAINT "job_scope_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE "app"."metric"
  ADD CONSTRAINT "metric_data_source_id_fkey" FOREIGN KEY (org_id, data_source_id) REFERENCES app.data_source(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."metric"
  ADD CONSTRAINT "metric_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."uploaded_row"
  ADD CONSTRAINT "uploaded_row_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."uploaded_table"
  ADD CONSTRAINT "uploaded_table_data_source_id_fkey" FOREIGN KEY (org_id, data_source_id) REFERENCES app.data_source(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."uploaded_table"
  ADD CONSTRAINT "uploaded_table_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."uploaded_row"
  ADD CONSTRAINT "uploaded_row_table_id_fkey" FOREIGN KEY (org_id, table_id) REFERENCES app.uploaded_table(org_id, id) ON DELETE CASCADE;

CREATE VIEW "source"."conversations" WITH (security_invoker=true) AS  SELECT id,
    bot_id,
    title,
    created_at AS started_at
   FROM app.conversation c;

CREATE VIEW "source"."orders" WITH (security_invoker=true) AS  SELECT id,
    user_id AS customer_id,
    order_number,
    status,
    total_cents,
    currency,
    placed_at
   FROM app.customer_order o;

CREATE VIEW "source"."tickets" WITH (security_invoker=true) AS  SELECT id,
    user_id AS customer_id,
    order_id,
    subject,
    status,
    created_at
   FROM app.support_ticket t;

CREATE VIEW "source"."uploaded" WITH (security_invoker=true) AS  SELECT table_id,
    "position",
    data
   FROM app.uploaded_row r;

CREATE VIEW "source"."usage" WITH (security_invoker=true) AS  SELECT on_day,
    measure,
    amount
   FROM app.usage_entry u;

CREATE INDEX analytics_job_org_id_queued_idx ON app.analytics_job USING btree (org_id, created_at, id)
  WHERE (status = 'queued'::text);

CREATE INDEX analytics_job_org_id_started_at_idx ON app.analytics_job USING btree (org_id, started_at DESC)
  WHERE (started_at IS NOT NULL);

CREATE INDEX analytics_result_expires_at_idx ON app.analytics_result USING btree (expires_at);

CREATE INDEX data_source_org_id_slug_idx ON app.data_source USING btree (org_id, slug);

CREATE INDEX job_lease_expires_at_idx ON app.job_lease USING btree (expires_at);

CREATE INDEX uploaded_table_org_id_data_source_id_idx ON app.uploaded_table USING btree (org_id, data_source_id);

CREATE TRIGGER _100_session
  BEFORE INSERT ON app.analytics_job
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_job_session();

CREATE TRIGGER _200_end
  BEFORE UPDATE ON app.analytics_job
  FOR EACH ROW
  WHEN ((old.status IS DISTINCT FROM new.status))
  EXECUTE FUNCTION authz.tg_job_end();

CREATE TRIGGER _700_notify
  AFTER INSERT OR UPDATE OF status ON app.analytics_job
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_job_notify();

CREATE TRIGGER _900_audit
  AFTER INSERT OR DELETE ON app.analytics_job
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _905_audit
  AFTER UPDATE ON app.analytics_job
  FOR EACH ROW
  WHEN ((new.status <> ALL (ARRAY['queued'::text, 'running'::text])))
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _900_audit
  AFTER INSERT OR DELETE ON app.analytics_result_grant
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _060_in_scope
  BEFORE INSERT OR DELETE OR UPDATE ON app.column_meaning
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_scope('analytics.manage');

CREATE TRIGGER _900_audit
  AFTER INSERT OR DELETE OR UPDATE ON app.column_meaning
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _060_in_scope
  BEFORE INSERT OR DELETE OR UPDATE ON app.data_source
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_scope('analytics.manage');

CREATE TRIGGER _600_owner
  AFTER INSERT ON app.data_source
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_data_source_owner();

CREATE TRIGGER _900_audit
  AFTER INSERT OR DELETE OR UPDATE ON app.data_source
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _060_in_scope
  BEFORE INSERT OR DELETE OR UPDATE ON app.data_source_grant
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_scope('analytics.manage');

CREATE TRIGGER _900_audit
  AFTER INSERT OR DELETE OR UPDATE ON app.data_source_grant
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE CONSTRAINT TRIGGER _900_over
  AFTER INSERT ON app.job_scope DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_job_scope_over();

CREATE TRIGGER _060_in_scope
  BEFORE INSERT ON app.metric
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_scope('analytics.manage');

CREATE TRIGGER _100_hash
  BEFORE INSERT ON app.metric
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_metric();

CREATE TRIGGER _900_audit
  AFTER INSERT ON app.metric
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _060_in_scope
  BEFORE INSERT ON app.uploaded_row
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_scope('analytics.manage');

CREATE TRIGGER _500_rows
  AFTER INSERT ON app.uploaded_row REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_uploaded_rows();

CREATE TRIGGER _060_in_scope
  BEFORE INSERT OR DELETE OR UPDATE ON app.uploaded_table
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_scope('analytics.manage');

CREATE TRIGGER _900_audit
  AFTER INSERT OR DELETE ON app.uploaded_table
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _905_audit
  AFTER UPDATE ON app.uploaded_table
  FOR EACH ROW
  WHEN ((old.state IS DISTINCT FROM new.state))
  EXECUTE FUNCTION authz.tg_audit();

CREATE POLICY "analytics_job_delete_nobody" ON "app"."analytics_job"
  FOR DELETE
  TO "authenticated"
  USING (false);

CREATE POLICY "analytics_job_floor" ON "app"."analytics_job"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "analytics_job_scope_floor" ON "app"."analytics_job"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING (( SELECT authz.in_scope(ARRAY['analytics.run'::text]) AS in_scope))
  WITH CHECK (( SELECT authz.in_scope(ARRAY['analytics.run'::text]) AS in_scope));

CREATE POLICY "analytics_job_select_queue_owner" ON "app"."analytics_job"
  FOR SELECT
  TO "ringfence_owner"
  USING (( SELECT authz.works_the_queue() AS works_the_queue));

CREATE POLICY "analytics_job_update_queue_owner" ON "app"."analytics_job"
  FOR UPDATE
  TO "ringfence_owner"
  USING ((( SELECT authz.runs_the_queue() AS runs_the_queue) AND (status = ANY (ARRAY['queued'::text, 'running'::text]))))
  WITH CHECK (( SELECT authz.runs_the_queue() AS runs_the_queue));

CREATE POLICY "analytics_result_delete_nobody" ON "app"."analytics_result"
  FOR DELETE
  TO "authenticated"
  USING (false);

CREATE POLICY "analytics_result_delete_over_owner" ON "app"."analytics_result"
  FOR DELETE
  TO "ringfence_owner"
  USING ((( SELECT authz.runs_the_queue() AS runs_the_queue) AND (expires_at <= now())));

CREATE POLICY "analytics_result_denied_floor" ON "app"."analytics_result"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((NOT (data_source_id = ANY (ARRAY( SELECT authz.denied('data_source'::text) AS denied)))))
  WITH CHECK ((NOT (data_source_id = ANY (ARRAY( SELECT authz.denied('data_source'::text) AS denied)))));

CREATE POLICY "analytics_result_floor" ON "app"."analytics_result"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "analytics_result_insert_job_owner" ON "app"."analytics_result"
  FOR INSERT
  TO "ringfence_owner"
  WITH CHECK (((user_id = ( SELECT authz.uid() AS uid)) AND (job_id = ANY (ARRAY( SELECT authz.begun_jobs() AS begun_jobs)))));

CREATE POLICY "analytics_result_insert_nobody" ON "app"."analytics_result"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (false);

CREATE POLICY "analytics_result_select_over_owner" ON "app"."analytics_result"
  FOR SELECT
  TO "ringfence_owner"
  USING ((( SELECT authz.runs_the_queue() AS runs_the_queue) AND (expires_at <= now())));

CREATE POLICY "analytics_result_select_reader" ON "app"."analytics_result"
  FOR SELECT
  TO "authenticated"
  USING
    (((expires_at > now()) AND ((job_id = ANY (ARRAY( SELECT authz.shared_results() AS shared_results))) OR ((user_id = ( SELECT authz.uid() AS uid)) AND (data_source_id = ANY
    (ARRAY( SELECT authz.granted_data_sources('viewer'::text) AS granted_data_sources)))))));

CREATE POLICY "analytics_result_update_nobody" ON "app"."analytics_result"
  FOR UPDATE
  TO "authenticated"
  USING (false)
  WITH CHECK (false);

CREATE POLICY "analytics_result_grant_floor" ON "app"."analytics_result_grant"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "analytics_result_grant_scope_floor" ON "app"."analytics_result_grant"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING (( SELECT authz.in_scope(ARRAY['analytics.run'::text]) AS in_scope))
  WITH CHECK (( SELECT authz.in_scope(ARRAY['analytics.run'::text]) AS in_scope));

CREATE POLICY "analytics_result_grant_select_self_owner" ON "app"."analytics_result_grant"
  FOR SELECT
  TO "ringfence_owner"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))) AND ((user_id = ( SELECT authz.uid() AS uid)) OR (team_id = ANY (ARRAY( SELECT authz.team_ids() AS team_ids))) OR
    (num_nonnulls(user_id, team_id) = 0))));

CREATE POLICY "analytics_result_grant_update_nobody" ON "app"."analytics_result_grant"
  FOR UPDATE
  TO "authenticated"
  USING (false)
  WITH CHECK (false);

CREATE POLICY "bot_select_job_owner" ON "app"."bot"
  FOR SELECT
  TO "ringfence_owner"
  USING ((( SELECT authz.works_the_queue() AS works_the_queue) AND (id = ANY (ARRAY( SELECT authz.shared_bots('viewer'::text) AS shared_bots)))));

CREATE POLICY "bot_binding_insert_editor" ON "app"."bot_binding"
  FOR INSERT
  TO "authenticated"
  WITH
    CHECK
    ((((org_id = ANY (ARRAY( SELECT authz.orgs_with('bots.manage'::text) AS orgs_with))) OR (bot_id = ANY (ARRAY( SELECT authz.shared_bots('editor'::text) AS shared_bots)))) AND
    ((knowledge_base_id IS NULL) OR (knowledge_base_id = ANY (ARRAY( SELECT k.id
   FROM app.knowledge_base k)))) AND ((data_source_id IS NULL) OR (data_source_id = ANY (ARRAY( SELECT s.id
   FROM app.data_source s))))));

CREATE POLICY "bot_binding_select_job_owner" ON "app"."bot_binding"
  FOR SELECT
  TO "ringfence_owner"
  USING ((( SELECT authz.works_the_queue() AS works_the_queue) AND (bot_id = ANY (ARRAY( SELECT authz.shared_bots('viewer'::text) AS shared_bots)))));

CREATE POLICY "column_meaning_delete_editor" ON "app"."column_meaning"
  FOR DELETE
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('editor'::text) AS
    granted_data_sources)))));

CREATE POLICY "column_meaning_denied_floor" ON "app"."column_meaning"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((NOT (data_source_id = ANY (ARRAY( SELECT authz.denied('data_source'::text) AS denied)))))
  WITH CHECK ((NOT (data_source_id = ANY (ARRAY( SELECT authz.denied('data_source'::text) AS denied)))));

CREATE POLICY "column_meaning_floor" ON "app"."column_meaning"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "column_meaning_insert_editor" ON "app"."column_meaning"
  FOR INSERT
  TO "authenticated"
  WITH
    CHECK
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('editor'::text) AS
    granted_data_sources)))));

CREATE POLICY "column_meaning_select_described_owner" ON "app"."column_meaning"
  FOR SELECT
  TO "ringfence_owner"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "column_meaning_select_viewer" ON "app"."column_meaning"
  FOR SELECT
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('viewer'::text) AS
    granted_data_sources)))));

CREATE POLICY "column_meaning_update_editor" ON "app"."column_meaning"
  FOR UPDATE
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('editor'::text) AS
    granted_data_sources)))))
  WITH
    CHECK
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('editor'::text) AS
    granted_data_sources)))));

CREATE POLICY "conversation_analyst_floor" ON "app"."conversation"
  AS RESTRICTIVE
  FOR SELECT
  TO "ringfence_analyst"
  USING (((org_id = ANY (ARRAY( SELECT authz.job_orgs('conversations'::text) AS job_orgs))) AND ( SELECT authz.in_scope(ARRAY['bots.run'::text]) AS in_scope)));

CREATE POLICY "conversation_select_analyst" ON "app"."conversation"
  FOR SELECT
  TO "ringfence_analyst"
  USING ((user_id = ( SELECT authz.uid() AS uid)));

CREATE POLICY "customer_order_analyst_floor" ON "app"."customer_order"
  AS RESTRICTIVE
  FOR SELECT
  TO "ringfence_analyst"
  USING (((org_id = ANY (ARRAY( SELECT authz.job_orgs('orders'::text) AS job_orgs))) AND ( SELECT authz.in_scope(ARRAY['orders.place'::text, 'orders.read'::text]) AS in_scope)));

CREATE POLICY "customer_order_select_analyst" ON "app"."customer_order"
  FOR SELECT
  TO "ringfence_analyst"
  USING (((user_id = ( SELECT authz.uid() AS uid)) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('orders.read'::text) AS orgs_with)))));

CREATE POLICY "data_source_delete_owner" ON "app"."data_source"
  FOR DELETE
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (id = ANY (ARRAY( SELECT authz.granted_data_sources('owner'::text) AS
    granted_data_sources)))));

CREATE POLICY "data_source_denied_floor" ON "app"."data_source"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((NOT (id = ANY (ARRAY( SELECT authz.denied('data_source'::text) AS denied)))))
  WITH CHECK ((NOT (id = ANY (ARRAY( SELECT authz.denied('data_source'::text) AS denied)))));

CREATE POLICY "data_source_floor" ON "app"."data_source"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "data_source_select_asked_owner" ON "app"."data_source"
  FOR SELECT
  TO "ringfence_owner"
  USING ((id = ANY (ARRAY( SELECT authz.granted_data_sources('viewer'::text) AS granted_data_sources))));

CREATE POLICY "data_source_select_viewer" ON "app"."data_source"
  FOR SELECT
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (id = ANY (ARRAY( SELECT authz.granted_data_sources('viewer'::text) AS
    granted_data_sources)))));

CREATE POLICY "data_source_update_editor" ON "app"."data_source"
  FOR UPDATE
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (id = ANY (ARRAY( SELECT authz.granted_data_sources('editor'::text) AS
    granted_data_sources)))))
  WITH
    CHECK
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (id = ANY (ARRAY( SELECT authz.granted_data_sources('editor'::text) AS
    granted_data_sources)))));

CREATE POLICY "data_source_grant_delete_owner" ON "app"."data_source_grant"
  FOR DELETE
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('owner'::text) AS
    granted_data_sources)))));

CREATE POLICY "data_source_grant_denied_floor" ON "app"."data_source_grant"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((NOT (data_source_id = ANY (ARRAY( SELECT authz.denied('data_source'::text) AS denied)))))
  WITH CHECK ((NOT (data_source_id = ANY (ARRAY( SELECT authz.denied('data_source'::text) AS denied)))));

CREATE POLICY "data_source_grant_floor" ON "app"."data_source_grant"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "data_source_grant_insert_owner" ON "app"."data_source_grant"
  FOR INSERT
  TO "authenticated"
  WITH
    CHECK
    ((((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('owner'::text) AS
    granted_data_sources)))) AND ((num_nonnulls(user_id, team_id) = 1) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('resources.publish'::text) AS orgs_with))))));

CREATE POLICY "data_source_grant_select_concerned" ON "app"."data_source_grant"
  FOR SELECT
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('owner'::text) AS
    granted_data_sources))) OR
    ((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.run'::text) AS orgs_with))) AND ((user_id = ( SELECT authz.uid() AS uid)) OR (team_id = ANY (ARRAY( SELECT
    authz.team_ids() AS team_ids))) OR (role_id = ANY (ARRAY( SELECT authz.role_ids() AS role_ids))) OR (num_nonnulls(user_id, team_id, role_id) = 0)))));

CREATE POLICY "data_source_grant_select_self_owner" ON "app"."data_source_grant"
  FOR SELECT
  TO "ringfence_owner"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))) AND ((user_id = ( SELECT authz.uid() AS uid)) OR (team_id = ANY (ARRAY( SELECT authz.team_ids() AS team_ids))) OR
    (role_id = ANY (ARRAY( SELECT authz.role_ids() AS role_ids))) OR (num_nonnulls(user_id, team_id, role_id) = 0))));

CREATE POLICY "data_source_grant_update_nobody" ON "app"."data_source_grant"
  FOR UPDATE
  TO "authenticated"
  USING (false)
  WITH CHECK (false);

CREATE POLICY "job_lease_delete_owner" ON "app"."job_lease"
  FOR DELETE
  TO "ringfence_owner"
  USING (( SELECT authz.runs_the_queue() AS runs_the_queue));

CREATE POLICY "job_lease_floor" ON "app"."job_lease"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "job_lease_insert_owner" ON "app"."job_lease"
  FOR INSERT
  TO "ringfence_owner"
  WITH CHECK (( SELECT authz.runs_the_queue() AS runs_the_queue));

CREATE POLICY "job_lease_select_owner" ON "app"."job_lease"
  FOR SELECT
  TO "ringfence_owner"
  USING (( SELECT authz.works_the_queue() AS works_the_queue));

CREATE POLICY "job_lease_update_owner" ON "app"."job_lease"
  FOR UPDATE
  TO "ringfence_owner"
  USING (( SELECT authz.runs_the_queue() AS runs_the_queue))
  WITH CHECK (( SELECT authz.runs_the_queue() AS runs_the_queue));

CREATE POLICY "job_scope_delete_owner" ON "app"."job_scope"
  FOR DELETE
  TO "ringfence_owner"
  USING ((( SELECT authz.works_the_queue() AS works_the_queue) AND (xact_id = ( SELECT pg_current_xact_id_if_assigned() AS pg_current_xact_id_if_assigned)) AND (began_at = now())));

CREATE POLICY "job_scope_floor" ON "app"."job_scope"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "job_scope_insert_owner" ON "app"."job_scope"
  FOR INSERT
  TO "ringfence_owner"
  WITH
    CHECK
    ((( SELECT authz.works_the_queue() AS works_the_queue) AND (xact_id = ( SELECT pg_current_xact_id_if_assigned() AS pg_current_xact_id_if_assigned)) AND (began_at = now())));

CREATE POLICY "job_scope_select_owner" ON "app"."job_scope"
  FOR SELECT
  TO "ringfence_owner"
  USING ((( SELECT authz.works_the_queue() AS works_the_queue) AND (xact_id = ( SELECT pg_current_xact_id_if_assigned() AS pg_current_xact_id_if_assigned)) AND (began_at = now())));

CREATE POLICY "metric_delete_nobody" ON "app"."metric"
  FOR DELETE
  TO "authenticated"
  USING (false);

CREATE POLICY "metric_denied_floor" ON "app"."metric"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((NOT (data_source_id = ANY (ARRAY( SELECT authz.denied('data_source'::text) AS denied)))))
  WITH CHECK ((NOT (data_source_id = ANY (ARRAY( SELECT authz.denied('data_source'::text) AS denied)))));

CREATE POLICY "metric_floor" ON "app"."metric"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "metric_select_described_owner" ON "app"."metric"
  FOR SELECT
  TO "ringfence_owner"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "metric_select_viewer" ON "app"."metric"
  FOR SELECT
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('viewer'::text) AS
    granted_data_sources)))));

CREATE POLICY "metric_update_nobody" ON "app"."metric"
  FOR UPDATE
  TO "authenticated"
  USING (false)
  WITH CHECK (false);

CREATE POLICY "support_ticket_analyst_floor" ON "app"."support_ticket"
  AS RESTRICTIVE
  FOR SELECT
  TO "ringfence_analyst"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.job_orgs('tickets'::text) AS job_orgs))) AND ( SELECT authz.in_scope(ARRAY['tickets.create'::text, 'tickets.read'::text,
    'tickets.manage'::text]) AS in_scope)));

CREATE POLICY "support_ticket_select_analyst" ON "app"."support_ticket"
  FOR SELECT
  TO "ringfence_analyst"
  USING (((user_id = ( SELECT authz.uid() AS uid)) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('tickets.read'::text) AS orgs_with)))));

CREATE POLICY "uploaded_row_delete_nobody" ON "app"."uploaded_row"
  FOR DELETE
  TO "authenticated"
  USING (false);

CREATE POLICY "uploaded_row_floor" ON "app"."uploaded_row"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "uploaded_row_select_analyst" ON "app"."uploaded_row"
  FOR SELECT
  TO "ringfence_analyst"
  USING ((table_id = ANY (ARRAY( SELECT authz.job_tables() AS job_tables))));

CREATE POLICY "uploaded_row_select_viewer" ON "app"."uploaded_row"
  FOR SELECT
  TO "authenticated"
  USING (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.run'::text) AS orgs_with))) AND (table_id = ANY (ARRAY( SELECT t.id
   FROM app.uploaded_table t)))));

CREATE POLICY "uploaded_row_update_nobody" ON "app"."uploaded_row"
  FOR UPDATE
  TO "authenticated"
  USING (false)
  WITH CHECK (false);

CREATE POLICY "uploaded_table_delete_editor" ON "app"."uploaded_table"
  FOR DELETE
  TO "authenticated"
  USING ((data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('editor'::text) AS granted_data_sources))));

CREATE POLICY "uploaded_table_floor" ON "app"."uploaded_table"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "uploaded_table_select_described_owner" ON "app"."uploaded_table"
  FOR SELECT
  TO "ringfence_owner"
  USING (((state = 'ready'::text) AND (org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids)))));

CREATE POLICY "uploaded_table_select_viewer" ON "app"."uploaded_table"
  FOR SELECT
  TO "authenticated"
  USING
    (((data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('editor'::text) AS granted_data_sources))) OR ((state = 'ready'::text) AND (data_source_id = ANY (ARRAY(
    SELECT authz.granted_data_sources('viewer'::text) AS granted_data_sources))))));

CREATE POLICY "usage_entry_analyst_floor" ON "app"."usage_entry"
  AS RESTRICTIVE
  FOR SELECT
  TO "ringfence_analyst"
  USING ((org_id = ANY (ARRAY( SELECT authz.job_orgs('usage'::text) AS job_orgs))));

CREATE POLICY "usage_entry_select_analyst" ON "app"."usage_entry"
  FOR SELECT
  TO "ringfence_analyst"
  USING ((org_id = ANY (ARRAY( SELECT authz.orgs_with('usage.read'::text) AS orgs_with))));

COMMENT ON COLUMN "app"."analytics_job"."attempts" IS 'How often a worker began it.';

COMMENT ON COLUMN "app"."analytics_job"."bot_id" IS 'The bot whose run asked, or null.';

COMMENT ON COLUMN "app"."analytics_job"."created_at" IS 'When it was handed in.';

COMMENT ON COLUMN "app"."analytics_job"."data_source_id" IS 'What is asked.';

COMMENT ON COLUMN "app"."analytics_job"."error_code" IS 'Why it did not succeed, as a code.';

COMMENT ON COLUMN "app"."analytics_job"."error_message" IS 'As a sentence; at most 500 characters.';

COMMENT ON COLUMN "app"."analytics_job"."finished_at" IS 'When it ended.';

COMMENT ON COLUMN "app"."analytics_job"."id" IS 'Random identifier.';

COMMENT ON COLUMN "app"."analytics_job"."idempotency_key" IS 'Chosen by the caller: the same key again is the same job.';

COMMENT ON COLUMN "app"."analytics_job"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."analytics_job"."question" IS 'The question in words, or null; 1..2000 characters.';

COMMENT ON COLUMN "app"."analytics_job"."ran_sha256" IS 'SHA-256 of the SQL that ran.';

COMMENT ON COLUMN "app"."analytics_job"."ran_sql" IS 'The SQL that ran.';

COMMENT ON COLUMN "app"."analytics_job"."run_id" IS 'The run that asked, or null.';

COMMENT ON COLUMN "app"."analytics_job"."session" IS 'How strong the session was that asked, and what narrows it: {aal, session_id, client_id}. The job gets no more.';

COMMENT ON COLUMN "app"."analytics_job"."sql" IS 'The SQL that was handed in, or null; 1..20000 characters. Only its re-rendered tree runs.';

COMMENT ON COLUMN "app"."analytics_job"."sql_sha256" IS 'SHA-256 of the SQL handed in.';

COMMENT ON COLUMN "app"."analytics_job"."started_at" IS 'When a worker last began it.';

COMMENT ON COLUMN "app"."analytics_job"."status" IS 'queued, running, then once and for all succeeded, failed, refused, cancelled or cancelled_revoked.';

COMMENT ON COLUMN "app"."analytics_result"."byte_count" IS 'How many bytes they took as JSON text.';

COMMENT ON COLUMN "app"."analytics_result"."chart" IS 'A suggestion how to draw it (Vega-Lite), or null.';

COMMENT ON COLUMN "app"."analytics_result"."columns" IS 'A list of {name, type}.';

COMMENT ON COLUMN "app"."analytics_result"."created_at" IS 'When it was stored.';

COMMENT ON COLUMN "app"."analytics_result"."data_source_id" IS 'What was asked.';

COMMENT ON COLUMN "app"."analytics_result"."expires_at" IS 'From then on nobody reads it.';

COMMENT ON COLUMN "app"."analytics_result"."job_id" IS 'The job; one result each.';

COMMENT ON COLUMN "app"."analytics_result"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."analytics_result"."row_count" IS 'How many rows are kept.';

COMMENT ON COLUMN "app"."analytics_result"."rows" IS 'A list of lists, in the order of the columns.';

COMMENT ON COLUMN "app"."analytics_result"."sha256" IS 'SHA-256 of columns and rows, as the worker sent them.';

COMMENT ON COLUMN "app"."analytics_result"."truncated" IS 'Whether there were more rows or bytes than are kept.';

COMMENT ON COLUMN "app"."analytics_result"."user_id" IS 'Who asked.';

COMMENT ON COLUMN "app"."analytics_result_grant"."created_at" IS 'Since when.';

COMMENT ON COLUMN "app"."analytics_result_grant"."id" IS 'Random identifier.';

COMMENT ON COLUMN "app"."analytics_result_grant"."job_id" IS 'The job whose result it is.';

COMMENT ON COLUMN "app"."analytics_result_grant"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."analytics_result_grant"."team_id" IS 'Everyone in this team, or null. Both null: everyone in the organization.';

COMMENT ON COLUMN "app"."analytics_result_grant"."user_id" IS 'One member, or null.';

COMMENT ON COLUMN "app"."audit_event"."object_id" IS 'The identifier of the row acted on; of a permission of a role, the role''s and its name; of the meaning of a column, the data source''s, the relation and the column.';

COMMENT ON COLUMN "app"."bot_binding"."data_source_id" IS 'The data source, or null.';

COMMENT ON COLUMN "app"."column_meaning"."column_name" IS 'The column.';

COMMENT ON COLUMN "app"."column_meaning"."data_source_id" IS 'The data source.';

COMMENT ON COLUMN "app"."column_meaning"."meaning" IS 'What it means; 1..500 characters.';

COMMENT ON COLUMN "app"."column_meaning"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."column_meaning"."relation" IS 'The relation.';

COMMENT ON COLUMN "app"."column_meaning"."updated_at" IS 'When it was last said.';

COMMENT ON COLUMN "app"."data_source"."created_at" IS 'When it was made.';

COMMENT ON COLUMN "app"."data_source"."description" IS 'What it is good for; at most 2000 characters. Models read it.';

COMMENT ON COLUMN "app"."data_source"."id" IS 'Random identifier.';

COMMENT ON COLUMN "app"."data_source"."name" IS 'Display name; 1..120 characters.';

COMMENT ON COLUMN "app"."data_source"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."data_source"."relations" IS 'Which of our own relations belong to it: orders, tickets, conversations, usage.';

COMMENT ON COLUMN "app"."data_source"."slug" IS 'Short name within the organization; 2..40 of a-z 0-9 -, and no uuid.';

COMMENT ON COLUMN "app"."data_source_grant"."created_at" IS 'Since when.';

COMMENT ON COLUMN "app"."data_source_grant"."data_source_id" IS 'The data source.';

COMMENT ON COLUMN "app"."data_source_grant"."id" IS 'Random identifier.';

COMMENT ON COLUMN "app"."data_source_grant"."level" IS 'viewer may ask it; editor may also load tables into it and say what things mean; owner may also share and delete it.';

COMMENT ON COLUMN "app"."data_source_grant"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."data_source_grant"."role_id" IS 'Everyone with this role, or null. All three null: everyone in the organization.';

COMMENT ON COLUMN "app"."data_source_grant"."team_id" IS 'Everyone in this team, or null.';

COMMENT ON COLUMN "app"."data_source_grant"."user_id" IS 'One member, or null.';

COMMENT ON COLUMN "app"."deny_rule"."data_source_id" IS 'The data source with the results of its jobs, or null.';

COMMENT ON COLUMN "app"."job_lease"."expires_at" IS 'From then on another worker may take the job.';

COMMENT ON COLUMN "app"."job_lease"."job_id" IS 'The job.';

COMMENT ON COLUMN "app"."job_lease"."lease" IS 'A random secret of the worker: whoever does not know it begins nothing in the job.';

COMMENT ON COLUMN "app"."job_lease"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."job_lease"."place" IS 'Which of the organization''s places for running jobs it takes, from 1; authz.job_limits() says how many there are.';

COMMENT ON COLUMN "app"."job_lease"."worker" IS 'What the worker calls itself.';

COMMENT ON COLUMN "app"."job_scope"."began_at" IS 'When the transaction began: in a restored copy the same number may come again, not with the same time.';

COMMENT ON COLUMN "app"."job_scope"."claims" IS 'What authz.claims() answers in this transaction.';

COMMENT ON COLUMN "app"."job_scope"."data_source_id" IS 'What it asks.';

COMMENT ON COLUMN "app"."job_scope"."job_id" IS 'The job.';

COMMENT ON COLUMN "app"."job_scope"."org_id" IS 'The organization of the job.';

COMMENT ON COLUMN "app"."job_scope"."xact_id" IS 'The transaction.';

COMMENT ON COLUMN "app"."metric"."created_at" IS 'Since when.';

COMMENT ON COLUMN "app"."metric"."data_source_id" IS 'The data source.';

COMMENT ON COLUMN "app"."metric"."description" IS 'What it says; 1..500 characters.';

COMMENT ON COLUMN "app"."metric"."id" IS 'Random identifier.';

COMMENT ON COLUMN "app"."metric"."name" IS 'Name within the source; 2..60 of a-z 0-9 _.';

COMMENT ON COLUMN "app"."metric"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."metric"."retired" IS 'Whether from this version on it is no longer to be used.';

COMMENT ON COLUMN "app"."metric"."sha256" IS 'SHA-256 of the SQL.';

COMMENT ON COLUMN "app"."metric"."sql" IS 'An expression or a SELECT over the relations of the source; 1..4000 characters. It is text for whoever writes SQL and never runs by itself.';

COMMENT ON COLUMN "app"."metric"."version" IS 'From 1; the latest holds.';

COMMENT ON COLUMN "app"."uploaded_row"."data" IS 'Values by column; each is of its type, and a column without a value is left out.';

COMMENT ON COLUMN "app"."uploaded_row"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."uploaded_row"."position" IS 'Its place, from 1.';

COMMENT ON COLUMN "app"."uploaded_row"."table_id" IS 'The table.';

COMMENT ON COLUMN "app"."uploaded_table"."byte_count" IS 'How many bytes they take as JSON text.';

COMMENT ON COLUMN "app"."uploaded_table"."columns" IS 'A list of {name, type, meaning}; types text, bigint, numeric, double precision, boolean, date, timestamptz.';

COMMENT ON COLUMN "app"."uploaded_table"."created_at" IS 'When that began.';

COMMENT ON COLUMN "app"."uploaded_table"."data_source_id" IS 'The data source.';

COMMENT ON COLUMN "app"."uploaded_table"."id" IS 'Random identifier.';

COMMENT ON COLUMN "app"."uploaded_table"."name" IS 'What SQL calls it; 1..63 of a-z 0-9 _.';

COMMENT ON COLUMN "app"."uploaded_table"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."uploaded_table"."row_count" IS 'How many rows it has, counted as they come.';

COMMENT ON COLUMN "app"."uploaded_table"."state" IS 'loading, then ready: only then it is asked, and nothing is added any more.';

COMMENT ON FUNCTION "api"."append_uploaded_rows"(uuid, uuid, jsonb) IS 'Add rows to a table that you are loading; all of them or none.

@audience app
@param org_id    the organization
@param table_id  the table
@param rows      array of 1..5000 arrays, each with one value for each column: number, string, boolean or null
@returns         {row_count}, so far
@errors          22004, 22023, 23514, PT404, PT429
@effect          write';

COMMENT ON FUNCTION "api"."ask_data"(uuid, uuid, text, text, text) IS 'Ask a data source a question in words: counts, sums, lists and comparisons over its tables. It is answered as the person the bot works for.

@audience bot
@context org_id           the organization
@context run_id           the running run
@param source             name of a data source of this bot; 2..40 characters
@param question           one question, with everything it needs to be understood by itself; 1..2000 characters
@context idempotency_key  the same call again is the same job
@returns                  array of one {id, status}: the job, whose result follows
@errors                   22004, 22023, 23514, 42501, PT404, PT409, PT429
@effect                   write';

COMMENT ON FUNCTION "api"."bind_bot"(uuid, uuid, uuid, text, uuid) IS 'Let runs of a bot use a knowledge base or a data source that you see, or a tool, within what the person running it may do. Needs level editor or bots.manage.

@audience app
@param org_id             the organization
@param bot_id             the bot
@param knowledge_base_id  a knowledge base
@param tool               name of a function whose audience is bot
@param data_source_id     a data source, which ask_data may then ask
@returns                  {id}
@errors                   22004, 22023, 42501, PT404, PT409
@effect                   write';

COMMENT ON FUNCTION "api"."cancel_analytics_job"(uuid, uuid) IS 'Cancel one of your jobs; one that has ended stays as it ended.

@audience app
@param org_id  the organization
@param job_id  the job
@returns       {job_id, status}
@errors        22004, PT404
@effect        write';

COMMENT ON FUNCTION "api"."commit_uploaded_table"(uuid, uuid) IS 'Say that a table you are loading is complete: from now on it is asked, in place of one of the same name.

@audience app
@param org_id    the organization
@param table_id  the table
@returns         {table_id, name, row_count}
@errors          22004, PT404
@effect          write';

COMMENT ON FUNCTION "api"."create_data_source"(uuid, text, text, text, text[]) IS 'Create a data source. You are its owner; nobody else asks it until it is shared. Needs analytics.manage.

@audience app
@param org_id       the organization
@param slug         short name; 2..40 of a-z, 0-9 and -, no uuid
@param name         display name; 1..120 characters
@param description  what it is good for, for people and models; 0..2000 characters
@param relations    which of our own relations it holds: orders, tickets, conversations, usage; each person sees in them what they may see anyway
@returns            {id}
@errors             22004, 22023, 23514, 42501, PT409
@effect             write';

COMMENT ON FUNCTION "api"."create_deny_rule"(uuid, text, uuid, uuid, text, uuid, uuid, uuid, text, uuid) IS 'Take one resource, or one tool in every bot, from a member, a team, a role or (naming none) everybody, owners included. No sharing, role or ownership overrides it; it works on their next request. Needs rules.manage.

@audience app
@param org_id             the organization
@param reason             why, for whoever reviews the rules; 1..300 characters
@param user_id            a member
@param team_id            a team
@param role               name of a role
@param knowledge_base_id  the knowledge base, with all its documents
@param document_id        the document
@param bot_id             the bot
@param tool               name of a function whose audience is bot
@param data_source_id     the data source, with the results of its jobs
@returns                  {id}
@errors                   22004, 22023, 23514, 42501, PT401, PT404, PT409
@effect                   write';

COMMENT ON FUNCTION "api"."create_metric"(uuid, text, text, text, text, boolean) IS 'Say how something is counted, as a new version of the metric of that name. Who writes SQL, people and models, is told to use it. Needs level editor or analytics.manage.

@audience app
@param org_id       the organization
@param source       slug or id
@param name         2..60 of a-z 0-9 _
@param description  what it says; 1..500 characters
@param sql          an expression or a SELECT over the relations of the source; 1..4000 characters
@param retired      true: from this version on it is not to be used any more
@returns            {id, version, sha256}
@errors             22004, 23502, 23514, 42501, PT404, PT409
@effect             write';

COMMENT ON FUNCTION "api"."create_uploaded_table"(uuid, text, text, jsonb) IS 'Begin to upload a table into a data source. Append its rows, then commit it. Needs level editor on the source.

@audience app
@param org_id   the organization
@param source   slug or id
@param name     what SQL will call it; 1..63 of a-z 0-9 _
@param columns  array of 1..200 {name, type, meaning}; types text, bigint, numeric, double precision, boolean, date, timestamptz
@returns        {table_id}
@errors         22004, 22023, 42501, PT404, PT409, PT429
@effect         write';

COMMENT ON FUNCTION "api"."delete_data_source"(uuid, text) IS 'Delete a data source with its uploaded tables, its jobs and their results. Needs level owner or analytics.manage.

@audience app
@param org_id  the organization
@param source  slug or id
@returns       {id}
@errors        22004, 42501, PT404, PT409
@effect        destructive';

COMMENT ON FUNCTION "api"."delete_uploaded_table"(uuid, uuid) IS 'Delete an uploaded table with its rows; results that came from it stay. Needs level editor on its source.

@audience app
@param org_id    the organization
@param table_id  the table
@returns         {table_id}
@errors          22004, PT404
@effect          destructive';

COMMENT ON FUNCTION "api"."describe_data_source"(uuid, text) IS 'Tell what a data source that you may ask holds: relations, columns, types, what they mean, and how things are counted.

@audience app
@param org_id  the organization
@param source  slug or id
@returns       {source, id, name, description, relations: [{name, description, columns: [{name, type, meaning}]}], metrics: [{name, version, description, sql, sha256}]}
@errors        22004, 42501, PT404, PT409
@effect        read';

COMMENT ON FUNCTION "api"."get_analytics_job"(uuid, uuid) IS 'Tell how far one of your jobs is, and how it ended.

@audience app
@param org_id  the organization
@param job_id  the job
@returns       {job_id, source_id, source, status, question, sql, sql_sha256, run_id, bot_id, error_code, error_message, attempts, created_at, started_at, finished_at, row_count, truncated, expires_at}
@errors        22004, PT404
@effect        read';

COMMENT ON FUNCTION "api"."list_analytics_jobs"(uuid, integer) IS 'List your own jobs.

@audience app
@param org_id    the organization
@param max_rows  number of jobs; 1..200
@returns         array of {job_id, source_id, source, status, question, sql, error_code, created_at, finished_at}; newest first
@errors          22004, 22023
@effect          read';

COMMENT ON FUNCTION "api"."list_bot_bindings"(uuid, uuid) IS 'List what a bot that you see is bound to. A knowledge base or data source you may not see has no name.

@audience app
@param org_id  the organization
@param bot_id  the bot
@returns       array of {id, knowledge_base_id, knowledge_base, data_source_id, data_source, tool, created_at}, at most 1000; knowledge bases first
@errors        22004
@effect        read';

COMMENT ON FUNCTION "api"."list_data_source_shares"(uuid, text) IS 'List with whom a data source is shared: its owners and analytics.manage see all, others what lets them ask it. A row that names nobody is everyone in the organization.

@audience app
@param org_id  the organization
@param source  slug or id
@returns       array of {id, user_id, team_id, team, role, level, created_at}, at most 1000; oldest first
@errors        22004, PT404, PT409
@effect        read';

COMMENT ON FUNCTION "api"."list_data_sources"(uuid) IS 'List the data sources you may ask, and with analytics.manage every other too.

@audience app
@param org_id  the organization
@returns       array of {id, slug, name, description, relations, may_ask, created_at}, at most 1000; by slug
@errors        22004
@effect        read';

COMMENT ON FUNCTION "api"."list_deny_rules"(uuid) IS 'List the deny rules of an organization. A rule that names no person, team or role concerns everybody. Needs rules.manage; to others it is empty.

@audience app
@param org_id  the organization
@returns       array of {id, user_id, team_id, team, role, knowledge_base_id, document_id, bot_id, data_source_id, tool, reason, created_by, created_at}, at most 1000; oldest first
@errors        22004
@effect        read';

COMMENT ON FUNCTION "api"."list_uploaded_tables"(uuid, text) IS 'List the uploaded tables of a data source that you may ask; its editors see those being loaded too.

@audience app
@param org_id  the organization
@param source  slug or id
@returns       array of {table_id, name, columns, state, row_count, byte_count, created_by, created_at}; by name
@errors        22004, PT404, PT409
@effect        read';

COMMENT ON FUNCTION "api"."read_analytics_result"(uuid, uuid, integer, integer) IS 'Read what a job found, page by page: yours, or shared with you. Whether you may is looked up at every page.

@audience app
@param org_id    the organization
@param job_id    the job
@param after     how many rows to pass over; 0..2147483647
@param max_rows  number of rows; 1..1000
@returns         {job_id, columns: [{name, type}], rows: [[...]], row_count, truncated, chart, expires_at, next_after (null at the end)}
@errors          22004, 22023, PT404
@effect          read';

COMMENT ON FUNCTION "api"."set_column_meaning"(uuid, text, text, text, text) IS 'Say what a column of a data source means in your organization. Needs level editor or analytics.manage.

@audience app
@param org_id       the organization
@param source       slug or id
@param relation     name of a relation or uploaded table; 1..63 of a-z 0-9 _
@param column_name  name of its column; 1..63 of a-z 0-9 _
@param meaning      1..500 characters
@returns            {relation, column_name}
@errors             22004, 23502, 23514, 42501, PT404, PT409
@effect             write';

COMMENT ON FUNCTION "api"."share_analytics_result"(uuid, uuid, uuid, uuid) IS 'Let a member, a team or (naming neither) everyone with analytics.run read what your job found: that one result, not its source. Sharing with everyone needs resources.publish.

@audience app
@param org_id   the organization
@param job_id   your job
@param user_id  a member
@param team_id  a team
@returns        {id}
@errors         22004, 22023, 42501, PT404, PT409
@effect         write';

COMMENT ON FUNCTION "api"."share_data_source"(uuid, text, text, uuid, uuid, text) IS 'Let a role, a member, a team or (naming none) everyone in the organization ask a data source: viewer asks it, editor also loads tables into it, owner also shares and deletes it. Of our own relations everybody sees in it what they may see anyway. Needs level owner or analytics.manage; for a role or everyone also resources.publish.

@audience app
@param org_id   the organization
@param source   slug or id
@param role     name of a role
@param user_id  a member
@param team_id  a team
@param level    viewer, editor or owner
@returns        {id}
@errors         22004, 22023, 42501, PT404, PT409
@effect         write';

COMMENT ON FUNCTION "api"."submit_analytics_job"(uuid, text, text, text, text) IS 'Ask a data source, in words or in SQL. A worker answers it as yourself, with what you may see when it runs. The SQL is checked, never run as it stands here.

@audience app
@param org_id           the organization
@param source           slug or id
@param question         in words; 1..2000 characters
@param sql              one SELECT over the relations of the source; 1..20000 characters
@param idempotency_key  of your choice; the same key again is the same job; 1..100 of A-Z a-z 0-9 . _ : -
@returns                {job_id, status}
@errors                 22004, 22023, 23514, 42501, PT404, PT409, PT429
@effect                 write';

COMMENT ON FUNCTION "api"."unshare_analytics_result"(uuid, uuid, uuid, uuid) IS 'Withdraw one sharing of what your job found: it works on their next page.

@audience app
@param org_id   the organization
@param job_id   your job
@param user_id  a member
@param team_id  a team
@returns        {id}
@errors         22004, 22023, PT404
@effect         write';

COMMENT ON FUNCTION "api"."unshare_data_source"(uuid, text, text, uuid, uuid) IS 'Withdraw one sharing of a data source. It works at once: jobs that wait end as cancelled_revoked, and old results are not read any more.

@audience app
@param org_id   the organization
@param source   slug or id
@param role     name of a role
@param user_id  a member
@param team_id  a team
@returns        {id}
@errors         22004, 22023, PT404, PT409
@effect         write';

COMMENT ON FUNCTION "authz"."acts_in_person"() IS 'Whether the person asks: not an OAuth client, an API token or a job for them, nor somebody anonymous (R43, R44).';

COMMENT ON FUNCTION "authz"."are_columns"(jsonb) IS 'Whether it is a list of 1..200 {name, type, meaning} with names and types that SQL can be made of.';

COMMENT ON FUNCTION "authz"."begin_job"(uuid, uuid) IS 'Make this transaction act for the requester of a job that is held under this lease, after looking again whether they may: {outcome: begun, org_id, source, question, sql, attempt} or {outcome: revoked, code}, which ends the job when a worker asks. PT409 for another lease, 55000 for a second job in one transaction (F44, F51).';

COMMENT ON FUNCTION "authz"."begun_jobs"() IS 'The job begun in this transaction. For policies of the owner role.';

COMMENT ON FUNCTION "authz"."claims"() IS 'The verified claims of this request as an object; empty without a request and when malformed (R36). In worker and analyst sessions what the job begun in this transaction says, and nothing else.';

COMMENT ON FUNCTION "authz"."data_source_named"(uuid, text) IS 'The one data source of that slug or id that the person sees; PT404 for none, PT409 for several.';

COMMENT ON FUNCTION "authz"."denied"(text) IS 'What deny rules take from the signed-in person now: ids of the kind knowledge_base, document, bot or data_source. For restrictive policies (F15).';

COMMENT ON FUNCTION "authz"."describe_source"(uuid, uuid) IS 'A data source that the person asking may ask now, with its relations, their columns and what SQL reads them from; null for any other.';

COMMENT ON FUNCTION "authz"."end_job"(uuid, uuid, text, text, text, text) IS 'End a running job; for the functions of the queue.';

COMMENT ON FUNCTION "authz"."fetch_rows"(integer, integer) IS 'The rows of the cursor job_result as JSON lists, no more than so many rows and bytes; a last line of null says that there were more.';

COMMENT ON FUNCTION "authz"."finish_job"(text, text, text, text, jsonb) IS 'End the job that this transaction has begun, once, with its result {columns, rows, truncated, chart} when it succeeded; false when it had ended otherwise meanwhile.';

COMMENT ON FUNCTION "authz"."granted_data_sources"(text) IS 'The data sources shared with the signed-in person, or with the requester of the job, at this level or above and taken from them by no rule. Without analytics.run, none.';

COMMENT ON FUNCTION "authz"."job_answer"(app.analytics_job) IS 'A job as people see it.';

COMMENT ON FUNCTION "authz"."job_claims"() IS 'What the job begun in this transaction says of its requester, as claims; null outside one. For authz.claims() alone.';

COMMENT ON FUNCTION "authz"."job_context"() IS 'The data source of the job begun in this transaction, as authz.describe_source() tells it.';

COMMENT ON FUNCTION "authz"."job_limits"() IS 'What one job may cost, and how many there may be. The one place that says so: SQL and the worker read it.';

COMMENT ON FUNCTION "authz"."job_objection"(app.analytics_job) IS 'Why the requester of the job begun in this transaction may no longer run it: person, membership, permission, source or bot; null when nothing speaks against it (F44).';

COMMENT ON FUNCTION "authz"."job_orgs"(text) IS 'The organization of the job begun in this transaction, while its requester belongs to it and may ask a source that holds this relation; none outside a job.';

COMMENT ON FUNCTION "authz"."job_tables"() IS 'The uploaded tables of the source of the job begun in this transaction, while its requester may ask it; none outside a job.';

COMMENT ON FUNCTION "authz"."loading_table"(uuid, uuid) IS 'The table of that id that the signed-in person is loading, held until the transaction ends; PT404 for any other.';

COMMENT ON FUNCTION "authz"."next_job"(text) IS 'Take the job whose turn it is under a new lease, and begin it in this transaction: as authz.begin_job() answers, with the lease; null when nothing waits that may run.';

COMMENT ON FUNCTION "authz"."open_query"(text) IS 'Open the cursor job_result for one statement that returns rows, as whoever calls; PostgreSQL refuses several.';

COMMENT ON FUNCTION "authz"."person_is_well"() IS 'Whether the person asking is there still, and neither deleted, banned nor anonymous: what is left of authz.session_is_live() when a session may be over.';

COMMENT ON FUNCTION "authz"."recover_jobs"() IS 'Put jobs whose worker let its lease run out back into the queue, or end them when that happened too often, and delete results that have expired; how many jobs.';

COMMENT ON FUNCTION "authz"."rehearse_job"() IS 'Begin a job of nobody, in an organization that does not exist: what comes after it in the transaction sees nothing, and makes the session ready for a job. To be rolled back.';

COMMENT ON FUNCTION "authz"."release_job"(uuid, uuid, boolean) IS 'Let go of a job that was not ended: another worker takes it, or it fails when that happened too often and counts.';

COMMENT ON FUNCTION "authz"."renew_job"(uuid, uuid) IS 'Hold on to a job for another while; null when it is no longer held, or was cancelled.';

COMMENT ON FUNCTION "authz"."runs_the_queue"() IS 'Whether this session logged in as ringfence_worker, which begins and ends jobs; ringfence_analyst only reads inside one. For policies of the owner role.';

COMMENT ON FUNCTION "authz"."shared_results"() IS 'The jobs whose result is shared with the signed-in person: with them, a team of theirs, or everyone. Without analytics.run, none.';

COMMENT ON FUNCTION "authz"."submit_job"(uuid, text, text, text, text, uuid, uuid) IS 'Put a job of the signed-in person into the queue, or return the one of the same idempotency key; PT409 for another with that key, PT429 when too many wait.';

COMMENT ON FUNCTION "authz"."take_place"(uuid, uuid, uuid, text) IS 'Lease a job in a free place of its organization; false when there is none. For authz.next_job() alone.';

COMMENT ON FUNCTION "authz"."tg_data_source_owner"() IS 'Trigger: who makes a data source is its first owner.';

COMMENT ON FUNCTION "authz"."tg_job_end"() IS 'Trigger: people only cancel (42501); when a job ended is noted.';

COMMENT ON FUNCTION "authz"."tg_job_notify"() IS 'Trigger, once a statement: wake the workers.';

COMMENT ON FUNCTION "authz"."tg_job_scope_over"() IS 'Trigger, at the end of the transaction: its scope goes with it. One that has become read only can therefore only be rolled back.';

COMMENT ON FUNCTION "authz"."tg_job_session"() IS 'Trigger: a job says through which session it was handed in, whatever its insert says.';

COMMENT ON FUNCTION "authz"."tg_metric"() IS 'Trigger: the hash of a metric is computed, whatever is written.';

COMMENT ON FUNCTION "authz"."tg_uploaded_rows"() IS 'Trigger, once a statement: every value is of the type of its column (22023), and the table stays within its limits (PT429).';

COMMENT ON FUNCTION "authz"."uid"() IS 'The signed-in person, in a job its requester, or null. The only reader of identity: the claim sub of authz.claims() and nothing else.';

COMMENT ON FUNCTION "authz"."upload_limits"() IS 'How much may be uploaded. The one place that says so.';

COMMENT ON FUNCTION "authz"."waiting_orgs"() IS 'The organizations with queued jobs, how many of theirs run, and when one last began.';

COMMENT ON FUNCTION "authz"."works_the_queue"() IS 'Whether this session logged in as ringfence_worker or ringfence_analyst, which no SQL can change. For policies of the owner role.';

COMMENT ON POLICY "analytics_job_delete_nobody" ON "app"."analytics_job" IS 'The record stays.';

COMMENT ON POLICY "analytics_job_floor" ON "app"."analytics_job" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "analytics_job_scope_floor" ON "app"."analytics_job" IS 'An API token reaches one''s own rows only with a permission for them; every other session passes.';

COMMENT ON POLICY "analytics_job_select_queue_owner" ON "app"."analytics_job" IS 'The functions of the queue see every job, in the sessions of the two log-ins for background work alone.';

COMMENT ON POLICY "analytics_job_update_queue_owner" ON "app"."analytics_job" IS 'In the worker''s they begin and end jobs; one that has ended stays as it is.';

COMMENT ON POLICY "analytics_result_delete_nobody" ON "app"."analytics_result" IS 'It goes with its job, or is swept when it has expired.';

COMMENT ON POLICY "analytics_result_delete_over_owner" ON "app"."analytics_result" IS 'They delete it.';

COMMENT ON POLICY "analytics_result_denied_floor" ON "app"."analytics_result" IS 'Whatever else is allowed, never of a source that a rule takes from the person (F15).';

COMMENT ON POLICY "analytics_result_floor" ON "app"."analytics_result" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "analytics_result_insert_job_owner" ON "app"."analytics_result" IS 'Only for the job that this transaction has begun.';

COMMENT ON POLICY "analytics_result_insert_nobody" ON "app"."analytics_result" IS 'Only the worker writes here.';

COMMENT ON POLICY "analytics_result_select_over_owner" ON "app"."analytics_result" IS 'Workers find what nobody reads any more.';

COMMENT ON POLICY "analytics_result_select_reader" ON "app"."analytics_result" IS 'Who asked reads it while they may still ask that source, and with whom it is shared, without that source; nobody when it is too old.';

COMMENT ON POLICY "analytics_result_update_nobody" ON "app"."analytics_result" IS 'Written once.';

COMMENT ON POLICY "analytics_result_grant_floor" ON "app"."analytics_result_grant" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "analytics_result_grant_scope_floor" ON "app"."analytics_result_grant" IS 'An API token reaches one''s own rows only with a permission for them; every other session passes.';

COMMENT ON POLICY "analytics_result_grant_select_self_owner" ON "app"."analytics_result_grant" IS 'authz.shared_results() sees the rows that apply to the person asking and no others.';

COMMENT ON POLICY "analytics_result_grant_update_nobody" ON "app"."analytics_result_grant" IS 'Sharing is added and withdrawn, not edited.';

COMMENT ON POLICY "bot_select_job_owner" ON "app"."bot" IS 'A job looks whether its requester may still run the bot that asked.';

COMMENT ON POLICY "bot_binding_insert_editor" ON "app"."bot_binding" IS 'bots.manage and the bot''s editors bind it, to knowledge bases and data sources they see themselves.';

COMMENT ON POLICY "bot_binding_select_job_owner" ON "app"."bot_binding" IS 'As that: whether the bot is still bound to the source.';

COMMENT ON POLICY "column_meaning_delete_editor" ON "app"."column_meaning" IS 'As that.';

COMMENT ON POLICY "column_meaning_denied_floor" ON "app"."column_meaning" IS 'Whatever else is allowed, never of a source that a rule takes from the person (F15).';

COMMENT ON POLICY "column_meaning_floor" ON "app"."column_meaning" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "column_meaning_insert_editor" ON "app"."column_meaning" IS 'analytics.manage and the source''s editors say what columns mean.';

COMMENT ON POLICY "column_meaning_select_described_owner" ON "app"."column_meaning" IS 'As that.';

COMMENT ON POLICY "column_meaning_select_viewer" ON "app"."column_meaning" IS 'Who sees the source sees what its columns mean.';

COMMENT ON POLICY "column_meaning_update_editor" ON "app"."column_meaning" IS 'As that.';

COMMENT ON POLICY "conversation_analyst_floor" ON "app"."conversation" IS 'Whatever else is allowed, only in a job of that organization whose source holds conversations.';

COMMENT ON POLICY "conversation_select_analyst" ON "app"."conversation" IS 'In a job its requester''s own only.';

COMMENT ON POLICY "customer_order_analyst_floor" ON "app"."customer_order" IS 'Whatever else is allowed, only in a job of that organization whose source holds orders.';

COMMENT ON POLICY "customer_order_select_analyst" ON "app"."customer_order" IS 'In a job its requester''s own; with orders.read the organization''s.';

COMMENT ON POLICY "data_source_delete_owner" ON "app"."data_source" IS 'analytics.manage and its owners delete it, with its jobs and results.';

COMMENT ON POLICY "data_source_denied_floor" ON "app"."data_source" IS 'Whatever else is allowed, never a source that a rule takes from the person (F15).';

COMMENT ON POLICY "data_source_floor" ON "app"."data_source" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "data_source_select_asked_owner" ON "app"."data_source" IS 'A job sees the sources that its requester may ask now.';

COMMENT ON POLICY "data_source_select_viewer" ON "app"."data_source" IS 'analytics.manage sees every source; others those shared with them.';

COMMENT ON POLICY "data_source_update_editor" ON "app"."data_source" IS 'analytics.manage and its editors say what it is called and good for.';

COMMENT ON POLICY "data_source_grant_delete_owner" ON "app"."data_source_grant" IS 'analytics.manage and the source''s owners withdraw sharing.';

COMMENT ON POLICY "data_source_grant_denied_floor" ON "app"."data_source_grant" IS 'Whatever else is allowed, never a source that a rule takes from the person (F15).';

COMMENT ON POLICY "data_source_grant_floor" ON "app"."data_source_grant" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "data_source_grant_insert_owner" ON "app"."data_source_grant" IS 'analytics.manage and the source''s owners share it with people and teams; with a role or everyone only who holds resources.publish.';

COMMENT ON POLICY "data_source_grant_select_concerned" ON "app"."data_source_grant" IS 'analytics.manage and the source''s owners see with whom it is shared; others the rows that let them ask it.';

COMMENT ON POLICY "data_source_grant_select_self_owner" ON "app"."data_source_grant" IS 'authz.granted_data_sources() sees the rows that apply to the person asking and no others.';

COMMENT ON POLICY "data_source_grant_update_nobody" ON "app"."data_source_grant" IS 'Sharing is added and withdrawn, not edited.';

COMMENT ON POLICY "job_lease_delete_owner" ON "app"."job_lease" IS 'A worker lets go of a job.';

COMMENT ON POLICY "job_lease_floor" ON "app"."job_lease" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "job_lease_insert_owner" ON "app"."job_lease" IS 'A worker takes a job.';

COMMENT ON POLICY "job_lease_select_owner" ON "app"."job_lease" IS 'The functions of the queue compare leases, in the sessions of the two log-ins for background work alone.';

COMMENT ON POLICY "job_lease_update_owner" ON "app"."job_lease" IS 'A worker holds on to a job.';

COMMENT ON POLICY "job_scope_delete_owner" ON "app"."job_scope" IS 'As that: who may no longer gets no scope, and none outlives its transaction.';

COMMENT ON POLICY "job_scope_floor" ON "app"."job_scope" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "job_scope_insert_owner" ON "app"."job_scope" IS 'As that: a job is begun in this transaction.';

COMMENT ON POLICY "job_scope_select_owner" ON "app"."job_scope" IS 'The row of this very transaction and no other, in the sessions of the two log-ins for background work alone.';

COMMENT ON POLICY "metric_delete_nobody" ON "app"."metric" IS 'What an old answer was counted by stays to be read; a version can retire it.';

COMMENT ON POLICY "metric_denied_floor" ON "app"."metric" IS 'Whatever else is allowed, never of a source that a rule takes from the person (F15).';

COMMENT ON POLICY "metric_floor" ON "app"."metric" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "metric_select_described_owner" ON "app"."metric" IS 'authz.describe_source() tells those of a source that the person asking may ask.';

COMMENT ON POLICY "metric_select_viewer" ON "app"."metric" IS 'Who sees the source sees how things are counted in it.';

COMMENT ON POLICY "metric_update_nobody" ON "app"."metric" IS 'A change is a new version.';

COMMENT ON POLICY "support_ticket_analyst_floor" ON "app"."support_ticket" IS 'Whatever else is allowed, only in a job of that organization whose source holds tickets.';

COMMENT ON POLICY "support_ticket_select_analyst" ON "app"."support_ticket" IS 'In a job its requester''s own; with tickets.read the organization''s.';

COMMENT ON POLICY "uploaded_row_delete_nobody" ON "app"."uploaded_row" IS 'Rows go with their table.';

COMMENT ON POLICY "uploaded_row_floor" ON "app"."uploaded_row" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "uploaded_row_select_analyst" ON "app"."uploaded_row" IS 'In a job the rows of the tables in its source.';

COMMENT ON POLICY "uploaded_row_select_viewer" ON "app"."uploaded_row" IS 'Who sees the table sees its rows.';

COMMENT ON POLICY "uploaded_row_update_nobody" ON "app"."uploaded_row" IS 'What was uploaded stays as it was; another upload replaces it.';

COMMENT ON POLICY "uploaded_table_delete_editor" ON "app"."uploaded_table" IS 'The source''s editors delete it with its rows.';

COMMENT ON POLICY "uploaded_table_floor" ON "app"."uploaded_table" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "uploaded_table_select_described_owner" ON "app"."uploaded_table" IS 'authz.describe_source() and authz.job_tables() tell those of a source that the person asking may ask.';

COMMENT ON POLICY "uploaded_table_select_viewer" ON "app"."uploaded_table" IS 'Who may ask the source sees what is ready in it; its editors also what is being loaded.';

COMMENT ON POLICY "usage_entry_analyst_floor" ON "app"."usage_entry" IS 'Whatever else is allowed, only in a job of that organization whose source holds usage.';

COMMENT ON POLICY "usage_entry_select_analyst" ON "app"."usage_entry" IS 'In a job of somebody with usage.read the amounts.';

COMMENT ON SCHEMA "source" IS 'Views that SQL of jobs reads, as the person whose job it is; not reachable over HTTP.';

COMMENT ON TABLE "app"."analytics_job" IS 'A question or a piece of SQL that a worker answers as the person who asked.';

COMMENT ON TABLE "app"."analytics_result" IS 'What a job found: written once, by the worker, in the transaction that ends the job.';

COMMENT ON TABLE "app"."analytics_result_grant" IS 'A result shared with somebody: that one result, not the source it came from.';

COMMENT ON TABLE "app"."bot_binding" IS 'A knowledge base, a data source or a tool that runs of a bot may use.';

COMMENT ON TABLE "app"."column_meaning" IS 'What a column of a source means to this organization; it stands before what we say of it.';

COMMENT ON TABLE "app"."data_source" IS 'Something that questions may be asked of, in SQL or in words.';

COMMENT ON TABLE "app"."data_source_grant" IS 'With whom a data source is shared. Without analytics.run it gives nothing.';

COMMENT ON TABLE "app"."job_lease" IS 'Which worker holds a running job, and until when; there is a row exactly while the job runs.';

COMMENT ON TABLE "app"."job_scope" IS 'For which job, and so for whom, a transaction acts. Rows live no longer than their transaction.';

COMMENT ON TABLE "app"."metric" IS 'How something is counted, in SQL over the relations of a source. A change is a new version; none is edited.';

COMMENT ON TABLE "app"."uploaded_row" IS 'A row of an uploaded table.';

COMMENT ON TABLE "app"."uploaded_table" IS 'A table that somebody uploaded into a data source.';

COMMENT ON VIEW "source"."conversations" IS 'Your own conversations with bots.';

COMMENT ON VIEW "source"."orders" IS 'Orders of customers: your own, or with orders.read all of the organization.';

COMMENT ON VIEW "source"."tickets" IS 'Support tickets: your own, or with tickets.read all of the organization.';

COMMENT ON VIEW "source"."uploaded" IS 'Rows of uploaded tables, which the worker names and casts for each.';

COMMENT ON VIEW "source"."usage" IS 'How much the organization added or used, day by day: sum(amount) by measure. Needs usage.read.';

REVOKE ALL ON FUNCTION "api"."append_uploaded_rows"(uuid, uuid, jsonb) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."append_uploaded_rows"(uuid, uuid, jsonb) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."append_uploaded_rows"(uuid, uuid, jsonb) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."append_uploaded_rows"(uuid, uuid, jsonb) TO "postgres";

REVOKE ALL ON FUNCTION "api"."ask_data"(uuid, uuid, text, text, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."ask_data"(uuid, uuid, text, text, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."ask_data"(uuid, uuid, text, text, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."ask_data"(uuid, uuid, text, text, text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."bind_bot"(uuid, uuid, uuid, text, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."bind_bot"(uuid, uuid, uuid, text, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."bind_bot"(uuid, uuid, uuid, text, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."bind_bot"(uuid, uuid, uuid, text, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."cancel_analytics_job"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."cancel_analytics_job"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."cancel_analytics_job"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."cancel_analytics_job"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."commit_uploaded_table"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."commit_uploaded_table"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."commit_uploaded_table"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."commit_uploaded_table"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."create_data_source"(uuid, text, text, text, text[]) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."create_data_source"(uuid, text, text, text, text[]) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."create_data_source"(uuid, text, text, text, text[]) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."create_data_source"(uuid, text, text, text, text[]) TO "postgres";

REVOKE ALL ON FUNCTION "api"."create_deny_rule"(uuid, text, uuid, uuid, text, uuid, uuid, uuid, text, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."create_deny_rule"(uuid, text, uuid, uuid, text, uuid, uuid, uuid, text, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."create_deny_rule"(uuid, text, uuid, uuid, text, uuid, uuid, uuid, text, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."create_deny_rule"(uuid, text, uuid, uuid, text, uuid, uuid, uuid, text, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."create_metric"(uuid, text, text, text, text, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."create_metric"(uuid, text, text, text, text, boolean) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."create_metric"(uuid, text, text, text, text, boolean) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."create_metric"(uuid, text, text, text, text, boolean) TO "postgres";

REVOKE ALL ON FUNCTION "api"."create_uploaded_table"(uuid, text, text, jsonb) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."create_uploaded_table"(uuid, text, text, jsonb) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."create_uploaded_table"(uuid, text, text, jsonb) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."create_uploaded_table"(uuid, text, text, jsonb) TO "postgres";

REVOKE ALL ON FUNCTION "api"."delete_data_source"(uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."delete_data_source"(uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."delete_data_source"(uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."delete_data_source"(uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."delete_uploaded_table"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."delete_uploaded_table"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."delete_uploaded_table"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."delete_uploaded_table"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."describe_data_source"(uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."describe_data_source"(uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."describe_data_source"(uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."describe_data_source"(uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."get_analytics_job"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."get_analytics_job"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."get_analytics_job"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."get_analytics_job"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_analytics_jobs"(uuid, integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_analytics_jobs"(uuid, integer) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_analytics_jobs"(uuid, integer) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_analytics_jobs"(uuid, integer) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_bot_bindings"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_bot_bindings"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_bot_bindings"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_bot_bindings"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_data_source_shares"(uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_data_source_shares"(uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_data_source_shares"(uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_data_source_shares"(uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_data_sources"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_data_sources"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_data_sources"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_data_sources"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_deny_rules"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_deny_rules"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_deny_rules"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_deny_rules"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_uploaded_tables"(uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_uploaded_tables"(uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_uploaded_tables"(uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_uploaded_tables"(uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."read_analytics_result"(uuid, uuid, integer, integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."read_analytics_result"(uuid, uuid, integer, integer) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."read_analytics_result"(uuid, uuid, integer, integer) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."read_analytics_result"(uuid, uuid, integer, integer) TO "postgres";

REVOKE ALL ON FUNCTION "api"."set_column_meaning"(uuid, text, text, text, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."set_column_meaning"(uuid, text, text, text, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."set_column_meaning"(uuid, text, text, text, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."set_column_meaning"(uuid, text, text, text, text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."share_analytics_result"(uuid, uuid, uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."share_analytics_result"(uuid, uuid, uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."share_analytics_result"(uuid, uuid, uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."share_analytics_result"(uuid, uuid, uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."share_data_source"(uuid, text, text, uuid, uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."share_data_source"(uuid, text, text, uuid, uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."share_data_source"(uuid, text, text, uuid, uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."share_data_source"(uuid, text, text, uuid, uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."submit_analytics_job"(uuid, text, text, text, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."submit_analytics_job"(uuid, text, text, text, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."submit_analytics_job"(uuid, text, text, text, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."submit_analytics_job"(uuid, text, text, text, text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."unshare_analytics_result"(uuid, uuid, uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."unshare_analytics_result"(uuid, uuid, uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."unshare_analytics_result"(uuid, uuid, uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."unshare_analytics_result"(uuid, uuid, uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."unshare_data_source"(uuid, text, text, uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."unshare_data_source"(uuid, text, text, uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."unshare_data_source"(uuid, text, text, uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."unshare_data_source"(uuid, text, text, uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."are_columns"(jsonb) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."are_columns"(jsonb) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."are_columns"(jsonb) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."are_columns"(jsonb) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."are_columns"(jsonb) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."begin_job"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."begin_job"(uuid, uuid) TO "ringfence_analyst";

REVOKE ALL ON FUNCTION "authz"."begin_job"(uuid, uuid) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."begin_job"(uuid, uuid) TO "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."begin_job"(uuid, uuid) TO "ringfence_worker";

REVOKE ALL ON FUNCTION "authz"."begun_jobs"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."begun_jobs"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."begun_jobs"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."begun_jobs"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."data_source_named"(uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."data_source_named"(uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."data_source_named"(uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."data_source_named"(uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."describe_source"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."describe_source"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."describe_source"(uuid, uuid) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."describe_source"(uuid, uuid) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."end_job"(uuid, uuid, text, text, text, text) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."end_job"(uuid, uuid, text, text, text, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."end_job"(uuid, uuid, text, text, text, text) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."end_job"(uuid, uuid, text, text, text, text) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."fetch_rows"(integer, integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."fetch_rows"(integer, integer) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."fetch_rows"(integer, integer) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."fetch_rows"(integer, integer) TO "ringfence_analyst";

REVOKE ALL ON FUNCTION "authz"."finish_job"(text, text, text, text, jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."finish_job"(text, text, text, text, jsonb) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."finish_job"(text, text, text, text, jsonb) TO "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."finish_job"(text, text, text, text, jsonb) TO "ringfence_worker";

REVOKE ALL ON FUNCTION "authz"."granted_data_sources"(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."granted_data_sources"(text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."granted_data_sources"(text) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."granted_data_sources"(text) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."in_scope"(text[]) FROM "ringfence_analyst";

GRANT EXECUTE ON FUNCTION "authz"."in_scope"(text[]) TO "ringfence_analyst";

REVOKE ALL ON FUNCTION "authz"."job_answer"(app.analytics_job) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."job_answer"(app.analytics_job) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."job_answer"(app.analytics_job) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."job_answer"(app.analytics_job) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."job_claims"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."job_claims"() TO "ringfence_analyst";

REVOKE ALL ON FUNCTION "authz"."job_claims"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."job_claims"() TO "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."job_claims"() TO "ringfence_worker";

REVOKE ALL ON FUNCTION "authz"."job_context"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."job_context"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."job_context"() TO "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."job_context"() TO "ringfence_worker";

REVOKE ALL ON FUNCTION "authz"."job_limits"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."job_limits"() TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."job_limits"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."job_limits"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."job_limits"() TO "ringfence_owner", "ringfence_worker";

REVOKE ALL ON FUNCTION "authz"."job_objection"(app.analytics_job) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."job_objection"(app.analytics_job) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."job_objection"(app.analytics_job) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."job_objection"(app.analytics_job) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."job_orgs"(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."job_orgs"(text) TO "ringfence_analyst";

REVOKE ALL ON FUNCTION "authz"."job_orgs"(text) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."job_orgs"(text) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."job_tables"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."job_tables"() TO "ringfence_analyst";

REVOKE ALL ON FUNCTION "authz"."job_tables"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."job_tables"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."loading_table"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."loading_table"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."loading_table"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."loading_table"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."next_job"(text) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."next_job"(text) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."next_job"(text) TO "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."next_job"(text) TO "ringfence_worker";

REVOKE ALL ON FUNCTION "authz"."open_query"(text) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."open_query"(text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."open_query"(text) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."open_query"(text) TO "ringfence_analyst";

REVOKE ALL ON FUNCTION "authz"."orgs_with"(text) FROM "ringfence_analyst";

GRANT EXECUTE ON FUNCTION "authz"."orgs_with"(text) TO "ringfence_analyst";

REVOKE ALL ON FUNCTION "authz"."person_is_well"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."person_is_well"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."person_is_well"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."recover_jobs"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."recover_jobs"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."recover_jobs"() TO "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."recover_jobs"() TO "ringfence_worker";

REVOKE ALL ON FUNCTION "authz"."rehearse_job"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."rehearse_job"() TO "ringfence_analyst";

REVOKE ALL ON FUNCTION "authz"."rehearse_job"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."rehearse_job"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."release_job"(uuid, uuid, boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."release_job"(uuid, uuid, boolean) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."release_job"(uuid, uuid, boolean) TO "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."release_job"(uuid, uuid, boolean) TO "ringfence_worker";

REVOKE ALL ON FUNCTION "authz"."renew_job"(uuid, uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."renew_job"(uuid, uuid) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."renew_job"(uuid, uuid) TO "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."renew_job"(uuid, uuid) TO "ringfence_worker";

REVOKE ALL ON FUNCTION "authz"."require"(boolean, text) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."require"(boolean, text) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."reserve_model_call"(uuid, uuid, text, text, text, integer, text) FROM "ringfence_worker";

GRANT EXECUTE ON FUNCTION "authz"."reserve_model_call"(uuid, uuid, text, text, text, integer, text) TO "ringfence_worker";

REVOKE ALL ON FUNCTION "authz"."runs_the_queue"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."runs_the_queue"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."runs_the_queue"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."runs_the_queue"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."settle_model_call"(uuid, text, integer, integer) FROM "ringfence_worker";

GRANT EXECUTE ON FUNCTION "authz"."settle_model_call"(uuid, text, integer, integer) TO "ringfence_worker";

REVOKE ALL ON FUNCTION "authz"."shared_results"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."shared_results"() TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."shared_results"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."shared_results"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."submit_job"(uuid, text, text, text, text, uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."submit_job"(uuid, text, text, text, text, uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."submit_job"(uuid, text, text, text, text, uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."submit_job"(uuid, text, text, text, text, uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."take_place"(uuid, uuid, uuid, text) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."take_place"(uuid, uuid, uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."take_place"(uuid, uuid, uuid, text) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."take_place"(uuid, uuid, uuid, text) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."tg_data_source_owner"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_data_source_owner"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_data_source_owner"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_job_end"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_job_end"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_job_end"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_job_notify"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_job_notify"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_job_notify"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_job_scope_over"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_job_scope_over"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."tg_job_scope_over"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."tg_job_session"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_job_session"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_job_session"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_metric"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_metric"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_metric"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_uploaded_rows"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_uploaded_rows"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_uploaded_rows"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."upload_limits"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."upload_limits"() TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."upload_limits"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."upload_limits"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."waiting_orgs"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."waiting_orgs"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."waiting_orgs"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."waiting_orgs"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."works_the_queue"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."works_the_queue"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."works_the_queue"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."works_the_queue"() TO "ringfence_owner";

GRANT USAGE ON SCHEMA "source" TO "ringfence_analyst";

GRANT INSERT ("bot_id") ON TABLE "app"."analytics_job" TO "authenticated";

GRANT INSERT ("data_source_id") ON TABLE "app"."analytics_job" TO "authenticated";

GRANT INSERT ("idempotency_key") ON TABLE "app"."analytics_job" TO "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."analytics_job" TO "authenticated";

GRANT INSERT ("question") ON TABLE "app"."analytics_job" TO "authenticated";

GRANT INSERT ("run_id") ON TABLE "app"."analytics_job" TO "authenticated";

GRANT INSERT ("sql") ON TABLE "app"."analytics_job" TO "authenticated";

GRANT UPDATE ("status") ON TABLE "app"."analytics_job" TO "authenticated";

GRANT SELECT ON TABLE "app"."analytics_job" TO "authenticated";

GRANT UPDATE ("attempts") ON TABLE "app"."analytics_job" TO "ringfence_owner";

GRANT UPDATE ("error_code") ON TABLE "app"."analytics_job" TO "ringfence_owner";

GRANT UPDATE ("error_message") ON TABLE "app"."analytics_job" TO "ringfence_owner";

GRANT UPDATE ("ran_sha256") ON TABLE "app"."analytics_job" TO "ringfence_owner";

GRANT UPDATE ("ran_sql") ON TABLE "app"."analytics_job" TO "ringfence_owner";

GRANT UPDATE ("started_at") ON TABLE "app"."analytics_job" TO "ringfence_owner";

GRANT UPDATE ("status") ON TABLE "app"."analytics_job" TO "ringfence_owner";

GRANT SELECT ON TABLE "app"."analytics_job" TO "ringfence_owner";

GRANT SELECT ON TABLE "app"."analytics_result" TO "authenticated";

GRANT INSERT ("byte_count") ON TABLE "app"."analytics_result" TO "ringfence_owner";

GRANT INSERT ("chart") ON TABLE "app"."analytics_result" TO "ringfence_owner";

GRANT INSERT ("columns") ON TABLE "app"."analytics_result" TO "ringfence_owner";

GRANT INSERT ("data_source_id") ON TABLE "app"."analytics_result" TO "ringfence_owner";

GRANT INSERT ("expires_at"), SELECT ("expires_at") ON TABLE "app"."analytics_result" TO "ringfence_owner";

GRANT INSERT ("job_id"), SELECT ("job_id") ON TABLE "app"."analytics_result" TO "ringfence_owner";

GRANT INSERT ("org_id"), SELECT ("org_id") ON TABLE "app"."analytics_result" TO "ringfence_owner";

GRANT INSERT ("row_count") ON TABLE "app"."analytics_result" TO "ringfence_owner";

GRANT INSERT ("rows") ON TABLE "app"."analytics_result" TO "ringfence_owner";

GRANT INSERT ("sha256") ON TABLE "app"."analytics_result" TO "ringfence_owner";

GRANT INSERT ("truncated") ON TABLE "app"."analytics_result" TO "ringfence_owner";

GRANT INSERT ("user_id") ON TABLE "app"."analytics_result" TO "ringfence_owner";

GRANT DELETE ON TABLE "app"."analytics_result" TO "ringfence_owner";

GRANT INSERT ("job_id") ON TABLE "app"."analytics_result_grant" TO "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."analytics_result_grant" TO "authenticated";

GRANT INSERT ("team_id") ON TABLE "app"."analytics_result_grant" TO "authenticated";

GRANT INSERT ("user_id") ON TABLE "app"."analytics_result_grant" TO "authenticated";

GRANT DELETE, SELECT ON TABLE "app"."analytics_result_grant" TO "authenticated";

GRANT SELECT ("job_id") ON TABLE "app"."analytics_result_grant" TO "ringfence_owner";

GRANT SELECT ("org_id") ON TABLE "app"."analytics_result_grant" TO "ringfence_owner";

GRANT SELECT ("team_id") ON TABLE "app"."analytics_result_grant" TO "ringfence_owner";

GRANT SELECT ("user_id") ON TABLE "app"."analytics_result_grant" TO "ringfence_owner";

REVOKE ALL ("archived_at") ON TABLE "app"."bot" FROM "ringfence_owner";

GRANT SELECT ("archived_at") ON TABLE "app"."bot" TO "ringfence_owner";

REVOKE ALL ("id") ON TABLE "app"."bot" FROM "ringfence_owner";

GRANT SELECT ("id") ON TABLE "app"."bot" TO "ringfence_owner";

REVOKE ALL ("org_id") ON TABLE "app"."bot" FROM "ringfence_owner";

GRANT SELECT ("org_id") ON TABLE "app"."bot" TO "ringfence_owner";

REVOKE ALL ("data_source_id") ON TABLE "app"."bot_binding" FROM "authenticated";

GRANT INSERT ("data_source_id") ON TABLE "app"."bot_binding" TO "authenticated";

REVOKE ALL ("bot_id") ON TABLE "app"."bot_binding" FROM "ringfence_owner";

GRANT SELECT ("bot_id") ON TABLE "app"."bot_binding" TO "ringfence_owner";

REVOKE ALL ("data_source_id") ON TABLE "app"."bot_binding" FROM "ringfence_owner";

GRANT SELECT ("data_source_id") ON TABLE "app"."bot_binding" TO "ringfence_owner";

REVOKE ALL ("org_id") ON TABLE "app"."bot_binding" FROM "ringfence_owner";

GRANT SELECT ("org_id") ON TABLE "app"."bot_binding" TO "ringfence_owner";

REVOKE ALL ("tool") ON TABLE "app"."bot_binding" FROM "ringfence_owner";

GRANT SELECT ("tool") ON TABLE "app"."bot_binding" TO "ringfence_owner";

GRANT INSERT ("column_name") ON TABLE "app"."column_meaning" TO "authenticated";

GRANT INSERT ("data_source_id") ON TABLE "app"."column_meaning" TO "authenticated";

GRANT INSERT ("meaning"), UPDATE ("meaning") ON TABLE "app"."column_meaning" TO "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."column_meaning" TO "authenticated";

GRANT INSERT ("relation") ON TABLE "app"."column_meaning" TO "authenticated";

GRANT DELETE, SELECT ON TABLE "app"."column_meaning" TO "authenticated";

GRANT SELECT ON TABLE "app"."column_meaning" TO "ringfence_owner";

REVOKE ALL ("bot_id") ON TABLE "app"."conversation" FROM "ringfence_analyst";

GRANT SELECT ("bot_id") ON TABLE "app"."conversation" TO "ringfence_analyst";

REVOKE ALL ("created_at") ON TABLE "app"."conversation" FROM "ringfence_analyst";

GRANT SELECT ("created_at") ON TABLE "app"."conversation" TO "ringfence_analyst";

REVOKE ALL ("id") ON TABLE "app"."conversation" FROM "ringfence_analyst";

GRANT SELECT ("id") ON TABLE "app"."conversation" TO "ringfence_analyst";

REVOKE ALL ("org_id") ON TABLE "app"."conversation" FROM "ringfence_analyst";

GRANT SELECT ("org_id") ON TABLE "app"."conversation" TO "ringfence_analyst";

REVOKE ALL ("title") ON TABLE "app"."conversation" FROM "ringfence_analyst";

GRANT SELECT ("title") ON TABLE "app"."conversation" TO "ringfence_analyst";

REVOKE ALL ("user_id") ON TABLE "app"."conversation" FROM "ringfence_analyst";

GRANT SELECT ("user_id") ON TABLE "app"."conversation" TO "ringfence_analyst";

REVOKE ALL ("currency") ON TABLE "app"."customer_order" FROM "ringfence_analyst";

GRANT SELECT ("currency") ON TABLE "app"."customer_order" TO "ringfence_analyst";

REVOKE ALL ("id") ON TABLE "app"."customer_order" FROM "ringfence_analyst";

GRANT SELECT ("id") ON TABLE "app"."customer_order" TO "ringfence_analyst";

REVOKE ALL ("order_number") ON TABLE "app"."customer_order" FROM "ringfence_analyst";

GRANT SELECT ("order_number") ON TABLE "app"."customer_order" TO "ringfence_analyst";

REVOKE ALL ("org_id") ON TABLE "app"."customer_order" FROM "ringfence_analyst";

GRANT SELECT ("org_id") ON TABLE "app"."customer_order" TO "ringfence_analyst";

REVOKE ALL ("placed_at") ON TABLE "app"."customer_order" FROM "ringfence_analyst";

GRANT SELECT ("placed_at") ON TABLE "app"."customer_order" TO "ringfence_analyst";

REVOKE ALL ("status") ON TABLE "app"."customer_order" FROM "ringfence_analyst";

GRANT SELECT ("status") ON TABLE "app"."customer_order" TO "ringfence_analyst";

REVOKE ALL ("total_cents") ON TABLE "app"."customer_order" FROM "ringfence_analyst";

GRANT SELECT ("total_cents") ON TABLE "app"."customer_order" TO "ringfence_analyst";

REVOKE ALL ("user_id") ON TABLE "app"."customer_order" FROM "ringfence_analyst";

GRANT SELECT ("user_id") ON TABLE "app"."customer_order" TO "ringfence_analyst";

GRANT INSERT ("description"), UPDATE ("description") ON TABLE "app"."data_source" TO "authenticated";

GRANT INSERT ("name"), UPDATE ("name") ON TABLE "app"."data_source" TO "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."data_source" TO "authenticated";

GRANT INSERT ("relations") ON TABLE "app"."data_source" TO "authenticated";

GRANT INSERT ("slug") ON TABLE "app"."data_source" TO "authenticated";

GRANT DELETE, SELECT ON TABLE "app"."data_source" TO "authenticated";

GRANT SELECT ON TABLE "app"."data_source" TO "ringfence_owner";

GRANT INSERT ("data_source_id") ON TABLE "app"."data_source_grant" TO "authenticated";

GRANT INSERT ("level") ON TABLE "app"."data_source_grant" TO "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."data_source_grant" TO "authenticated";

GRANT INSERT ("role_id") ON TABLE "app"."data_source_grant" TO "authenticated";

GRANT INSERT ("team_id") ON TABLE "app"."data_source_grant" TO "authenticated";

GRANT INSERT ("user_id") ON TABLE "app"."data_source_grant" TO "authenticated";

GRANT DELETE, SELECT ON TABLE "app"."data_source_grant" TO "authenticated";

GRANT SELECT ("data_source_id") ON TABLE "app"."data_source_grant" TO "ringfence_owner";

GRANT SELECT ("level") ON TABLE "app"."data_source_grant" TO "ringfence_owner";

GRANT SELECT ("org_id") ON TABLE "app"."data_source_grant" TO "ringfence_owner";

GRANT SELECT ("role_id") ON TABLE "app"."data_source_grant" TO "ringfence_owner";

GRANT SELECT ("team_id") ON TABLE "app"."data_source_grant" TO "ringfence_owner";

GRANT SELECT ("user_id") ON TABLE "app"."data_source_grant" TO "ringfence_owner";

REVOKE ALL ("data_source_id") ON TABLE "app"."deny_rule" FROM "authenticated";

GRANT INSERT ("data_source_id") ON TABLE "app"."deny_rule" TO "authenticated";

GRANT INSERT ("expires_at"), UPDATE ("expires_at") ON TABLE "app"."job_lease" TO "ringfence_owner";

GRANT INSERT ("job_id") ON TABLE "app"."job_lease" TO "ringfence_owner";

GRANT INSERT ("lease") ON TABLE "app"."job_lease" TO "ringfence_owner";

GRANT INSERT ("org_id") ON TABLE "app"."job_lease" TO "ringfence_owner";

GRANT INSERT ("place") ON TABLE "app"."job_lease" TO "ringfence_owner";

GRANT INSERT ("worker") ON TABLE "app"."job_lease" TO "ringfence_owner";

GRANT DELETE, SELECT ON TABLE "app"."job_lease" TO "ringfence_owner";

GRANT INSERT ("claims") ON TABLE "app"."job_scope" TO "ringfence_owner";

GRANT INSERT ("data_source_id") ON TABLE "app"."job_scope" TO "ringfence_owner";

GRANT INSERT ("job_id") ON TABLE "app"."job_scope" TO "ringfence_owner";

GRANT INSERT ("org_id") ON TABLE "app"."job_scope" TO "ringfence_owner";

GRANT DELETE, SELECT ON TABLE "app"."job_scope" TO "ringfence_owner";

GRANT INSERT ("data_source_id") ON TABLE "app"."metric" TO "authenticated";

GRANT INSERT ("description") ON TABLE "app"."metric" TO "authenticated";

GRANT INSERT ("name") ON TABLE "app"."metric" TO "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."metric" TO "authenticated";

GRANT INSERT ("retired") ON TABLE "app"."metric" TO "authenticated";

GRANT INSERT ("sql") ON TABLE "app"."metric" TO "authenticated";

GRANT INSERT ("version") ON TABLE "app"."metric" TO "authenticated";

GRANT SELECT ON TABLE "app"."metric" TO "authenticated", "ringfence_owner";

REVOKE ALL ("created_at") ON TABLE "app"."support_ticket" FROM "ringfence_analyst";

GRANT SELECT ("created_at") ON TABLE "app"."support_ticket" TO "ringfence_analyst";

REVOKE ALL ("id") ON TABLE "app"."support_ticket" FROM "ringfence_analyst";

GRANT SELECT ("id") ON TABLE "app"."support_ticket" TO "ringfence_analyst";

REVOKE ALL ("order_id") ON TABLE "app"."support_ticket" FROM "ringfence_analyst";

GRANT SELECT ("order_id") ON TABLE "app"."support_ticket" TO "ringfence_analyst";

REVOKE ALL ("org_id") ON TABLE "app"."support_ticket" FROM "ringfence_analyst";

GRANT SELECT ("org_id") ON TABLE "app"."support_ticket" TO "ringfence_analyst";

REVOKE ALL ("status") ON TABLE "app"."support_ticket" FROM "ringfence_analyst";

GRANT SELECT ("status") ON TABLE "app"."support_ticket" TO "ringfence_analyst";

REVOKE ALL ("subject") ON TABLE "app"."support_ticket" FROM "ringfence_analyst";

GRANT SELECT ("subject") ON TABLE "app"."support_ticket" TO "ringfence_analyst";

REVOKE ALL ("user_id") ON TABLE "app"."support_ticket" FROM "ringfence_analyst";

GRANT SELECT ("user_id") ON TABLE "app"."support_ticket" TO "ringfence_analyst";

GRANT INSERT ("data") ON TABLE "app"."uploaded_row" TO "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."uploaded_row" TO "authenticated";

GRANT INSERT ("position") ON TABLE "app"."uploaded_row" TO "authenticated";

GRANT INSERT ("table_id") ON TABLE "app"."uploaded_row" TO "authenticated";

GRANT SELECT ON TABLE "app"."uploaded_row" TO "authenticated";

GRANT SELECT ("data") ON TABLE "app"."uploaded_row" TO "ringfence_analyst";

GRANT SELECT ("org_id") ON TABLE "app"."uploaded_row" TO "ringfence_analyst";

GRANT SELECT ("position") ON TABLE "app"."uploaded_row" TO "ringfence_analyst";

GRANT SELECT ("table_id") ON TABLE "app"."uploaded_row" TO "ringfence_analyst";

GRANT UPDATE ("byte_count") ON TABLE "app"."uploaded_table" TO "authenticated";

GRANT INSERT ("columns") ON TABLE "app"."uploaded_table" TO "authenticated";

GRANT INSERT ("data_source_id") ON TABLE "app"."uploaded_table" TO "authenticated";

GRANT INSERT ("name") ON TABLE "app"."uploaded_table" TO "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."uploaded_table" TO "authenticated";

GRANT UPDATE ("row_count") ON TABLE "app"."uploaded_table" TO "authenticated";

GRANT UPDATE ("state") ON TABLE "app"."uploaded_table" TO "authenticated";

GRANT DELETE, SELECT ON TABLE "app"."uploaded_table" TO "authenticated";

GRANT SELECT ON TABLE "app"."uploaded_table" TO "ringfence_owner";

REVOKE ALL ("amount") ON TABLE "app"."usage_entry" FROM "ringfence_analyst";

GRANT SELECT ("amount") ON TABLE "app"."usage_entry" TO "ringfence_analyst";

REVOKE ALL ("measure") ON TABLE "app"."usage_entry" FROM "ringfence_analyst";

GRANT SELECT ("measure") ON TABLE "app"."usage_entry" TO "ringfence_analyst";

REVOKE ALL ("on_day") ON TABLE "app"."usage_entry" FROM "ringfence_analyst";

GRANT SELECT ("on_day") ON TABLE "app"."usage_entry" TO "ringfence_analyst";

REVOKE ALL ("org_id") ON TABLE "app"."usage_entry" FROM "ringfence_analyst";

GRANT SELECT ("org_id") ON TABLE "app"."usage_entry" TO "ringfence_analyst";

GRANT SELECT ON TABLE "source"."conversations" TO "ringfence_analyst";

GRANT SELECT ON TABLE "source"."orders" TO "ringfence_analyst";

GRANT SELECT ON TABLE "source"."tickets" TO "ringfence_analyst";

GRANT SELECT ON TABLE "source"."uploaded" TO "ringfence_analyst";

GRANT SELECT ON TABLE "source"."usage" TO "ringfence_analyst";

ALTER TABLE "app"."analytics_job"
  ADD CONSTRAINT "analytics_job_run_id_fkey" FOREIGN KEY (org_id, run_id, user_id) REFERENCES app.run(org_id, id, user_id) ON DELETE CASCADE;

CREATE INDEX analytics_job_org_id_user_id_idx ON app.analytics_job USING btree (org_id, user_id, created_at DESC);

CREATE POLICY "analytics_job_insert_self" ON "app"."analytics_job"
  FOR INSERT
  TO "authenticated"
  WITH
    CHECK
    (((user_id = ( SELECT authz.uid() AS uid)) AND (org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.run'::text) AS orgs_with))) AND (data_source_id = ANY (ARRAY( SELECT
    authz.granted_data_sources('viewer'::text) AS granted_data_sources))) AND ((bot_id IS NULL) OR (bot_id = ANY (ARRAY( SELECT authz.runnable_bots() AS runnable_bots))))));

CREATE POLICY "analytics_job_select_self" ON "app"."analytics_job"
  FOR SELECT
  TO "authenticated"
  USING ((user_id = ( SELECT authz.uid() AS uid)));

CREATE POLICY "analytics_job_update_self" ON "app"."analytics_job"
  FOR UPDATE
  TO "authenticated"
  USING (((user_id = ( SELECT authz.uid() AS uid)) AND (status = ANY (ARRAY['queued'::text, 'running'::text]))))
  WITH CHECK ((user_id = ( SELECT authz.uid() AS uid)));

COMMENT ON COLUMN "app"."analytics_job"."user_id" IS 'Who asked; the job runs as them.';

COMMENT ON POLICY "analytics_job_insert_self" ON "app"."analytics_job" IS 'analytics.run, in one''s own name, of a source shared with one, in a run of a bot one may run.';

COMMENT ON POLICY "analytics_job_select_self" ON "app"."analytics_job" IS 'One''s own only: what somebody asks is theirs.';

COMMENT ON POLICY "analytics_job_update_self" ON "app"."analytics_job" IS 'One cancels one''s own job, once; authz.tg_job_end() lets one do nothing else to it.';

CREATE POLICY "analytics_result_grant_delete_requester" ON "app"."analytics_result_grant"
  FOR DELETE
  TO "authenticated"
  USING ((created_by = ( SELECT authz.uid() AS uid)));

CREATE POLICY "analytics_result_grant_insert_requester" ON "app"."analytics_result_grant"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (((created_by = ( SELECT authz.uid() AS uid)) AND (job_id = ANY (ARRAY( SELECT r.job_id
   FROM app.analytics_result r
  WHERE (r.user_id = ( SELECT authz.uid() AS uid))))) AND
    ((num_nonnulls(user_id, team_id) = 1) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('resources.publish'::text) AS orgs_with))))));

CREATE POLICY "analytics_result_grant_select_requester" ON "app"."analytics_result_grant"
  FOR SELECT
  TO "authenticated"
  USING ((created_by = ( SELECT authz.uid() AS uid)));

COMMENT ON COLUMN "app"."analytics_result_grant"."created_by" IS 'Who shared it: the requester of the job.';

COMMENT ON POLICY "analytics_result_grant_delete_requester" ON "app"."analytics_result_grant" IS 'Who shared it withdraws it.';

COMMENT ON POLICY "analytics_result_grant_insert_requester" ON "app"."analytics_result_grant" IS 'One shares what one''s own job found and one may read, with people and teams; with everyone only who holds resources.publish.';

COMMENT ON POLICY "analytics_result_grant_select_requester" ON "app"."analytics_result_grant" IS 'Who shared a result sees with whom.';

CREATE POLICY "data_source_insert_manager" ON "app"."data_source"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) AND (created_by = ( SELECT authz.uid() AS uid))));

COMMENT ON COLUMN "app"."data_source"."created_by" IS 'Who made it.';

COMMENT ON POLICY "data_source_insert_manager" ON "app"."data_source" IS 'analytics.manage makes sources, in their own name.';

CREATE POLICY "metric_insert_editor" ON "app"."metric"
  FOR INSERT
  TO "authenticated"
  WITH
    CHECK
    (((created_by = ( SELECT authz.uid() AS uid)) AND ((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (data_source_id = ANY (ARRAY(
    SELECT authz.granted_data_sources('editor'::text) AS granted_data_sources))))));

COMMENT ON COLUMN "app"."metric"."created_by" IS 'Who answers for this version.';

COMMENT ON POLICY "metric_insert_editor" ON "app"."metric" IS 'analytics.manage and the source''s editors, in their own name.';

CREATE POLICY "uploaded_row_insert_loader" ON "app"."uploaded_row"
  FOR INSERT
  TO "authenticated"
  WITH CHECK ((table_id = ANY (ARRAY( SELECT t.id
   FROM app.uploaded_table t
  WHERE ((t.state = 'loading'::text) AND (t.created_by = ( SELECT authz.uid() AS uid)))))));

CREATE POLICY "uploaded_table_insert_editor" ON "app"."uploaded_table"
  FOR INSERT
  TO "authenticated"
  WITH
    CHECK
    (((created_by = ( SELECT authz.uid() AS uid)) AND (state = 'loading'::text) AND (data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('editor'::text) AS
    granted_data_sources)))));

CREATE POLICY "uploaded_table_update_loader" ON "app"."uploaded_table"
  FOR UPDATE
  TO "authenticated"
  USING
    (((created_by = ( SELECT authz.uid() AS uid)) AND (state = 'loading'::text) AND (data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('editor'::text) AS
    granted_data_sources)))))
  WITH CHECK (((created_by = ( SELECT authz.uid() AS uid)) AND (data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('editor'::text) AS granted_data_sources)))));

COMMENT ON COLUMN "app"."uploaded_table"."created_by" IS 'Who uploaded it.';

COMMENT ON POLICY "uploaded_row_insert_loader" ON "app"."uploaded_row" IS 'Who is loading the table adds them, until it is ready.';

COMMENT ON POLICY "uploaded_table_insert_editor" ON "app"."uploaded_table" IS 'The source''s editors upload, in their own name. analytics.manage alone does not: what is uploaded is data.';

COMMENT ON POLICY "uploaded_table_update_loader" ON "app"."uploaded_table" IS 'Who is loading it counts its rows and says when it is complete.';

ALTER TABLE "app"."uploaded_table"
  ADD CONSTRAINT "uploaded_table_columns_check" CHECK (authz.are_columns(columns));

-- By hand, what the comparison does not see: two permissions, and those who have them from now on.
insert into app.permission (name, description) values
  ('analytics.run', 'Ask the data sources shared with one, and read what was found.'),
  ('analytics.manage', 'Make data sources, share them, and say what they hold and mean.');
insert into app.role_permission (org_id, role_id, permission)
  select r.org_id, r.id, p.permission from app.role r
  join (values ('owner', 'analytics.run'), ('owner', 'analytics.manage'), ('admin', 'analytics.run'), ('admin', 'analytics.manage'),
    ('analyst', 'analytics.run'), ('analyst', 'analytics.manage'), ('builder', 'analytics.run'), ('agent', 'analytics.run'), ('member', 'analytics.run'))
    p (role, permission) on p.role = r.name
  where r.built_in;
-- And comments on columns of views.
comment on column source.orders.id is 'Identifier of the order.';
comment on column source.orders.customer_id is 'The customer, as an identifier.';
comment on column source.orders.order_number is 'As printed on the order, like ORD-1042.';
comment on column source.orders.status is 'placed, paid, shipped, delivered or cancelled.';
comment on column source.orders.total_cents is 'Total in hundredths of the currency.';
comment on column source.orders.currency is 'ISO 4217 code, like EUR.';
comment on column source.orders.placed_at is 'When it was placed.';
comment on column source.tickets.id is 'Identifier of the ticket.';
comment on column source.tickets.customer_id is 'The customer, as an identifier.';
comment on column source.tickets.order_id is 'The order it is about, or null; orders.id.';
comment on column source.tickets.subject is 'One line.';
comment on column source.tickets.status is 'open, pending or closed.';
comment on column source.tickets.created_at is 'When it was opened.';
comment on column source.conversations.id is 'Identifier of the conversation.';
comment on column source.conversations.bot_id is 'The bot, as an identifier.';
comment on column source.conversations.title is 'The beginning of the first question.';
comment on column source.conversations.started_at is 'When it began.';
comment on column source.usage.on_day is 'The day, in UTC.';
comment on column source.usage.measure is 'members, teams, bots, knowledge_bases, documents, passages, characters, runs, model_calls, input_tokens or output_tokens.';
comment on column source.usage.amount is 'How much was added; below zero for what was taken away.';
comment on column source.uploaded.table_id is 'The table.';
comment on column source.uploaded.position is 'The place of the row, from 1.';
comment on column source.uploaded.data is 'Values by column.';

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
