-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

DROP TRIGGER "_110_step_up" ON "app"."organization";

DROP FUNCTION "api"."record_step"(uuid, text, text, integer, integer, integer, text);

CREATE TABLE "app"."budget" (
  "org_id"      uuid   NOT NULL,
  "id"          uuid   NOT NULL DEFAULT gen_random_uuid(),
  "period"      text   NOT NULL,
  "max_tokens"  bigint,
  "max_cost"    bigint,
  "starts_on"   date   NOT NULL DEFAULT CURRENT_DATE,
  "used_tokens" bigint NOT NULL DEFAULT 0,
  "used_cost"   bigint NOT NULL DEFAULT 0,
  CONSTRAINT "budget_max_cost_check" CHECK (((max_cost >= 0) AND (max_cost <= '1000000000000'::bigint))),
  CONSTRAINT "budget_max_tokens_check" CHECK (((max_tokens >= 0) AND (max_tokens <= '1000000000000'::bigint))),
  CONSTRAINT "budget_period_check" CHECK ((period = ANY (ARRAY['day'::text, 'month'::text]))),
  CONSTRAINT "budget_period_key" UNIQUE (org_id, period),
  CONSTRAINT "budget_pkey" PRIMARY KEY (org_id, id)
);

ALTER TABLE "app"."budget"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."budget"
  FORCE ROW LEVEL SECURITY;

CREATE TABLE "app"."model_call" (
  "org_id"          uuid                     NOT NULL,
  "id"              uuid                     NOT NULL DEFAULT gen_random_uuid(),
  "user_id"         uuid                     NOT NULL,
  "run_id"          uuid,
  "purpose"         text                     NOT NULL,
  "provider"        text                     NOT NULL,
  "model"           text                     NOT NULL,
  "region"          text,
  "retention_days"  integer,
  "trains"          boolean,
  "redacted"        boolean                  NOT NULL,
  "refused_by"      text,
  "input_price"     bigint,
  "output_price"    bigint,
  "reserved_tokens" integer                  NOT NULL,
  "reserved_cost"   bigint                   NOT NULL,
  "budget_ids"      uuid[]                   NOT NULL DEFAULT '{}'::uuid[],
  "key_sha256"      text                     NOT NULL,
  "started_at"      timestamp with time zone NOT NULL DEFAULT now(),
  "ended_at"        timestamp with time zone,
  "input_tokens"    integer,
  "output_tokens"   integer,
  "cost"            bigint,
  CONSTRAINT "model_call_input_tokens_check" CHECK ((input_tokens >= 0)),
  CONSTRAINT "model_call_model_check" CHECK ((model ~ '^[A-Za-z0-9._:/@?-]{1,200}$'::text)),
  CONSTRAINT "model_call_output_tokens_check" CHECK ((output_tokens >= 0)),
  CONSTRAINT "model_call_pkey" PRIMARY KEY (org_id, id),
  CONSTRAINT "model_call_provider_check" CHECK ((provider ~ '^[a-z0-9][a-z0-9._-]{0,99}$'::text)),
  CONSTRAINT "model_call_purpose_check" CHECK ((purpose = ANY (ARRAY['answer'::text, 'embedding'::text, 'analytics'::text]))),
  CONSTRAINT "model_call_refused_by_check" CHECK ((refused_by = ANY (ARRAY['region'::text, 'retention'::text, 'training'::text, 'budget'::text]))),
  CONSTRAINT "model_call_reserved_tokens_check" CHECK ((reserved_tokens >= 0))
);

ALTER TABLE "app"."model_call"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."model_call"
  FORCE ROW LEVEL SECURITY;

CREATE TABLE "app"."provider" (
  "name"           text    NOT NULL,
  "leaves"         boolean NOT NULL DEFAULT true,
  "region"         text,
  "retention_days" integer,
  "trains"         boolean,
  "attestation"    text,
  "attested_on"    date,
  "input_price"    bigint,
  "output_price"   bigint,
  CONSTRAINT "provider_attestation_check" CHECK (((char_length(attestation) >= 1) AND (char_length(attestation) <= 300))),
  CONSTRAINT "provider_attested_check" CHECK (((NOT leaves) OR (num_nonnulls(attestation, attested_on) = 2) OR ((retention_days IS DISTINCT FROM 0) AND (trains IS NOT FALSE)))),
  CONSTRAINT "provider_input_price_check" CHECK (((input_price >= 0) AND (input_price <= '1000000000000'::bigint))),
  CONSTRAINT "provider_name_check" CHECK ((name ~ '^[a-z0-9][a-z0-9._-]{0,99}$'::text)),
  CONSTRAINT "provider_output_price_check" CHECK (((output_price >= 0) AND (output_price <= '1000000000000'::bigint))),
  CONSTRAINT "provider_pkey" PRIMARY KEY (name),
  CONSTRAINT "provider_region_check" CHECK ((region ~ '^[a-z][a-z0-9-]{1,39}$'::text)),
  CONSTRAINT "provider_retention_days_check" CHECK (((retention_days >= 0) AND (retention_days <= 36500)))
);

ALTER TABLE "app"."provider"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."provider"
  FORCE ROW LEVEL SECURITY;

ALTER TABLE "app"."organization"
  ADD COLUMN "region" text;

ALTER TABLE "app"."organization"
  ADD COLUMN "allowed_regions" text[];

ALTER TABLE "app"."organization"
  ADD COLUMN "zero_retention" boolean NOT NULL DEFAULT false;

ALTER TABLE "app"."organization"
  ADD COLUMN "no_training" boolean NOT NULL DEFAULT false;

