-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

DROP POLICY "bot_select_runner" ON "app"."bot";

DROP POLICY "bot_update_manager" ON "app"."bot";

DROP POLICY "bot_binding_delete_manager" ON "app"."bot_binding";

DROP POLICY "bot_binding_insert_manager" ON "app"."bot_binding";

DROP POLICY "bot_binding_select_runner" ON "app"."bot_binding";

DROP POLICY "bot_runner_delete_manager" ON "app"."bot_runner";

DROP POLICY "bot_runner_insert_manager" ON "app"."bot_runner";

DROP POLICY "bot_runner_select_runner" ON "app"."bot_runner";

DROP POLICY "bot_runner_update_nobody" ON "app"."bot_runner";

ALTER TABLE "app"."bot_runner"
  DROP CONSTRAINT "bot_runner_one_principal_check";

ALTER TABLE "app"."bot_runner"
  DROP CONSTRAINT "bot_runner_principal_key";

ALTER TABLE "app"."run"
  DROP CONSTRAINT "run_bot_id_fkey";

DROP FUNCTION "api"."share_bot"(uuid, uuid, text, uuid);

CREATE TABLE "app"."bot_version" (
  "org_id"       uuid                     NOT NULL,
  "bot_id"       uuid                     NOT NULL,
  "version"      integer                  NOT NULL,
  "name"         text                     NOT NULL,
  "instructions" text                     NOT NULL,
  "sha256"       text                     NOT NULL,
  "created_at"   timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT "bot_version_pkey" PRIMARY KEY (org_id, bot_id, VERSION),
  CONSTRAINT "bot_version_sha256_check" CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text)),
  CONSTRAINT "bot_version_version_check" CHECK ((version >= 1)),
  "created_by"   uuid                     DEFAULT authz.uid()
);

ALTER TABLE "app"."bot_version"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."bot_version"
  FORCE ROW LEVEL SECURITY;

ALTER TABLE "app"."bot"
  ADD COLUMN "archived_at" timestamp WITH time zone;

ALTER TABLE "app"."bot_runner"
  ADD COLUMN "team_id" uuid;

ALTER TABLE "app"."bot_runner"
  ADD COLUMN "level" text NOT NULL DEFAULT 'viewer'::text;

CREATE OR REPLACE FUNCTION api.archive_bot (
  org_id uuid,
  bot_id uuid
)
  RETURNS jsonb
  LANGUAGE sql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select authz.set_archived(archive_bot.org_id, archive_bot.bot_id, true)
$function$;

