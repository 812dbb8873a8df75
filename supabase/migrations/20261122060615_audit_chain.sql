-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

ALTER TABLE "app"."audit_event"
  DROP CONSTRAINT "audit_event_action_check";

DROP FUNCTION "api"."list_audit_events"(uuid, text, uuid, text, uuid, timestamp WITH time zone, timestamp WITH time zone, timestamp WITH time zone, uuid, integer);

CREATE TABLE "app"."audit_lane" (
  "org_id"     uuid                     NOT NULL,
  "lane"       smallint                 NOT NULL,
  "started_at" timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT "audit_lane_lane_check" CHECK (((lane >= 0) AND (lane <= 15))),
  CONSTRAINT "audit_lane_pkey" PRIMARY KEY (org_id, lane)
);

ALTER TABLE "app"."audit_lane"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."audit_lane"
  FORCE ROW LEVEL SECURITY;

CREATE TABLE "app"."audit_link" (
  "org_id"       uuid     NOT NULL,
  "lane"         smallint NOT NULL,
  "sequence"     bigint   NOT NULL,
  "event_id"     uuid     NOT NULL,
  "event_sha256" text     NOT NULL,
  "prev_hash"    text     NOT NULL,
  "hash"         text     NOT NULL,
  CONSTRAINT "audit_link_event_id_key" UNIQUE (org_id, event_id),
  CONSTRAINT "audit_link_event_sha256_check" CHECK ((event_sha256 ~ '^[0-9a-f]{64}$'::text)),
  CONSTRAINT "audit_link_hash_check" CHECK ((hash ~ '^[0-9a-f]{64}$'::text)),
  CONSTRAINT "audit_link_pkey" PRIMARY KEY (org_id, lane, SEQUENCE),
  CONSTRAINT "audit_link_prev_hash_check" CHECK ((prev_hash ~ '^[0-9a-f]{64}$'::text)),
  CONSTRAINT "audit_link_sequence_check" CHECK ((sequence > 0))
);

ALTER TABLE "app"."audit_link"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."audit_link"
  FORCE ROW LEVEL SECURITY;

ALTER TABLE "app"."audit_event"
  ADD COLUMN "auth_session_id" uuid;

ALTER TABLE "app"."audit_event"
  ADD COLUMN "bot_version" integer;

ALTER TABLE "app"."audit_event"
  ADD COLUMN "target" text;

ALTER TABLE "app"."audit_event"
  ADD COLUMN "outcome" text NOT NULL DEFAULT 'ok'::text;

ALTER TABLE "app"."audit_event"
  ADD COLUMN "rule" text;

ALTER TABLE "app"."audit_event"
  ADD COLUMN "request_id" text;

ALTER TABLE "app"."audit_event"
  ADD COLUMN "arguments_sha256" text;

ALTER TABLE "app"."audit_event"
  ADD COLUMN "object_sha256" text;

CREATE OR REPLACE FUNCTION api.audit_anchor (
  org_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_auditor(audit_anchor.org_id);
  return jsonb_build_object('org_id', audit_anchor.org_id,
    'taken_at', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    'heads', (select coalesce(jsonb_agg(jsonb_build_object('lane', h.lane, 'sequence', h.sequence, 'hash', h.hash) order by h.lane), '[]')
      from app.audit_lane a
      cross join lateral (select l.* from app.audit_link l where l.org_id = a.org_id and l.lane = a.lane order by l.sequence desc limit 1) h
      where a.org_id = audit_anchor.org_id));
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
    'totals', v_totals);
end
$function$;