ALTER TABLE "app"."organization"
  ADD COLUMN "redact" boolean NOT NULL DEFAULT false;

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
      'outcome', s.outcome, 'rule', e.rule, 'sqlstate', s.sqlstate,
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
    'steps', v_steps,
    -- What else was done or refused in this run.
    'events', (select coalesce(jsonb_agg(jsonb_build_object('at', e.at, 'action', e.action, 'object_id', e.object_id, 'target', e.target,
        'outcome', e.outcome, 'rule', e.rule, 'actor_id', e.actor_id, 'changed', e.changed) order by e.at, e.id), '[]')
      from app.audit_event e where e.org_id = v_run.org_id and e.run_id = v_run.id and e.action not in ('tool.call', 'model.call')),
    'model_calls', (select coalesce(jsonb_agg(jsonb_build_object('at', c.started_at, 'provider', c.provider, 'model', c.model, 'purpose', c.purpose,
        'region', c.region, 'retention_days', c.retention_days, 'trains', c.trains, 'redacted', c.redacted, 'refused_by', c.refused_by,
        'input_tokens', c.input_tokens, 'output_tokens', c.output_tokens, 'cost', c.cost) order by c.started_at, c.id), '[]')
      from app.model_call c where c.org_id = v_run.org_id and c.run_id = v_run.id),
    'totals', v_totals);
end
$function$;

