-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

DROP TRIGGER "_110_step_up" ON "app"."organization";

ALTER TABLE "app"."model_call"
  DROP CONSTRAINT "model_call_refused_by_check";

ALTER TABLE "app"."run"
  DROP CONSTRAINT "run_taint_check";

ALTER TABLE "app"."run_step"
  DROP CONSTRAINT "run_step_taint_check";

DROP FUNCTION "api"."begin_model_call"(uuid, text, text, integer, uuid, text);

DROP FUNCTION "api"."set_data_policy"(uuid, text, text[], boolean, boolean, boolean);

DROP FUNCTION "authz"."provider_refusal"(uuid, text);

DROP FUNCTION "authz"."reserve_model_call"(uuid, uuid, text, text, text, integer, text);

ALTER TABLE "app"."model_call"
  ADD COLUMN "classification" smallint NOT NULL DEFAULT 0;

ALTER TABLE "app"."organization"
  ADD COLUMN "external_classification" smallint NOT NULL DEFAULT 3;

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
    'external_classification', o.external_classification, 'approve_writes', o.approve_writes, 'approve_by_another', o.approve_by_another)
  into v_settings from app.organization o where o.id = organization_settings.org_id;
  if v_settings is null then
    raise sqlstate 'PT404' using message = 'no such organization of yours';
  end if;
  return v_settings;
end
$function$;

