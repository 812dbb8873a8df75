-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

DROP POLICY "analytics_result_select_reader" ON "app"."analytics_result";

DROP VIEW "source"."conversations";

DROP VIEW "source"."orders";

DROP VIEW "source"."tickets";

DROP VIEW "source"."uploaded";

DROP VIEW "source"."usage";

ALTER TABLE "app"."analytics_job"
  ADD COLUMN "reads" bigint NOT NULL DEFAULT 0;

-- By hand: nobody noted what the results that are there were found with. Whoever sees everything may have found them; others ask again.
ALTER TABLE "app"."analytics_result"
  ADD COLUMN "reads" bigint NOT NULL DEFAULT authz.permission_bit('orders.read') | authz.permission_bit('tickets.read') | authz.permission_bit('usage.read')
    | authz.permission_bit('orders.place') | authz.permission_bit('tickets.create') | authz.permission_bit('bots.run');

ALTER TABLE "app"."analytics_result"
  ALTER COLUMN "reads" DROP DEFAULT;

-- By hand: what the database said of SQL that ran may quote a row, and nothing would take it out of a job any more. A change of type passes by
-- policies and triggers.
ALTER TABLE "app"."analytics_job"
  ALTER COLUMN "error_message" TYPE text USING case when status = 'failed' and ran_sql is not null then null else error_message end;

ALTER TABLE "app"."analytics_result"
  ADD COLUMN "error_message" text;

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
    from app.analytics_result r where r.org_id = v_job.org_id and r.job_id = v_job.id and r.error_message is null),
    jsonb_build_object('row_count', null, 'truncated', null, 'expires_at', null));
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
  select r.* into v_result from app.analytics_result r
  where r.org_id = read_analytics_result.org_id and r.job_id = read_analytics_result.job_id and r.error_message is null;
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
    where r.org_id = share_analytics_result.org_id and r.job_id = share_analytics_result.job_id and r.user_id = authz.uid() and r.error_message is null)
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
    if authz.runs_the_queue() then
      update app.analytics_job j set reads = j.reads | (authz.source_reads((
        select d.relations from app.data_source d where d.org_id = j.org_id and d.id = j.data_source_id)) ->> j.org_id::text)::bigint
      where j.org_id = v_job.org_id and j.id = v_job.id;
    end if;
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
  v_found jsonb := coalesce(finish_job.result, '{"columns": [], "rows": [], "truncated": false}');
  -- What the database says of SQL that ran may quote a row: it is kept, read and swept like rows.
  v_quotes text := case when finish_job.status = 'failed' and finish_job.ran_sql is not null then left(finish_job.error_message, 500) end;
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
  if not authz.end_job(v_scope.org_id, v_scope.job_id, finish_job.status, finish_job.error_code, case when v_quotes is null then finish_job.error_message end,
    finish_job.ran_sql)
  then
    return false;
  end if;
  if finish_job.status = 'succeeded' or v_quotes is not null then
    insert into app.analytics_result (org_id, job_id, user_id, data_source_id, reads, columns, rows, row_count, byte_count, truncated, error_message, chart,
      sha256, expires_at)
    select v_scope.org_id, v_scope.job_id, authz.uid(), v_scope.data_source_id, j.reads, v_found -> 'columns', v_found -> 'rows',
      jsonb_array_length(v_found -> 'rows'), octet_length(v_found ->> 'rows'), (v_found -> 'truncated')::boolean, v_quotes,
      nullif(v_found -> 'chart', 'null'), encode(sha256(convert_to((v_found -> 'columns')::text || (v_found ->> 'rows'), 'UTF8')), 'hex'),
      now() + make_interval(days => l.result_days)
    from authz.job_limits() l, app.analytics_job j where j.org_id = v_scope.org_id and j.id = v_scope.job_id;
  end if;
  return true;
end
$function$;

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
    'run_id', job.run_id, 'bot_id', job.bot_id, 'error_code', job.error_code,
    'error_message', coalesce(job.error_message, (
      select r.error_message from app.analytics_result r where r.org_id = job.org_id and r.job_id = job.id)),
    'attempts', job.attempts,
    'created_at', job.created_at, 'started_at', job.started_at, 'finished_at', job.finished_at)
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
    ('analytics_result', '{user_id,rows,columns,chart,sha256,error_message}', 'deleted', 'goes with the job'),
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

CREATE OR REPLACE FUNCTION authz.source_reads (
  relations text[]
)
  RETURNS jsonb
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select jsonb_object_agg(s.org_id, s.reads) from (
    select r.org_id, bit_or(r.bit) as reads from (
      select o.id as org_id, 0::bigint as bit from authz.org_ids() o (id)
      union all
      -- Everybody's rows: as the policies for ringfence_analyst ask.
      select o.id, authz.permission_bit(p.permission)
      from (values ('orders', 'orders.read'), ('tickets', 'tickets.read'), ('usage', 'usage.read')) p (relation, permission), authz.orgs_with(p.permission) o (id)
      where p.relation = any (source_reads.relations)
      union all
      -- One's own, which every session sees but that of an API token made for something else: as their floors ask. The first name stands for it.
      select o.id, authz.permission_bit(p.scope[1])
      from (values ('orders', array['orders.place', 'orders.read']), ('tickets', array['tickets.create', 'tickets.read', 'tickets.manage']),
        ('conversations', array['bots.run'])) p (relation, scope), authz.org_ids() o (id)
      where p.relation = any (source_reads.relations) and authz.in_scope(p.scope)) r
    group by r.org_id) s
$function$;

ALTER TABLE "app"."analytics_result"
  ADD CONSTRAINT "analytics_result_error_message_check" CHECK ((char_length(error_message) <= 500));

