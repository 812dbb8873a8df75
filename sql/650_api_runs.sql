-- Runs: start, call a tool, record a model call, finish. The record is written by the function that does the work.

create function api.start_run(bot text, question text, conversation_id uuid default null, request_id text default null) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_bots app.bot[];
  v_bot app.bot;
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
  values (v_bot.org_id, v_bot.id, v_bot.version, v_conversation, authz.digest(v_bot.org_id, v_conversation, question), start_run.request_id)
  returning id into v_run;
  insert into app.message (org_id, conversation_id, run_id, role, content) values (v_bot.org_id, v_conversation, v_run, 'user', question);
  return jsonb_build_object(
    'run_id', v_run, 'org_id', v_bot.org_id, 'conversation_id', v_conversation,
    'bot', jsonb_build_object('id', v_bot.id, 'slug', v_bot.slug, 'name', v_bot.name, 'version', v_bot.version, 'instructions', v_bot.instructions),
    'tools', to_jsonb(authz.run_tools(v_bot.org_id, v_bot.id)),
    'history', v_history);
end
$$;
comment on function api.start_run(text, text, uuid, text) is $c$Start a run: put a question to a bot you may run.

@audience app
@param bot              organization/bot, by slug or by id
@param question         the question; 1..8000 characters
@param conversation_id  a conversation of yours with this bot to go on with
@param request_id       the request this belongs to; 0..100 characters
@returns                {run_id, org_id, conversation_id, bot: {id, slug, name, version, instructions}, tools, history: [{role, content}]}
@errors                 22023, PT404, PT409
@effect                 write$c$;
revoke all on function api.start_run(text, text, uuid, text) from public;
grant execute on function api.start_run(text, text, uuid, text) to authenticated;

create function authz.next_position(org_id uuid, run_id uuid) returns integer
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Calls of one run made side by side are put in line here, so that positions have no gap and no double.
  perform from app.run r where r.org_id = next_position.org_id and r.id = next_position.run_id for update;
  return (select count(*) + 1 from app.run_step s where s.org_id = next_position.org_id and s.run_id = next_position.run_id);
end
$$;
comment on function authz.next_position(uuid, uuid) is 'The position of the next step of a run, holding the run until the transaction ends.';
revoke all on function authz.next_position(uuid, uuid) from public;
grant execute on function authz.next_position(uuid, uuid) to authenticated;

create function authz.tool_statement(tool text, arguments jsonb, context jsonb) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_function pg_proc;
  v_comment text;
  v_argument record;
  v_allowed text[] := '{}';
  v_list text[] := '{}';
  v_source text;
begin
  select p.* into strict v_function from pg_proc p where p.pronamespace = 'api'::regnamespace and p.proname = tool_statement.tool;
  v_comment := obj_description(v_function.oid, 'pg_proc');
  for v_argument in
    select v_function.proargnames[a.n] as name, format_type(a.type, null) as type,
      a.n <= v_function.pronargs - v_function.pronargdefaults as required,
      v_comment ~ ('(^|\n)@context +' || v_function.proargnames[a.n] || '\M') as context
    from unnest(v_function.proargtypes) with ordinality a (type, n)
  loop
    if not v_argument.context then
      v_allowed := v_allowed || v_argument.name;
    end if;
    v_source := case when v_argument.context then '$2' else '$1' end;
    if coalesce(case when v_argument.context then context else arguments end -> v_argument.name, 'null') <> 'null' then
      v_list := v_list || format('%I => (%s %s %L)::%s', v_argument.name, v_source,
        case when v_argument.type in ('json', 'jsonb') then '->' else '->>' end, v_argument.name, v_argument.type);
    elsif v_argument.required then
      raise sqlstate '22023' using message = format('%s: required', v_argument.name);
    end if;
  end loop;
  perform authz.require(not exists (select from jsonb_object_keys(arguments) k (name) where k.name <> all (v_allowed)),
    'arguments: a name this tool does not have');
  -- Every identifier comes from the catalog; values go in as parameters.
  return format('select coalesce(jsonb_agg(to_jsonb(t)), ''[]'') from api.%I(%s) t', v_function.proname, array_to_string(v_list, ', '));
end
$$;
comment on function authz.tool_statement(text, jsonb, jsonb) is 'The statement that calls a tool by name: identifiers from the catalog, values as parameters $1 (arguments) and $2 (context); 22023 for a missing or unknown argument.';
revoke all on function authz.tool_statement(text, jsonb, jsonb) from public;
grant execute on function authz.tool_statement(text, jsonb, jsonb) to authenticated;

create function api.call_tool(run_id uuid, tool text, arguments jsonb default '{}', query_embedding extensions.vector default null) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
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
      when 'denied' then 'not allowed: the bot is not bound to this tool, or your role lacks the permission'
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
$$;
comment on function api.call_tool(uuid, text, jsonb, extensions.vector) is $c$Call a tool inside your running run, as yourself; the call and its record are one transaction.

@audience app
@param run_id           your running run
@param tool             name of a tool the run's bot is bound to
@param arguments        an object with the tool's arguments, without those the run supplies
@param query_embedding  the argument named query as 384 numbers, for tools that take one
@returns                {step_id, outcome: ok, denied, not_found, invalid, conflict or failed, code, message, row_count, rows}
@errors                 PT404, 57014
@effect                 write$c$;
revoke all on function api.call_tool(uuid, text, jsonb, extensions.vector) from public;
grant execute on function api.call_tool(uuid, text, jsonb, extensions.vector) to authenticated;