CREATE OR REPLACE FUNCTION api.bind_bot (
  org_id            uuid,
  bot_id            uuid,
  knowledge_base_id uuid DEFAULT NULL::uuid,
  tool              text DEFAULT NULL::text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_id uuid;
begin
  perform authz.require_org(bind_bot.org_id);
  perform authz.require(num_nonnulls(bind_bot.knowledge_base_id, bind_bot.tool) = 1, 'name a knowledge base or a tool');
  perform authz.require(bind_bot.tool is null or authz.is_tool(bind_bot.tool), 'tool: not a function that may be bound to bots');
  if bind_bot.knowledge_base_id is not null
    and not exists (select from app.knowledge_base k where k.org_id = bind_bot.org_id and k.id = bind_bot.knowledge_base_id)
  then
    raise sqlstate 'PT404' using message = 'no such bot, or no such knowledge base';
  end if;
  insert into app.bot_binding (org_id, bot_id, knowledge_base_id, tool)
  values (bind_bot.org_id, bind_bot.bot_id, bind_bot.knowledge_base_id, bind_bot.tool) returning id into v_id;
  return jsonb_build_object('id', v_id);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'already bound so';
  when foreign_key_violation then raise sqlstate 'PT404' using message = 'no such bot, or no such knowledge base';
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
begin
  begin
    perform authz.require(jsonb_typeof(call_tool.arguments) = 'object', 'arguments: an object');
    if call_tool.tool = any (authz.run_tools(v_run.org_id, v_run.bot_id)) is not true then
      raise sqlstate '42501';
    end if;
    execute authz.tool_statement(call_tool.tool, call_tool.arguments, v_context) into v_rows using call_tool.arguments, v_context;
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
    v_message := case v_outcome
      when 'denied' then 'not allowed: the bot is not bound to this tool, your role lacks the permission, or a rule of the organization forbids it'
      when 'failed' then 'the tool failed'
      else v_message end;
  end;
  insert into app.run_step (org_id, run_id, position, kind, name, arguments_sha256, sources, row_count, duration_ms, outcome, sqlstate)
  values (v_run.org_id, v_run.id, v_position, 'tool',
    -- A name a model made up is not a place for it to write text for an auditor.
    case when call_tool.tool ~ '^[a-z_][a-z0-9_]{0,62}$' then call_tool.tool else '?' end, v_digest,
    (select coalesce(jsonb_agg(distinct case
        when r ? 'chunk_id' then jsonb_build_object('document_id', r -> 'document_id', 'chunk_id', r -> 'chunk_id')
        else jsonb_build_object('id', r -> 'id') end) filter (where r ?| array['chunk_id', 'id']), '[]')
      from jsonb_array_elements(v_rows) r),
    jsonb_array_length(v_rows), extract(milliseconds from clock_timestamp() - v_started)::integer, v_outcome, v_code)
  returning id into v_step;
  return jsonb_build_object('step_id', v_step, 'outcome', v_outcome, 'code', v_code, 'message', v_message,
    'row_count', jsonb_array_length(v_rows), 'rows', v_rows);
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
  tool              text DEFAULT NULL::text
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
  perform authz.require(num_nonnulls(create_deny_rule.knowledge_base_id, create_deny_rule.document_id, create_deny_rule.bot_id, create_deny_rule.tool) = 1,
    'name one of a knowledge base, a document, a bot and a tool');
  perform authz.require(create_deny_rule.tool is null or authz.is_tool(create_deny_rule.tool), 'tool: not a function that may be bound to bots');
  insert into app.deny_rule (org_id, user_id, team_id, role_id, knowledge_base_id, document_id, bot_id, tool, reason)
  values (create_deny_rule.org_id, create_deny_rule.user_id, create_deny_rule.team_id,
    case when create_deny_rule.role is not null then authz.role_named(create_deny_rule.org_id, create_deny_rule.role) end,
    create_deny_rule.knowledge_base_id, create_deny_rule.document_id, create_deny_rule.bot_id, create_deny_rule.tool, create_deny_rule.reason)
  returning id into v_id;
  return jsonb_build_object('id', v_id);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'there is a rule that says so';
  when foreign_key_violation then raise sqlstate 'PT404' using message = 'no such person, team or resource in the organization';
end
$function$;

CREATE OR REPLACE FUNCTION api.delete_deny_rule (
  org_id  uuid,
  rule_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(delete_deny_rule.org_id);
  delete from app.deny_rule r where r.org_id = delete_deny_rule.org_id and r.id = delete_deny_rule.rule_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such rule, or not yours to delete';
  end if;
  return jsonb_build_object('id', delete_deny_rule.rule_id);
end
$function$;

CREATE OR REPLACE FUNCTION api.get_bot (
  org_id uuid,
  bot_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_bot jsonb;
begin
  perform authz.require_org(get_bot.org_id);
  select jsonb_build_object('id', b.id, 'slug', b.slug, 'name', b.name, 'instructions', b.instructions, 'version', b.version, 'sha256', v.sha256,
    'created_by', b.created_by, 'created_at', b.created_at, 'updated_at', b.updated_at, 'archived_at', b.archived_at,
    'may_run', b.id = any (array(select authz.runnable_bots())),
    'level', case
      when b.org_id = any (array(select authz.orgs_with('bots.manage'))) or b.id = any (array(select authz.shared_bots('owner'))) then 'owner'
      when b.id = any (array(select authz.shared_bots('editor'))) then 'editor'
      else 'viewer' end) into v_bot
  from app.bot b join app.bot_version v on v.org_id = b.org_id and v.bot_id = b.id and v.version = b.version
  where b.org_id = get_bot.org_id and b.id = get_bot.bot_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such bot';
  end if;
  return v_bot;
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
    select b.id, b.knowledge_base_id, k.slug, b.tool, b.created_at
    from app.bot_binding b
    left join app.knowledge_base k on k.org_id = b.org_id and k.id = b.knowledge_base_id
    where b.org_id = list_bot_bindings.org_id and b.bot_id = list_bot_bindings.bot_id
    order by b.tool nulls first, k.slug, b.id
    limit 1000;
end
$function$;

CREATE OR REPLACE FUNCTION api.list_bot_shares (
  org_id uuid,
  bot_id uuid
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
begin
  perform authz.require_org(list_bot_shares.org_id);
  return query
    select r.id, r.user_id, r.team_id, t.slug, o.name, r.level, r.created_at
    from app.bot_runner r
    left join app.team t on t.org_id = r.org_id and t.id = r.team_id
    left join app.role o on o.org_id = r.org_id and o.id = r.role_id
    where r.org_id = list_bot_shares.org_id and r.bot_id = list_bot_shares.bot_id
    order by r.created_at, r.id
    limit 1000;
end
$function$;

CREATE OR REPLACE FUNCTION api.list_bot_versions (
  org_id uuid,
  bot_id uuid
)
  RETURNS TABLE (
    version      integer,
    name         text,
    instructions text,
    sha256       text,
    created_by   uuid,
    created_at   timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_bot_versions.org_id);
  return query
    select v.version, v.name, v.instructions, v.sha256, v.created_by, v.created_at
    from app.bot_version v
    where v.org_id = list_bot_versions.org_id and v.bot_id = list_bot_versions.bot_id
    order by v.version desc
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
    select r.id, r.user_id, r.team_id, t.slug, o.name, r.knowledge_base_id, r.document_id, r.bot_id, r.tool, r.reason, r.created_by, r.created_at
    from app.deny_rule r
    left join app.team t on t.org_id = r.org_id and t.id = r.team_id
    left join app.role o on o.org_id = r.org_id and o.id = r.role_id
    where r.org_id = list_deny_rules.org_id
    order by r.created_at, r.id
    limit 1000;
end
$function$;

CREATE OR REPLACE FUNCTION api.list_organization_bots (
  org_id uuid
)
  RETURNS TABLE (
    id          uuid,
    bot         text,
    name        text,
    version     integer,
    may_run     boolean,
    may_change  boolean,
    created_by  uuid,
    created_at  timestamp with time zone,
    archived_at timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_organization_bots.org_id);
  return query
    select b.id, b.slug, b.name, b.version, b.id = any (array(select authz.runnable_bots())),
      b.org_id = any (array(select authz.orgs_with('bots.manage'))) or b.id = any (array(select authz.shared_bots('editor'))),
      b.created_by, b.created_at, b.archived_at
    from app.bot b where b.org_id = list_organization_bots.org_id
    order by b.slug
    limit 1000;
end
$function$;

CREATE OR REPLACE FUNCTION api.restore_bot (
  org_id uuid,
  bot_id uuid
)
  RETURNS jsonb
  LANGUAGE sql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select authz.set_archived(restore_bot.org_id, restore_bot.bot_id, false)
$function$;

CREATE OR REPLACE FUNCTION api.share_bot (
  org_id  uuid,
  bot_id  uuid,
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
  v_role uuid := case when share_bot.role is not null then authz.role_named(share_bot.org_id, share_bot.role) end;
  v_id uuid;
begin
  perform authz.require_org(share_bot.org_id);
  perform authz.require(num_nonnulls(share_bot.role, share_bot.user_id, share_bot.team_id) <= 1,
    'name a role, a person or a team, or none of them for everyone');
  perform authz.require(share_bot.level in ('viewer', 'editor', 'owner'), 'level: viewer, editor or owner');
  begin
    insert into app.bot_runner (org_id, bot_id, role_id, user_id, team_id, level)
    values (share_bot.org_id, share_bot.bot_id, v_role, share_bot.user_id, share_bot.team_id, share_bot.level)
    returning id into v_id;
  exception when unique_violation then
    update app.bot_runner r set level = share_bot.level
    where r.org_id = share_bot.org_id and r.bot_id = share_bot.bot_id and r.level <> share_bot.level
      and (r.role_id, r.user_id, r.team_id) is not distinct from (v_role, share_bot.user_id, share_bot.team_id)
    returning r.id into v_id;
    if not found then
      raise sqlstate 'PT409' using message = 'already shared so';
    end if;
  end;
  return jsonb_build_object('id', v_id);
exception
  when foreign_key_violation then raise sqlstate 'PT404' using message = 'no such bot, or no such member or team';
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
  v_bots app.bot[];
  v_bot app.bot;
  v_version app.bot_version;
  v_conversation uuid := start_run.conversation_id;
  v_run uuid;
  v_history jsonb;
begin
  perform authz.require(char_length(question) between 1 and 8000, 'question: 1..8000 characters');
  select array_agg(b) into v_bots from app.bot b join app.organization o on o.id = b.org_id
  where b.id = any (array(select authz.runnable_bots()))
    and start_run.bot in (o.slug || '/' || b.slug, o.id || '/' || b.id, o.id || '/' || b.slug);
  if v_bots is null then
    raise sqlstate 'PT404' using message = 'no such bot, or not yours to run';
  elsif cardinality(v_bots) > 1 then
    raise sqlstate 'PT409' using message = 'several of your organizations have that name: use the id of the organization instead';
  end if;
  v_bot := v_bots[1];
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
  -- The last 20 messages, as many as make at most 40,000 characters, oldest first.
  select coalesce(jsonb_agg(jsonb_build_object('role', h.role, 'content', h.content) order by h.created_at, h.id)
    filter (where h.characters <= 40000), '[]') into v_history
  from (select m.*, sum(char_length(m.content)) over (order by m.created_at desc, m.id) as characters
    from app.message m where m.org_id = v_bot.org_id and m.conversation_id = v_conversation
    order by m.created_at desc, m.id limit 20) h;
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

CREATE OR REPLACE FUNCTION api.unbind_bot (
  org_id     uuid,
  binding_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(unbind_bot.org_id);
  delete from app.bot_binding b where b.org_id = unbind_bot.org_id and b.id = unbind_bot.binding_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such binding, or not yours to withdraw';
  end if;
  return jsonb_build_object('id', unbind_bot.binding_id);
end
$function$;

CREATE OR REPLACE FUNCTION api.unshare_bot (
  org_id  uuid,
  bot_id  uuid,
  role    text DEFAULT NULL::text,
  user_id uuid DEFAULT NULL::uuid,
  team_id uuid DEFAULT NULL::uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_role uuid := case when unshare_bot.role is not null then authz.role_named(unshare_bot.org_id, unshare_bot.role) end;
  v_id uuid;
begin
  perform authz.require_org(unshare_bot.org_id);
  perform authz.require(num_nonnulls(unshare_bot.role, unshare_bot.user_id, unshare_bot.team_id) <= 1,
    'name a role, a person or a team, or none of them for everyone');
  delete from app.bot_runner r
  where r.org_id = unshare_bot.org_id and r.bot_id = unshare_bot.bot_id
    and (r.role_id, r.user_id, r.team_id) is not distinct from (v_role, unshare_bot.user_id, unshare_bot.team_id)
  returning r.id into v_id;
  if not found then
    raise sqlstate 'PT404' using message = 'not shared so, or not yours to withdraw';
  end if;
  return jsonb_build_object('id', v_id);
end
$function$;

CREATE OR REPLACE FUNCTION api.update_bot (
  org_id           uuid,
  bot_id           uuid,
  expected_version integer,
  name             text    DEFAULT NULL::text,
  instructions     text    DEFAULT NULL::text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_version integer;
begin
  perform authz.require_org(update_bot.org_id);
  perform authz.require(update_bot.expected_version >= 1, 'expected_version: the version you read, 1..2147483647');
  update app.bot b set name = coalesce(update_bot.name, b.name), instructions = coalesce(update_bot.instructions, b.instructions)
  where b.org_id = update_bot.org_id and b.id = update_bot.bot_id and b.version = update_bot.expected_version
  returning b.version into v_version;
  if not found then
    -- A statement of its own: it sees what was committed while the update waited.
    select b.version into v_version from app.bot b where b.org_id = update_bot.org_id and b.id = update_bot.bot_id;
    if not found then
      raise sqlstate 'PT404' using message = 'no such bot';
    elsif v_version <> update_bot.expected_version then
      raise sqlstate 'PT409' using message = 'somebody changed the bot meanwhile: read it again';
    end if;
    raise sqlstate '42501' using message = 'changing a bot is for its editors and owners and for bots.manage';
  end if;
  return jsonb_build_object('version', v_version);
end
$function$;

CREATE OR REPLACE FUNCTION authz.levels_from (
  level text
)
  RETURNS text[]
  LANGUAGE sql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  -- What is no level is no level at all, not the lowest (F09).
  select case levels_from.level when 'viewer' then '{viewer,editor,owner}' when 'editor' then '{editor,owner}' when 'owner' then '{owner}' else '{}' end::text[]
$function$;

CREATE OR REPLACE FUNCTION authz.run_lasts()
  RETURNS interval
  LANGUAGE sql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
RETURN '01:00:00'::interval;

CREATE OR REPLACE FUNCTION authz.run_tools (
  org_id uuid,
  bot_id uuid
)
  RETURNS text[]
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select coalesce(array_agg(b.tool order by b.tool), '{}') from app.bot_binding b
  where b.org_id = run_tools.org_id and b.bot_id = run_tools.bot_id and b.tool is not null and authz.is_tool(b.tool)
    and not exists (select from authz.denied_tools() d where d.org_id = b.org_id and d.tool = b.tool)
$function$;

CREATE OR REPLACE FUNCTION authz.runnable_bots()
  RETURNS SETOF uuid
  LANGUAGE sql
  STABLE
  ROWS 10
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  -- Managing a bot is not running it: bots.manage shows more bots than one may run.
  select b.id from app.bot b
  where b.id = any (array(select authz.shared_bots('viewer'))) and b.archived_at is null
    and not (b.id = any (array(select authz.denied('bot'))))
$function$;

CREATE OR REPLACE FUNCTION authz.running (
  run_id uuid
)
  RETURNS app.run
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_run app.run;
begin
  -- runs.read shows other people's runs; only one's own can be acted in, and only while one may still run its bot.
  select r.* into v_run from app.run r
  where r.id = running.run_id and r.user_id = authz.uid() and r.status = 'running'
    and r.started_at > now() - authz.run_lasts()
    and r.bot_id = any (array(select authz.runnable_bots()));
  if not found then
    raise sqlstate 'PT404' using message = 'no such running run of yours';
  end if;
  return v_run;
end
$function$;

CREATE OR REPLACE FUNCTION authz.set_archived (
  org_id   uuid,
  bot_id   uuid,
  archived boolean
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_at timestamptz;
begin
  perform authz.require_org(set_archived.org_id);
  -- Archived twice is archived since the first time.
  update app.bot b set archived_at = case when set_archived.archived then coalesce(b.archived_at, now()) end
  where b.org_id = set_archived.org_id and b.id = set_archived.bot_id
  returning b.archived_at into v_at;
  if not found then
    if exists (select from app.bot b where b.org_id = set_archived.org_id and b.id = set_archived.bot_id) then
      raise sqlstate '42501' using message = 'archiving a bot and taking it back into use is for its owners and bots.manage';
    end if;
    raise sqlstate 'PT404' using message = 'no such bot';
  end if;
  return jsonb_build_object('archived_at', v_at);
end
$function$;

CREATE OR REPLACE FUNCTION authz.shared_bots (
  level text
)
  RETURNS SETOF uuid
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  ROWS 10
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select r.bot_id from app.bot_runner r
  where r.org_id = any (array(select authz.orgs_with('bots.run'))) and r.level = any (authz.levels_from(shared_bots.level))
$function$;

ALTER FUNCTION "authz"."shared_bots"(text) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.tg_bot_archive()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  -- Policies see rows, not columns: an editor may change the bot, but not take it from everybody.
  if row_security_active('app.bot')
    and not (old.org_id = any (array(select authz.orgs_with('bots.manage'))) or old.id = any (array(select authz.shared_bots('owner'))))
  then
    raise sqlstate '42501' using message = 'archiving a bot and taking it back into use is for its owners and bots.manage';
  end if;
  return new;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_bot_owner()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  -- A row and not a rule about created_by: it can be withdrawn, and goes with the membership. An operator's insert is nobody's.
  if new.created_by = authz.uid() then
    insert into app.bot_runner (org_id, bot_id, user_id, level) values (new.org_id, new.id, new.created_by, 'owner');
  end if;
  return null;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_publish_version()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  insert into app.bot_version (org_id, bot_id, version, name, instructions, sha256)
  values (new.org_id, new.id, new.version, new.name, new.instructions,
    encode(sha256(convert_to(jsonb_build_array(new.name, new.instructions)::text, 'UTF8')), 'hex'));
  return null;
end
$function$;

ALTER FUNCTION "authz"."tg_publish_version"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.tg_step_up()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_row jsonb := case when tg_op = 'INSERT' then to_jsonb(new) else to_jsonb(old) end;
begin
  -- Where policies do not apply there is no token to look at (an operator, a restore); a founder takes the first seat as ringfence_owner.
  if row_security_active(tg_relid) and current_user <> 'ringfence_owner' then
    if authz.claims() ? 'client_id' then
      raise sqlstate '42501' using message = 'an app acting for you cannot do this: sign in yourself';  -- R44
    end if;
    if tg_argv[0] = 'always'
      or authz.has_second_factor()
      or exists (select from app.organization o where o.id = (v_row ->> 'org_id')::uuid and o.require_mfa)
    then
      -- Leaving takes nothing from anybody else.
      if not coalesce(tg_table_name = 'membership' and tg_op = 'DELETE' and (v_row ->> 'user_id')::uuid = authz.uid(), false) then
        perform authz.require_step_up();
      end if;
    end if;
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end
$function$;

ALTER TABLE "app"."bot_runner"
  ADD CONSTRAINT "bot_runner_level_check" CHECK ((level = ANY (ARRAY['viewer'::text, 'editor'::text, 'owner'::text])));

ALTER TABLE "app"."bot_runner"
  ADD CONSTRAINT "bot_runner_one_principal_check" CHECK ((num_nonnulls(user_id, team_id, role_id) <= 1));

ALTER TABLE "app"."bot_runner"
  ADD CONSTRAINT "bot_runner_principal_key" UNIQUE NULLS NOT DISTINCT (org_id, bot_id, user_id, team_id, role_id);

ALTER TABLE "app"."bot_runner"
  ADD CONSTRAINT "bot_runner_team_id_fkey" FOREIGN KEY (org_id, team_id) REFERENCES app.team(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."bot_version"
  ADD CONSTRAINT "bot_version_bot_id_fkey" FOREIGN KEY (org_id, bot_id) REFERENCES app.bot(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."bot_version"
  ADD CONSTRAINT "bot_version_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

-- By hand: bots there already have the version they are at, and their makers own them as far as they are still members. Of the
-- versions that earlier runs name nothing was kept but the number.
insert into app.bot_version (org_id, bot_id, version, name, instructions, sha256, created_by, created_at)
  select b.org_id, b.id, b.version, b.name, b.instructions,
    encode(sha256(convert_to(jsonb_build_array(b.name, b.instructions)::text, 'UTF8')), 'hex'),
    case when b.version = 1 then b.created_by end, b.updated_at
  from app.bot b;
insert into app.bot_version (org_id, bot_id, version, name, instructions, sha256, created_by, created_at)
  select r.org_id, r.bot_id, r.bot_version, b.name, k.instructions,
    encode(sha256(convert_to(jsonb_build_array(b.name, k.instructions)::text, 'UTF8')), 'hex'), null, min(r.started_at)
  from app.run r
  join app.bot b on b.org_id = r.org_id and b.id = r.bot_id and b.version <> r.bot_version
  cross join (values ('Not kept: this version is older than the record of versions.')) k (instructions)
  group by r.org_id, r.bot_id, r.bot_version, b.name, k.instructions;
insert into app.bot_runner (org_id, bot_id, user_id, level)
  select b.org_id, b.id, b.created_by, 'owner' from app.bot b
  join app.membership m on m.org_id = b.org_id and m.user_id = b.created_by
  on conflict on constraint bot_runner_principal_key do update set level = 'owner';

ALTER TABLE "app"."run"
  ADD CONSTRAINT "run_bot_version_fkey" FOREIGN KEY (org_id, bot_id, bot_version) REFERENCES app.bot_version(org_id, bot_id, VERSION);

CREATE TRIGGER _100_archive
  BEFORE UPDATE ON app.bot
  FOR EACH ROW
  WHEN ((old.archived_at IS DISTINCT FROM new.archived_at))
  EXECUTE FUNCTION authz.tg_bot_archive();

CREATE TRIGGER _600_owner
  AFTER INSERT ON app.bot
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_bot_owner();

CREATE TRIGGER _700_publish
  AFTER INSERT ON app.bot
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_publish_version();

CREATE TRIGGER _710_publish
  AFTER UPDATE ON app.bot
  FOR EACH ROW
  WHEN ((old.version IS DISTINCT FROM new.version))
  EXECUTE FUNCTION authz.tg_publish_version();

CREATE TRIGGER _110_step_up
  BEFORE INSERT OR DELETE OR UPDATE ON app.deny_rule
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_step_up('if_enrolled');

CREATE POLICY "bot_denied_floor" ON "app"."bot"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((NOT (id = ANY (ARRAY( SELECT authz.denied('bot'::text) AS denied)))))
  WITH CHECK ((NOT (id = ANY (ARRAY( SELECT authz.denied('bot'::text) AS denied)))));

CREATE POLICY "bot_select_viewer" ON "app"."bot"
  FOR SELECT
  TO "authenticated"
  USING (((org_id = ANY (ARRAY( SELECT authz.orgs_with('bots.manage'::text) AS orgs_with))) OR (id = ANY (ARRAY( SELECT authz.shared_bots('viewer'::text) AS shared_bots)))));

CREATE POLICY "bot_update_editor" ON "app"."bot"
  FOR UPDATE
  TO "authenticated"
  USING (((org_id = ANY (ARRAY( SELECT authz.orgs_with('bots.manage'::text) AS orgs_with))) OR (id = ANY (ARRAY( SELECT authz.shared_bots('editor'::text) AS shared_bots)))))
  WITH CHECK (((org_id = ANY (ARRAY( SELECT authz.orgs_with('bots.manage'::text) AS orgs_with))) OR (id = ANY (ARRAY( SELECT authz.shared_bots('editor'::text) AS shared_bots)))));

CREATE POLICY "bot_binding_delete_editor" ON "app"."bot_binding"
  FOR DELETE
  TO "authenticated"
  USING (((org_id = ANY (ARRAY( SELECT authz.orgs_with('bots.manage'::text) AS orgs_with))) OR (bot_id = ANY (ARRAY( SELECT authz.shared_bots('editor'::text) AS shared_bots)))));

CREATE POLICY "bot_binding_denied_floor" ON "app"."bot_binding"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((NOT (bot_id = ANY (ARRAY( SELECT authz.denied('bot'::text) AS denied)))))
  WITH CHECK ((NOT (bot_id = ANY (ARRAY( SELECT authz.denied('bot'::text) AS denied)))));

CREATE POLICY "bot_binding_insert_editor" ON "app"."bot_binding"
  FOR INSERT
  TO "authenticated"
  WITH
    CHECK
    ((((org_id = ANY (ARRAY( SELECT authz.orgs_with('bots.manage'::text) AS orgs_with))) OR (bot_id = ANY (ARRAY( SELECT authz.shared_bots('editor'::text) AS shared_bots)))) AND
    ((knowledge_base_id IS NULL) OR (knowledge_base_id = ANY (ARRAY( SELECT k.id
   FROM app.knowledge_base k))))));

CREATE POLICY "bot_binding_select_viewer" ON "app"."bot_binding"
  FOR SELECT
  TO "authenticated"
  USING (((org_id = ANY (ARRAY( SELECT authz.orgs_with('bots.manage'::text) AS orgs_with))) OR (bot_id = ANY (ARRAY( SELECT authz.shared_bots('viewer'::text) AS shared_bots)))));

CREATE POLICY "bot_runner_delete_owner" ON "app"."bot_runner"
  FOR DELETE
  TO "authenticated"
  USING (((org_id = ANY (ARRAY( SELECT authz.orgs_with('bots.manage'::text) AS orgs_with))) OR (bot_id = ANY (ARRAY( SELECT authz.shared_bots('owner'::text) AS shared_bots)))));

CREATE POLICY "bot_runner_denied_floor" ON "app"."bot_runner"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((NOT (bot_id = ANY (ARRAY( SELECT authz.denied('bot'::text) AS denied)))))
  WITH CHECK ((NOT (bot_id = ANY (ARRAY( SELECT authz.denied('bot'::text) AS denied)))));

CREATE POLICY "bot_runner_insert_owner" ON "app"."bot_runner"
  FOR INSERT
  TO "authenticated"
  WITH
    CHECK
    ((((org_id = ANY (ARRAY( SELECT authz.orgs_with('bots.manage'::text) AS orgs_with))) OR (bot_id = ANY (ARRAY( SELECT authz.shared_bots('owner'::text) AS shared_bots)))) AND
    ((num_nonnulls(user_id, team_id) = 1) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('resources.publish'::text) AS orgs_with))))));

CREATE POLICY "bot_runner_select_runner" ON "app"."bot_runner"
  FOR SELECT
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('bots.manage'::text) AS orgs_with))) OR (bot_id = ANY (ARRAY( SELECT authz.shared_bots('owner'::text) AS shared_bots))) OR
    ((org_id = ANY (ARRAY( SELECT authz.orgs_with('bots.run'::text) AS orgs_with))) AND ((user_id = ( SELECT authz.uid() AS uid)) OR (team_id = ANY (ARRAY( SELECT authz.team_ids()
    AS team_ids))) OR (role_id = ANY (ARRAY( SELECT authz.role_ids() AS role_ids))) OR (num_nonnulls(user_id, team_id, role_id) = 0)))));

CREATE POLICY "bot_runner_select_self_owner" ON "app"."bot_runner"
  FOR SELECT
  TO "ringfence_owner"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))) AND ((user_id = ( SELECT authz.uid() AS uid)) OR (team_id = ANY (ARRAY( SELECT authz.team_ids() AS team_ids))) OR
    (role_id = ANY (ARRAY( SELECT authz.role_ids() AS role_ids))) OR (num_nonnulls(user_id, team_id, role_id) = 0))));

