-- Runs: start and finish. The record is written by the function that does the work.

create function authz.run_history(org_id uuid, conversation_id uuid, until_run uuid default null) returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- The last 20 messages, as many as make at most 40,000 characters, oldest first.
  select coalesce(jsonb_agg(jsonb_build_object('role', h.role, 'content', h.content) order by h.created_at, h.id)
    filter (where h.characters <= 40000), '[]')
  from (select m.*, sum(char_length(m.content)) over (order by m.created_at desc, m.id) as characters
    from app.message m where m.org_id = run_history.org_id and m.conversation_id = run_history.conversation_id
      and (until_run is null or m.created_at <= (select q.created_at from app.message q
        where q.org_id = run_history.org_id and q.run_id = until_run and q.role = 'user'))
    order by m.created_at desc, m.id limit 20) h
$$;
comment on function authz.run_history(uuid, uuid, uuid) is 'What was said last in one''s own conversation, as an array of {role, content}; an empty one for another''s; up to the question of a run where one is named.';
revoke all on function authz.run_history(uuid, uuid, uuid) from public;
grant execute on function authz.run_history(uuid, uuid, uuid) to authenticated;

create function api.start_run(bot text, question text, conversation_id uuid default null, request_id text default null) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
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
$$;
comment on function api.start_run(text, text, uuid, text) is $c$Start a run: put a question to a bot you may run. Runs of yours that were never finished are closed after an hour, as failed: abandoned.

@audience app
@param bot              organization/bot, by slug or by id
@param question         the question; 1..8000 characters
@param conversation_id  a conversation of yours with this bot to go on with
@param request_id       the request this belongs to; 0..100 characters
@returns                {run_id, org_id, conversation_id, bot: {id, slug, name, version, instructions, sha256}, tools, history: [{role, content}]}
@errors                 22023, PT404, PT409
@effect                 write$c$;
revoke all on function api.start_run(text, text, uuid, text) from public;
grant execute on function api.start_run(text, text, uuid, text) to authenticated;

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