CREATE OR REPLACE FUNCTION api.check_audit (
  org_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_auditor(check_audit.org_id);
  if (check_audit.org_id = any (array(select authz.orgs_with('runs.read')))) is not true then
    raise sqlstate '42501' using message = 'runs.read is needed too: a check of half the runs would find nothing';
  end if;
  return jsonb_build_object('findings', (
    select coalesce(jsonb_agg(to_jsonb(g) order by g.kind, g.object_id), '[]')
    from (select * from authz.audit_gaps(check_audit.org_id) limit 1000) g));
end
$function$;

CREATE OR REPLACE FUNCTION api.export_audit_events (
  org_id   uuid,
  since    text    DEFAULT ''::text,
  max_rows integer DEFAULT 300
)
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_custom_plan'
  AS $function$
declare
  v_since bigint[];
  v_events jsonb;
  v_reached jsonb;
begin
  perform authz.require_auditor(export_audit_events.org_id);
  perform authz.require(since ~ '^([0-9]{1,18}(\.[0-9]{1,18}){0,15})?$', 'since: the cursor of a page before, or nothing');
  perform authz.require(max_rows between 1 and 300, 'max_rows: 1..300');
  v_since := string_to_array(since, '.')::bigint[];
  with page as (
    select l.lane, l.sequence,
      case when e.id is not null then authz.ocsf_event(e, l.link) end as event,
      -- In turns, so that a busy chain holds up no other; of each in order, so that a number for each says where the page ends.
      row_number() over (order by l.turn, l.lane) as place
    from (
      select c.*, c.sequence - coalesce(v_since[a.lane + 1], 0) as turn
      from app.audit_lane a
      cross join lateral (select k.lane, k.sequence, k.event_id, k as link from app.audit_link k
        where k.org_id = a.org_id and k.lane = a.lane and k.sequence > coalesce(v_since[a.lane + 1], 0) order by k.sequence limit max_rows) c
      where a.org_id = export_audit_events.org_id
      order by turn, a.lane limit max_rows) l
    left join app.audit_event e on e.org_id = export_audit_events.org_id and e.id = l.event_id
  )
  select coalesce(jsonb_agg(p.event order by p.place) filter (where p.event is not null), '[]'),
    (select coalesce(jsonb_object_agg(r.lane, r.sequence), '{}') from (select q.lane, max(q.sequence) as sequence from page q group by q.lane) r)
    into v_events, v_reached
  from page p;
  return jsonb_build_object('events', v_events,
    'cursor', (select string_agg(coalesce(v_reached ->> n::text, v_since[n + 1]::text, '0'), '.' order by n)
      from generate_series(0, greatest(cardinality(v_since) - 1, (select max(k::integer) from jsonb_object_keys(v_reached) k), 0)) n));
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
    object_sha256    text
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
      e.arguments_sha256, e.object_sha256
    from app.audit_event e
    where e.org_id = list_audit_events.org_id
      and (did is null or e.action = did)
      and (by_actor is null or e.actor_id = by_actor)
      and (on_object is null or e.object_id = on_object)
      and (in_run is null or e.run_id = in_run)
      and (since is null or e.at >= since)
      and (until is null or e.at < until)
      and (before_at is null or (e.at, e.id) < (before_at, before_id))
    order by e.at desc, e.id desc
    limit max_rows;
end
$function$;

CREATE OR REPLACE FUNCTION api.list_audit_links (
  org_id         uuid,
  chain          integer DEFAULT 0,
  after_sequence bigint  DEFAULT 0,
  max_rows       integer DEFAULT 500
)
  RETURNS TABLE (
    lane         integer,
    sequence     bigint,
    event_id     uuid,
    event_sha256 text,
    prev_hash    text,
    hash         text,
    event        jsonb
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_custom_plan'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_auditor(list_audit_links.org_id);
  perform authz.require(chain between 0 and 15, 'chain: 0..15');
  perform authz.require(after_sequence between 0 and 9000000000000000000, 'after_sequence: 0..9000000000000000000');
  perform authz.require(max_rows between 1 and 500, 'max_rows: 1..500');
  return query
    select l.lane::integer, l.sequence, l.event_id, l.event_sha256, l.prev_hash, l.hash, case when e.id is not null then authz.event_json(e) end
    from app.audit_link l
    left join app.audit_event e on e.org_id = l.org_id and e.id = l.event_id
    where l.org_id = list_audit_links.org_id and l.lane = chain and l.sequence > after_sequence
    order by l.sequence
    limit max_rows;
end
$function$;

CREATE OR REPLACE FUNCTION api.record_denial (
  function_name text,
  code          text,
  message       text DEFAULT ''::text,
  org_id        uuid DEFAULT NULL::uuid,
  run_id        uuid DEFAULT NULL::uuid,
  bot           text DEFAULT NULL::text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require(code in ('42501', 'PT401'), 'code: 42501 or PT401');
  perform authz.require(char_length(message) between 0 and 500, 'message: 0..500 characters');
  perform authz.require(bot is null or char_length(bot) between 0 and 200, 'bot: 0..200 characters');
  perform authz.require(exists (select from pg_proc p where p.pronamespace = 'api'::regnamespace and p.proname = record_denial.function_name),
    'function_name: a function of this catalog');
  return jsonb_build_object('recorded', authz.note_denial(record_denial.function_name, code, message, org_id, run_id, bot));
end
$function$;

CREATE OR REPLACE FUNCTION authz.access_token_hook (
  event jsonb
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_person uuid := (access_token_hook.event ->> 'user_id')::uuid;
  -- app_metadata is the operator's: Supabase Auth lets nobody write their own. user_metadata is never read.
  v_chosen text := access_token_hook.event #>> '{claims,app_metadata,org_id}';
  v_claims jsonb := access_token_hook.event -> 'claims';
  v_roles jsonb;
  v_before text := coalesce(current_setting('request.jwt.claims', true), '');
begin
  if v_person is null or jsonb_typeof(v_claims) is distinct from 'object' then
    raise sqlstate '22023' using message = 'the event has no person or no claims';
  end if;
  v_claims := v_claims - 'org_roles' || jsonb_build_object('sub', v_person);
  -- Groups that changed at the identity provider change or end memberships before anything is said about them (F05). It is the person who
  -- signs in or stays signed in, with whatever session.
  perform set_config('request.jwt.claims', jsonb_build_object('sub', v_person)::text, true);
  perform authz.sync_sso();
  -- What the holder of this token would see is what it says: the policies for ringfence_owner answer as for their request.
  perform set_config('request.jwt.claims', v_claims::text, true);
  -- The operator's choice comes first; then what the session was made for; then what the person chose for it.
  v_chosen := coalesce(
    v_chosen,
    (select t.org_id::text from app.api_token t where t.user_id = v_person and t.session_id = authz.session_id()),
    (select c.org_id::text from app.session_choice c where c.user_id = v_person and c.session_id = authz.session_id()
      order by c.chosen_at desc limit 1));
  if v_chosen is not null then
    -- A choice that is no organization of theirs, or no identifier at all, stays in the token: it narrows to nothing.
    if pg_input_is_valid(v_chosen, 'uuid') then
      v_chosen := v_chosen::uuid::text;
    end if;
    v_claims := v_claims || jsonb_build_object('org_id', v_chosen);
    perform set_config('request.jwt.claims', v_claims::text, true);
  end if;
  -- Each organization that the token opens has the sign-in in its trail (F61); an hourly refresh is none. In one order, so that nobody
  -- who signs in waits for somebody who waits for them.
  if access_token_hook.event ->> 'authentication_method' is distinct from 'token_refresh' then
    perform authz.record_event(
      org_id => o.id, action => 'session.start', object_id => v_claims ->> 'session_id',
      target => case when access_token_hook.event ->> 'authentication_method' ~ '^[A-Za-z0-9._:/@?-]{1,200}$'
        then access_token_hook.event ->> 'authentication_method' end)
    from (select i.id from authz.org_ids() i (id) order by i.id) o;
  end if;
  select jsonb_object_agg(held.org_id, held.role) into v_roles
  from (
    select m.org_id, r.name as role, count(*) over () as organizations
    from app.membership m join app.role r on r.org_id = m.org_id and r.id = m.role_id
    where m.user_id = (select authz.uid()) and m.org_id = any (array(select authz.org_ids()))
  ) held
  where held.organizations <= 32;  -- a token travels with every request
  -- An error undoes the setting with everything else; this is for the call that succeeds.
  perform set_config('request.jwt.claims', v_before, true);
  if v_roles is not null then
    v_claims := v_claims || jsonb_build_object('org_roles', v_roles);
  end if;
  return jsonb_set(access_token_hook.event, '{claims}', v_claims);
end
$function$;

CREATE OR REPLACE FUNCTION authz.audit_gaps (
  org_id uuid
)
  RETURNS TABLE (
    kind      text,
    object_id text,
    detail    text
  )
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select 'unlinked', e.id::text, 'an event has no link in a chain'
  from app.audit_event e
  where e.org_id = audit_gaps.org_id and not exists (select from app.audit_link l where l.org_id = e.org_id and l.event_id = e.id)
  union all
  select 'unrecorded', s.id::text, 'step ' || s.position || ' of run ' || s.run_id || ' has no audit event'
  from app.run_step s join app.audit_lane c on c.org_id = s.org_id and c.lane = 0
  -- What was done before the trail recorded steps has none; a step whose clock was turned back to then has a place in its run all the same.
  where s.org_id = audit_gaps.org_id and s.created_at >= c.started_at
    and not exists (select from app.audit_event e
      where e.org_id = s.org_id and e.run_id = s.run_id and e.object_id = s.id::text and e.action = s.kind || '.call')
  union all
  select 'changed', s.id::text, 'step ' || s.position || ' of run ' || s.run_id || ' is not as it was recorded'
  from app.run_step s join app.audit_event e on e.org_id = s.org_id and e.run_id = s.run_id and e.object_id = s.id::text and e.action = s.kind || '.call'
  where s.org_id = audit_gaps.org_id and e.object_sha256 is distinct from authz.step_digest(s)
  union all
  select 'unrecorded', r.id::text, 'run ' || r.id || ' has no audit event'
  from app.run r
  where r.org_id = audit_gaps.org_id and not exists (select from app.audit_event e
    where e.org_id = r.org_id and e.run_id = r.id and e.action = 'run.insert')
$function$;

CREATE OR REPLACE FUNCTION authz.event_digest (
  event app.audit_event
)
  RETURNS text
  LANGUAGE sql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select authz.row_digest(authz.event_json(event))
$function$;

CREATE OR REPLACE FUNCTION authz.event_json (
  event app.audit_event
)
  RETURNS jsonb
  LANGUAGE sql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  -- The time as text of our own: how PostgreSQL writes one in JSON depends on the session's time zone.
  select to_jsonb(event) || jsonb_build_object('at', to_char(event.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
$function$;

CREATE OR REPLACE FUNCTION authz.first_hash (
  org_id uuid,
  lane   integer
)
  RETURNS text
  LANGUAGE sql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select encode(sha256(convert_to(org_id || ' ' || lane, 'UTF8')), 'hex')
$function$;

CREATE OR REPLACE FUNCTION authz.link_hash (
  prev_hash    text,
  sequence     bigint,
  event_sha256 text
)
  RETURNS text
  LANGUAGE sql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select encode(sha256(convert_to(prev_hash || ' ' || sequence || ' ' || event_sha256, 'UTF8')), 'hex')
$function$;

CREATE OR REPLACE FUNCTION authz.note_denial (
  function_name text,
  code          text,
  message       text,
  org_id        uuid,
  run_id        uuid,
  bot           text
)
  RETURNS boolean
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_run uuid;
  v_run_org uuid;
  v_bot uuid;
  v_version integer;
  v_orgs uuid[] := array(select authz.org_ids());
  v_org uuid := note_denial.org_id;
  v_policy text := substring(note_denial.message from '^new row violates row-level security policy "([a-z_0-9]{1,63})"');
  v_object text := substring(note_denial.message from '^permission denied for (?:table|view|function|schema) ([a-z_0-9]{1,63})$');
begin
  if note_denial.run_id is not null then
    select r.org_id, r.id, r.bot_id, r.bot_version into v_run_org, v_run, v_bot, v_version from app.run r where r.id = note_denial.run_id and r.user_id = authz.uid();
    v_org := coalesce(v_org, v_run_org);
  end if;
  if v_org is null and note_denial.bot is not null then
    select o.id into v_org from app.organization o
    where o.id = any (v_orgs) and split_part(note_denial.bot, '/', 1) in (o.id::text, o.slug) order by o.id limit 1;
  end if;
  if v_org is null and cardinality(v_orgs) = 1 then
    v_org := v_orgs[1];
  end if;
  -- An organization that is not theirs gets nothing written into its trail, and nobody learns from here whether it exists.
  if v_org = any (v_orgs) is not true then
    return false;
  end if;
  perform authz.record_event(
    org_id => v_org, action => 'access.deny', object_id => note_denial.function_name, target => note_denial.function_name, outcome => 'denied',
    run_id => case when v_run_org = v_org then v_run end,
    bot_id => case when v_run_org = v_org then v_bot end,
    bot_version => case when v_run_org = v_org then v_version end,
    rule => case
      when note_denial.code = 'PT401' then 'step_up'
      when exists (select from pg_policy p where p.polname = v_policy) then 'policy:' || v_policy
      when v_object is not null then 'privilege:' || v_object
      else 'function:' || note_denial.function_name end);
  return true;
end
$function$;

ALTER FUNCTION "authz"."note_denial"(text, text, text, uuid, uuid, text) OWNER TO "ringfence_owner";

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
    else array[6003, case kind.verb when 'insert' then 1 when 'search' then 2 when 'update' then 3 when 'delete' then 4 else 99 end] end
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
      'resources', case when event.object_id is not null then
        jsonb_build_array(jsonb_build_object('uid', event.object_id, 'type', split_part(event.action, '.', 1))) end) else '{}' end
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
  changed          text[]  DEFAULT '{}'::text[]
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
    action, object_id, run_id, bot_id, bot_version, target, outcome, rule, arguments_sha256, object_sha256, changed)
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
    record_event.outcome, record_event.rule, record_event.arguments_sha256, record_event.object_sha256, record_event.changed);
end
$function$;

CREATE OR REPLACE FUNCTION authz.request_id()
  RETURNS text
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_headers text := current_setting('request.headers', true);
  v_id text := case when (v_headers is json object) then v_headers::json ->> 'x-request-id' end;
begin
  return case when v_id ~ '^[A-Za-z0-9._:-]{1,100}$' then v_id end;
end
$function$;

CREATE OR REPLACE FUNCTION authz.require_auditor (
  org_id uuid
)
  RETURNS void
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(require_auditor.org_id);
  if (require_auditor.org_id = any (array(select authz.orgs_with('audit.read')))) is not true then
    raise sqlstate 'PT404' using message = 'no such organization whose audit trail you may read';
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION authz.row_digest (
  content jsonb
)
  RETURNS text
  LANGUAGE sql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select encode(sha256(convert_to(jsonb_strip_nulls(row_digest.content)::text, 'UTF8')), 'hex')
$function$;

CREATE OR REPLACE FUNCTION authz.step_digest (
  step app.run_step
)
  RETURNS text
  LANGUAGE sql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select authz.row_digest(to_jsonb(step) || jsonb_build_object('created_at', to_char(step.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')))
$function$;

CREATE OR REPLACE FUNCTION authz.tg_append_only()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  -- One condition inside the other: a truncate has no old row to look at.
  if tg_op = 'DELETE' then
    if authz.is_purging(old.org_id) then
      return old;
    end if;
  end if;
  raise sqlstate '42501' using message = 'the audit trail is only ever added to';
end
$function$;

ALTER FUNCTION "authz"."tg_append_only"() OWNER TO "ringfence_owner";

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
    object_id => coalesce(v_row ->> 'id', v_row ->> 'user_id', (v_row ->> 'role_id') || ' ' || (v_row ->> 'permission')),
    run_id => case when tg_table_name = 'run' then v_row ->> 'id' else v_row ->> 'run_id' end::uuid,
    bot_id => case when tg_table_name = 'bot' then v_row ->> 'id' else v_row ->> 'bot_id' end::uuid,
    bot_version => case when tg_table_name = 'bot' then v_row ->> 'version' else v_row ->> 'bot_version' end::integer,
    changed => case when tg_op = 'UPDATE' then array(
      select n.key from jsonb_each(v_row) n where v_old -> n.key is distinct from n.value order by n.key) else '{}' end);
  return case when tg_op = 'DELETE' then old else new end;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_audit_link()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_digest text := authz.event_digest(new);
  v_lane smallint;
  v_sequence bigint;
  v_hash text;
begin
  -- What was done in an organization before the same transaction purged it goes along.
  if authz.is_purging(new.org_id) then
    return null;
  end if;
  loop
    -- A place that this transaction holds already counts as free.
    select l.lane into v_lane from app.audit_lane l where l.org_id = new.org_id order by l.lane limit 1 for no key update skip locked;
    exit when found;
    insert into app.audit_lane (org_id, lane) select new.org_id, n from generate_series(0, 15) n on conflict do nothing;
    if not found then
      -- Whoever waits holds no place here, so nobody waits for them.
      select l.lane into strict v_lane from app.audit_lane l where l.org_id = new.org_id and l.lane = pg_backend_pid() % 16 for no key update;
      exit;
    end if;
  end loop;
  -- A statement of its own: it sees what those before us at this place have committed.
  select l.sequence, l.hash into v_sequence, v_hash
  from app.audit_link l where l.org_id = new.org_id and l.lane = v_lane order by l.sequence desc limit 1;
  v_sequence := coalesce(v_sequence, 0) + 1;
  v_hash := coalesce(v_hash, authz.first_hash(new.org_id, v_lane));
  insert into app.audit_link (org_id, lane, sequence, event_id, event_sha256, prev_hash, hash)
  values (new.org_id, v_lane, v_sequence, new.id, v_digest, v_hash, authz.link_hash(v_hash, v_sequence, v_digest));
  return null;
end
$function$;

ALTER FUNCTION "authz"."tg_audit_link"() OWNER TO "ringfence_owner";

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
      'binding_or_permission') end,
    arguments_sha256 => new.arguments_sha256, object_sha256 => authz.step_digest(new));
  return null;
end
$function$;

ALTER FUNCTION "authz"."tg_audit_step"() OWNER TO "ringfence_owner";

ALTER TABLE "app"."audit_event"
  ADD CONSTRAINT "audit_event_action_check"
    CHECK
    (((action ~ '^[a-z_]+\.(insert|update|delete)$'::text) OR (action = ANY (ARRAY['tool.call'::text, 'model.call'::text, 'documents.search'::text, 'access.deny'::text,
    'session.start'::text]))));

ALTER TABLE "app"."audit_event"
  ADD CONSTRAINT "audit_event_arguments_sha256_check" CHECK ((arguments_sha256 ~ '^[0-9a-f]{64}$'::text));

ALTER TABLE "app"."audit_event"
  ADD CONSTRAINT "audit_event_object_sha256_check" CHECK ((object_sha256 ~ '^[0-9a-f]{64}$'::text));

ALTER TABLE "app"."audit_event"
  ADD CONSTRAINT "audit_event_outcome_check" CHECK ((outcome = ANY (ARRAY['ok'::text, 'denied'::text, 'not_found'::text, 'invalid'::text, 'conflict'::text, 'failed'::text])));

ALTER TABLE "app"."audit_event"
  ADD CONSTRAINT "audit_event_request_id_check" CHECK ((request_id ~ '^[A-Za-z0-9._:-]{1,100}$'::text));

ALTER TABLE "app"."audit_event"
  ADD CONSTRAINT "audit_event_rule_check" CHECK ((rule ~ '^[A-Za-z0-9_.:-]{1,200}$'::text));

ALTER TABLE "app"."audit_event"
  ADD CONSTRAINT "audit_event_target_check" CHECK ((target ~ '^[A-Za-z0-9._:/@?-]{1,200}$'::text));

ALTER TABLE "app"."audit_lane"
  ADD CONSTRAINT "audit_lane_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."audit_link"
  ADD CONSTRAINT "audit_link_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

CREATE INDEX audit_event_org_id_run_id_idx ON app.audit_event USING btree (org_id, run_id)
  WHERE (run_id IS NOT NULL);

CREATE TRIGGER _010_append_only_truncate
  BEFORE TRUNCATE ON app.audit_event
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_append_only();

CREATE TRIGGER _010_append_only
  BEFORE DELETE OR UPDATE ON app.audit_event
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_append_only();

CREATE CONSTRAINT TRIGGER _900_link
  AFTER INSERT ON app.audit_event DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit_link();

CREATE TRIGGER _010_append_only_truncate
  BEFORE TRUNCATE ON app.audit_link
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_append_only();

CREATE TRIGGER _010_append_only
  BEFORE DELETE OR UPDATE ON app.audit_link
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_append_only();

CREATE TRIGGER _900_audit
  AFTER INSERT ON app.run_step
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit_step();

CREATE POLICY "audit_lane_delete_nobody" ON "app"."audit_lane"
  FOR DELETE
  TO "authenticated"
  USING (false);

CREATE POLICY "audit_lane_floor" ON "app"."audit_lane"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "audit_lane_insert_nobody" ON "app"."audit_lane"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (false);

CREATE POLICY "audit_lane_insert_owner" ON "app"."audit_lane"
  FOR INSERT
  TO "ringfence_owner"
  WITH CHECK ((( SELECT pg_trigger_depth() AS pg_trigger_depth) > 0));

CREATE POLICY "audit_lane_select_auditor" ON "app"."audit_lane"
  FOR SELECT
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.orgs_with('audit.read'::text) AS orgs_with))));