CREATE POLICY "bot_runner_update_owner" ON "app"."bot_runner"
  FOR UPDATE
  TO "authenticated"
  USING
    ((((org_id = ANY (ARRAY( SELECT authz.orgs_with('bots.manage'::text) AS orgs_with))) OR (bot_id = ANY (ARRAY( SELECT authz.shared_bots('owner'::text) AS shared_bots)))) AND
    ((num_nonnulls(user_id, team_id) = 1) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('resources.publish'::text) AS orgs_with))))))
  WITH
    CHECK
    ((((org_id = ANY (ARRAY( SELECT authz.orgs_with('bots.manage'::text) AS orgs_with))) OR (bot_id = ANY (ARRAY( SELECT authz.shared_bots('owner'::text) AS shared_bots)))) AND
    ((num_nonnulls(user_id, team_id) = 1) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('resources.publish'::text) AS orgs_with))))));

CREATE POLICY "bot_version_delete_nobody" ON "app"."bot_version"
  FOR DELETE
  TO "authenticated"
  USING (false);

CREATE POLICY "bot_version_denied_floor" ON "app"."bot_version"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((NOT (bot_id = ANY (ARRAY( SELECT authz.denied('bot'::text) AS denied)))))
  WITH CHECK ((NOT (bot_id = ANY (ARRAY( SELECT authz.denied('bot'::text) AS denied)))));