CREATE OR REPLACE FUNCTION api.begin_model_call (
  org_id     uuid,
  provider   text,
  model      text,
  max_tokens integer,
  run_id     uuid    DEFAULT NULL::uuid,
  purpose    text    DEFAULT 'answer'::text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_run app.run;
  v_key text := 'rfm_' || translate(rtrim(encode(sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')), 'base64'), '='), '+/', '-_');
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
  v_call := authz.reserve_model_call(begin_model_call.org_id, begin_model_call.run_id, begin_model_call.purpose, begin_model_call.provider,
    begin_model_call.model, max_tokens, encode(sha256(convert_to(v_key, 'UTF8')), 'hex'));
  if v_call.refused_by is not null and v_run.id is not null then
    -- An answer and not an error, or the record of the refusal would go with it (F64).
    insert into app.run_step (org_id, run_id, position, kind, name, provider, input_tokens, output_tokens, duration_ms, outcome)
    values (v_run.org_id, v_run.id, authz.next_position(v_run.org_id, v_run.id), 'model', v_call.model, v_call.provider, 0, 0, 0, 'denied');
  end if;
  return jsonb_build_object('call_id', v_call.id, 'key', case when v_call.refused_by is null then v_key end, 'refused_by', v_call.refused_by,
    'redact', v_call.redacted);
end
$function$;

CREATE OR REPLACE FUNCTION api.end_model_call (
  call_id       uuid,
  key           text,
  input_tokens  integer,
  output_tokens integer,
  duration_ms   integer,
  outcome       text    DEFAULT 'ok'::text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_call app.model_call;
  v_run app.run;
  v_step uuid;
begin
  perform authz.require(char_length(key) between 1 and 100, 'key: 1..100 characters');
  perform authz.require(input_tokens >= 0 and output_tokens >= 0, 'input_tokens, output_tokens: 0..2147483647');
  v_call := authz.settle_model_call(end_model_call.call_id, end_model_call.key, end_model_call.input_tokens, end_model_call.output_tokens);
  if v_call.run_id is not null and v_call.purpose = 'answer' then
    v_run := authz.running(v_call.run_id);
    insert into app.run_step (org_id, run_id, position, kind, name, provider, input_tokens, output_tokens, duration_ms, outcome)
    values (v_run.org_id, v_run.id, authz.next_position(v_run.org_id, v_run.id), 'model', v_call.model, v_call.provider, v_call.input_tokens,
      v_call.output_tokens, end_model_call.duration_ms, end_model_call.outcome)
    returning id into v_step;
  end if;
  return jsonb_build_object('step_id', v_step);
end
$function$;

CREATE OR REPLACE FUNCTION api.list_budgets (
  org_id uuid
)
  RETURNS TABLE (
    period      text,
    max_tokens  bigint,
    max_cost    bigint,
    used_tokens bigint,
    used_cost   bigint
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_budgets.org_id);
  return query
    select b.period, b.max_tokens, b.max_cost, case when v.current then b.used_tokens else 0 end, case when v.current then b.used_cost else 0 end
    from app.budget b cross join lateral (select b.starts_on = authz.period_start(b.period) as current) v
    where b.org_id = list_budgets.org_id order by b.period;
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
      c.reserved_tokens, c.input_tokens, c.output_tokens, c.cost, c.started_at, c.ended_at
    from app.model_call c
    where c.org_id = list_model_calls.org_id and (list_model_calls.in_run is null or c.run_id = list_model_calls.in_run)
    order by c.started_at desc, c.id
    limit max_rows;
end
$function$;

CREATE OR REPLACE FUNCTION api.list_providers()
  RETURNS TABLE (
    name           text,
    leaves         boolean,
    region         text,
    retention_days integer,
    trains         boolean,
    attestation    text,
    attested_on    date,
    input_price    bigint,
    output_price   bigint
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  return query
    select p.name, p.leaves, p.region, p.retention_days, p.trains, p.attestation, p.attested_on, p.input_price, p.output_price
    from app.provider p order by p.name;
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
    'region', o.region, 'allowed_regions', o.allowed_regions, 'zero_retention', o.zero_retention, 'no_training', o.no_training, 'redact', o.redact)
  into v_settings from app.organization o where o.id = organization_settings.org_id;
  if v_settings is null then
    raise sqlstate 'PT404' using message = 'no such organization of yours';
  end if;
  return v_settings;
end
$function$;

CREATE OR REPLACE FUNCTION api.set_budget (
  org_id     uuid,
  period     text,
  max_tokens bigint DEFAULT NULL::bigint,
  max_cost   bigint DEFAULT NULL::bigint
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(set_budget.org_id);
  perform authz.require(set_budget.period in ('day', 'month'), 'period: day or month');
  perform authz.require_person();
  if (set_budget.org_id = any (array(select authz.orgs_with('organization.manage')))) is not true then
    raise sqlstate 'PT404' using message = 'no such organization, or not yours to manage';
  end if;
  if num_nonnulls(set_budget.max_tokens, set_budget.max_cost) = 0 then
    delete from app.budget b where b.org_id = set_budget.org_id and b.period = set_budget.period;
  else
    update app.budget b set max_tokens = set_budget.max_tokens, max_cost = set_budget.max_cost
    where b.org_id = set_budget.org_id and b.period = set_budget.period;
    if not found then
      insert into app.budget (org_id, period, max_tokens, max_cost)
      values (set_budget.org_id, set_budget.period, set_budget.max_tokens, set_budget.max_cost);
    end if;
  end if;
  return jsonb_build_object('org_id', set_budget.org_id, 'period', set_budget.period, 'max_tokens', set_budget.max_tokens, 'max_cost', set_budget.max_cost);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'somebody set this budget at the same moment: look, and try again';
end
$function$;

CREATE OR REPLACE FUNCTION api.set_data_policy (
  org_id          uuid,
  region          text    DEFAULT NULL::text,
  allowed_regions text[]  DEFAULT NULL::text[],
  zero_retention  boolean DEFAULT false,
  no_training     boolean DEFAULT false,
  redact          boolean DEFAULT false
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(set_data_policy.org_id);
  perform authz.require(num_nulls(set_data_policy.zero_retention, set_data_policy.no_training, set_data_policy.redact) = 0,
    'zero_retention, no_training, redact: true or false');
  perform authz.require(array_position(set_data_policy.allowed_regions, null) is null, 'allowed_regions: no null among them');
  -- Asked before anything is looked up, so the answer is the same for every organization there is or is not.
  perform authz.require_step_up();
  update app.organization o set region = set_data_policy.region, allowed_regions = set_data_policy.allowed_regions,
    zero_retention = set_data_policy.zero_retention, no_training = set_data_policy.no_training, redact = set_data_policy.redact
  where o.id = set_data_policy.org_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such organization, or not yours to manage';
  end if;
  return api.organization_settings(set_data_policy.org_id);
end
$function$;

CREATE OR REPLACE FUNCTION authz.model_cost (
  input_tokens  bigint,
  output_tokens bigint,
  input_price   bigint,
  output_price  bigint
)
  RETURNS bigint
  LANGUAGE sql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
RETURN (ceil(((((input_tokens)::numeric * (input_price)::numeric) + ((output_tokens)::numeric * (output_price)::numeric)) / (1000000)::numeric)))::bigint;

CREATE OR REPLACE FUNCTION authz.period_start (
  period text
)
  RETURNS date
  LANGUAGE sql
  STABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
RETURN (date_trunc(period, now()))::date;

CREATE OR REPLACE FUNCTION authz.provider_refusal (
  org_id   uuid,
  provider text
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
    when o.no_training and p.trains is distinct from false then 'training' end
  from app.organization o
  left join app.provider r on r.name = provider_refusal.provider
  cross join lateral (select coalesce(r.leaves, true) as leaves, r.region, r.retention_days, r.trains) p
  where o.id = provider_refusal.org_id
$function$;

CREATE OR REPLACE FUNCTION authz.reserve_model_call (
  org_id     uuid,
  run_id     uuid,
  purpose    text,
  provider   text,
  model      text,
  tokens     integer,
  key_sha256 text
)
  RETURNS app.model_call
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_provider app.provider;
  v_rule text := authz.provider_refusal(reserve_model_call.org_id, reserve_model_call.provider);
  v_budget app.budget;
  v_ids uuid[] := '{}';
  v_cost bigint;
  v_call app.model_call;
begin
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
  insert into app.model_call (org_id, user_id, run_id, purpose, provider, model, region, retention_days, trains, redacted, refused_by, input_price,
    output_price, reserved_tokens, reserved_cost, budget_ids, key_sha256, ended_at)
  values (reserve_model_call.org_id, authz.uid(), reserve_model_call.run_id, reserve_model_call.purpose, reserve_model_call.provider,
    reserve_model_call.model, v_provider.region, v_provider.retention_days, v_provider.trains,
    coalesce(v_provider.leaves, true) and exists (select from app.organization o where o.id = reserve_model_call.org_id and o.redact), v_rule, v_provider.input_price, v_provider.output_price,
    case when v_rule is null then tokens else 0 end, case when v_rule is null then v_cost else 0 end,
    case when v_rule is null then v_ids else '{}' end, reserve_model_call.key_sha256,
    case when v_rule is not null then clock_timestamp() end)
  returning * into v_call;
  return v_call;
end
$function$;

ALTER FUNCTION "authz"."reserve_model_call"(uuid, uuid, text, text, text, integer, text) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.settle_model_call (
  call_id       uuid,
  key           text,
  input_tokens  integer,
  output_tokens integer
)
  RETURNS app.model_call
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_call app.model_call;
begin
  update app.model_call c set ended_at = clock_timestamp(), input_tokens = settle_model_call.input_tokens,
    output_tokens = settle_model_call.output_tokens,
    cost = authz.model_cost(settle_model_call.input_tokens, settle_model_call.output_tokens, c.input_price, c.output_price)
  where c.id = settle_model_call.call_id and c.user_id = authz.uid() and c.ended_at is null
    and c.key_sha256 = encode(sha256(convert_to(settle_model_call.key, 'UTF8')), 'hex')
  returning c.* into v_call;
  if not found then
    raise sqlstate 'PT404' using message = 'no such open model call of yours';
  end if;
  -- In the period it was reserved in; what began since begins at nothing.
  update app.budget b set used_tokens = b.used_tokens + v_call.input_tokens + v_call.output_tokens - v_call.reserved_tokens,
    used_cost = b.used_cost + coalesce(v_call.cost, 0) - v_call.reserved_cost
  where b.org_id = v_call.org_id and b.id = any (v_call.budget_ids) and v_call.started_at >= b.starts_on;
  return v_call;
end
$function$;

ALTER FUNCTION "authz"."settle_model_call"(uuid, text, integer, integer) OWNER TO "ringfence_owner";

ALTER TABLE "app"."budget"
  ADD CONSTRAINT "budget_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."model_call"
  ADD CONSTRAINT "model_call_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."model_call"
  ADD CONSTRAINT "model_call_run_id_fkey" FOREIGN KEY (org_id, run_id, user_id) REFERENCES app.run(org_id, id, user_id) ON DELETE CASCADE;

ALTER TABLE "app"."organization"
  ADD CONSTRAINT "organization_allowed_regions_check" CHECK (((cardinality(allowed_regions) >= 1) AND (cardinality(allowed_regions) <= 20)));

ALTER TABLE "app"."organization"
  ADD CONSTRAINT "organization_region_allowed_check" CHECK (((allowed_regions IS NULL) OR (region IS NULL) OR (region = ANY (allowed_regions))));

ALTER TABLE "app"."organization"
  ADD CONSTRAINT "organization_region_check" CHECK ((region ~ '^[a-z][a-z0-9-]{1,39}$'::text));

CREATE INDEX model_call_org_id_run_id_idx ON app.model_call USING btree (org_id, run_id, started_at);

CREATE TRIGGER _050_in_person
  BEFORE INSERT OR DELETE OR UPDATE OF max_tokens, max_cost ON app.budget
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_person();

CREATE TRIGGER _110_step_up
  BEFORE INSERT OR DELETE OR UPDATE OF max_tokens, max_cost ON app.budget
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_step_up('if_enrolled');

CREATE TRIGGER _900_audit
  AFTER INSERT OR DELETE OR UPDATE OF max_tokens, max_cost ON app.budget
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _110_step_up
  BEFORE UPDATE OF require_mfa, region, allowed_regions, zero_retention, no_training, redact ON app.organization
  FOR EACH ROW
  WHEN
    (((old.require_mfa IS DISTINCT FROM new.require_mfa) OR (old.region IS DISTINCT FROM new.region) OR (old.allowed_regions IS DISTINCT FROM new.allowed_regions) OR
    (old.zero_retention IS DISTINCT FROM new.zero_retention) OR (old.no_training IS DISTINCT FROM new.no_training) OR (old.redact IS DISTINCT FROM new.redact)))
  EXECUTE FUNCTION authz.tg_step_up('always');

CREATE POLICY "budget_delete_manager" ON "app"."budget"
  FOR DELETE
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.orgs_with('organization.manage'::text) AS orgs_with))));

CREATE POLICY "budget_floor" ON "app"."budget"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "budget_insert_manager" ON "app"."budget"
  FOR INSERT
  TO "authenticated"
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.orgs_with('organization.manage'::text) AS orgs_with))));