CREATE POLICY "audit_lane_select_owner" ON "app"."audit_lane"
  FOR SELECT
  TO "ringfence_owner"
  USING ((( SELECT pg_trigger_depth() AS pg_trigger_depth) > 0));

CREATE POLICY "audit_lane_update_nobody" ON "app"."audit_lane"
  FOR UPDATE
  TO "authenticated"
  USING (false)
  WITH CHECK (false);

CREATE POLICY "audit_lane_update_owner" ON "app"."audit_lane"
  FOR UPDATE
  TO "ringfence_owner"
  USING ((( SELECT pg_trigger_depth() AS pg_trigger_depth) > 0))
  WITH CHECK (false);

CREATE POLICY "audit_link_delete_nobody" ON "app"."audit_link"
  FOR DELETE
  TO "authenticated"
  USING (false);

CREATE POLICY "audit_link_floor" ON "app"."audit_link"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "audit_link_insert_nobody" ON "app"."audit_link"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (false);

CREATE POLICY "audit_link_insert_owner" ON "app"."audit_link"
  FOR INSERT
  TO "ringfence_owner"
  WITH CHECK ((( SELECT pg_trigger_depth() AS pg_trigger_depth) > 0));

CREATE POLICY "audit_link_select_auditor" ON "app"."audit_link"
  FOR SELECT
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.orgs_with('audit.read'::text) AS orgs_with))));