CREATE POLICY "bot_version_floor" ON "app"."bot_version"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "bot_version_insert_nobody" ON "app"."bot_version"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (false);

CREATE POLICY "bot_version_select_viewer" ON "app"."bot_version"
  FOR SELECT
  TO "authenticated"
  USING (((org_id = ANY (ARRAY( SELECT authz.orgs_with('bots.manage'::text) AS orgs_with))) OR (bot_id = ANY (ARRAY( SELECT authz.shared_bots('viewer'::text) AS shared_bots)))));

CREATE POLICY "bot_version_update_nobody" ON "app"."bot_version"
  FOR UPDATE
  TO "authenticated"
  USING (false)
  WITH CHECK (false);

COMMENT ON COLUMN "app"."bot"."archived_at" IS 'Since when it is out of use: nobody runs it, its record stays. Null while in use.';

COMMENT ON COLUMN "app"."bot"."version" IS 'Counts changes of name or instructions; app.bot_version keeps each.';

COMMENT ON COLUMN "app"."bot_runner"."level" IS 'viewer may run it; editor may also change and bind it; owner may also share and archive it.';

COMMENT ON COLUMN "app"."bot_runner"."role_id" IS 'Everyone with this role, or null. All three null: everyone in the organization.';

COMMENT ON COLUMN "app"."bot_runner"."team_id" IS 'Everyone in this team, or null.';

