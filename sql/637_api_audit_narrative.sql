-- The whole story of one answer (F65), from the records alone: no question, no answer, no passage.

create function api.audit_narrative(run_id uuid) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
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
      'outcome', s.outcome, 'rule', e.rule, 'sqlstate', s.sqlstate, 'taint', s.taint,
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
    'taint', v_run.taint,
    'steps', v_steps,
    -- What else was done or refused in this run.
    'events', (select coalesce(jsonb_agg(jsonb_build_object('at', e.at, 'action', e.action, 'object_id', e.object_id, 'target', e.target,
        'outcome', e.outcome, 'rule', e.rule, 'actor_id', e.actor_id, 'changed', e.changed) order by e.at, e.id), '[]')
      from app.audit_event e where e.org_id = v_run.org_id and e.run_id = v_run.id and e.action not in ('tool.call', 'model.call', 'model_call.insert')),
    'model_calls', (select coalesce(jsonb_agg(jsonb_build_object('at', c.started_at, 'provider', c.provider, 'model', c.model, 'purpose', c.purpose,
        'region', c.region, 'retention_days', c.retention_days, 'trains', c.trains, 'redacted', c.redacted, 'refused_by', c.refused_by,
        'input_tokens', c.input_tokens, 'output_tokens', c.output_tokens, 'cost', c.cost) order by c.started_at, c.id), '[]')
      from app.model_call c where c.org_id = v_run.org_id and c.run_id = v_run.id),
    'approvals', (select coalesce(jsonb_agg(jsonb_build_object('id', a.id, 'tool', a.tool, 'arguments_sha256', a.arguments_sha256, 'reason', a.reason,
        'state', a.state, 'requested_at', a.requested_at, 'decided_by', a.decided_by, 'decided_at', a.decided_at, 'used_at', a.used_at)
        order by a.requested_at, a.id), '[]')
      from app.approval a where a.org_id = v_run.org_id and a.run_id = v_run.id),
    'totals', v_totals);
end
$$;
comment on function api.audit_narrative(uuid) is $c$Tell the whole story of one answer without its text: who asked which bot with which role, what was searched and called, which documents and rows were touched, which model, tokens, refusals.

@audience app
@param run_id  a run of yours, or with runs.read any of the organization; what the trail adds needs audit.read for other people's runs
@returns       {run_id, organization: {id, slug}, request_id, conversation_id, who: {user_id, email, role, actor_kind, on_behalf_of, client_id, api_token_id, session_id}, bot: {id, version, slug, sha256}, question_sha256, answer_sha256, started_at, finished_at, status, error_code, taint, steps: [{position, at, kind, name, provider, arguments_sha256, outcome, rule, sqlstate, taint, documents: [{document_id, title, chunk_ids}], rows, row_count, input_tokens, output_tokens, duration_ms, recorded, lane, sequence}], events: [{at, action, object_id, target, outcome, rule, actor_id, changed}], model_calls: [{at, provider, model, purpose, region, retention_days, trains, redacted, refused_by, input_tokens, output_tokens, cost}], approvals: [{id, tool, arguments_sha256, reason, state, requested_at, decided_by, decided_at, used_at}], totals: {model_calls, tool_calls, denied, input_tokens, output_tokens}}
@errors        PT404
@effect        read$c$;
revoke all on function api.audit_narrative(uuid) from public;
grant execute on function api.audit_narrative(uuid) to authenticated;