CREATE POLICY "audit_link_select_owner" ON "app"."audit_link"
  FOR SELECT
  TO "ringfence_owner"
  USING ((( SELECT pg_trigger_depth() AS pg_trigger_depth) > 0));

CREATE POLICY "audit_link_update_nobody" ON "app"."audit_link"
  FOR UPDATE
  TO "authenticated"
  USING (false)
  WITH CHECK (false);

COMMENT ON COLUMN "app"."audit_event"."action" IS 'table.command for a change of state; tool.call, model.call, documents.search, access.deny and session.start for what changes none. Names are added, never changed.';

COMMENT ON COLUMN "app"."audit_event"."arguments_sha256" IS 'Digest of what was called with which arguments: of a step of a run, authz.digest() under the key of its conversation.';

COMMENT ON COLUMN "app"."audit_event"."auth_session_id" IS 'The session of Supabase Auth it was done in, if any.';

COMMENT ON COLUMN "app"."audit_event"."bot_version" IS 'The version of the bot that ran, or that the bot was given, if any.';

COMMENT ON COLUMN "app"."audit_event"."object_sha256" IS 'authz.row_digest() of the row recorded, where that row is a record itself: a step of a run.';

COMMENT ON COLUMN "app"."audit_event"."outcome" IS 'ok, denied, not_found, invalid, conflict or failed. A change of state that did not happen leaves no event.';