COMMENT ON COLUMN "app"."bot_version"."bot_id" IS 'The bot.';

COMMENT ON COLUMN "app"."bot_version"."created_at" IS 'When it was published.';

COMMENT ON COLUMN "app"."bot_version"."instructions" IS 'What the model was told to do in this version.';

COMMENT ON COLUMN "app"."bot_version"."name" IS 'Its name in this version.';

COMMENT ON COLUMN "app"."bot_version"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."bot_version"."sha256" IS 'SHA-256, hexadecimal, of the JSON array of name and instructions: what was reviewed is what runs.';

COMMENT ON COLUMN "app"."bot_version"."version" IS 'Counts from 1.';

COMMENT ON COLUMN "app"."run"."bot_version" IS 'The version of the bot that ran, as app.bot_version keeps it.';

COMMENT ON FUNCTION "api"."archive_bot"(uuid, uuid) IS 'Put a bot out of use: nobody runs it from their next request on, not even in a run that has begun. Its record stays, and it can be restored.

@audience app
@param org_id  the organization
@param bot_id  the bot
@returns       {archived_at}
@errors        22004, 42501, PT404
@effect        write';

COMMENT ON FUNCTION "api"."bind_bot"(uuid, uuid, uuid, text) IS 'Let runs of a bot use a knowledge base that you see, or a tool, within what the person running it may do. Needs level editor or bots.manage.