CREATE POLICY "budget_select_owner" ON "app"."budget"
  FOR SELECT
  TO "ringfence_owner"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "budget_select_reader" ON "app"."budget"
  FOR SELECT
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.orgs_with('usage.read'::text) AS orgs_with))));

CREATE POLICY "budget_update_manager" ON "app"."budget"
  FOR UPDATE
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.orgs_with('organization.manage'::text) AS orgs_with))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.orgs_with('organization.manage'::text) AS orgs_with))));

CREATE POLICY "budget_update_owner" ON "app"."budget"
  FOR UPDATE
  TO "ringfence_owner"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "model_call_delete_nobody" ON "app"."model_call"
  FOR DELETE
  TO "authenticated"
  USING (false);

CREATE POLICY "model_call_floor" ON "app"."model_call"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "model_call_insert_nobody" ON "app"."model_call"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (false);

CREATE POLICY "model_call_insert_owner" ON "app"."model_call"
  FOR INSERT
  TO "ringfence_owner"
  WITH CHECK (((user_id = ( SELECT authz.uid() AS uid)) AND (org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids)))));

CREATE POLICY "model_call_scope_floor" ON "app"."model_call"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING (( SELECT authz.in_scope(ARRAY['bots.run'::text, 'runs.read'::text]) AS in_scope))
  WITH CHECK (( SELECT authz.in_scope(ARRAY['bots.run'::text, 'runs.read'::text]) AS in_scope));

CREATE POLICY "model_call_select_owner" ON "app"."model_call"
  FOR SELECT
  TO "ringfence_owner"
  USING (((user_id = ( SELECT authz.uid() AS uid)) AND (org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids)))));

CREATE POLICY "model_call_select_self" ON "app"."model_call"
  FOR SELECT
  TO "authenticated"
  USING (((user_id = ( SELECT authz.uid() AS uid)) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('runs.read'::text) AS orgs_with)))));

CREATE POLICY "model_call_update_nobody" ON "app"."model_call"
  FOR UPDATE
  TO "authenticated"
  USING (false)
  WITH CHECK (false);

CREATE POLICY "model_call_update_owner" ON "app"."model_call"
  FOR UPDATE
  TO "ringfence_owner"
  USING (((user_id = ( SELECT authz.uid() AS uid)) AND (ended_at IS NULL) AND (org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids)))))
  WITH CHECK (((user_id = ( SELECT authz.uid() AS uid)) AND (org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids)))));