COMMENT ON COLUMN "app"."audit_event"."request_id" IS 'The request at the edge it was part of, as the edge named it.';

COMMENT ON COLUMN "app"."audit_event"."rule" IS 'What denied it: policy:, privilege:, deny_rule: with the rule''s identifier, function:, binding, permission or step_up (F64).';

COMMENT ON COLUMN "app"."audit_event"."target" IS 'The tool, model or function called, or how somebody signed in.';

COMMENT ON COLUMN "app"."audit_lane"."lane" IS 'Which of its chains: 0..15.';

COMMENT ON COLUMN "app"."audit_lane"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."audit_lane"."started_at" IS 'When the organization''s first event was linked.';

COMMENT ON COLUMN "app"."audit_link"."event_id" IS 'The event. No foreign key: a link must outlive a deletion it gives evidence of.';

COMMENT ON COLUMN "app"."audit_link"."event_sha256" IS 'authz.event_digest() of the event.';

COMMENT ON COLUMN "app"."audit_link"."hash" IS 'SHA-256, hexadecimal, of prev_hash, a space, sequence, a space and event_sha256.';

COMMENT ON COLUMN "app"."audit_link"."lane" IS 'Which of the organization''s chains.';

COMMENT ON COLUMN "app"."audit_link"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."audit_link"."prev_hash" IS 'The hash of the link before; of the first, SHA-256 of the organization''s identifier, a space and the lane.';