@audience app
@param org_id             the organization
@param bot_id             the bot
@param knowledge_base_id  a knowledge base
@param tool               name of a function whose audience is bot
@returns                  {id}
@errors                   22004, 22023, 42501, PT404, PT409
@effect                   write';

COMMENT ON FUNCTION "api"."create_bot"(uuid, text, text, text) IS 'Create a bot. You are its owner. It reaches nothing until it is bound, and nobody else runs it until it is shared.

@audience app
@param org_id        the organization
@param slug          short name; 2..40 of a-z, 0-9 and -
@param name          display name; 1..120 characters
@param instructions  what the model is told to do; 0..8000 characters
@returns             {id}
@errors              22004, 23514, 42501, PT409
@effect              write';

COMMENT ON FUNCTION "api"."create_deny_rule"(uuid, text, uuid, uuid, text, uuid, uuid, uuid, text) IS 'Take one resource, or one tool in every bot, from a member, a team, a role or (naming none) everybody, owners included. No sharing, role or ownership overrides it; it works on their next request. Needs rules.manage.

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
@returns                  {id}
@errors                   22004, 22023, 23514, 42501, PT401, PT404, PT409
@effect                   write';

COMMENT ON FUNCTION "api"."delete_deny_rule"(uuid, uuid) IS 'Delete a deny rule: what was shared works again. Needs rules.manage.

@audience app
@param org_id   the organization
@param rule_id  the rule
@returns        {id}
@errors         22004, 42501, PT401, PT404
@effect         destructive';

COMMENT ON FUNCTION "api"."get_bot"(uuid, uuid) IS 'Get one bot that you see.

@audience app
@param org_id  the organization
@param bot_id  the bot
@returns       {id, slug, name, instructions, version, sha256, created_by, created_at, updated_at, archived_at, may_run, level: owner, editor or viewer; bots.manage counts as owner}
@errors        22004, PT404
@effect        read';

COMMENT ON FUNCTION "api"."list_bot_bindings"(uuid, uuid) IS 'List what a bot that you see is bound to. A knowledge base you may not read has no name.

@audience app
@param org_id  the organization
@param bot_id  the bot
@returns       array of {id, knowledge_base_id, knowledge_base, tool, created_at}, at most 1000; knowledge bases first
@errors        22004
@effect        read';

COMMENT ON FUNCTION "api"."list_bot_shares"(uuid, uuid) IS 'List with whom a bot is shared: its owners and bots.manage see all, others what lets them use it. A row that names nobody is everyone in the organization.

@audience app
@param org_id  the organization
@param bot_id  the bot
@returns       array of {id, user_id, team_id, team, role, level, created_at}, at most 1000; oldest first
@errors        22004
@effect        read';

COMMENT ON FUNCTION "api"."list_bot_versions"(uuid, uuid) IS 'List the versions of a bot that you see, as they were published: they never change.

@audience app
@param org_id  the organization
@param bot_id  the bot
@returns       array of {version, name, instructions, sha256: of the JSON array of both, created_by, created_at}, at most 1000; newest first
@errors        22004
@effect        read';

COMMENT ON FUNCTION "api"."list_deny_rules"(uuid) IS 'List the deny rules of an organization. A rule that names no person, team or role concerns everybody. Needs rules.manage; to others it is empty.

@audience app
@param org_id  the organization
@returns       array of {id, user_id, team_id, team, role, knowledge_base_id, document_id, bot_id, tool, reason, created_by, created_at}, at most 1000; oldest first
@errors        22004
@effect        read';

COMMENT ON FUNCTION "api"."list_organization_bots"(uuid) IS 'List the bots of an organization that you see, archived ones too: those shared with you, and with bots.manage all.

@audience app
@param org_id  the organization
@returns       array of {id, bot, name, version, may_run, may_change, created_by, created_at, archived_at}, at most 1000; by name
@errors        22004
@effect        read';

COMMENT ON FUNCTION "api"."restore_bot"(uuid, uuid) IS 'Put an archived bot back into use, for those it is still shared with.

@audience app
@param org_id  the organization
@param bot_id  the bot
@returns       {archived_at: null}
@errors        22004, 42501, PT404
@effect        write';

