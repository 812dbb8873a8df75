-- Calls of models: decided before they are made, settled and recorded afterwards (F70, F71, F75).

create function api.begin_model_call(
  org_id uuid, provider text, model text, max_tokens integer, run_id uuid default null, purpose text default 'answer',
  document_id uuid default null)
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
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
  elsif begin_model_call.run_id is null then
    -- Whoever calls single tools writes with what they returned in mind.
    v_class := authz.taint_classification(authz.single_calls_taint());
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
$$;
comment on function api.begin_model_call(uuid, text, text, integer, uuid, text, uuid) is $c$Ask whether a model may be called now, and reserve what it may take: by the data policy and the budgets of the organization. The decision is kept either way.

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
@effect            write$c$;
revoke all on function api.begin_model_call(uuid, text, text, integer, uuid, text, uuid) from public;
grant execute on function api.begin_model_call(uuid, text, text, integer, uuid, text, uuid) to authenticated;

create function api.end_model_call(
  call_id uuid, key text, input_tokens integer, output_tokens integer, duration_ms integer, outcome text default 'ok')
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
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
$$;
comment on function api.end_model_call(uuid, text, integer, integer, integer, text) is $c$Settle a model call and record it in its run.

@audience app
@param call_id        what begin_model_call gave
@param key            what begin_model_call gave: only who made the call can say what it took; 1..100 characters
@param input_tokens   tokens sent; 0..2147483647
@param output_tokens  tokens received; 0..2147483647
@param duration_ms    milliseconds; 0..2147483647
@param outcome        ok, invalid or failed
@returns              {step_id: null when it was no part of an answer}
@errors               22023, 23514, PT404
@effect               write$c$;
revoke all on function api.end_model_call(uuid, text, integer, integer, integer, text) from public;
grant execute on function api.end_model_call(uuid, text, integer, integer, integer, text) to authenticated;

create function api.list_model_calls(org_id uuid, in_run uuid default null, max_rows integer default 100)
returns table (
  id uuid, user_id uuid, run_id uuid, purpose text, provider text, model text, region text, retention_days integer, trains boolean, redacted boolean,
  refused_by text, classification smallint, reserved_tokens integer, input_tokens integer, output_tokens integer, cost bigint, started_at timestamptz, ended_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_model_calls.org_id);
  perform authz.require(max_rows between 1 and 1000, 'max_rows: 1..1000');
  return query
    select c.id, c.user_id, c.run_id, c.purpose, c.provider, c.model, c.region, c.retention_days, c.trains, c.redacted, c.refused_by,
      c.classification, c.reserved_tokens, c.input_tokens, c.output_tokens, c.cost, c.started_at, c.ended_at
    from app.model_call c
    where c.org_id = list_model_calls.org_id and (list_model_calls.in_run is null or c.run_id = list_model_calls.in_run)
    order by c.started_at desc, c.id
    limit max_rows;
end
$$;
comment on function api.list_model_calls(uuid, uuid, integer) is $c$List calls of models: yours, with runs.read everybody's; what was known of the provider then, and what refused the call.

@audience app
@param org_id    the organization
@param in_run    only those of this run
@param max_rows  number of calls; 1..1000
@returns         array of {id, user_id, run_id, purpose, provider, model, region, retention_days, trains, redacted, refused_by, classification: the highest of the documents known to be in it from 2 on; else 0, reserved_tokens, input_tokens, output_tokens, cost, started_at, ended_at}; newest first
@errors          22004, 22023
@effect          read$c$;
revoke all on function api.list_model_calls(uuid, uuid, integer) from public;
grant execute on function api.list_model_calls(uuid, uuid, integer) to authenticated;