CREATE POLICY "provider_delete_nobody" ON "app"."provider"
  FOR DELETE
  TO "authenticated"
  USING (false);

CREATE POLICY "provider_insert_nobody" ON "app"."provider"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (false);

CREATE POLICY "provider_select_owner" ON "app"."provider"
  FOR SELECT
  TO "ringfence_owner"
  USING ((( SELECT authz.uid() AS uid) IS NOT NULL));

CREATE POLICY "provider_select_person" ON "app"."provider"
  FOR SELECT
  TO "authenticated"
  USING ((( SELECT authz.uid() AS uid) IS NOT NULL));

CREATE POLICY "provider_update_nobody" ON "app"."provider"
  FOR UPDATE
  TO "authenticated"
  USING (false)
  WITH CHECK (false);

COMMENT ON COLUMN "app"."budget"."id" IS 'Random identifier: a limit that was lifted and set again is another one.';

COMMENT ON COLUMN "app"."budget"."max_cost" IS 'Millionths of the currency the operator counts prices in; null: no limit.';

COMMENT ON COLUMN "app"."budget"."max_tokens" IS 'Tokens sent and received together; null: no limit.';

COMMENT ON COLUMN "app"."budget"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."budget"."period" IS 'day or month, of the calendar in UTC on a Supabase server.';

COMMENT ON COLUMN "app"."budget"."starts_on" IS 'The first day of the period that the two counters are about.';

COMMENT ON COLUMN "app"."budget"."used_cost" IS 'The same of money.';

COMMENT ON COLUMN "app"."budget"."used_tokens" IS 'Tokens settled in that period, and those reserved and not settled.';

COMMENT ON COLUMN "app"."model_call"."budget_ids" IS 'The budgets it was reserved in.';

COMMENT ON COLUMN "app"."model_call"."cost" IS 'What it cost, in millionths; null: the price is not known.';

COMMENT ON COLUMN "app"."model_call"."ended_at" IS 'When it was settled; one that never is counts as what it reserved.';

COMMENT ON COLUMN "app"."model_call"."id" IS 'Random identifier.';

COMMENT ON COLUMN "app"."model_call"."input_price" IS 'Price of a million input tokens then.';

COMMENT ON COLUMN "app"."model_call"."input_tokens" IS 'Tokens sent.';

COMMENT ON COLUMN "app"."model_call"."key_sha256" IS 'SHA-256 of the key that settles it: whoever did not make the call cannot say what it took.';

COMMENT ON COLUMN "app"."model_call"."model" IS 'The model, as the agent is configured.';

COMMENT ON COLUMN "app"."model_call"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."model_call"."output_price" IS 'Price of a million output tokens then.';

COMMENT ON COLUMN "app"."model_call"."output_tokens" IS 'Tokens received.';

COMMENT ON COLUMN "app"."model_call"."provider" IS 'Who served it, as registered in app.provider where it is.';

COMMENT ON COLUMN "app"."model_call"."purpose" IS 'answer, embedding or analytics.';

COMMENT ON COLUMN "app"."model_call"."redacted" IS 'Whether personal data had to be replaced by pseudonyms.';

COMMENT ON COLUMN "app"."model_call"."refused_by" IS 'The rule that refused it: region, retention, training or budget; null for one that was allowed.';

COMMENT ON COLUMN "app"."model_call"."region" IS 'Where the provider processed it, as registered then; null: not known.';

COMMENT ON COLUMN "app"."model_call"."reserved_cost" IS 'What it might cost at most, in millionths.';

COMMENT ON COLUMN "app"."model_call"."reserved_tokens" IS 'What it might take at most.';

COMMENT ON COLUMN "app"."model_call"."retention_days" IS 'How long the provider keeps it, as registered then; null: not known.';

COMMENT ON COLUMN "app"."model_call"."run_id" IS 'The run it was part of, or null.';

COMMENT ON COLUMN "app"."model_call"."started_at" IS 'When it was decided.';

COMMENT ON COLUMN "app"."model_call"."trains" IS 'Whether the provider trains on it, as registered then; null: not known.';

COMMENT ON COLUMN "app"."model_call"."user_id" IS 'The person it was made for.';

COMMENT ON COLUMN "app"."organization"."allowed_regions" IS 'Where a provider may process what it is sent; 1..20 regions; null: anywhere.';

COMMENT ON COLUMN "app"."organization"."no_training" IS 'True: only providers attested not to train on what they are sent.';

COMMENT ON COLUMN "app"."organization"."redact" IS 'True: personal data is replaced by pseudonyms before anything leaves this machine.';

COMMENT ON COLUMN "app"."organization"."region" IS 'Where it keeps its data; 2..40 of a-z 0-9 -; null: not said.';

COMMENT ON COLUMN "app"."organization"."zero_retention" IS 'True: only providers attested to keep nothing.';

COMMENT ON COLUMN "app"."provider"."attestation" IS 'The contract or approval that says so; 1..300 characters.';

COMMENT ON COLUMN "app"."provider"."attested_on" IS 'When that was looked at last.';

COMMENT ON COLUMN "app"."provider"."input_price" IS 'Price of a million input tokens, in millionths of the currency the operator counts in.';

COMMENT ON COLUMN "app"."provider"."leaves" IS 'Whether what it is sent leaves this machine.';

COMMENT ON COLUMN "app"."provider"."name" IS 'What the agent is configured to call it (RINGFENCE_MODEL_PROVIDER), else the host of its address.';

COMMENT ON COLUMN "app"."provider"."output_price" IS 'The same of output tokens.';

