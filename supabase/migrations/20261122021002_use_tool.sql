-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

CREATE OR REPLACE FUNCTION api.list_bot_tools (
  bot text DEFAULT NULL::text
)
  RETURNS TABLE (
    org_id       uuid,
    bot_id       uuid,
    organization text,
    slug         text,
    tool         text
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
declare
  v_only uuid := case when list_bot_tools.bot is not null then (authz.runnable_bot(list_bot_tools.bot)).id end;
begin
  return query
    select b.org_id, b.id, o.slug, b.slug, t.tool
    from app.bot b
    join app.organization o on o.id = b.org_id
    cross join unnest(authz.run_tools(b.org_id, b.id)) t (tool)
    where b.id = any (array(select authz.runnable_bots())) and (v_only is null or b.id = v_only)
    order by o.slug, b.slug, o.id, t.tool
    limit 1000;
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
  v_run jsonb := api.start_run(v_bot.org_id || '/' || v_bot.id, v_title, v_conversation, use_tool.request_id);
  v_result jsonb := api.call_tool((v_run ->> 'run_id')::uuid, use_tool.tool, use_tool.arguments, use_tool.query_embedding);
begin
  perform api.finish_run((v_run ->> 'run_id')::uuid, case when v_result ->> 'outcome' = 'ok' then 'succeeded' else 'failed' end, '', '[]',
    nullif(v_result ->> 'outcome', 'ok'));
  return v_result || jsonb_build_object('run_id', v_run -> 'run_id', 'conversation_id', v_run -> 'conversation_id');
end
$function$;

CREATE OR REPLACE FUNCTION authz.runnable_bot (
  bot text
)
  RETURNS app.bot
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_bots app.bot[];
begin
  -- By two ids, else by the organization's id, else by slugs: a name never stands in the way of an id.
  select array_agg(m.found) into v_bots
  from (
    select b as found, f.form, min(f.form) over () as best
    from app.bot b
    join app.organization o on o.id = b.org_id
    cross join lateral (select case runnable_bot.bot
      when o.id || '/' || b.id then 1 when o.id || '/' || b.slug then 2 when o.slug || '/' || b.slug then 3 end) f (form)
    where b.id = any (array(select authz.runnable_bots())) and f.form is not null) m
  where m.form = m.best;
  if v_bots is null then
    raise sqlstate 'PT404' using message = 'no such bot, or not yours to run';
  elsif cardinality(v_bots) > 1 then
    raise sqlstate 'PT409' using message = 'several of your organizations have that name: use the id of the organization instead';
  end if;
  return v_bots[1];
end
$function$;

COMMENT ON FUNCTION "api"."list_bot_tools"(text) IS 'List what you may call with use_tool: the bots you may run, or the one you name, each with the tools it is bound to and no rule takes from you.

@audience app
@param bot  organization/bot, by slug or by id
@returns    array of {org_id, bot_id, organization, slug, tool}, at most 1000; by organization, bot and tool
@errors     PT404, PT409
@effect     read';

COMMENT ON FUNCTION "api"."use_tool"(text, text, jsonb, extensions.vector, text) IS 'Call one tool of a bot you may run, as yourself, without a conversation with its model: a run of one step, recorded like any other.

@audience app
@param bot              organization/bot, by slug or by id
@param tool             name of a tool the bot is bound to
@param arguments        an object with the tool''s arguments, without those the run supplies
@param query_embedding  the argument named query as 384 numbers, for tools that take one
@param request_id       the request this belongs to; 0..100 characters
@returns                {run_id, conversation_id, step_id, outcome: ok, denied, not_found, invalid, conflict or failed, code, message, row_count, rows}
@errors                 PT404, PT409, 57014
@effect                 write';

COMMENT ON FUNCTION "authz"."runnable_bot"(text) IS 'The one bot of that name, organization/bot by slug or by id, that the signed-in person may run; PT404 for none, PT409 for several.';

REVOKE ALL ON FUNCTION "api"."list_bot_tools"(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_bot_tools"(text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_bot_tools"(text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_bot_tools"(text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."use_tool"(text, text, jsonb, extensions.vector, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."use_tool"(text, text, jsonb, extensions.vector, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."use_tool"(text, text, jsonb, extensions.vector, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."use_tool"(text, text, jsonb, extensions.vector, text) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."runnable_bot"(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."runnable_bot"(text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."runnable_bot"(text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."runnable_bot"(text) TO "postgres";

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