COMMENT ON FUNCTION "api"."share_bot"(uuid, uuid, text, uuid, uuid, text) IS 'Share a bot with a role, a member, a team or (naming none) everyone in the organization, or change the level it is shared at: viewer may run it, editor also change and bind it, owner also share and archive it. It gives nobody any access to data. Needs level owner or bots.manage; for a role or everyone also resources.publish.

@audience app
@param org_id   the organization
@param bot_id   the bot
@param role     name of a role
@param user_id  a member
@param team_id  a team
@param level    viewer, editor or owner
@returns        {id}
@errors         22004, 22023, 42501, PT404, PT409
@effect         write';

COMMENT ON FUNCTION "api"."start_run"(text, text, uuid, text) IS 'Start a run: put a question to a bot you may run. Runs of yours that were never finished are closed after an hour, as failed: abandoned.

@audience app
@param bot              organization/bot, by slug or by id
@param question         the question; 1..8000 characters
@param conversation_id  a conversation of yours with this bot to go on with
@param request_id       the request this belongs to; 0..100 characters
@returns                {run_id, org_id, conversation_id, bot: {id, slug, name, version, instructions, sha256}, tools, history: [{role, content}]}
@errors                 22023, PT404, PT409
@effect                 write';

COMMENT ON FUNCTION "api"."unbind_bot"(uuid, uuid) IS 'Withdraw a binding of a bot: it works on the next call, in runs that have begun too. Needs level editor or bots.manage.

@audience app
@param org_id      the organization
@param binding_id  the binding
@returns           {id}
@errors            22004, PT404
@effect            write';

COMMENT ON FUNCTION "api"."unshare_bot"(uuid, uuid, text, uuid, uuid) IS 'Withdraw one sharing of a bot: the role''s, the member''s, the team''s or (naming none) everyone''s. It works on their next request, and in the middle of a run.

@audience app
@param org_id   the organization
@param bot_id   the bot
@param role     name of a role
@param user_id  a member
@param team_id  a team
@returns        {id}
@errors         22004, 22023, PT404
@effect         write';

COMMENT ON FUNCTION "api"."update_bot"(uuid, uuid, integer, text, text) IS 'Publish a new version of a bot: what you leave out stays as it was. Runs that have begun go on with the version they began with.

@audience app
@param org_id            the organization
@param bot_id            the bot
@param expected_version  the version you read; a change in between is not overwritten; 1..2147483647
@param name              display name; 1..120 characters
@param instructions      what the model is told to do; 0..8000 characters
@returns                 {version}
@errors                  22004, 22023, 23514, 42501, PT404, PT409
@effect                  write';

COMMENT ON FUNCTION "authz"."levels_from"(text) IS 'This level of a grant and those above it: viewer, editor, owner.';

COMMENT ON FUNCTION "authz"."run_lasts"() IS 'How long a run may be running: after that nothing more is done in it, and the next start of its person closes it. The one place that says so.';

COMMENT ON FUNCTION "authz"."run_tools"(uuid, uuid) IS 'The tools a bot is bound to now, without those a rule takes from the signed-in person (F15).';

COMMENT ON FUNCTION "authz"."runnable_bots"() IS 'The bots the signed-in person may run now: shared with them, in use, and taken from them by no rule.';

COMMENT ON FUNCTION "authz"."running"(uuid) IS 'The caller''s own running run; PT404 for any other, for one older than authz.run_lasts(), or when the bot is no longer theirs to run.';

COMMENT ON FUNCTION "authz"."set_archived"(uuid, uuid, boolean) IS 'Put a bot out of use or back into it; 42501 for who may not, PT404 for a bot the person does not see.';

COMMENT ON FUNCTION "authz"."shared_bots"(text) IS 'The bots shared with the signed-in person at this level or above: with them, a team or role of theirs, or everyone. Without bots.run, none.';

COMMENT ON FUNCTION "authz"."tg_bot_archive"() IS 'Trigger: only an owner of the bot, or bots.manage, archives or restores it (42501).';

COMMENT ON FUNCTION "authz"."tg_bot_owner"() IS 'Trigger: who makes a bot is its first owner.';

COMMENT ON FUNCTION "authz"."tg_publish_version"() IS 'Trigger: keep each version of a bot as it is published.';

COMMENT ON POLICY "bot_delete_nobody" ON "app"."bot" IS 'The record of its runs names it; archiving puts it out of use.';

COMMENT ON POLICY "bot_denied_floor" ON "app"."bot" IS 'Whatever else is allowed, never a bot that a rule takes from the person (F15).';

COMMENT ON POLICY "bot_select_viewer" ON "app"."bot" IS 'bots.manage sees every bot; others those shared with them.';

COMMENT ON POLICY "bot_update_editor" ON "app"."bot" IS 'bots.manage and the bot''s editors change it; putting it out of use asks for more, see authz.tg_bot_archive().';

COMMENT ON POLICY "bot_binding_delete_editor" ON "app"."bot_binding" IS 'bots.manage and the bot''s editors unbind it.';

COMMENT ON POLICY "bot_binding_denied_floor" ON "app"."bot_binding" IS 'Whatever else is allowed, never a bot that a rule takes from the person (F15).';

COMMENT ON POLICY "bot_binding_insert_editor" ON "app"."bot_binding" IS 'bots.manage and the bot''s editors bind it, to knowledge bases they see themselves.';

COMMENT ON POLICY "bot_binding_select_viewer" ON "app"."bot_binding" IS 'Who sees the bot sees what it reaches.';

COMMENT ON POLICY "bot_runner_delete_owner" ON "app"."bot_runner" IS 'bots.manage and the bot''s owners withdraw sharing.';

COMMENT ON POLICY "bot_runner_denied_floor" ON "app"."bot_runner" IS 'Whatever else is allowed, never a bot that a rule takes from the person (F15).';

COMMENT ON POLICY "bot_runner_insert_owner" ON "app"."bot_runner" IS 'bots.manage and the bot''s owners share it with people and teams; with a role or everyone only who holds resources.publish.';

COMMENT ON POLICY "bot_runner_select_runner" ON "app"."bot_runner" IS 'bots.manage and the bot''s owners see with whom it is shared; others the rows that let them use it.';

COMMENT ON POLICY "bot_runner_select_self_owner" ON "app"."bot_runner" IS 'authz.shared_bots() sees the rows that apply to the person asking and no others.';

COMMENT ON POLICY "bot_runner_update_owner" ON "app"."bot_runner" IS 'As sharing: the level changes, never with whom.';

COMMENT ON POLICY "bot_version_delete_nobody" ON "app"."bot_version" IS 'What ran stays what ran.';