COMMENT ON COLUMN "app"."provider"."region" IS 'Where it processes what it is sent; null: not known.';

COMMENT ON COLUMN "app"."provider"."retention_days" IS 'How many days it keeps what it is sent; 0: not at all; null: not known.';

COMMENT ON COLUMN "app"."provider"."trains" IS 'Whether it trains models on what it is sent; null: not known.';

COMMENT ON FUNCTION "api"."audit_narrative"(uuid) IS 'Tell the whole story of one answer without its text: who asked which bot with which role, what was searched and called, which documents and rows were touched, which model, tokens, refusals.

@audience app
@param run_id  a run of yours, or with runs.read any of the organization; what the trail adds needs audit.read for other people''s runs
@returns       {run_id, organization: {id, slug}, request_id, conversation_id, who: {user_id, email, role, actor_kind, on_behalf_of, client_id, api_token_id, session_id}, bot: {id, version, slug, sha256}, question_sha256, answer_sha256, started_at, finished_at, status, error_code, steps: [{position, at, kind, name, provider, arguments_sha256, outcome, rule, sqlstate, documents: [{document_id, title, chunk_ids}], rows, row_count, input_tokens, output_tokens, duration_ms, recorded, lane, sequence}], events: [{at, action, object_id, target, outcome, rule, actor_id, changed}], model_calls: [{at, provider, model, purpose, region, retention_days, trains, redacted, refused_by, input_tokens, output_tokens, cost}], totals: {model_calls, tool_calls, denied, input_tokens, output_tokens}}
@errors        PT404
@effect        read';

COMMENT ON FUNCTION "api"."begin_model_call"(uuid, text, text, integer, uuid, text) IS 'Ask whether a model may be called now, and reserve what it may take: by the data policy and the budgets of the organization. The decision is kept either way.

@audience app
@param org_id      an organization of yours
@param provider    who would serve it, as registered; 1..100 of a-z 0-9 . _ -
@param model       the model; 1..200 characters
@param max_tokens  what it may take at most, sent and received; 1..1000000
@param run_id      your running run, when it is part of one
@param purpose     answer, embedding or analytics
@returns           {call_id, key: settles it, null when refused, refused_by: region, retention, training, budget or null, redact: whether personal data must be replaced first}
@errors            22004, 22023, 23514, PT404
@effect            write';

COMMENT ON FUNCTION "api"."end_model_call"(uuid, text, integer, integer, integer, text) IS 'Settle a model call and record it in its run.

@audience app
@param call_id        what begin_model_call gave
@param key            what begin_model_call gave: only who made the call can say what it took; 1..100 characters
@param input_tokens   tokens sent; 0..2147483647
@param output_tokens  tokens received; 0..2147483647
@param duration_ms    milliseconds; 0..2147483647
@param outcome        ok, invalid or failed
@returns              {step_id: null when it was no part of an answer}
@errors               22023, 23514, PT404
@effect               write';

COMMENT ON FUNCTION "api"."list_budgets"(uuid) IS 'List the budgets of an organization with what is used of them, reservations included.

@audience app
@param org_id  the organization; needs usage.read
@returns       array of {period, max_tokens, max_cost, used_tokens, used_cost}
@errors        22004
@effect        read';

COMMENT ON FUNCTION "api"."list_model_calls"(uuid, uuid, integer) IS 'List calls of models: yours, with runs.read everybody''s; what was known of the provider then, and what refused the call.

@audience app
@param org_id    the organization
@param in_run    only those of this run
@param max_rows  number of calls; 1..1000
@returns         array of {id, user_id, run_id, purpose, provider, model, region, retention_days, trains, redacted, refused_by, reserved_tokens, input_tokens, output_tokens, cost, started_at, ended_at}; newest first
@errors          22004, 22023
@effect          read';

COMMENT ON FUNCTION "api"."list_providers"() IS 'List the providers of models the operator registered, with what is attested of them.

@audience app
@returns  array of {name, leaves, region, retention_days, trains, attestation, attested_on, input_price, output_price}; null is not known
@effect   read';

COMMENT ON FUNCTION "api"."organization_settings"(uuid) IS 'Tell how an organization is set up.

@audience app
@param org_id  the organization
@returns       {id, slug, name, created_at, require_mfa, region, allowed_regions, zero_retention, no_training, redact}
@errors        22004, PT404
@effect        read';

COMMENT ON FUNCTION "api"."set_budget"(uuid, text, bigint, bigint) IS 'Limit what an organization''s model calls take in a day or a month; what was used before is not counted. Without a number the limit is lifted.

@audience app
@param org_id      the organization; needs organization.manage
@param period      day or month
@param max_tokens  tokens sent and received together; 0..1000000000000
@param max_cost    millionths of the currency the operator counts prices in; 0..1000000000000
@returns           {org_id, period, max_tokens, max_cost}
@errors            22004, 22023, 23514, 42501, PT401, PT404, PT409
@effect            write';

COMMENT ON FUNCTION "api"."set_data_policy"(uuid, text, text[], boolean, boolean, boolean) IS 'Say what an organization allows providers of models; works on the next call. What the operator does not know of a provider counts as the worst.

@audience app
@param org_id           the organization; needs organization.manage and a recent second factor of your own
@param region           where the organization keeps its data; 2..40 of a-z 0-9 -
@param allowed_regions  where providers may process what they are sent; 1..20; none: anywhere
@param zero_retention   true: only providers attested to keep nothing
@param no_training      true: only providers attested not to train on it
@param redact           true: personal data is replaced by pseudonyms before anything leaves
@returns                {id, slug, name, created_at, require_mfa, region, allowed_regions, zero_retention, no_training, redact}
@errors                 22004, 22023, 23514, 42501, PT401, PT404
@effect                 write';

