-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

DROP TRIGGER "_110_step_up" ON "app"."organization";

ALTER TABLE "app"."audit_event"
  DROP CONSTRAINT "audit_event_outcome_check";

ALTER TABLE "app"."run_step"
  DROP CONSTRAINT "run_step_outcome_check";

DROP FUNCTION "api"."get_order"(uuid, text);

DROP FUNCTION "api"."my_orders"(uuid, integer);

CREATE TABLE "app"."approval" (
  "org_id"           uuid                     NOT NULL,
  "id"               uuid                     NOT NULL DEFAULT gen_random_uuid(),
  "run_id"           uuid                     NOT NULL,
  "on_behalf_of"     uuid,
  "tool"             text                     NOT NULL,
  "arguments"        jsonb,
  "arguments_sha256" text                     NOT NULL,
  "reason"           text                     NOT NULL,
  "state"            text                     NOT NULL DEFAULT 'pending'::text,
  "requested_at"     timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  "expires_at"       timestamp with time zone NOT NULL,
  "decided_by"       uuid,
  "decided_at"       timestamp with time zone,
  "step_id"          uuid,
  "used_at"          timestamp with time zone,
  CONSTRAINT "approval_arguments_check" CHECK (((jsonb_typeof(arguments) = 'object'::text) AND (octet_length((arguments)::text) <= 65536))),
  CONSTRAINT "approval_arguments_kept_check" CHECK (((arguments IS NOT NULL) = (state = ANY (ARRAY['pending'::text, 'approved'::text])))),
  CONSTRAINT "approval_arguments_sha256_check" CHECK ((arguments_sha256 ~ '^[0-9a-f]{64}$'::text)),
  CONSTRAINT "approval_decided_check"
    CHECK ((((decided_by IS NULL) = (decided_at IS NULL)) AND ((state <> ALL (ARRAY['approved'::text, 'denied'::text, 'used'::text])) OR (decided_by IS NOT NULL)))),
  CONSTRAINT "approval_pkey" PRIMARY KEY (org_id, id),
  CONSTRAINT "approval_reason_check" CHECK ((reason = ANY (ARRAY['destructive'::text, 'tainted'::text, 'organization'::text]))),
  CONSTRAINT "approval_state_check" CHECK ((state = ANY (ARRAY['pending'::text, 'approved'::text, 'denied'::text, 'used'::text, 'cancelled'::text]))),
  CONSTRAINT "approval_step_id_key" UNIQUE (org_id, step_id),
  CONSTRAINT "approval_tool_check" CHECK ((tool ~ '^[a-z_][a-z0-9_]{0,62}$'::text)),
  CONSTRAINT "approval_used_check" CHECK ((((state = 'used'::text) = (step_id IS NOT NULL)) AND ((state = 'used'::text) = (used_at IS NOT NULL)))),
  "user_id"          uuid                     NOT NULL DEFAULT authz.uid()
);

ALTER TABLE "app"."approval"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."approval"
  FORCE ROW LEVEL SECURITY;

ALTER TABLE "app"."organization"
  ADD COLUMN "approve_writes" boolean NOT NULL DEFAULT false;

ALTER TABLE "app"."organization"
  ADD COLUMN "approve_by_another" boolean NOT NULL DEFAULT false;

ALTER TABLE "app"."run"
  ADD COLUMN "taint" text[] NOT NULL DEFAULT '{}'::text[];

ALTER TABLE "app"."run_step"
  ADD COLUMN "taint" text[];

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
      from app.audit_event e where e.org_id = v_run.org_id and e.run_id = v_run.id and e.action not in ('tool.call', 'model.call')),
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
      execute v_statement into v_rows using call_tool.arguments, v_context;
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