CREATE VIEW "source"."conversations" WITH (security_barrier=true, security_invoker=true) AS  SELECT id,
    bot_id,
    title,
    created_at AS started_at
   FROM app.conversation c
 OFFSET 0;

CREATE VIEW "source"."orders" WITH (security_barrier=true, security_invoker=true) AS  SELECT id,
    user_id AS customer_id,
    order_number,
    status,
    total_cents,
    currency,
    placed_at
   FROM app.customer_order o
 OFFSET 0;

CREATE VIEW "source"."tickets" WITH (security_barrier=true, security_invoker=true) AS  SELECT id,
    user_id AS customer_id,
    order_id,
    subject,
    status,
    created_at
   FROM app.support_ticket t
 OFFSET 0;

CREATE VIEW "source"."uploaded" WITH (security_barrier=true, security_invoker=true) AS  SELECT table_id,
    data
   FROM app.uploaded_row r;

CREATE VIEW "source"."usage" WITH (security_barrier=true, security_invoker=true) AS  SELECT on_day,
    measure,
    amount
   FROM app.usage_entry u
 OFFSET 0;

CREATE POLICY "analytics_result_select_reader" ON "app"."analytics_result"
  FOR SELECT
  TO "authenticated"
  USING
    (((expires_at > now()) AND (((user_id <> ( SELECT authz.uid() AS uid)) AND (job_id = ANY (ARRAY( SELECT authz.shared_results() AS shared_results)))) OR ((user_id = ( SELECT
    authz.uid() AS uid)) AND (data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('viewer'::text) AS granted_data_sources))) AND
    ((reads & (~ ((( SELECT authz.source_reads(ARRAY['orders'::text, 'tickets'::text, 'conversations'::text, 'usage'::text]) AS source_reads) ->> (org_id)::text))::bigint)) =
    0)))));

COMMENT ON COLUMN "app"."analytics_job"."error_message" IS 'As a sentence; at most 500 characters. One that may quote a row is with the result.';

COMMENT ON COLUMN "app"."analytics_job"."reads" IS 'Which rows of the source its requester saw when it ran, as bits: authz.source_reads(). Added to each time the worker begins it.';

COMMENT ON COLUMN "app"."analytics_result"."error_message" IS 'Why the SQL failed, as the database said it; null for one that did not. At most 500 characters.';

COMMENT ON COLUMN "app"."analytics_result"."reads" IS 'Which rows of the source were seen, as bits: authz.source_reads(). Who asked reads it while they see them all.';

COMMENT ON FUNCTION "authz"."begin_job"(uuid, uuid) IS 'Make this transaction act for the requester of a job that is held under this lease, after looking again whether they may: {outcome: begun, org_id, source, question, sql, attempt} or {outcome: revoked, code}, which ends the job when a worker asks. Notes for a worker what the requester sees. PT409 for another lease, 55000 for a second job in one transaction (F44, F51).';

COMMENT ON FUNCTION "authz"."finish_job"(text, text, text, text, jsonb, text) IS 'End the job that this transaction has begun, once, with its result {columns, rows, truncated, chart} when it succeeded, with the sentence of the database when its SQL ran and failed, and with what a model wrote for its question; false when it had ended otherwise meanwhile.';

COMMENT ON FUNCTION "authz"."job_answer"(app.analytics_job) IS 'A job as people see it; what may quote a row of its source they see while they may read its result.';

COMMENT ON FUNCTION "authz"."source_reads"(text[]) IS 'Which rows of these relations the session sees now, by organization, as bits of permissions (authz.permission_bit): of orders.read, tickets.read and usage.read everybody''s, of orders.place, tickets.create and bots.run one''s own.';

COMMENT ON POLICY "analytics_result_select_reader" ON "app"."analytics_result" IS 'Who asked reads it while they may still ask that source and their session sees all rows that were seen then; with whom it is shared, without either; nobody when it is too old.';

COMMENT ON VIEW "source"."conversations" IS 'Your own conversations with bots.';

COMMENT ON VIEW "source"."orders" IS 'Orders of customers: your own, or with orders.read all of the organization.';

COMMENT ON VIEW "source"."tickets" IS 'Support tickets: your own, or with tickets.read all of the organization.';

COMMENT ON VIEW "source"."uploaded" IS 'Rows of uploaded tables, which the worker names and casts for each.';

COMMENT ON VIEW "source"."usage" IS 'How much the organization added or used, day by day: sum(amount) by measure. Needs usage.read.';

-- By hand: columns of views that were made anew.
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
comment on column source.uploaded.data is 'Values by column.';

REVOKE ALL ON FUNCTION "authz"."source_reads"(text[]) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."source_reads"(text[]) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."source_reads"(text[]) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."source_reads"(text[]) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."source_reads"(text[]) TO "ringfence_owner";

REVOKE ALL ("reads") ON TABLE "app"."analytics_job" FROM "ringfence_owner";

GRANT UPDATE ("reads") ON TABLE "app"."analytics_job" TO "ringfence_owner";

REVOKE ALL ("error_message") ON TABLE "app"."analytics_result" FROM "ringfence_owner";

GRANT INSERT ("error_message") ON TABLE "app"."analytics_result" TO "ringfence_owner";

REVOKE ALL ("reads") ON TABLE "app"."analytics_result" FROM "ringfence_owner";

GRANT INSERT ("reads") ON TABLE "app"."analytics_result" TO "ringfence_owner";

GRANT SELECT ON TABLE "source"."conversations" TO "ringfence_analyst";

GRANT SELECT ON TABLE "source"."orders" TO "ringfence_analyst";

GRANT SELECT ON TABLE "source"."tickets" TO "ringfence_analyst";

GRANT SELECT ON TABLE "source"."uploaded" TO "ringfence_analyst";

GRANT SELECT ON TABLE "source"."usage" TO "ringfence_analyst";

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
