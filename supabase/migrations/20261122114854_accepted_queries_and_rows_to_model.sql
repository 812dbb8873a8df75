-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

DROP TRIGGER "_110_step_up" ON "app"."organization";

DROP FUNCTION "api"."set_data_policy"(uuid, text, text[], boolean, boolean, boolean);

DROP FUNCTION "authz"."finish_job"(text, text, text, text, jsonb);

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

ALTER TABLE "app"."organization"
  ADD COLUMN "rows_to_model" boolean NOT NULL DEFAULT false;

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
    'rows_to_model', o.rows_to_model, 'approve_writes', o.approve_writes, 'approve_by_another', o.approve_by_another)
  into v_settings from app.organization o where o.id = organization_settings.org_id;
  if v_settings is null then
    raise sqlstate 'PT404' using message = 'no such organization of yours';
  end if;
  return v_settings;
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

CREATE OR REPLACE FUNCTION api.set_data_policy (
  org_id          uuid,
  region          text    DEFAULT NULL::text,
  allowed_regions text[]  DEFAULT NULL::text[],
  zero_retention  boolean DEFAULT false,
  no_training     boolean DEFAULT false,
  redact          boolean DEFAULT false,
  rows_to_model   boolean DEFAULT false
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(set_data_policy.org_id);
  perform authz.require(num_nulls(set_data_policy.zero_retention, set_data_policy.no_training, set_data_policy.redact, set_data_policy.rows_to_model) = 0,
    'zero_retention, no_training, redact, rows_to_model: true or false');
  perform authz.require(array_position(set_data_policy.allowed_regions, null) is null, 'allowed_regions: no null among them');
  -- Asked before anything is looked up, so the answer is the same for every organization there is or is not.
  perform authz.require_step_up();
  update app.organization o set region = set_data_policy.region, allowed_regions = set_data_policy.allowed_regions,
    zero_retention = set_data_policy.zero_retention, no_training = set_data_policy.no_training, redact = set_data_policy.redact,
    rows_to_model = set_data_policy.rows_to_model
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

ALTER TABLE "app"."accepted_query"
  ADD CONSTRAINT "accepted_query_data_source_id_fkey" FOREIGN KEY (org_id, data_source_id) REFERENCES app.data_source(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."accepted_query"
  ADD CONSTRAINT "accepted_query_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."analytics_job"
  ADD CONSTRAINT "analytics_job_drafted_sql_check" CHECK (((char_length(drafted_sql) >= 1) AND (char_length(drafted_sql) <= 20000)));

CREATE INDEX accepted_query_org_id_data_source_id_idx ON app.accepted_query USING btree (org_id, data_source_id, created_at DESC);

CREATE TRIGGER _060_in_scope
  BEFORE INSERT OR DELETE ON app.accepted_query
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_scope('analytics.manage');

CREATE TRIGGER _900_audit
  AFTER INSERT OR DELETE ON app.accepted_query
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _110_step_up
  BEFORE UPDATE OF require_mfa, region, allowed_regions, zero_retention, no_training, redact, rows_to_model, approve_writes, approve_by_another ON app.organization
  FOR EACH ROW
  WHEN
    (((old.require_mfa IS DISTINCT FROM new.require_mfa) OR (old.region IS DISTINCT FROM new.region) OR (old.allowed_regions IS DISTINCT FROM new.allowed_regions) OR
    (old.zero_retention IS DISTINCT FROM new.zero_retention) OR (old.no_training IS DISTINCT FROM new.no_training) OR (old.redact IS DISTINCT FROM new.redact) OR
    (old.rows_to_model IS DISTINCT FROM new.rows_to_model) OR (old.approve_writes IS DISTINCT FROM new.approve_writes) OR
    (old.approve_by_another IS DISTINCT FROM new.approve_by_another)))
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

COMMENT ON COLUMN "app"."accepted_query"."created_at" IS 'Since when.';

COMMENT ON COLUMN "app"."accepted_query"."data_source_id" IS 'The data source.';

COMMENT ON COLUMN "app"."accepted_query"."id" IS 'Random identifier.';

COMMENT ON COLUMN "app"."accepted_query"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."accepted_query"."question" IS 'The question; 1..400 characters.';

COMMENT ON COLUMN "app"."accepted_query"."sql" IS 'SQL over the relations of the source; 1..2000 characters.';

COMMENT ON COLUMN "app"."analytics_job"."drafted_sql" IS 'The SQL that a model wrote for the question, as it wrote it, or null; at most 20000 characters.';

COMMENT ON COLUMN "app"."organization"."rows_to_model" IS 'True: a model that asked data in a run is shown rows of the answer; false: its shape and totals of its numbers alone.';

COMMENT ON FUNCTION "api"."accept_analytics_query"(uuid, uuid, text) IS 'Accept what one of your jobs was answered with as an example: whoever asks this source in words has the question and the SQL shown to the model, and may read them. Needs level editor or analytics.manage.

@audience app
@param org_id    the organization
@param job_id    a job of yours that succeeded; its SQL has at most 2000 characters
@param question  what it answers, in words; 1..400 characters; null: as it was asked
@returns         {id, question, sql}
@errors          22004, 22023, 23514, 42501, PT404
@effect          write';

COMMENT ON FUNCTION "api"."describe_data_source"(uuid, text) IS 'Tell what a data source that you may ask holds: relations, columns, types, what they mean, how things are counted, and questions with their SQL that were accepted.

@audience app
@param org_id  the organization
@param source  slug or id
@returns       {source, id, name, description, relations: [{name, description, columns: [{name, type, meaning}]}], metrics: [{name, version, description, sql, sha256}], examples: [{question, sql}]: the latest 8}
@errors        22004, 42501, PT404, PT409
@effect        read';

COMMENT ON FUNCTION "api"."list_accepted_queries"(uuid, text) IS 'List the examples of a data source; the first 8 are shown to the model that writes SQL for a question.

@audience app
@param org_id  the organization
@param source  slug or id
@returns       array of {id, question, sql, created_by, created_at}, at most 1000; newest first
@errors        22004, PT404, PT409
@effect        read';

COMMENT ON FUNCTION "api"."organization_settings"(uuid) IS 'Tell how an organization is set up.

@audience app
@param org_id  the organization
@returns       {id, slug, name, created_at, require_mfa, region, allowed_regions, zero_retention, no_training, redact, rows_to_model, approve_writes, approve_by_another}
@errors        22004, PT404
@effect        read';

COMMENT ON FUNCTION "api"."read_analytics_result"(uuid, uuid, integer, integer) IS 'Read what a job found, page by page: yours, or shared with you. Whether you may is looked up at every page.

@audience app
@param org_id    the organization
@param job_id    the job
@param after     how many rows to pass over; 0..2147483647
@param max_rows  number of rows; 1..1000
@returns         {job_id, columns: [{name, type}], rows: [[...]], row_count, truncated, chart, expires_at, rows_to_model, next_after (null at the end)}
@errors          22004, 22023, PT404
@effect          read';

COMMENT ON FUNCTION "api"."set_data_policy"(uuid, text, text[], boolean, boolean, boolean, boolean) IS 'Say what an organization allows providers of models; works on the next call. What the operator does not know of a provider counts as the worst.

@audience app
@param org_id           the organization; needs organization.manage and a recent second factor of your own
@param region           where the organization keeps its data; 2..40 of a-z 0-9 -
@param allowed_regions  where providers may process what they are sent; 1..20; none: anywhere
@param zero_retention   true: only providers attested to keep nothing
@param no_training      true: only providers attested not to train on it
@param redact           true: personal data is replaced by pseudonyms before anything leaves
@param rows_to_model    true: a model that asked data is shown rows of the answer; false: its shape and totals of its numbers alone
@returns                {id, slug, name, created_at, require_mfa, region, allowed_regions, zero_retention, no_training, redact, rows_to_model, approve_writes, approve_by_another}
@errors                 22004, 22023, 23514, 42501, PT401, PT404
@effect                 write';

COMMENT ON FUNCTION "api"."update_organization"(uuid, text, text) IS 'Give an organization another slug or name.

@audience app
@param org_id  the organization; needs organization.manage
@param slug    short name; 2..40 of a-z, 0-9 and -, no uuid; null: as it is
@param name    display name; 1..120 characters; null: as it is
@returns       {id, slug, name, created_at, require_mfa, region, allowed_regions, zero_retention, no_training, redact, rows_to_model, approve_writes, approve_by_another}
@errors        22004, 22023, 23514, 42501, PT404
@effect        write';

COMMENT ON FUNCTION "api"."withdraw_accepted_query"(uuid, uuid) IS 'Withdraw an example: it is shown to no model from the next question on. Needs level editor on its source or analytics.manage.

@audience app
@param org_id    the organization
@param query_id  the example
@returns         {id}
@errors          22004, 42501, PT404
@effect          write';

COMMENT ON FUNCTION "authz"."finish_job"(text, text, text, text, jsonb, text) IS 'End the job that this transaction has begun, once, with its result {columns, rows, truncated, chart} when it succeeded and with what a model wrote for its question; false when it had ended otherwise meanwhile.';

COMMENT ON POLICY "accepted_query_delete_editor" ON "app"."accepted_query" IS 'analytics.manage and the source''s editors withdraw it.';

COMMENT ON POLICY "accepted_query_denied_floor" ON "app"."accepted_query" IS 'Whatever else is allowed, never of a source that a rule takes from the person (F15).';

COMMENT ON POLICY "accepted_query_floor" ON "app"."accepted_query" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "accepted_query_select_described_owner" ON "app"."accepted_query" IS 'authz.describe_source() tells those of a source that the person asking may ask.';

COMMENT ON POLICY "accepted_query_select_viewer" ON "app"."accepted_query" IS 'Who sees the source sees its examples.';

COMMENT ON POLICY "accepted_query_update_nobody" ON "app"."accepted_query" IS 'An example is accepted and withdrawn, not edited.';

COMMENT ON TABLE "app"."accepted_query" IS 'A question to a source and the SQL that answered it, as an example for whoever writes SQL. It is text and never runs by itself.';

REVOKE ALL ON FUNCTION "api"."accept_analytics_query"(uuid, uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."accept_analytics_query"(uuid, uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."accept_analytics_query"(uuid, uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."accept_analytics_query"(uuid, uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_accepted_queries"(uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_accepted_queries"(uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_accepted_queries"(uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_accepted_queries"(uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."set_data_policy"(uuid, text, text[], boolean, boolean, boolean, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."set_data_policy"(uuid, text, text[], boolean, boolean, boolean, boolean) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."set_data_policy"(uuid, text, text[], boolean, boolean, boolean, boolean) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."set_data_policy"(uuid, text, text[], boolean, boolean, boolean, boolean) TO "postgres";

REVOKE ALL ON FUNCTION "api"."withdraw_accepted_query"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."withdraw_accepted_query"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."withdraw_accepted_query"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."withdraw_accepted_query"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."finish_job"(text, text, text, text, jsonb, text) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."finish_job"(text, text, text, text, jsonb, text) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."finish_job"(text, text, text, text, jsonb, text) TO "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."finish_job"(text, text, text, text, jsonb, text) TO "ringfence_worker";

GRANT INSERT ("data_source_id") ON TABLE "app"."accepted_query" TO "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."accepted_query" TO "authenticated";

GRANT INSERT ("question") ON TABLE "app"."accepted_query" TO "authenticated";

GRANT INSERT ("sql") ON TABLE "app"."accepted_query" TO "authenticated";

GRANT DELETE, SELECT ON TABLE "app"."accepted_query" TO "authenticated";

GRANT SELECT ON TABLE "app"."accepted_query" TO "ringfence_owner";

REVOKE ALL ("drafted_sql") ON TABLE "app"."analytics_job" FROM "ringfence_owner";

GRANT UPDATE ("drafted_sql") ON TABLE "app"."analytics_job" TO "ringfence_owner";

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
