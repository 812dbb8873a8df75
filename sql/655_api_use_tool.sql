-- One tool call without a model of ours: for MCP clients, whose model is elsewhere. Each is a run with one step, so the record is the same.

create function api.list_bot_tools(bot text default null)
returns table (org_id uuid, bot_id uuid, organization text, slug text, tool text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
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
$$;
comment on function api.list_bot_tools(text) is $c$List what you may call with use_tool: the bots you may run, or the one you name, each with the tools it is bound to and no rule takes from you.

@audience app
@param bot  organization/bot, by slug or by id
@returns    array of {org_id, bot_id, organization, slug, tool}, at most 1000; by organization, bot and tool
@errors     PT404, PT409
@effect     read$c$;
revoke all on function api.list_bot_tools(text) from public;
grant execute on function api.list_bot_tools(text) to authenticated;

create function api.use_tool(
  bot text, tool text, arguments jsonb default '{}', query_embedding extensions.vector default null, request_id text default null)
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
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
$$;
comment on function api.use_tool(text, text, jsonb, extensions.vector, text) is $c$Call one tool of a bot you may run, as yourself, without a conversation with its model: a run of one step, recorded like any other.

@audience app
@param bot              organization/bot, by slug or by id
@param tool             name of a tool the bot is bound to
@param arguments        an object with the tool's arguments, without those the run supplies
@param query_embedding  the argument named query as 384 numbers, for tools that take one
@param request_id       the request this belongs to; 0..100 characters
@returns                {run_id, conversation_id, step_id, outcome: ok, denied, not_found, invalid, conflict, failed or needs_approval, code, message, row_count, rows, approval: {id, reason, expires_at}: what a call with the outcome needs_approval waits for; once it is approved call it again}
@errors                 PT404, PT409, 57014
@effect                 write$c$;
revoke all on function api.use_tool(text, text, jsonb, extensions.vector, text) from public;
grant execute on function api.use_tool(text, text, jsonb, extensions.vector, text) to authenticated;