COMMENT ON POLICY "bot_version_denied_floor" ON "app"."bot_version" IS 'Whatever else is allowed, never a bot that a rule takes from the person (F15).';

COMMENT ON POLICY "bot_version_floor" ON "app"."bot_version" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "bot_version_insert_nobody" ON "app"."bot_version" IS 'Only the trigger writes here.';

COMMENT ON POLICY "bot_version_select_viewer" ON "app"."bot_version" IS 'Who sees the bot sees its versions.';

COMMENT ON POLICY "bot_version_update_nobody" ON "app"."bot_version" IS 'What ran stays what ran.';

COMMENT ON TABLE "app"."bot_runner" IS 'With whom a bot is shared. Being a runner adds nothing to what one may read (F13).';

COMMENT ON TABLE "app"."bot_version" IS 'A bot as it was from one change of name or instructions to the next; never changed, never deleted.';

REVOKE ALL ON FUNCTION "api"."archive_bot"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."archive_bot"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."archive_bot"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."archive_bot"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."create_deny_rule"(uuid, text, uuid, uuid, text, uuid, uuid, uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."create_deny_rule"(uuid, text, uuid, uuid, text, uuid, uuid, uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."create_deny_rule"(uuid, text, uuid, uuid, text, uuid, uuid, uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."create_deny_rule"(uuid, text, uuid, uuid, text, uuid, uuid, uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."delete_deny_rule"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."delete_deny_rule"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."delete_deny_rule"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."delete_deny_rule"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."get_bot"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."get_bot"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."get_bot"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."get_bot"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_bot_bindings"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_bot_bindings"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_bot_bindings"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_bot_bindings"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_bot_shares"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_bot_shares"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_bot_shares"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_bot_shares"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_bot_versions"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_bot_versions"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_bot_versions"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_bot_versions"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_deny_rules"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_deny_rules"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_deny_rules"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_deny_rules"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_organization_bots"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_organization_bots"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_organization_bots"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_organization_bots"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."restore_bot"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."restore_bot"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."restore_bot"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."restore_bot"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."share_bot"(uuid, uuid, text, uuid, uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."share_bot"(uuid, uuid, text, uuid, uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."share_bot"(uuid, uuid, text, uuid, uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."share_bot"(uuid, uuid, text, uuid, uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."unbind_bot"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."unbind_bot"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."unbind_bot"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."unbind_bot"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."unshare_bot"(uuid, uuid, text, uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."unshare_bot"(uuid, uuid, text, uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."unshare_bot"(uuid, uuid, text, uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."unshare_bot"(uuid, uuid, text, uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."update_bot"(uuid, uuid, integer, text, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."update_bot"(uuid, uuid, integer, text, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."update_bot"(uuid, uuid, integer, text, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."update_bot"(uuid, uuid, integer, text, text) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."levels_from"(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."levels_from"(text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."levels_from"(text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."levels_from"(text) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."levels_from"(text) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."run_lasts"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."run_lasts"() TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."run_lasts"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."run_lasts"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."set_archived"(uuid, uuid, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."set_archived"(uuid, uuid, boolean) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."set_archived"(uuid, uuid, boolean) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."set_archived"(uuid, uuid, boolean) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."shared_bots"(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."shared_bots"(text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."shared_bots"(text) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."shared_bots"(text) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."tg_bot_archive"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_bot_archive"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_bot_archive"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_bot_owner"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_bot_owner"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_bot_owner"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_publish_version"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_publish_version"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."tg_publish_version"() TO "ringfence_owner";

REVOKE ALL ("archived_at") ON TABLE "app"."bot" FROM "authenticated";

GRANT UPDATE ("archived_at") ON TABLE "app"."bot" TO "authenticated";

REVOKE ALL ("level") ON TABLE "app"."bot_runner" FROM "authenticated";

GRANT INSERT ("level"), UPDATE ("level") ON TABLE "app"."bot_runner" TO "authenticated";

REVOKE ALL ("team_id") ON TABLE "app"."bot_runner" FROM "authenticated";

GRANT INSERT ("team_id") ON TABLE "app"."bot_runner" TO "authenticated";

REVOKE ALL ("bot_id") ON TABLE "app"."bot_runner" FROM "ringfence_owner";

GRANT SELECT ("bot_id") ON TABLE "app"."bot_runner" TO "ringfence_owner";

REVOKE ALL ("level") ON TABLE "app"."bot_runner" FROM "ringfence_owner";

GRANT SELECT ("level") ON TABLE "app"."bot_runner" TO "ringfence_owner";

REVOKE ALL ("org_id") ON TABLE "app"."bot_runner" FROM "ringfence_owner";

GRANT SELECT ("org_id") ON TABLE "app"."bot_runner" TO "ringfence_owner";

REVOKE ALL ("role_id") ON TABLE "app"."bot_runner" FROM "ringfence_owner";

GRANT SELECT ("role_id") ON TABLE "app"."bot_runner" TO "ringfence_owner";

REVOKE ALL ("team_id") ON TABLE "app"."bot_runner" FROM "ringfence_owner";

GRANT SELECT ("team_id") ON TABLE "app"."bot_runner" TO "ringfence_owner";

REVOKE ALL ("user_id") ON TABLE "app"."bot_runner" FROM "ringfence_owner";

GRANT SELECT ("user_id") ON TABLE "app"."bot_runner" TO "ringfence_owner";

GRANT SELECT ON TABLE "app"."bot_version" TO "authenticated";

GRANT INSERT ("bot_id") ON TABLE "app"."bot_version" TO "ringfence_owner";

GRANT INSERT ("instructions") ON TABLE "app"."bot_version" TO "ringfence_owner";

GRANT INSERT ("name") ON TABLE "app"."bot_version" TO "ringfence_owner";

GRANT INSERT ("org_id") ON TABLE "app"."bot_version" TO "ringfence_owner";

GRANT INSERT ("sha256") ON TABLE "app"."bot_version" TO "ringfence_owner";

GRANT INSERT ("version") ON TABLE "app"."bot_version" TO "ringfence_owner";

CREATE POLICY "bot_version_insert_owner" ON "app"."bot_version"
  FOR INSERT
  TO "ringfence_owner"
  WITH CHECK ((NOT (created_by IS DISTINCT FROM ( SELECT authz.uid() AS uid))));

COMMENT ON COLUMN "app"."bot_version"."created_by" IS 'Who published it; null for an operator working in the database.';

COMMENT ON POLICY "bot_version_insert_owner" ON "app"."bot_version" IS 'Even the trigger cannot publish in another person''s name.';

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