CREATE OR REPLACE FUNCTION api.create_ticket (
  org_id          uuid,
  subject         text,
  body            text,
  order_number    text DEFAULT NULL::text,
  idempotency_key uuid DEFAULT NULL::uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_ticket app.support_ticket;
  v_orders uuid[];
  v_order uuid;
begin
  perform authz.require_org(create_ticket.org_id);
  perform authz.require(char_length(subject) between 1 and 200, 'subject: 1..200 characters');
  perform authz.require(char_length(body) between 1 and 8000, 'body: 1..8000 characters');
  if create_ticket.order_number is not null then
    perform authz.require(char_length(create_ticket.order_number) between 1 and 20, 'order_number: 1..20 characters');
    v_orders := array(select o.id from app.customer_order o
      where o.org_id = create_ticket.org_id and o.order_number = upper(create_ticket.order_number)
      order by o.user_id = authz.uid() desc);
    v_order := v_orders[1];
    if v_order is null then
      raise sqlstate 'PT404' using message = 'no order of that number that you may see';
    elsif cardinality(v_orders) > 1 and not exists (
      select from app.customer_order o where o.org_id = create_ticket.org_id and o.id = v_order and o.user_id = authz.uid())
    then
      -- A number is the customer's own: two may have the same, and staff must not be made to mean the wrong one.
      raise sqlstate 'PT409' using message = 'several customers have an order of that number';
    end if;
  end if;
  begin
    insert into app.support_ticket (org_id, order_id, subject, body, idempotency_key)
    values (create_ticket.org_id, v_order, create_ticket.subject, create_ticket.body, coalesce(create_ticket.idempotency_key, gen_random_uuid()))
    returning * into v_ticket;
  exception when unique_violation then
    -- The key is the caller's own: it is the ticket this very call made before.
    select t.* into strict v_ticket from app.support_ticket t
    where t.org_id = create_ticket.org_id and t.user_id = authz.uid() and t.idempotency_key = create_ticket.idempotency_key;
  end;
  return jsonb_build_object('id', v_ticket.id, 'subject', v_ticket.subject, 'status', v_ticket.status, 'created_at', v_ticket.created_at,
    -- It holds nothing but what the caller said.
    'trust', 'trusted');
end
$function$;

CREATE OR REPLACE FUNCTION api.decide_approval (
  org_id      uuid,
  approval_id uuid,
  decision    text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_approval app.approval;
begin
  perform authz.require_org(decide_approval.org_id);
  perform authz.require(decision in ('approve', 'deny'), 'decision: approve or deny');
  -- Asked before anything is looked up, so the answer is the same for every request there is or is not.
  perform authz.require_person();
  if decision = 'approve' then
    perform authz.require_step_up();
  end if;
  update app.approval a set state = case decision when 'approve' then 'approved' else 'denied' end
  where a.org_id = decide_approval.org_id and a.id = decide_approval.approval_id and a.state = 'pending' and a.expires_at > now()
  returning a.* into v_approval;
  if not found then
    if exists (select from app.approval a where a.org_id = decide_approval.org_id and a.id = decide_approval.approval_id) then
      raise sqlstate 'PT409' using message = 'it was decided before, or its time is over';
    end if;
    raise sqlstate 'PT404' using message = 'no such request that is yours to decide';
  end if;
  return jsonb_build_object('id', v_approval.id, 'run_id', v_approval.run_id, 'tool', v_approval.tool, 'state', v_approval.state,
    'expires_at', v_approval.expires_at);
end
$function$;

CREATE OR REPLACE FUNCTION api.get_order (
  org_id uuid,
  number text
)
  RETURNS TABLE (
    id           uuid,
    order_number text,
    status       text,
    total_cents  bigint,
    currency     text,
    items        jsonb,
    placed_at    timestamp with time zone,
    trust        text
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(get_order.org_id);
  perform authz.require(char_length(get_order.number) between 1 and 20, 'number: 1..20 characters');
  return query
    select o.id, o.order_number, o.status, o.total_cents, o.currency, o.items, o.placed_at,
      -- What an order says of its items, its customer wrote.
      case when o.user_id = authz.uid() then 'trusted' else 'untrusted' end
    from app.customer_order o
    where o.org_id = get_order.org_id and o.order_number = upper(get_order.number)
    order by o.placed_at desc, o.id;
  if not found then
    raise sqlstate 'PT404' using message = 'no order of that number that you may see';
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION api.list_approvals (
  org_id   uuid,
  waiting  boolean DEFAULT true,
  max_rows integer DEFAULT 100
)
  RETURNS TABLE (
    id               uuid,
    run_id           uuid,
    user_id          uuid,
    email            text,
    bot              text,
    tool             text,
    arguments        jsonb,
    arguments_sha256 text,
    reason           text,
    state            text,
    requested_at     timestamp with time zone,
    expires_at       timestamp with time zone,
    decided_by       uuid,
    decided_at       timestamp with time zone,
    used_at          timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_approvals.org_id);
  perform authz.require(list_approvals.waiting is not null, 'waiting: true or false');
  perform authz.require(max_rows between 1 and 1000, 'max_rows: 1..1000');
  return query
    select a.id, a.run_id, a.user_id, m.email, b.slug, a.tool, a.arguments, a.arguments_sha256, a.reason,
      case when a.state in ('pending', 'approved') and a.expires_at <= now() then 'expired' else a.state end,
      a.requested_at, a.expires_at, a.decided_by, a.decided_at, a.used_at
    from app.approval a
    left join app.run r on r.org_id = a.org_id and r.id = a.run_id
    left join app.bot b on b.org_id = r.org_id and b.id = r.bot_id
    left join app.membership m on m.org_id = a.org_id and m.user_id = a.user_id
    where a.org_id = list_approvals.org_id and (not list_approvals.waiting or a.state = 'pending' and a.expires_at > now())
    order by a.requested_at desc, a.id
    limit max_rows;
end
$function$;

CREATE OR REPLACE FUNCTION api.my_orders (
  org_id   uuid,
  max_rows integer DEFAULT 20
)
  RETURNS TABLE (
    id           uuid,
    order_number text,
    status       text,
    total_cents  bigint,
    currency     text,
    items        jsonb,
    placed_at    timestamp with time zone,
    trust        text
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(my_orders.org_id);
  perform authz.require(max_rows between 1 and 100, 'max_rows: 1..100');
  return query
    select o.id, o.order_number, o.status, o.total_cents, o.currency, o.items, o.placed_at, 'trusted'
    from app.customer_order o
    where o.org_id = my_orders.org_id and o.user_id = authz.uid()
    order by o.placed_at desc, o.id
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
    'approve_writes', o.approve_writes, 'approve_by_another', o.approve_by_another)
  into v_settings from app.organization o where o.id = organization_settings.org_id;
  if v_settings is null then
    raise sqlstate 'PT404' using message = 'no such organization of yours';
  end if;
  return v_settings;
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
  v_history := authz.run_history(v_run.org_id, v_run.conversation_id);
  return jsonb_build_object(
    'run_id', v_run.id, 'org_id', v_run.org_id, 'conversation_id', v_run.conversation_id,
    'bot', jsonb_build_object('id', v_run.bot_id, 'slug', (select b.slug from app.bot b where b.org_id = v_run.org_id and b.id = v_run.bot_id),
      'name', v_version.name, 'version', v_version.version, 'instructions', v_version.instructions, 'sha256', v_version.sha256),
    'tools', to_jsonb(authz.run_tools(v_run.org_id, v_run.bot_id)),
    'history', v_history,
    'call', jsonb_build_object('tool', v_approval.tool, 'arguments', v_approval.arguments, 'state', v_approval.state));
end
$function$;

CREATE OR REPLACE FUNCTION api.set_approval_policy (
  org_id     uuid,
  writes     boolean,
  by_another boolean
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(set_approval_policy.org_id);
  perform authz.require(num_nulls(set_approval_policy.writes, set_approval_policy.by_another) = 0, 'writes, by_another: true or false');
  -- Asked before anything is looked up, so the answer is the same for every organization there is or is not.
  perform authz.require_step_up();
  update app.organization o set approve_writes = set_approval_policy.writes, approve_by_another = set_approval_policy.by_another
  where o.id = set_approval_policy.org_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such organization, or not yours to manage';
  end if;
  return jsonb_build_object('org_id', set_approval_policy.org_id, 'approve_writes', set_approval_policy.writes,
    'approve_by_another', set_approval_policy.by_another);
end
$function$;

CREATE OR REPLACE FUNCTION api.start_run (
  bot             text,
  question        text,
  conversation_id uuid DEFAULT NULL::uuid,
  request_id      text DEFAULT NULL::text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_bot app.bot := authz.runnable_bot(start_run.bot);
  v_version app.bot_version;
  v_conversation uuid := start_run.conversation_id;
  v_run uuid;
  v_history jsonb;
begin
  perform authz.require(char_length(question) between 1 and 8000, 'question: 1..8000 characters');
  select v.* into strict v_version from app.bot_version v where v.org_id = v_bot.org_id and v.bot_id = v_bot.id and v.version = v_bot.version;
  -- Whoever began these never heard that they had begun, or died: nothing else would ever end them.
  update app.run r set status = 'failed', error_code = 'abandoned', finished_at = clock_timestamp()
  where r.org_id = v_bot.org_id and r.user_id = authz.uid() and r.status = 'running' and r.started_at <= now() - authz.run_lasts();
  if v_conversation is null then
    insert into app.conversation (org_id, bot_id, title) values (v_bot.org_id, v_bot.id, left(question, 120)) returning id into v_conversation;
  elsif not exists (
    select from app.conversation c where c.org_id = v_bot.org_id and c.id = v_conversation and c.bot_id = v_bot.id)
  then
    raise sqlstate 'PT404' using message = 'no such conversation with this bot';
  end if;
  v_history := authz.run_history(v_bot.org_id, v_conversation);
  insert into app.run (org_id, bot_id, bot_version, conversation_id, question_sha256, request_id)
  values (v_bot.org_id, v_bot.id, v_version.version, v_conversation, authz.digest(v_bot.org_id, v_conversation, question), start_run.request_id)
  returning id into v_run;
  insert into app.message (org_id, conversation_id, run_id, role, content) values (v_bot.org_id, v_conversation, v_run, 'user', question);
  return jsonb_build_object(
    'run_id', v_run, 'org_id', v_bot.org_id, 'conversation_id', v_conversation,
    'bot', jsonb_build_object('id', v_bot.id, 'slug', v_bot.slug, 'name', v_version.name, 'version', v_version.version,
      'instructions', v_version.instructions, 'sha256', v_version.sha256),
    'tools', to_jsonb(authz.run_tools(v_bot.org_id, v_bot.id)),
    'history', v_history);
end
$function$;

CREATE OR REPLACE FUNCTION api.use_tool (
  bot             text,
  tool            text,
  arguments       jsonb             DEFAULT '{}'::jsonb,
  query_embedding extensions.vector DEFAULT NULL::extensions.vector,
  request_id      text              DEFAULT NULL::text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_bot app.bot := authz.runnable_bot(use_tool.bot);
  -- One conversation a bot and tool: each holds when it was called, and no list of conversations is flooded.
  v_title constant text := 'Tool call: ' || case when use_tool.tool ~ '^[a-z_][a-z0-9_]{0,62}$' then use_tool.tool else '?' end;
  v_conversation uuid := (
    select c.id from app.conversation c
    where c.org_id = v_bot.org_id and c.bot_id = v_bot.id and c.user_id = authz.uid() and c.title = v_title
    order by c.created_at limit 1);
  -- The same call again while it waits, or after it was decided, is that call: its run is still open.
  v_waiting uuid := (
    select a.run_id from app.approval a join app.run r on r.org_id = a.org_id and r.id = a.run_id
    where a.org_id = v_bot.org_id and a.user_id = authz.uid() and r.conversation_id = v_conversation and r.status = 'running'
      and r.started_at > now() - authz.run_lasts() and a.state in ('pending', 'approved', 'denied') and a.expires_at > now()
      and a.arguments_sha256 = authz.digest(v_bot.org_id, v_conversation, jsonb_build_array(use_tool.tool, use_tool.arguments)::text)
    order by a.requested_at desc limit 1);
  v_run jsonb := case when v_waiting is null then api.start_run(v_bot.org_id || '/' || v_bot.id, v_title, v_conversation, use_tool.request_id)
    else jsonb_build_object('run_id', v_waiting, 'conversation_id', v_conversation) end;
  v_result jsonb := api.call_tool((v_run ->> 'run_id')::uuid, use_tool.tool, use_tool.arguments, use_tool.query_embedding);
begin
  -- One that waits for an approval is ended by the call that comes after it, or by its time.
  if v_result ->> 'outcome' <> 'needs_approval' then
    perform api.finish_run((v_run ->> 'run_id')::uuid, case when v_result ->> 'outcome' = 'ok' then 'succeeded' else 'failed' end, '', '[]',
      nullif(v_result ->> 'outcome', 'ok'));
  end if;
  return v_result || jsonb_build_object('run_id', v_run -> 'run_id', 'conversation_id', v_run -> 'conversation_id');
end
$function$;

CREATE OR REPLACE FUNCTION authz.approval_for (
  org_id           uuid,
  run_id           uuid,
  tool             text,
  arguments        jsonb,
  arguments_sha256 text
)
  RETURNS app.approval
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_approval app.approval;
begin
  if authz.approval_reason(approval_for.org_id, approval_for.run_id, approval_for.tool) is null then
    return null;
  end if;
  -- What was approved is made; what was denied is not asked for again in this run; what waits, waits.
  select a.* into v_approval from app.approval a
  where a.org_id = approval_for.org_id and a.run_id = approval_for.run_id and a.user_id = authz.uid()
    and a.arguments_sha256 = approval_for.arguments_sha256
    and (a.state in ('approved', 'pending') and a.expires_at > now() or a.state = 'denied')
  order by array_position(array['approved', 'denied', 'pending'], a.state), a.requested_at limit 1;
  if not found then
    -- Whoever decides looks at each one: a document that makes a model ask and ask must not wear them out.
    if (select count(*) from app.approval a where a.org_id = approval_for.org_id and a.user_id = authz.uid() and a.state = 'pending'
      and a.expires_at > now()) >= 20
    then
      raise sqlstate 'PT429' using message = '20 calls of yours wait for an approval, the most that may';
    end if;
    insert into app.approval (org_id, run_id, tool, arguments)
    values (approval_for.org_id, approval_for.run_id, approval_for.tool, approval_for.arguments)
    returning * into v_approval;
  end if;
  return v_approval;
end
$function$;

CREATE OR REPLACE FUNCTION authz.approval_lasts()
  RETURNS interval
  LANGUAGE sql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
RETURN '00:30:00'::interval;

CREATE OR REPLACE FUNCTION authz.approval_reason (
  org_id uuid,
  run_id uuid,
  tool   text
)
  RETURNS text
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select case
    when e.effect = 'read' then null
    when e.effect = 'destructive' then 'destructive'
    -- A run nobody sees is taken for one that has seen everything.
    when coalesce((select r.taint @> array['private', 'untrusted'] from app.run r
      where r.org_id = approval_reason.org_id and r.id = approval_reason.run_id), true) then 'tainted'
    when exists (select from app.organization o where o.id = approval_reason.org_id and o.approve_writes) then 'organization' end
  from authz.tool_effect(approval_reason.tool) e (effect)
$function$;

CREATE OR REPLACE FUNCTION authz.is_personal (
  permission text
)
  RETURNS boolean
  LANGUAGE sql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
RETURN
  (permission = ANY (ARRAY['organization.manage'::text, 'members.manage'::text, 'roles.manage'::text, 'teams.manage'::text, 'rules.manage'::text, 'tokens.create'::text,
  'approvals.decide'::text]));

CREATE OR REPLACE FUNCTION authz.is_tool_conversation (
  org_id          uuid,
  conversation_id uuid
)
  RETURNS boolean
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select exists (select from app.conversation c
    where c.org_id = is_tool_conversation.org_id and c.id = is_tool_conversation.conversation_id and c.title like 'Tool call: %')
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
      'tokens.create', 'usage.read', 'members.deprovision', 'analytics.run', 'analytics.manage', 'approvals.decide'],
    permission_bit.permission) - 1;
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
    ('analytics_job', '{user_id,question,sql,ran_sql,sql_sha256,ran_sha256,session}', 'deleted', 'what the person asked of data'),
    ('analytics_result', '{user_id,rows,columns,chart,sha256}', 'deleted', 'goes with the job'),
    ('analytics_result_grant', '{user_id,created_by}', 'deleted', 'goes with the result, and with the membership of whom it was shared with'),
    ('data_source_grant', '{user_id}', 'deleted', 'what was shared with the person goes with the membership'),
    ('job_scope', '{claims}', 'retained', 'lives no longer than its transaction'),
    ('data_source', '{created_by,name,slug,description}', 'retained', 'the organization''s own; who made it is an opaque identifier'),
    ('metric', '{created_by,name,description,sql}', 'retained', 'as that'),
    ('column_meaning', '{meaning}', 'retained', 'the organization''s own'),
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

CREATE OR REPLACE FUNCTION authz.run_history (
  org_id          uuid,
  conversation_id uuid
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
    order by m.created_at desc, m.id limit 20) h
$function$;

CREATE OR REPLACE FUNCTION authz.tg_approval_decision()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  -- What ringfence_owner changes is no decision: the use of one, or the end of its run.
  if row_security_active('app.approval') and current_user <> 'ringfence_owner' then
    perform authz.require_person();
    if exists (select from app.membership m where m.org_id = old.org_id and m.user_id = authz.uid() and m.service_owner_id is not null) then
      raise sqlstate '42501' using message = 'approvals are decided by people: a service account asks who answers for it';
    end if;
    if new.state = 'approved' then
      perform authz.require_step_up();
      if authz.uid() in (old.user_id, old.on_behalf_of)
        and exists (select from app.organization o where o.id = old.org_id and o.approve_by_another)
      then
        raise sqlstate '42501' using message = 'this organization wants somebody else to approve what you asked for';
      end if;
    else
      new.arguments := null;
    end if;
    new.decided_by := authz.uid();
    new.decided_at := clock_timestamp();
  end if;
  return new;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_approval_request()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_run app.run;
begin
  select r.* into v_run from app.run r where r.org_id = new.org_id and r.id = new.run_id and r.user_id = authz.uid();
  new.on_behalf_of := v_run.on_behalf_of;
  -- Made here, from what the one who decides will see: nothing else can be used for it.
  new.arguments_sha256 := authz.digest(v_run.org_id, v_run.conversation_id, jsonb_build_array(new.tool, new.arguments)::text);
  new.reason := authz.approval_reason(new.org_id, new.run_id, new.tool);
  new.expires_at := least(now() + authz.approval_lasts(), v_run.started_at + authz.run_lasts());
  return new;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_audit_approval()
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
    org_id => new.org_id, action => 'approval.' || lower(tg_op), object_id => new.id::text, run_id => new.run_id,
    bot_id => v_bot.bot_id, bot_version => v_bot.bot_version, target => new.tool, rule => 'approval:' || new.state,
    arguments_sha256 => new.arguments_sha256, changed => case when tg_op = 'UPDATE' then array['state'] else '{}' end);
  return null;
end
$function$;

ALTER FUNCTION "authz"."tg_audit_approval"() OWNER TO "ringfence_owner";

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
    rule => case when new.outcome = 'denied' then coalesce(
      (select 'deny_rule:' || d.id from app.deny_rule d where d.org_id = new.org_id and d.tool = new.name order by d.id limit 1),
      'binding_or_permission')
      else (select 'approval:' || a.id from app.approval a where a.org_id = new.org_id and (a.step_id = new.id
        or new.outcome = 'needs_approval' and a.run_id = new.run_id and a.arguments_sha256 = new.arguments_sha256 and a.state = 'pending')
        order by a.requested_at desc limit 1) end,
    arguments_sha256 => new.arguments_sha256, object_sha256 => authz.step_digest(new));
  return null;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_run_approvals()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  update app.approval a set state = 'cancelled', arguments = null
  where a.org_id = new.org_id and a.run_id = new.id and a.state in ('pending', 'approved');
  return null;
end
$function$;

ALTER FUNCTION "authz"."tg_run_approvals"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.tg_run_taint()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  -- A conversation goes on with what was said in it. Whoever calls single tools keeps what they returned where no run sees it: for as long
  -- as a run may last it counts for the next call, in whatever organization that is.
  if authz.is_tool_conversation(new.org_id, new.conversation_id) then
    new.taint := array(
      select distinct t.label
      from app.run r cross join unnest(r.taint) t (label)
      where r.org_id = any (array(select authz.org_ids())) and r.user_id = new.user_id and r.started_at > now() - authz.run_lasts()
        and authz.is_tool_conversation(r.org_id, r.conversation_id)
      order by t.label);
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

CREATE OR REPLACE FUNCTION authz.tg_step_approval()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  if authz.approval_reason(new.org_id, new.run_id, new.name) is not null then
    update app.approval a set state = 'used', used_at = clock_timestamp(), step_id = new.id, arguments = null
    where a.org_id = new.org_id and a.id = (
      select u.id from app.approval u
      where u.org_id = new.org_id and u.run_id = new.run_id and u.user_id = new.user_id and u.tool = new.name
        and u.arguments_sha256 = new.arguments_sha256 and u.state = 'approved' and u.expires_at > now()
      order by u.decided_at limit 1 for update);
    if not found then
      raise sqlstate '42501' using message = 'this call needs an approval';
    end if;
  end if;
  return null;
end
$function$;

ALTER FUNCTION "authz"."tg_step_approval"() OWNER TO "ringfence_owner";

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
      then array['untrusted'] else '{}' end;
  else
    new.taint := null;
  end if;
  return new;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_taint_run()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  update app.run r set taint = array(select distinct t.label from unnest(r.taint || new.taint) t (label) order by t.label)
  where r.org_id = new.org_id and r.id = new.run_id and not new.taint <@ r.taint;
  return null;
end
$function$;

ALTER FUNCTION "authz"."tg_taint_run"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.tool_effect (
  tool text
)
  RETURNS text
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  -- A function that says it is stable cannot write. What is said of the others counts; who says nothing is taken for the worst.
  select coalesce((
    select case when p.provolatile <> 'v' or obj_description(p.oid, 'pg_proc') ~ '(^|\n)@changes +nothing\M' then 'read'
      else substring(obj_description(p.oid, 'pg_proc') from '(?:^|\n)@effect +(write|destructive)\M') end
    from pg_proc p where p.pronamespace = 'api'::regnamespace and p.proname = tool_effect.tool), 'destructive')
$function$;

ALTER TABLE "app"."approval"
  ADD CONSTRAINT "approval_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."approval"
  ADD CONSTRAINT "approval_step_id_fkey" FOREIGN KEY (org_id, step_id) REFERENCES app.run_step(org_id, id);

ALTER TABLE "app"."audit_event"
  ADD CONSTRAINT "audit_event_outcome_check"
    CHECK ((outcome = ANY (ARRAY['ok'::text, 'denied'::text, 'not_found'::text, 'invalid'::text, 'conflict'::text, 'failed'::text, 'needs_approval'::text])));

ALTER TABLE "app"."run"
  ADD CONSTRAINT "run_taint_check" CHECK ((taint <@ ARRAY['private'::text, 'untrusted'::text]));

ALTER TABLE "app"."run_step"
  ADD CONSTRAINT "run_step_outcome_check"
    CHECK ((outcome = ANY (ARRAY['ok'::text, 'denied'::text, 'not_found'::text, 'invalid'::text, 'conflict'::text, 'failed'::text, 'needs_approval'::text])));

ALTER TABLE "app"."run_step"
  ADD CONSTRAINT "run_step_taint_check" CHECK ((taint <@ ARRAY['private'::text, 'untrusted'::text]));

CREATE INDEX approval_org_id_requested_at_idx ON app.approval USING btree (org_id, requested_at DESC);

CREATE INDEX approval_org_id_run_id_idx ON app.approval USING btree (org_id, run_id);

CREATE INDEX run_org_id_conversation_id_idx ON app.run USING btree (org_id, conversation_id);

CREATE TRIGGER _100_decision
  BEFORE UPDATE ON app.approval
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_approval_decision();

CREATE TRIGGER _100_request
  BEFORE INSERT ON app.approval
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_approval_request();

CREATE TRIGGER _900_audit
  AFTER INSERT OR UPDATE ON app.approval
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit_approval();

CREATE TRIGGER _110_step_up
  BEFORE UPDATE OF require_mfa, region, allowed_regions, zero_retention, no_training, redact, approve_writes, approve_by_another ON app.organization
  FOR EACH ROW
  WHEN
    (((old.require_mfa IS DISTINCT FROM new.require_mfa) OR (old.region IS DISTINCT FROM new.region) OR (old.allowed_regions IS DISTINCT FROM new.allowed_regions) OR
    (old.zero_retention IS DISTINCT FROM new.zero_retention) OR (old.no_training IS DISTINCT FROM new.no_training) OR (old.redact IS DISTINCT FROM new.redact) OR
    (old.approve_writes IS DISTINCT FROM new.approve_writes) OR (old.approve_by_another IS DISTINCT FROM new.approve_by_another)))
  EXECUTE FUNCTION authz.tg_step_up('always');

CREATE TRIGGER _200_taint
  BEFORE INSERT ON app.run
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_run_taint();

CREATE TRIGGER _500_approvals
  AFTER UPDATE ON app.run
  FOR EACH ROW
  WHEN (((old.status = 'running'::text) AND (new.status <> 'running'::text)))
  EXECUTE FUNCTION authz.tg_run_approvals();

CREATE TRIGGER _200_taint
  BEFORE INSERT ON app.run_step
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_step_taint();

CREATE TRIGGER _500_approval
  AFTER INSERT ON app.run_step
  FOR EACH ROW
  WHEN (((new.kind = 'tool'::text) AND (new.outcome = 'ok'::text)))
  EXECUTE FUNCTION authz.tg_step_approval();

CREATE TRIGGER _600_taint
  AFTER INSERT ON app.run_step
  FOR EACH ROW
  WHEN ((new.taint IS NOT NULL))
  EXECUTE FUNCTION authz.tg_taint_run();

CREATE POLICY "approval_delete_nobody" ON "app"."approval"
  FOR DELETE
  TO "authenticated"
  USING (false);

CREATE POLICY "approval_floor" ON "app"."approval"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "approval_scope_floor" ON "app"."approval"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING (( SELECT authz.in_scope(ARRAY['bots.run'::text]) AS in_scope))
  WITH CHECK (( SELECT authz.in_scope(ARRAY['bots.run'::text]) AS in_scope));

CREATE POLICY "run_update_tainting_owner" ON "app"."run"
  FOR UPDATE
  TO "ringfence_owner"
  USING (((user_id = ( SELECT authz.uid() AS uid)) AND (status = 'running'::text)))
  WITH CHECK (((user_id = ( SELECT authz.uid() AS uid)) AND (status = 'running'::text)));

COMMENT ON COLUMN "app"."approval"."arguments" IS 'Its arguments, for whoever decides; gone when nothing can come of it any more.';

COMMENT ON COLUMN "app"."approval"."arguments_sha256" IS 'authz.digest() of the tool''s name and arguments in canonical JSON: what is approved, and no byte else.';

COMMENT ON COLUMN "app"."approval"."decided_at" IS 'When.';

COMMENT ON COLUMN "app"."approval"."decided_by" IS 'Who approved or denied it.';

COMMENT ON COLUMN "app"."approval"."expires_at" IS 'Until when it can be given and used.';

COMMENT ON COLUMN "app"."approval"."id" IS 'Random identifier.';

COMMENT ON COLUMN "app"."approval"."on_behalf_of" IS 'Who answers for that person, when it is a service account.';

COMMENT ON COLUMN "app"."approval"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."approval"."reason" IS 'Why it has to wait: destructive, a tool that destroys; tainted, untrusted text and private data meet a tool that writes; organization, the organization wants it.';

COMMENT ON COLUMN "app"."approval"."requested_at" IS 'When the call was tried.';

COMMENT ON COLUMN "app"."approval"."run_id" IS 'The run that wants to make the call.';

COMMENT ON COLUMN "app"."approval"."state" IS 'pending, then approved or denied; approved, then used once; cancelled when its run ended before.';

COMMENT ON COLUMN "app"."approval"."step_id" IS 'The step that used it.';

COMMENT ON COLUMN "app"."approval"."tool" IS 'The tool.';

COMMENT ON COLUMN "app"."approval"."used_at" IS 'When.';

COMMENT ON COLUMN "app"."audit_event"."outcome" IS 'ok, denied, not_found, invalid, conflict, failed or needs_approval. A change of state that did not happen leaves no event.';

COMMENT ON COLUMN "app"."audit_event"."rule" IS 'What denied it: policy:, privilege:, deny_rule: with the rule''s identifier, function:, binding, permission or step_up (F64); of a call that waited, approval: with its identifier, and of that what became of it (F36).';

COMMENT ON COLUMN "app"."organization"."approve_by_another" IS 'True: nobody approves what they asked for themselves.';

COMMENT ON COLUMN "app"."organization"."approve_writes" IS 'True: every call of a tool that writes waits for an approval.';

COMMENT ON COLUMN "app"."run"."taint" IS 'What is in its context (F39): private, rows and documents of the organization or the person; untrusted, text that nobody the organization trusts vouches for. It only grows.';

COMMENT ON COLUMN "app"."run_step"."outcome" IS 'ok, denied, not_found, invalid, conflict, failed or needs_approval.';

COMMENT ON COLUMN "app"."run_step"."taint" IS 'What it brought into the context of the run, see app.run.taint; null: nothing.';

COMMENT ON FUNCTION "api"."ask_data"(uuid, uuid, text, text, text) IS 'Ask a data source a question in words: counts, sums, lists and comparisons over its tables. It is answered as the person the bot works for.

@audience bot
@context org_id           the organization
@context run_id           the running run
@param source             name of a data source of this bot; 2..40 characters
@param question           one question, with everything it needs to be understood by itself; 1..2000 characters
@context idempotency_key  the same call again is the same job
@returns                  array of one {id, status}: the job, whose result follows
@errors                   22004, 22023, 23514, 42501, PT404, PT409, PT429
@effect                   write
@changes                  nothing';

COMMENT ON FUNCTION "api"."audit_narrative"(uuid) IS 'Tell the whole story of one answer without its text: who asked which bot with which role, what was searched and called, which documents and rows were touched, which model, tokens, refusals.

@audience app
@param run_id  a run of yours, or with runs.read any of the organization; what the trail adds needs audit.read for other people''s runs
@returns       {run_id, organization: {id, slug}, request_id, conversation_id, who: {user_id, email, role, actor_kind, on_behalf_of, client_id, api_token_id, session_id}, bot: {id, version, slug, sha256}, question_sha256, answer_sha256, started_at, finished_at, status, error_code, taint, steps: [{position, at, kind, name, provider, arguments_sha256, outcome, rule, sqlstate, taint, documents: [{document_id, title, chunk_ids}], rows, row_count, input_tokens, output_tokens, duration_ms, recorded, lane, sequence}], events: [{at, action, object_id, target, outcome, rule, actor_id, changed}], model_calls: [{at, provider, model, purpose, region, retention_days, trains, redacted, refused_by, input_tokens, output_tokens, cost}], approvals: [{id, tool, arguments_sha256, reason, state, requested_at, decided_by, decided_at, used_at}], totals: {model_calls, tool_calls, denied, input_tokens, output_tokens}}
@errors        PT404
@effect        read';

COMMENT ON FUNCTION "api"."call_tool"(uuid, text, jsonb, extensions.vector) IS 'Call a tool inside your running run, as yourself; the call and its record are one transaction.

@audience app
@param run_id           your running run
@param tool             name of a tool the run''s bot is bound to
@param arguments        an object with the tool''s arguments, without those the run supplies
@param query_embedding  the argument named query as 384 numbers, for tools that take one
@returns                {step_id, outcome: ok, denied, not_found, invalid, conflict, failed or needs_approval, code, message, row_count, rows, approval: {id, reason: destructive, tainted or organization, expires_at}: what a call with the outcome needs_approval waits for; approved, the same call is made}
@errors                 PT404, 57014
@effect                 write';

COMMENT ON FUNCTION "api"."create_ticket"(uuid, text, text, text, uuid) IS 'Open a support ticket: ask the staff for help, report a problem, request a refund or complain.

@audience bot
@context org_id           the organization
@context idempotency_key  the same key again is the same ticket
@param subject            one line; 1..200 characters
@param body               what is wrong and what is wanted; 1..8000 characters
@param order_number       the order it is about, like ORD-1042; 1..20 characters
@returns                  {id, subject, status, created_at, trust}
@errors                   22004, 22023, 42501, PT404, PT409
@effect                   write';

COMMENT ON FUNCTION "api"."decide_approval"(uuid, uuid, text) IS 'Approve or deny one call of a tool, with the arguments that list_approvals shows: of your own run, or with approvals.decide anybody''s. An approval holds for that call in that run, once; giving it needs a recent second factor of your own, and where the organization wants it another person than who asked.

@audience app
@param org_id       the organization
@param approval_id  what list_approvals or the call gave
@param decision     approve or deny
@returns            {id, run_id, tool, state: approved or denied, expires_at}
@errors             22004, 22023, 42501, PT401, PT404, PT409
@effect             write';

COMMENT ON FUNCTION "api"."get_order"(uuid, text) IS 'Look up one order by its order number: its status, total, items and date.

@audience bot
@context org_id  the organization
@param number    the order number, like ORD-1042; 1..20 characters
@returns         array of {id, order_number, status, total_cents, currency, items, placed_at, trust}; one, or for staff one a customer
@errors          22004, 22023, PT404
@effect          read';

COMMENT ON FUNCTION "api"."list_approvals"(uuid, boolean, integer) IS 'List calls of tools that wait for an approval, or all that ever did: of your own runs, with approvals.decide of everybody''s.

@audience app
@param org_id    the organization
@param waiting   true: only those that can be decided now
@param max_rows  number of approvals; 1..1000
@returns         array of {id, run_id, user_id, email, bot, tool, arguments: null when nothing can come of it any more, arguments_sha256, reason: destructive, tainted or organization, state: pending, approved, denied, used, cancelled or expired, requested_at, expires_at, decided_by, decided_at, used_at}; newest first; email and bot are null where you cannot see them
@errors          22004, 22023
@effect          read';

COMMENT ON FUNCTION "api"."my_orders"(uuid, integer) IS 'List my own orders: what I have ordered, with number, status, total and date.

@audience bot
@context org_id  the organization
@param max_rows  number of orders; 1..100
@returns         array of {id, order_number, status, total_cents, currency, items, placed_at, trust}; newest first
@errors          22004, 22023
@effect          read';

COMMENT ON FUNCTION "api"."organization_settings"(uuid) IS 'Tell how an organization is set up.

@audience app
@param org_id  the organization
@returns       {id, slug, name, created_at, require_mfa, region, allowed_regions, zero_retention, no_training, redact, approve_writes, approve_by_another}
@errors        22004, PT404
@effect        read';

COMMENT ON FUNCTION "api"."resume_run"(uuid) IS 'Tell what is needed to go on with a run of yours whose call was approved or denied: the run as start_run gave it, with its question as the last of the history, and the call.

@audience app
@param approval_id  a decided request of your running run
@returns            {run_id, org_id, conversation_id, bot: {id, slug, name, version, instructions, sha256}, tools, history: [{role, content}], call: {tool, arguments: null when denied, state: approved or denied}}
@errors             PT404, PT409
@effect             read';

COMMENT ON FUNCTION "api"."set_approval_policy"(uuid, boolean, boolean) IS 'Say which calls of tools wait for an approval in an organization, beyond those that always do, and who may give it; works on the next call.

@audience app
@param org_id      the organization; needs organization.manage and a recent second factor of your own
@param writes      true: every call of a tool that writes waits; false: those that destroy, and those where untrusted text met private data
@param by_another  true: nobody approves what they asked for themselves
@returns           {org_id, approve_writes, approve_by_another}
@errors            22004, 22023, 42501, PT401, PT404
@effect            write';

COMMENT ON FUNCTION "api"."set_data_policy"(uuid, text, text[], boolean, boolean, boolean) IS 'Say what an organization allows providers of models; works on the next call. What the operator does not know of a provider counts as the worst.

@audience app
@param org_id           the organization; needs organization.manage and a recent second factor of your own
@param region           where the organization keeps its data; 2..40 of a-z 0-9 -
@param allowed_regions  where providers may process what they are sent; 1..20; none: anywhere
@param zero_retention   true: only providers attested to keep nothing
@param no_training      true: only providers attested not to train on it
@param redact           true: personal data is replaced by pseudonyms before anything leaves
@returns                {id, slug, name, created_at, require_mfa, region, allowed_regions, zero_retention, no_training, redact, approve_writes, approve_by_another}
@errors                 22004, 22023, 23514, 42501, PT401, PT404
@effect                 write';

COMMENT ON FUNCTION "api"."update_organization"(uuid, text, text) IS 'Give an organization another slug or name.

@audience app
@param org_id  the organization; needs organization.manage
@param slug    short name; 2..40 of a-z, 0-9 and -, no uuid; null: as it is
@param name    display name; 1..120 characters; null: as it is
@returns       {id, slug, name, created_at, require_mfa, region, allowed_regions, zero_retention, no_training, redact, approve_writes, approve_by_another}
@errors        22004, 22023, 23514, 42501, PT404
@effect        write';

COMMENT ON FUNCTION "api"."use_tool"(text, text, jsonb, extensions.vector, text) IS 'Call one tool of a bot you may run, as yourself, without a conversation with its model: a run of one step, recorded like any other.

@audience app
@param bot              organization/bot, by slug or by id
@param tool             name of a tool the bot is bound to
@param arguments        an object with the tool''s arguments, without those the run supplies
@param query_embedding  the argument named query as 384 numbers, for tools that take one
@param request_id       the request this belongs to; 0..100 characters
@returns                {run_id, conversation_id, step_id, outcome: ok, denied, not_found, invalid, conflict, failed or needs_approval, code, message, row_count, rows, approval: {id, reason, expires_at}: what a call with the outcome needs_approval waits for; once it is approved call it again}
@errors                 PT404, PT409, 57014
@effect                 write';

COMMENT ON FUNCTION "authz"."approval_for"(uuid, uuid, text, jsonb, text) IS 'The approval that a call in the caller''s run is about: approved, denied or pending; asked for now if it was not yet; null for a call that needs none.';

COMMENT ON FUNCTION "authz"."approval_lasts"() IS 'How long after it was asked for an approval can be given and used; it ends with its run at the latest. The one place that says so.';

COMMENT ON FUNCTION "authz"."approval_reason"(uuid, uuid, text) IS 'Why a call of this tool in this run needs an approval now: destructive, tainted or organization; null when it needs none. The one place that says which do.';

COMMENT ON FUNCTION "authz"."is_tool_conversation"(uuid, uuid) IS 'Whether a conversation of the person is one that api.use_tool() keeps.';

COMMENT ON FUNCTION "authz"."run_history"(uuid, uuid) IS 'What was said last in one''s own conversation, as an array of {role, content}; an empty one for another''s.';

COMMENT ON FUNCTION "authz"."tg_approval_decision"() IS 'Trigger: people decide, by themselves; approving takes a fresh second factor (PT401), and another person where the organization wants one (42501).';

COMMENT ON FUNCTION "authz"."tg_approval_request"() IS 'Trigger: what a request is about, why it has to wait and how long it holds is said by the database, whatever its insert says.';

COMMENT ON FUNCTION "authz"."tg_audit_approval"() IS 'Trigger: record that a call waits, and what became of it, in app.audit_event, in the same transaction (F36, F47).';

COMMENT ON FUNCTION "authz"."tg_run_approvals"() IS 'Trigger: with a run ends what waits for it, and the arguments of that are forgotten.';

COMMENT ON FUNCTION "authz"."tg_run_taint"() IS 'Trigger: a run begins with what the runs before it in its conversation had in their context, whatever its insert says (F39).';

COMMENT ON FUNCTION "authz"."tg_step_approval"() IS 'Trigger: a call that needs an approval leaves its step only by using one up: of its run, its tool and its arguments, once (F36, F39).';

COMMENT ON FUNCTION "authz"."tg_step_taint"() IS 'Trigger: what a tool returned is private, and untrusted where a row or the document of a passage is not trusted (F31, F39).';

COMMENT ON FUNCTION "authz"."tg_taint_run"() IS 'Trigger: what a step brought in is in the context of its run from then on (F39).';

COMMENT ON FUNCTION "authz"."tool_effect"(text) IS 'What a function of schema api does to what others see: read (nothing), write or destructive; destructive where it is not said.';

COMMENT ON POLICY "approval_delete_nobody" ON "app"."approval" IS 'The record stays.';

COMMENT ON POLICY "approval_floor" ON "app"."approval" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "approval_scope_floor" ON "app"."approval" IS 'An API token reaches one''s own rows only with a permission for them; every other session passes.';

COMMENT ON POLICY "organization_update_manager" ON "app"."organization" IS 'organization.manage may rename it and, after a step-up, change whether it requires a second factor, what it allows providers and what waits for an approval.';

COMMENT ON POLICY "run_update_tainting_owner" ON "app"."run" IS 'A step marks the run of its person with what it read.';

COMMENT ON TABLE "app"."approval" IS 'One call of a tool that waits for somebody to approve it, or waited.';

REVOKE ALL ON FUNCTION "api"."decide_approval"(uuid, uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."decide_approval"(uuid, uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."decide_approval"(uuid, uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."decide_approval"(uuid, uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."get_order"(uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."get_order"(uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."get_order"(uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."get_order"(uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_approvals"(uuid, boolean, integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_approvals"(uuid, boolean, integer) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_approvals"(uuid, boolean, integer) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_approvals"(uuid, boolean, integer) TO "postgres";

REVOKE ALL ON FUNCTION "api"."my_orders"(uuid, integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."my_orders"(uuid, integer) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."my_orders"(uuid, integer) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."my_orders"(uuid, integer) TO "postgres";

REVOKE ALL ON FUNCTION "api"."resume_run"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."resume_run"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."resume_run"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."resume_run"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."set_approval_policy"(uuid, boolean, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."set_approval_policy"(uuid, boolean, boolean) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."set_approval_policy"(uuid, boolean, boolean) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."set_approval_policy"(uuid, boolean, boolean) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."approval_for"(uuid, uuid, text, jsonb, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."approval_for"(uuid, uuid, text, jsonb, text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."approval_for"(uuid, uuid, text, jsonb, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."approval_for"(uuid, uuid, text, jsonb, text) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."approval_lasts"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."approval_lasts"() TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."approval_lasts"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."approval_lasts"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."approval_reason"(uuid, uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."approval_reason"(uuid, uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."approval_reason"(uuid, uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."approval_reason"(uuid, uuid, text) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."approval_reason"(uuid, uuid, text) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."is_tool_conversation"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."is_tool_conversation"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."is_tool_conversation"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."is_tool_conversation"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."run_history"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."run_history"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."run_history"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."run_history"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_approval_decision"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_approval_decision"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_approval_decision"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_approval_request"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_approval_request"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_approval_request"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_audit_approval"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_audit_approval"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."tg_audit_approval"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."tg_run_approvals"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_run_approvals"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."tg_run_approvals"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."tg_run_taint"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_run_taint"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_run_taint"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_step_approval"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_step_approval"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."tg_step_approval"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."tg_step_taint"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_step_taint"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_step_taint"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_taint_run"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_taint_run"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."tg_taint_run"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."tool_effect"(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."tool_effect"(text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."tool_effect"(text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tool_effect"(text) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tool_effect"(text) TO "ringfence_owner";

GRANT INSERT ("arguments") ON TABLE "app"."approval" TO "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."approval" TO "authenticated";

GRANT INSERT ("run_id") ON TABLE "app"."approval" TO "authenticated";

GRANT UPDATE ("state") ON TABLE "app"."approval" TO "authenticated";

GRANT INSERT ("tool") ON TABLE "app"."approval" TO "authenticated";

GRANT SELECT ON TABLE "app"."approval" TO "authenticated";

GRANT UPDATE ("arguments") ON TABLE "app"."approval" TO "ringfence_owner";

GRANT UPDATE ("state") ON TABLE "app"."approval" TO "ringfence_owner";

GRANT UPDATE ("step_id") ON TABLE "app"."approval" TO "ringfence_owner";

GRANT UPDATE ("used_at") ON TABLE "app"."approval" TO "ringfence_owner";

GRANT SELECT ON TABLE "app"."approval" TO "ringfence_owner";

REVOKE ALL ("approve_by_another") ON TABLE "app"."organization" FROM "authenticated";

GRANT UPDATE ("approve_by_another") ON TABLE "app"."organization" TO "authenticated";

REVOKE ALL ("approve_writes") ON TABLE "app"."organization" FROM "authenticated";

GRANT UPDATE ("approve_writes") ON TABLE "app"."organization" TO "authenticated";

REVOKE ALL ("taint") ON TABLE "app"."run" FROM "ringfence_owner";

GRANT SELECT ("taint"), UPDATE ("taint") ON TABLE "app"."run" TO "ringfence_owner";

REVOKE ALL ("taint") ON TABLE "app"."run_step" FROM "authenticated";

GRANT INSERT ("taint") ON TABLE "app"."run_step" TO "authenticated";

ALTER TABLE "app"."approval"
  ADD CONSTRAINT "approval_run_id_fkey" FOREIGN KEY (org_id, run_id, user_id) REFERENCES app.run(org_id, id, user_id) ON DELETE CASCADE;

CREATE POLICY "approval_insert_self" ON "app"."approval"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (((user_id = ( SELECT authz.uid() AS uid)) AND (run_id IN ( SELECT r.id
   FROM app.run r
  WHERE ((r.user_id = ( SELECT authz.uid() AS uid)) AND (r.status = 'running'::text))))));

CREATE POLICY "approval_select_decider" ON "app"."approval"
  FOR SELECT
  TO "authenticated"
  USING (((user_id = ( SELECT authz.uid() AS uid)) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('approvals.decide'::text) AS orgs_with)))));

CREATE POLICY "approval_select_owner" ON "app"."approval"
  FOR SELECT
  TO "ringfence_owner"
  USING (((user_id = ( SELECT authz.uid() AS uid)) OR (org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids)))));

CREATE POLICY "approval_update_decider" ON "app"."approval"
  FOR UPDATE
  TO "authenticated"
  USING
    (((state = 'pending'::text) AND (expires_at > now()) AND ((user_id = ( SELECT authz.uid() AS uid)) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('approvals.decide'::text) AS
    orgs_with))))))
  WITH
    CHECK
    (((state = ANY (ARRAY['approved'::text, 'denied'::text])) AND (decided_by = ( SELECT authz.uid() AS uid)) AND ((user_id = ( SELECT authz.uid() AS uid)) OR (org_id = ANY (ARRAY(
    SELECT authz.orgs_with('approvals.decide'::text) AS orgs_with))))));

CREATE POLICY "approval_update_owner" ON "app"."approval"
  FOR UPDATE
  TO "ringfence_owner"
  USING (((state = ANY (ARRAY['pending'::text, 'approved'::text])) AND ((user_id = ( SELECT authz.uid() AS uid)) OR (org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))))
  WITH CHECK (((state = ANY (ARRAY['used'::text, 'cancelled'::text])) AND ((user_id = ( SELECT authz.uid() AS uid)) OR (org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))));

COMMENT ON COLUMN "app"."approval"."user_id" IS 'The person of the run, in whose name it would be made.';

COMMENT ON POLICY "approval_insert_self" ON "app"."approval" IS 'For one''s own running run.';

COMMENT ON POLICY "approval_select_decider" ON "app"."approval" IS 'What one asked for oneself; approvals.decide sees the organization''s.';

COMMENT ON POLICY "approval_select_owner" ON "app"."approval" IS 'The step that needs one finds it; so does the end of its run.';

COMMENT ON POLICY "approval_update_decider" ON "app"."approval" IS 'One''s own or with approvals.decide, once, in time; a trigger asks for a second factor and, where the organization wants it, for another person.';

COMMENT ON POLICY "approval_update_owner" ON "app"."approval" IS 'Used once by the step of its call, or cancelled with its run.';

-- By hand, what the comparison does not see: a permission, and those who have it from now on.
insert into app.permission (name, description) values
  ('approvals.decide', 'Approve or deny what other people''s runs ask to do, after seeing it.');
insert into app.role_permission (org_id, role_id, permission)
  select r.org_id, r.id, 'approvals.decide' from app.role r where r.built_in and r.name in ('owner', 'admin');

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
