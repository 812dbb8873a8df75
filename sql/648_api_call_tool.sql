-- Calling tools inside a run: as its person, of what its bot is bound to, with a record of every attempt (F34, F35).

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
      v_list := v_list || case
        when v_argument.type like '%[]' then
          format('%I => array(select jsonb_array_elements_text(%s -> %L))::%s', v_argument.name, v_source, v_argument.name, v_argument.type)
        else
          format('%I => (%s %s %L)::%s', v_argument.name, v_source,
            case when v_argument.type in ('json', 'jsonb') then '->' else '->>' end, v_argument.name, v_argument.type) end;
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

create function authz.approval_for(org_id uuid, run_id uuid, tool text, arguments jsonb, arguments_sha256 text) returns app.approval
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
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
$$;
comment on function authz.approval_for(uuid, uuid, text, jsonb, text) is 'The approval that a call in the caller''s run is about: approved, denied or pending; asked for now if it was not yet; null for a call that needs none.';
revoke all on function authz.approval_for(uuid, uuid, text, jsonb, text) from public;
grant execute on function authz.approval_for(uuid, uuid, text, jsonb, text) to authenticated;

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
      -- What it reads is recorded by the step below, and not once more (authz.note_reading()).
      perform set_config('ringfence.recorded_run', v_run.id::text, true);
      execute v_statement into v_rows using call_tool.arguments, v_context;
      perform set_config('ringfence.recorded_run', '', true);
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
$$;
comment on function api.call_tool(uuid, text, jsonb, extensions.vector) is $c$Call a tool inside your running run, as yourself; the call and its record are one transaction.

@audience app
@param run_id           your running run
@param tool             name of a tool the run's bot is bound to
@param arguments        an object with the tool's arguments, without those the run supplies
@param query_embedding  the argument named query as 384 numbers, for tools that take one
@returns                {step_id, outcome: ok, denied, not_found, invalid, conflict, failed or needs_approval, code, message, row_count, rows, approval: {id, reason: destructive, tainted or organization, expires_at}: what a call with the outcome needs_approval waits for; approved, the same call is made}
@errors                 PT404, 57014
@effect                 write$c$;
revoke all on function api.call_tool(uuid, text, jsonb, extensions.vector) from public;
grant execute on function api.call_tool(uuid, text, jsonb, extensions.vector) to authenticated;