COMMENT ON COLUMN "app"."audit_link"."sequence" IS 'Place in that chain: 1, 2, 3 without a gap. Where an export goes on from.';

COMMENT ON FUNCTION "api"."audit_anchor"(uuid) IS 'Tell where the chains of an organization''s audit trail end now. Kept elsewhere, it shows later that nothing before it was changed or cut off.

@audience app
@param org_id  the organization; needs audit.read
@returns       {org_id, taken_at, heads: [{lane, sequence, hash}]}
@errors        22004, PT404
@effect        read';

COMMENT ON FUNCTION "api"."audit_narrative"(uuid) IS 'Tell the whole story of one answer without its text: who asked which bot with which role, what was searched and called, which documents and rows were touched, which model, tokens, refusals.

@audience app
@param run_id  a run of yours, or with runs.read any of the organization; what the trail adds needs audit.read for other people''s runs
@returns       {run_id, organization: {id, slug}, request_id, conversation_id, who: {user_id, email, role, actor_kind, on_behalf_of, client_id, api_token_id, session_id}, bot: {id, version, slug, sha256}, question_sha256, answer_sha256, started_at, finished_at, status, error_code, steps: [{position, at, kind, name, provider, arguments_sha256, outcome, rule, sqlstate, documents: [{document_id, title, chunk_ids}], rows, row_count, input_tokens, output_tokens, duration_ms, recorded, lane, sequence}], events: [{at, action, object_id, target, outcome, rule, actor_id, changed}], totals: {model_calls, tool_calls, denied, input_tokens, output_tokens}}
@errors        PT404
@effect        read';

COMMENT ON FUNCTION "api"."check_audit"(uuid) IS 'Find what has no record in the audit trail, or is not as it was recorded: events without a link, runs and steps without an event, changed steps.

@audience app
@param org_id  the organization; needs audit.read and runs.read
@returns       {findings: [{kind: unlinked, unrecorded or changed, object_id, detail}], at most 1000; none when all is right}
@errors        22004, 42501, PT404
@effect        read';

COMMENT ON FUNCTION "api"."export_audit_events"(uuid, text, integer) IS 'Export the audit trail of an organization as OCSF events. Store a page, then its cursor: with it as since you go on and miss none. The end is reached when the cursor stays as it is.

@audience app
@param org_id    the organization; needs audit.read
@param since     the cursor of the page before, from the beginning without; 0..303 characters
@param max_rows  number of events; 1..300
@returns         {events, cursor}
@errors          22004, 22023, PT404
@effect          read';

COMMENT ON FUNCTION "api"."list_audit_events"(uuid, text, uuid, text, uuid, timestamp with time zone, timestamp with time zone, timestamp
  with time zone, uuid, integer) IS 'List what was done in an organization: your own acts; with audit.read, everybody''s.

@audience app
@param org_id     the organization
@param did        only this act, as document.delete, tool.call, model.call, documents.search, access.deny or session.start; 1..80 characters
@param by_actor   only what this person did
@param on_object  only what was done to this, by its identifier; 1..200 characters
@param in_run     only what was part of this run
@param since      only at this time or later
@param until      only before this time
@param before_at  go on after the last event seen: its at, as it was given
@param before_id  and its id
@param max_rows   number of events; 1..1000
@returns          array of {id, at, actor_id, actor_kind, actor_role, on_behalf_of, api_token_id, client_id, action, object_id, run_id, bot_id, changed, auth_session_id, bot_version, target, outcome, rule, request_id, arguments_sha256, object_sha256}; newest first
@errors           22004, 22023
@effect           read';

COMMENT ON FUNCTION "api"."list_audit_links"(uuid, integer, bigint, integer) IS 'List one of the chains of an organization''s audit trail with its events, to compute its hashes again: each is SHA-256 of prev_hash, a space, sequence, a space and event_sha256.

@audience app
@param org_id          the organization; needs audit.read
@param chain           which of its chains; 0..15
@param after_sequence  only links after this one; 0..9000000000000000000
@param max_rows        number of links; 1..500
@returns               array of {lane, sequence, event_id, event_sha256, prev_hash, hash, event: null when it is gone}; in order
@errors                22004, 22023, PT404
@effect                read';

COMMENT ON FUNCTION "api"."record_denial"(text, text, text, uuid, uuid, text) IS 'Record that a call of yours was refused, in the audit trail of your organization that it was about. The edge does so by itself.

@audience app
@param function_name  name of a function, the one that refused
@param code           42501 or PT401
@param message        what the database said; 0..500 characters; only the policy or privilege it names is kept
@param org_id         the organization the call named
@param run_id         the run the call named
@param bot            the bot the call named, as organization/bot; 0..200 characters
@returns              {recorded: false when none of your organizations is meant}
@errors               22023
@effect               write';

COMMENT ON FUNCTION "authz"."audit_gaps"(uuid) IS 'What of an organization has no record, or is not as recorded: events without a link, runs and steps without an event, steps that were changed. For a check every night: no row is right.';

COMMENT ON FUNCTION "authz"."event_digest"(app.audit_event) IS 'authz.row_digest() of authz.event_json(). agent/audit/chain.py computes the same from outside.';

COMMENT ON FUNCTION "authz"."event_json"(app.audit_event) IS 'An audit event as JSON, the same in every session: at is in UTC, with microseconds.';

COMMENT ON FUNCTION "authz"."first_hash"(uuid, integer) IS 'What the first link of a chain holds as the hash before it.';