COMMENT ON FUNCTION "api"."update_organization"(uuid, text, text) IS 'Give an organization another slug or name.

@audience app
@param org_id  the organization; needs organization.manage
@param slug    short name; 2..40 of a-z, 0-9 and -, no uuid; null: as it is
@param name    display name; 1..120 characters; null: as it is
@returns       {id, slug, name, created_at, require_mfa, region, allowed_regions, zero_retention, no_training, redact}
@errors        22004, 22023, 23514, 42501, PT404
@effect        write';

COMMENT ON FUNCTION "authz"."model_cost"(bigint, bigint, bigint, bigint) IS 'What tokens cost at prices of a million, rounded up to a millionth; null when a price is not known.';

COMMENT ON FUNCTION "authz"."period_start"(text) IS 'The first day of the day or month that it is.';

COMMENT ON FUNCTION "authz"."provider_refusal"(uuid, text) IS 'Which rule of the organization refuses this provider: region, retention or training; null when none does.';

COMMENT ON FUNCTION "authz"."reserve_model_call"(uuid, uuid, text, text, text, integer, text) IS 'Decide whether a model may be called for the person asking in an organization of theirs, by its data policy and budgets, reserve the tokens, and keep the decision.';

COMMENT ON FUNCTION "authz"."settle_model_call"(uuid, text, integer, integer) IS 'End a call of the person asking, once, by the key its reservation gave, and give back to the budgets what it did not take; PT404 for any other.';

COMMENT ON POLICY "budget_delete_manager" ON "app"."budget" IS 'organization.manage lifts limits.';

COMMENT ON POLICY "budget_floor" ON "app"."budget" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "budget_insert_manager" ON "app"."budget" IS 'organization.manage sets limits.';

COMMENT ON POLICY "budget_select_owner" ON "app"."budget" IS 'A reservation reads what is left to the person''s organization, which the person need not.';

COMMENT ON POLICY "budget_select_reader" ON "app"."budget" IS 'usage.read sees limits and what is used.';

COMMENT ON POLICY "budget_update_manager" ON "app"."budget" IS 'organization.manage changes limits.';

COMMENT ON POLICY "budget_update_owner" ON "app"."budget" IS 'A reservation and its settlement count; limits are not theirs to change.';

COMMENT ON POLICY "model_call_delete_nobody" ON "app"."model_call" IS 'The record stays.';

COMMENT ON POLICY "model_call_floor" ON "app"."model_call" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "model_call_insert_nobody" ON "app"."model_call" IS 'authz.reserve_model_call() writes it.';

COMMENT ON POLICY "model_call_insert_owner" ON "app"."model_call" IS 'Only in the name of the person asking, in an organization of theirs.';

COMMENT ON POLICY "model_call_scope_floor" ON "app"."model_call" IS 'An API token reaches one''s own rows only with a permission for them; every other session passes.';

COMMENT ON POLICY "model_call_select_owner" ON "app"."model_call" IS 'A settlement finds the call of the person asking.';

COMMENT ON POLICY "model_call_select_self" ON "app"."model_call" IS 'One''s own; runs.read sees the organization''s.';

COMMENT ON POLICY "model_call_update_nobody" ON "app"."model_call" IS 'authz.settle_model_call() ends it.';

COMMENT ON POLICY "model_call_update_owner" ON "app"."model_call" IS 'Settled once.';

COMMENT ON POLICY "organization_update_manager" ON "app"."organization" IS 'organization.manage may rename it and, after a step-up, change whether it requires a second factor and what it allows providers.';

COMMENT ON POLICY "provider_delete_nobody" ON "app"."provider" IS 'The operator registers providers.';

COMMENT ON POLICY "provider_insert_nobody" ON "app"."provider" IS 'The operator registers providers.';

COMMENT ON POLICY "provider_select_owner" ON "app"."provider" IS 'authz.reserve_model_call() decides by what is registered.';

COMMENT ON POLICY "provider_select_person" ON "app"."provider" IS 'Every signed-in person may know where questions can go.';

COMMENT ON POLICY "provider_update_nobody" ON "app"."provider" IS 'The operator registers providers.';

COMMENT ON TABLE "app"."budget" IS 'What an organization''s model calls may take in a period; without a row there is no limit.';

COMMENT ON TABLE "app"."model_call" IS 'One call of a model, or its refusal.';

COMMENT ON TABLE "app"."provider" IS 'A provider of models, as the operator registered it. It belongs to no organization.';