CREATE OR REPLACE FUNCTION api.set_data_policy (
  org_id                  uuid,
  region                  text    DEFAULT NULL::text,
  allowed_regions         text[]  DEFAULT NULL::text[],
  zero_retention          boolean DEFAULT false,
  no_training             boolean DEFAULT false,
  redact                  boolean DEFAULT false,
  external_classification integer DEFAULT 3
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(set_data_policy.org_id);
  perform authz.require(num_nulls(set_data_policy.zero_retention, set_data_policy.no_training, set_data_policy.redact) = 0,
    'zero_retention, no_training, redact: true or false');
  perform authz.require(set_data_policy.external_classification between 1 and 3, 'external_classification: 1..3');
  perform authz.require(array_position(set_data_policy.allowed_regions, null) is null, 'allowed_regions: no null among them');
  -- Asked before anything is looked up, so the answer is the same for every organization there is or is not.
  perform authz.require_step_up();
  update app.organization o set region = set_data_policy.region, allowed_regions = set_data_policy.allowed_regions,
    zero_retention = set_data_policy.zero_retention, no_training = set_data_policy.no_training, redact = set_data_policy.redact,
    external_classification = set_data_policy.external_classification
  where o.id = set_data_policy.org_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such organization, or not yours to manage';
  end if;
  return api.organization_settings(set_data_policy.org_id);
end
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
    select case when 'secret' = any (r.taint) then 3 when 'confidential' = any (r.taint) then 2 else 0 end::smallint
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

CREATE TRIGGER _110_step_up
  BEFORE UPDATE OF require_mfa, region, allowed_regions, zero_retention, no_training, redact, external_classification, approve_writes, approve_by_another ON app.organization
  FOR EACH ROW
  WHEN
    (((old.require_mfa IS DISTINCT FROM new.require_mfa) OR (old.region IS DISTINCT FROM new.region) OR (old.allowed_regions IS DISTINCT FROM new.allowed_regions) OR
    (old.zero_retention IS DISTINCT FROM new.zero_retention) OR (old.no_training IS DISTINCT FROM new.no_training) OR (old.redact IS DISTINCT FROM new.redact) OR
    (old.external_classification IS DISTINCT FROM new.external_classification) OR (old.approve_writes IS DISTINCT FROM new.approve_writes) OR
    (old.approve_by_another IS DISTINCT FROM new.approve_by_another)))
  EXECUTE FUNCTION authz.tg_step_up('always');

CREATE POLICY "model_call_data_policy_floor" ON "app"."model_call"
  AS RESTRICTIVE
  FOR INSERT
  TO "ringfence_owner"
  WITH CHECK (((refused_by IS NOT NULL) OR (authz.provider_refusal(org_id, provider, classification) IS NULL)));

COMMENT ON COLUMN "app"."model_call"."classification" IS 'The highest classification of documents known to be in what it sent, from confidential on.';

COMMENT ON COLUMN "app"."model_call"."refused_by" IS 'The rule that refused it: region, retention, training, classification or budget; null for one that was allowed.';

COMMENT ON COLUMN "app"."organization"."external_classification" IS 'Documents classified higher than this go to no provider that leaves this machine (F15): 1 nothing confidential, 2 nothing secret, 3 everything.';

COMMENT ON COLUMN "app"."run"."taint" IS 'What is in its context (F39): private, rows and documents of the organization or the person; untrusted, text that nobody the organization trusts vouches for; confidential and secret, documents classified so. It only grows.';

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

COMMENT ON FUNCTION "api"."organization_settings"(uuid) IS 'Tell how an organization is set up.

@audience app
@param org_id  the organization
@returns       {id, slug, name, created_at, require_mfa, region, allowed_regions, zero_retention, no_training, redact, external_classification, approve_writes, approve_by_another}
@errors        22004, PT404
@effect        read';

COMMENT ON FUNCTION "api"."set_data_policy"(uuid, text, text[], boolean, boolean, boolean, integer) IS 'Say what an organization allows providers of models; works on the next call. What the operator does not know of a provider counts as the worst.

@audience app
@param org_id                   the organization; needs organization.manage and a recent second factor of your own
@param region                   where the organization keeps its data; 2..40 of a-z 0-9 -
@param allowed_regions          where providers may process what they are sent; 1..20; none: anywhere
@param zero_retention           true: only providers attested to keep nothing
@param no_training              true: only providers attested not to train on it
@param redact                   true: personal data is replaced by pseudonyms before anything leaves
@param external_classification  the highest classification of documents that may leave; 1 internal, 2 confidential, 3 secret
@returns                {id, slug, name, created_at, require_mfa, region, allowed_regions, zero_retention, no_training, redact, external_classification, approve_writes, approve_by_another}
@errors                 22004, 22023, 23514, 42501, PT401, PT404
@effect                 write';

COMMENT ON FUNCTION "api"."update_organization"(uuid, text, text) IS 'Give an organization another slug or name.

@audience app
@param org_id  the organization; needs organization.manage
@param slug    short name; 2..40 of a-z, 0-9 and -, no uuid; null: as it is
@param name    display name; 1..120 characters; null: as it is
@returns       {id, slug, name, created_at, require_mfa, region, allowed_regions, zero_retention, no_training, redact, external_classification, approve_writes, approve_by_another}
@errors        22004, 22023, 23514, 42501, PT404
@effect        write';

COMMENT ON FUNCTION "authz"."provider_refusal"(uuid, text, smallint) IS 'Which rule of the organization refuses to send this provider text of documents classified so: region, retention, training or classification; null when none does.';

COMMENT ON FUNCTION "authz"."reserve_model_call"(uuid, uuid, text, text, text, integer, text, smallint) IS 'Decide whether a model may be called for the person asking in an organization of theirs, by its data policy and budgets, reserve the tokens, and keep the decision.';

COMMENT ON FUNCTION "authz"."tg_step_taint"() IS 'Trigger: what a tool returned is private, and untrusted where a row or the document of a passage is not trusted, and as classified as the documents (F15, F31, F39).';

COMMENT ON POLICY "model_call_data_policy_floor" ON "app"."model_call" IS 'Whatever function writes it, and whatever anybody was granted: no call that the organization''s data policy refuses is on record as allowed (F15, F70).';

REVOKE ALL ON FUNCTION "api"."begin_model_call"(uuid, text, text, integer, uuid, text, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."begin_model_call"(uuid, text, text, integer, uuid, text, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."begin_model_call"(uuid, text, text, integer, uuid, text, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."begin_model_call"(uuid, text, text, integer, uuid, text, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."set_data_policy"(uuid, text, text[], boolean, boolean, boolean, integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."set_data_policy"(uuid, text, text[], boolean, boolean, boolean, integer) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."set_data_policy"(uuid, text, text[], boolean, boolean, boolean, integer) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."set_data_policy"(uuid, text, text[], boolean, boolean, boolean, integer) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."provider_refusal"(uuid, text, smallint) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."provider_refusal"(uuid, text, smallint) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."provider_refusal"(uuid, text, smallint) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."provider_refusal"(uuid, text, smallint) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."reserve_model_call"(uuid, uuid, text, text, text, integer, text, smallint) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."reserve_model_call"(uuid, uuid, text, text, text, integer, text, smallint) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."reserve_model_call"(uuid, uuid, text, text, text, integer, text, smallint) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."reserve_model_call"(uuid, uuid, text, text, text, integer, text, smallint) TO "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."reserve_model_call"(uuid, uuid, text, text, text, integer, text, smallint) TO "ringfence_worker";

REVOKE ALL ("classification") ON TABLE "app"."model_call" FROM "ringfence_owner";

GRANT INSERT ("classification") ON TABLE "app"."model_call" TO "ringfence_owner";

REVOKE ALL ("external_classification") ON TABLE "app"."organization" FROM "authenticated";

GRANT UPDATE ("external_classification") ON TABLE "app"."organization" TO "authenticated";

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