COMMENT ON FUNCTION "authz"."link_hash"(text, bigint, text) IS 'The hash of a link; null when anything it is made of is missing.';

COMMENT ON FUNCTION "authz"."note_denial"(text, text, text, uuid, uuid, text) IS 'Record that authz.uid() was refused, in one of the organizations of this session; false when none of them is named or meant.';

COMMENT ON FUNCTION "authz"."ocsf_class"(text) IS 'The OCSF class and activity of an action of the audit trail.';

COMMENT ON FUNCTION "authz"."ocsf_event"(app.audit_event, app.audit_link) IS 'An audit event and its link as an event of OCSF 1.8.0; what OCSF has no word for is in unmapped.';

COMMENT ON FUNCTION "authz"."record_event"(uuid, text, text, uuid, uuid, integer, text, text, text, text, text, text[]) IS 'Record an act of the person asking in app.audit_event, in the transaction of the act: the only writer there. For functions and triggers of ringfence_owner.';

COMMENT ON FUNCTION "authz"."request_id"() IS 'The request at the edge, as it named it in x-request-id; null for none, or for one that is no name. Whoever calls without the edge says it themselves.';

COMMENT ON FUNCTION "authz"."require_auditor"(uuid) IS 'Raise PT404 unless the person asking may read the whole audit trail of the organization: half of a chain cannot be verified.';

COMMENT ON FUNCTION "authz"."row_digest"(jsonb) IS 'SHA-256, hexadecimal, of a row as the text of its jsonb (keys by length and then bytes) without nulls, so that a column added later changes none.';

COMMENT ON FUNCTION "authz"."step_digest"(app.run_step) IS 'SHA-256, hexadecimal, of a step of a run as canonical JSON; its audit event keeps it.';

COMMENT ON FUNCTION "authz"."tg_append_only"() IS 'Trigger: refuse every change and deletion, whoever asks, the owner of the table too; a purge alone takes an organization''s rows along.';

COMMENT ON FUNCTION "authz"."tg_audit_link"() IS 'Trigger, at commit: link an audit event to a chain of its organization. When that fails the transaction does.';

COMMENT ON FUNCTION "authz"."tg_audit_step"() IS 'Trigger: record a tool call or model call in app.audit_event, in the same transaction, with a digest of the step (F47).';

COMMENT ON POLICY "audit_lane_delete_nobody" ON "app"."audit_lane" IS 'It goes with its organization.';

COMMENT ON POLICY "audit_lane_floor" ON "app"."audit_lane" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "audit_lane_insert_nobody" ON "app"."audit_lane" IS 'Only the trigger writes here.';

COMMENT ON POLICY "audit_lane_insert_owner" ON "app"."audit_lane" IS 'The trigger makes them with the first link.';

COMMENT ON POLICY "audit_lane_select_auditor" ON "app"."audit_lane" IS 'audit.read sees that there are chains, and since when.';

COMMENT ON POLICY "audit_lane_select_owner" ON "app"."audit_lane" IS 'The trigger finds a free place.';

COMMENT ON POLICY "audit_lane_update_nobody" ON "app"."audit_lane" IS 'Nobody changes it.';

COMMENT ON POLICY "audit_lane_update_owner" ON "app"."audit_lane" IS 'The trigger locks it, and changes nothing.';

COMMENT ON POLICY "audit_link_delete_nobody" ON "app"."audit_link" IS 'Append-only.';

COMMENT ON POLICY "audit_link_floor" ON "app"."audit_link" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "audit_link_insert_nobody" ON "app"."audit_link" IS 'Only the trigger writes here.';

COMMENT ON POLICY "audit_link_insert_owner" ON "app"."audit_link" IS 'The trigger adds the next; by the time it runs the claims may be nobody''s any more.';

COMMENT ON POLICY "audit_link_select_auditor" ON "app"."audit_link" IS 'audit.read sees the chain.';

COMMENT ON POLICY "audit_link_select_owner" ON "app"."audit_link" IS 'The trigger reads the last link.';

COMMENT ON POLICY "audit_link_update_nobody" ON "app"."audit_link" IS 'Append-only.';

COMMENT ON TABLE "app"."audit_lane" IS 'The places at which the transactions of an organization link their events. A row is locked and never changed, so it leaves no dead rows behind.';

COMMENT ON TABLE "app"."audit_link" IS 'One link for each audit event. A table of its own: an event is never written twice.';