REVOKE ALL ON FUNCTION "api"."begin_model_call"(uuid, text, text, integer, uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."begin_model_call"(uuid, text, text, integer, uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."begin_model_call"(uuid, text, text, integer, uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."begin_model_call"(uuid, text, text, integer, uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."end_model_call"(uuid, text, integer, integer, integer, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."end_model_call"(uuid, text, integer, integer, integer, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."end_model_call"(uuid, text, integer, integer, integer, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."end_model_call"(uuid, text, integer, integer, integer, text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_budgets"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_budgets"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_budgets"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_budgets"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_model_calls"(uuid, uuid, integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_model_calls"(uuid, uuid, integer) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_model_calls"(uuid, uuid, integer) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_model_calls"(uuid, uuid, integer) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_providers"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_providers"() TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_providers"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_providers"() TO "postgres";

REVOKE ALL ON FUNCTION "api"."set_budget"(uuid, text, bigint, bigint) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."set_budget"(uuid, text, bigint, bigint) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."set_budget"(uuid, text, bigint, bigint) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."set_budget"(uuid, text, bigint, bigint) TO "postgres";

REVOKE ALL ON FUNCTION "api"."set_data_policy"(uuid, text, text[], boolean, boolean, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."set_data_policy"(uuid, text, text[], boolean, boolean, boolean) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."set_data_policy"(uuid, text, text[], boolean, boolean, boolean) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."set_data_policy"(uuid, text, text[], boolean, boolean, boolean) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."model_cost"(bigint, bigint, bigint, bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."model_cost"(bigint, bigint, bigint, bigint) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."model_cost"(bigint, bigint, bigint, bigint) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."model_cost"(bigint, bigint, bigint, bigint) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."period_start"(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."period_start"(text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."period_start"(text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."period_start"(text) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."period_start"(text) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."provider_refusal"(uuid, text) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."provider_refusal"(uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."provider_refusal"(uuid, text) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."provider_refusal"(uuid, text) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."reserve_model_call"(uuid, uuid, text, text, text, integer, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."reserve_model_call"(uuid, uuid, text, text, text, integer, text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."reserve_model_call"(uuid, uuid, text, text, text, integer, text) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."reserve_model_call"(uuid, uuid, text, text, text, integer, text) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."settle_model_call"(uuid, text, integer, integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."settle_model_call"(uuid, text, integer, integer) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."settle_model_call"(uuid, text, integer, integer) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."settle_model_call"(uuid, text, integer, integer) TO "ringfence_owner";

GRANT INSERT ("max_cost"), UPDATE ("max_cost") ON TABLE "app"."budget" TO "authenticated";

GRANT INSERT ("max_tokens"), UPDATE ("max_tokens") ON TABLE "app"."budget" TO "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."budget" TO "authenticated";

GRANT INSERT ("period") ON TABLE "app"."budget" TO "authenticated";

GRANT DELETE, SELECT ON TABLE "app"."budget" TO "authenticated";

GRANT UPDATE ("starts_on") ON TABLE "app"."budget" TO "ringfence_owner";

GRANT UPDATE ("used_cost") ON TABLE "app"."budget" TO "ringfence_owner";

GRANT UPDATE ("used_tokens") ON TABLE "app"."budget" TO "ringfence_owner";

GRANT SELECT ON TABLE "app"."budget" TO "ringfence_owner";

GRANT SELECT ON TABLE "app"."model_call" TO "authenticated";

GRANT INSERT ("budget_ids") ON TABLE "app"."model_call" TO "ringfence_owner";

GRANT UPDATE ("cost") ON TABLE "app"."model_call" TO "ringfence_owner";

GRANT INSERT ("ended_at"), UPDATE ("ended_at") ON TABLE "app"."model_call" TO "ringfence_owner";

GRANT INSERT ("input_price") ON TABLE "app"."model_call" TO "ringfence_owner";

GRANT UPDATE ("input_tokens") ON TABLE "app"."model_call" TO "ringfence_owner";

GRANT INSERT ("key_sha256") ON TABLE "app"."model_call" TO "ringfence_owner";

GRANT INSERT ("model") ON TABLE "app"."model_call" TO "ringfence_owner";

GRANT INSERT ("org_id") ON TABLE "app"."model_call" TO "ringfence_owner";

GRANT INSERT ("output_price") ON TABLE "app"."model_call" TO "ringfence_owner";

GRANT UPDATE ("output_tokens") ON TABLE "app"."model_call" TO "ringfence_owner";

GRANT INSERT ("provider") ON TABLE "app"."model_call" TO "ringfence_owner";

GRANT INSERT ("purpose") ON TABLE "app"."model_call" TO "ringfence_owner";

GRANT INSERT ("redacted") ON TABLE "app"."model_call" TO "ringfence_owner";

GRANT INSERT ("refused_by") ON TABLE "app"."model_call" TO "ringfence_owner";

GRANT INSERT ("region") ON TABLE "app"."model_call" TO "ringfence_owner";

GRANT INSERT ("reserved_cost") ON TABLE "app"."model_call" TO "ringfence_owner";

GRANT INSERT ("reserved_tokens") ON TABLE "app"."model_call" TO "ringfence_owner";

GRANT INSERT ("retention_days") ON TABLE "app"."model_call" TO "ringfence_owner";

GRANT INSERT ("run_id") ON TABLE "app"."model_call" TO "ringfence_owner";

GRANT INSERT ("trains") ON TABLE "app"."model_call" TO "ringfence_owner";

GRANT INSERT ("user_id") ON TABLE "app"."model_call" TO "ringfence_owner";

GRANT SELECT ON TABLE "app"."model_call" TO "ringfence_owner";

REVOKE ALL ("allowed_regions") ON TABLE "app"."organization" FROM "authenticated";

GRANT UPDATE ("allowed_regions") ON TABLE "app"."organization" TO "authenticated";

REVOKE ALL ("no_training") ON TABLE "app"."organization" FROM "authenticated";

GRANT UPDATE ("no_training") ON TABLE "app"."organization" TO "authenticated";

REVOKE ALL ("redact") ON TABLE "app"."organization" FROM "authenticated";

GRANT UPDATE ("redact") ON TABLE "app"."organization" TO "authenticated";

REVOKE ALL ("region") ON TABLE "app"."organization" FROM "authenticated";

GRANT UPDATE ("region") ON TABLE "app"."organization" TO "authenticated";

REVOKE ALL ("zero_retention") ON TABLE "app"."organization" FROM "authenticated";

GRANT UPDATE ("zero_retention") ON TABLE "app"."organization" TO "authenticated";

GRANT SELECT ON TABLE "app"."provider" TO "authenticated", "ringfence_owner";

-- By hand, what the comparison does not see: what serves models without sending anything anywhere.
insert into app.provider (name, leaves, retention_days, trains) values
  ('offline', false, 0, false),
  ('this-machine', false, 0, false);

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