create function api.record_step(
  run_id uuid, model text, provider text, input_tokens integer, output_tokens integer, duration_ms integer, outcome text default 'ok')
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run app.run := authz.running(record_step.run_id);
  v_position integer := authz.next_position(v_run.org_id, v_run.id);
  v_step uuid;
begin
  insert into app.run_step (org_id, run_id, position, kind, name, provider, input_tokens, output_tokens, duration_ms, outcome)
  values (v_run.org_id, v_run.id, v_position, 'model', record_step.model, record_step.provider, record_step.input_tokens,
    record_step.output_tokens, record_step.duration_ms, record_step.outcome)
  returning id into v_step;
  return jsonb_build_object('step_id', v_step);
end
$$;
comment on function api.record_step(uuid, text, text, integer, integer, integer, text) is $c$Record a model call of your running run.

@audience app
@param run_id         your running run
@param model          the model; 1..200 characters
@param provider       who served it; 0..200 characters
@param input_tokens   tokens sent; 0..2147483647
@param output_tokens  tokens received; 0..2147483647
@param duration_ms    milliseconds; 0..2147483647
@param outcome        ok, invalid or failed
@returns              {step_id}
@errors               23514, PT404
@effect               write$c$;
revoke all on function api.record_step(uuid, text, text, integer, integer, integer, text) from public;
grant execute on function api.record_step(uuid, text, text, integer, integer, integer, text) to authenticated;

create function api.finish_run(
  run_id uuid, outcome text, answer text, citations jsonb default '[]', error_code text default null)
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run app.run;
  v_message uuid;
begin
  perform authz.require(outcome in ('succeeded', 'failed', 'cancelled'), 'outcome: succeeded, failed or cancelled');
  perform authz.require(jsonb_typeof(citations) = 'array', 'citations: an array');
  perform authz.require(jsonb_array_length(citations) <= 100 and octet_length(citations::text) <= 100000, 'citations: at most 100, 100000 bytes');
  -- Not authz.running(): a run whose bot was withdrawn in the middle can still be closed.
  update app.run r set status = finish_run.outcome, error_code = finish_run.error_code, finished_at = clock_timestamp(),
    answer_sha256 = authz.digest(r.org_id, r.conversation_id, coalesce(answer, ''))
  where r.id = finish_run.run_id and r.user_id = authz.uid() and r.status = 'running'
  returning r.* into v_run;
  if not found then
    raise sqlstate 'PT404' using message = 'no such running run of yours';
  end if;
  -- A citation names a passage that a step of this very run returned, or the answer is not kept (F28).
  perform authz.require(not exists (
    select from jsonb_array_elements(citations) c
    where not exists (select from app.run_step s where s.org_id = v_run.org_id and s.run_id = v_run.id
      and s.sources @> jsonb_build_array(jsonb_build_object('document_id', c -> 'document_id', 'chunk_id', c -> 'chunk_id')))),
    'citations: one names a passage this run did not retrieve');
  if coalesce(answer, '') <> '' then
    insert into app.message (org_id, conversation_id, run_id, role, content, citations)
    values (v_run.org_id, v_run.conversation_id, v_run.id, 'assistant', answer, citations) returning id into v_message;
  end if;
  return jsonb_build_object('message_id', v_message);
end
$$;
comment on function api.finish_run(uuid, text, text, jsonb, text) is $c$Finish your running run and keep its answer.

@audience app
@param run_id      your running run
@param outcome     succeeded, failed or cancelled
@param answer      the answer; 0..100000 characters
@param citations   array of at most 100 {document_id, chunk_id, ...}, each retrieved in this run
@param error_code  why it failed; 0..60 characters
@returns           {message_id: null without an answer}
@errors            22023, PT404
@effect            write$c$;
revoke all on function api.finish_run(uuid, text, text, jsonb, text) from public;
grant execute on function api.finish_run(uuid, text, text, jsonb, text) to authenticated;

create function api.list_run_steps(org_id uuid, run_id uuid)
returns table (
  "position" integer, kind text, name text, provider text, arguments_sha256 text, sources jsonb, row_count integer, input_tokens integer,
  output_tokens integer, duration_ms integer, outcome text, sqlstate text, created_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_run_steps.org_id);
  return query
    select s.position, s.kind, s.name, s.provider, s.arguments_sha256, s.sources, s.row_count, s.input_tokens, s.output_tokens,
      s.duration_ms, s.outcome, s.sqlstate, s.created_at
    from app.run_step s
    where s.org_id = list_run_steps.org_id and s.run_id = list_run_steps.run_id
    order by s.position;
end
$$;
comment on function api.list_run_steps(uuid, uuid) is $c$List what a run did: model calls, tool calls and the passages and rows they returned, by identifier.

@audience app
@param org_id  the organization
@param run_id  a run of yours, or with runs.read any of the organization
@returns       array of {position, kind, name, provider, arguments_sha256, sources, row_count, input_tokens, output_tokens, duration_ms, outcome, sqlstate, created_at}; in order
@errors        22004
@effect        read$c$;
revoke all on function api.list_run_steps(uuid, uuid) from public;
grant execute on function api.list_run_steps(uuid, uuid) to authenticated;