REVOKE ALL ON FUNCTION "api"."audit_anchor"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."audit_anchor"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."audit_anchor"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."audit_anchor"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."audit_narrative"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."audit_narrative"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."audit_narrative"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."audit_narrative"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."check_audit"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."check_audit"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."check_audit"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."check_audit"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."export_audit_events"(uuid, text, integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."export_audit_events"(uuid, text, integer) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."export_audit_events"(uuid, text, integer) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."export_audit_events"(uuid, text, integer) TO "postgres";

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

REVOKE ALL ON FUNCTION "api"."list_audit_links"(uuid, integer, bigint, integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_audit_links"(uuid, integer, bigint, integer) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_audit_links"(uuid, integer, bigint, integer) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_audit_links"(uuid, integer, bigint, integer) TO "postgres";

REVOKE ALL ON FUNCTION "api"."record_denial"(text, text, text, uuid, uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."record_denial"(text, text, text, uuid, uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."record_denial"(text, text, text, uuid, uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."record_denial"(text, text, text, uuid, uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."audit_gaps"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."audit_gaps"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."audit_gaps"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."audit_gaps"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."event_digest"(app.audit_event) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."event_digest"(app.audit_event) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."event_digest"(app.audit_event) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."event_digest"(app.audit_event) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."event_digest"(app.audit_event) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."event_json"(app.audit_event) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."event_json"(app.audit_event) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."event_json"(app.audit_event) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."event_json"(app.audit_event) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."event_json"(app.audit_event) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."first_hash"(uuid, integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."first_hash"(uuid, integer) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."first_hash"(uuid, integer) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."first_hash"(uuid, integer) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."first_hash"(uuid, integer) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."link_hash"(text, bigint, text) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."link_hash"(text, bigint, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."link_hash"(text, bigint, text) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."link_hash"(text, bigint, text) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."note_denial"(text, text, text, uuid, uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."note_denial"(text, text, text, uuid, uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."note_denial"(text, text, text, uuid, uuid, text) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."note_denial"(text, text, text, uuid, uuid, text) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."ocsf_class"(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."ocsf_class"(text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."ocsf_class"(text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."ocsf_class"(text) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."ocsf_event"(app.audit_event, app.audit_link) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."ocsf_event"(app.audit_event, app.audit_link) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."ocsf_event"(app.audit_event, app.audit_link) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."ocsf_event"(app.audit_event, app.audit_link) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."record_event"(uuid, text, text, uuid, uuid, integer, text, text, text, text, text, text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."record_event"(uuid, text, text, uuid, uuid, integer, text, text, text, text, text, text[]) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."record_event"(uuid, text, text, uuid, uuid, integer, text, text, text, text, text, text[]) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."record_event"(uuid, text, text, uuid, uuid, integer, text, text, text, text, text, text[]) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."request_id"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."request_id"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."request_id"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."request_id"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."require_auditor"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."require_auditor"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."require_auditor"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."require_auditor"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."row_digest"(jsonb) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."row_digest"(jsonb) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."row_digest"(jsonb) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."row_digest"(jsonb) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."row_digest"(jsonb) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."step_digest"(app.run_step) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."step_digest"(app.run_step) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."step_digest"(app.run_step) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."step_digest"(app.run_step) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."step_digest"(app.run_step) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."tg_append_only"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_append_only"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."tg_append_only"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."tg_audit_link"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_audit_link"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."tg_audit_link"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."tg_audit_step"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_audit_step"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."tg_audit_step"() TO "ringfence_owner";

REVOKE ALL ("arguments_sha256") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("arguments_sha256") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("auth_session_id") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("auth_session_id") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("bot_version") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("bot_version") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("object_sha256") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("object_sha256") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("outcome") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("outcome") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("request_id") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("request_id") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("rule") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("rule") ON TABLE "app"."audit_event" TO "ringfence_owner";

REVOKE ALL ("target") ON TABLE "app"."audit_event" FROM "ringfence_owner";

GRANT INSERT ("target") ON TABLE "app"."audit_event" TO "ringfence_owner";

GRANT SELECT ON TABLE "app"."audit_lane" TO "authenticated";

GRANT INSERT ("lane") ON TABLE "app"."audit_lane" TO "ringfence_owner";

GRANT INSERT ("org_id") ON TABLE "app"."audit_lane" TO "ringfence_owner";

GRANT UPDATE ("started_at") ON TABLE "app"."audit_lane" TO "ringfence_owner";

GRANT SELECT ON TABLE "app"."audit_lane" TO "ringfence_owner";

GRANT SELECT ON TABLE "app"."audit_link" TO "authenticated";

GRANT INSERT ("event_id") ON TABLE "app"."audit_link" TO "ringfence_owner";

GRANT INSERT ("event_sha256") ON TABLE "app"."audit_link" TO "ringfence_owner";

GRANT INSERT ("hash") ON TABLE "app"."audit_link" TO "ringfence_owner";

GRANT INSERT ("lane") ON TABLE "app"."audit_link" TO "ringfence_owner";

GRANT INSERT ("org_id") ON TABLE "app"."audit_link" TO "ringfence_owner";

GRANT INSERT ("prev_hash") ON TABLE "app"."audit_link" TO "ringfence_owner";

GRANT INSERT ("sequence") ON TABLE "app"."audit_link" TO "ringfence_owner";

GRANT SELECT ON TABLE "app"."audit_link" TO "ringfence_owner";

REVOKE ALL ("bot_id") ON TABLE "app"."run" FROM "ringfence_owner";

GRANT SELECT ("bot_id") ON TABLE "app"."run" TO "ringfence_owner";

REVOKE ALL ("bot_version") ON TABLE "app"."run" FROM "ringfence_owner";

GRANT SELECT ("bot_version") ON TABLE "app"."run" TO "ringfence_owner";

REVOKE ALL ("id") ON TABLE "app"."run" FROM "ringfence_owner";

GRANT SELECT ("id") ON TABLE "app"."run" TO "ringfence_owner";

-- By hand: what happened before there were chains is linked, in the order in which it happened.
set constraints all immediate;
do $$
declare
  v_org uuid;
  v_event app.audit_event;
  v_sequence bigint;
  v_hash text;
  v_digest text;
begin
  for v_org in select distinct e.org_id from app.audit_event e order by 1 loop
    insert into app.audit_lane (org_id, lane) select v_org, n from generate_series(0, 15) n on conflict do nothing;
    select coalesce(max(l.sequence), 0) into v_sequence from app.audit_link l where l.org_id = v_org and l.lane = 0;
    v_hash := coalesce((select l.hash from app.audit_link l where l.org_id = v_org and l.lane = 0 and l.sequence = v_sequence),
      encode(sha256(convert_to(v_org || ' 0', 'UTF8')), 'hex'));
    for v_event in select e.* from app.audit_event e
      where e.org_id = v_org and not exists (select from app.audit_link l where l.org_id = e.org_id and l.event_id = e.id) order by e.at, e.id
    loop
      v_sequence := v_sequence + 1;
      v_digest := authz.event_digest(v_event);
      insert into app.audit_link (org_id, lane, sequence, event_id, event_sha256, prev_hash, hash) values (v_org, 0, v_sequence, v_event.id, v_digest, v_hash,
        encode(sha256(convert_to(v_hash || ' ' || v_sequence || ' ' || v_digest, 'UTF8')), 'hex'))
      returning hash into v_hash;
    end loop;
  end loop;
end
$$;
set constraints all deferred;

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
