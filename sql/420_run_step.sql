-- The steps of a run, in order.
create table app.run_step (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  run_id uuid not null,
  user_id uuid not null default authz.uid(),
  position integer not null,
  kind text not null constraint run_step_kind_check check (kind in ('tool', 'model')),
  name text not null constraint run_step_name_check check (name ~ '^[A-Za-z0-9._:/@?-]{1,200}$'),
  provider text constraint run_step_provider_check check (provider ~ '^[A-Za-z0-9._:/@-]{0,200}$'),
  arguments_sha256 text constraint run_step_arguments_sha256_check check (arguments_sha256 ~ '^[0-9a-f]{64}$'),
  sources jsonb not null default '[]' constraint run_step_sources_check check (jsonb_typeof(sources) = 'array'),
  row_count integer constraint run_step_row_count_check check (row_count >= 0),
  input_tokens integer constraint run_step_input_tokens_check check (input_tokens >= 0),
  output_tokens integer constraint run_step_output_tokens_check check (output_tokens >= 0),
  duration_ms integer constraint run_step_duration_ms_check check (duration_ms >= 0),
  outcome text not null constraint run_step_outcome_check check (outcome in ('ok', 'denied', 'not_found', 'invalid', 'conflict', 'failed', 'needs_approval')),
  sqlstate text,
  created_at timestamptz not null default clock_timestamp(),
  -- Null and not empty: rows from before it was there keep their digests.
  taint text[] constraint run_step_taint_check check (taint <@ array['private', 'untrusted', 'confidential', 'secret']),
  primary key (org_id, id),
  constraint run_step_run_id_fkey foreign key (org_id, run_id, user_id) references app.run (org_id, id, user_id) on delete cascade,
  constraint run_step_position_key unique (org_id, run_id, position)
);
comment on table app.run_step is 'One tool call or model call of a run; a tool call is written in the transaction that made it.';
comment on column app.run_step.org_id is 'The organization.';
comment on column app.run_step.id is 'Random identifier.';
comment on column app.run_step.run_id is 'The run.';
comment on column app.run_step.user_id is 'The person of the run.';
comment on column app.run_step.position is 'Order within the run, from 1.';
comment on column app.run_step.kind is 'tool or model.';
comment on column app.run_step.name is 'The tool or the model; letters, digits and . _ : / @ ? -: a model''s name is what the person''s client says it was.';
comment on column app.run_step.provider is 'Who served the model.';
comment on column app.run_step.arguments_sha256 is 'authz.digest() of the tool''s name and arguments in canonical JSON.';
comment on column app.run_step.sources is 'What was returned: identifiers of documents, chunks and rows, no content.';
comment on column app.run_step.row_count is 'Rows returned.';
comment on column app.run_step.input_tokens is 'Tokens sent to the model.';
comment on column app.run_step.output_tokens is 'Tokens received from the model.';
comment on column app.run_step.duration_ms is 'Milliseconds it took.';
comment on column app.run_step.outcome is 'ok, denied, not_found, invalid, conflict, failed or needs_approval.';
comment on column app.run_step.sqlstate is 'The SQLSTATE of a tool call that did not succeed.';
comment on column app.run_step.created_at is 'When it was written.';
comment on column app.run_step.taint is 'What it brought into the context of the run, see app.run.taint; null: nothing.';

-- The functions that write these rows run as the person, so the person could write them without: the policy holds every row, whoever
-- writes it, to what those functions could have written.
create function authz.may_be_step(
  org_id uuid, run_id uuid, kind text, name text, provider text, arguments_sha256 text, sources jsonb, row_count integer,
  input_tokens integer, output_tokens integer, outcome text) returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if may_be_step.kind = 'model' then
    return may_be_step.sources = '[]' and num_nonnulls(may_be_step.arguments_sha256, may_be_step.row_count) = 0;
  end if;
  if num_nonnulls(may_be_step.provider, may_be_step.input_tokens, may_be_step.output_tokens) > 0 or may_be_step.arguments_sha256 is null
    or jsonb_typeof(may_be_step.sources) <> 'array'
  then
    return false;
  end if;
  -- What failed returned nothing.
  if may_be_step.outcome <> 'ok' then
    return may_be_step.sources = '[]' and may_be_step.row_count = 0;
  end if;
  return may_be_step.name = any (authz.run_tools(may_be_step.org_id,
      (select r.bot_id from app.run r where r.org_id = may_be_step.org_id and r.id = may_be_step.run_id)))
    and not exists (
      select from jsonb_array_elements(may_be_step.sources) s
      where s.value ? 'chunk_id' and not exists (select from app.chunk c
        where c.org_id = may_be_step.org_id and c.document_id::text = s.value ->> 'document_id'
          and c.id = case when pg_input_is_valid(s.value ->> 'chunk_id', 'uuid') then (s.value ->> 'chunk_id')::uuid end));
end
$$;
comment on function authz.may_be_step(uuid, uuid, text, text, text, text, jsonb, integer, integer, integer, text) is 'Whether a step of the person''s own run may be so: a tool its bot is bound to now, passages the person may read now, nothing from a call that failed.';
revoke all on function authz.may_be_step(uuid, uuid, text, text, text, text, jsonb, integer, integer, integer, text) from public;
grant execute on function authz.may_be_step(uuid, uuid, text, text, text, text, jsonb, integer, integer, integer, text) to authenticated;

alter table app.run_step enable row level security;
alter table app.run_step force row level security;
create policy run_step_select_self on app.run_step for select to authenticated
  using (user_id = (select authz.uid()) or org_id = any (array(select authz.orgs_with('runs.read'))));
create policy run_step_insert_self on app.run_step for insert to authenticated
  with check (user_id = (select authz.uid())
    and run_id in (select r.id from app.run r where r.user_id = (select authz.uid()) and r.status = 'running'
      and r.started_at > now() - (select authz.run_lasts())));
create policy run_step_update_nobody on app.run_step for update to authenticated using (false) with check (false);
create policy run_step_delete_nobody on app.run_step for delete to authenticated using (false);
create policy run_step_floor on app.run_step as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy run_step_scope_floor on app.run_step as restrictive for all to authenticated
  using ((select authz.in_scope(array['bots.run', 'runs.read'])))
  with check ((select authz.in_scope(array['bots.run', 'runs.read'])));
create policy run_step_record_floor on app.run_step as restrictive for insert to authenticated
  with check (authz.may_be_step(org_id, run_id, kind, name, provider, arguments_sha256, sources, row_count, input_tokens, output_tokens, outcome));
comment on policy run_step_select_self on app.run_step is 'One''s own; runs.read sees the organization''s.';
comment on policy run_step_insert_self on app.run_step is 'Into one''s own running run, while it may be running.';
comment on policy run_step_update_nobody on app.run_step is 'Append-only.';
comment on policy run_step_delete_nobody on app.run_step is 'Append-only.';
comment on policy run_step_floor on app.run_step is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy run_step_scope_floor on app.run_step is 'An API token reaches one''s own rows only with a permission for them; every other session passes.';
comment on policy run_step_record_floor on app.run_step is 'Whatever else is allowed, no step that a call could not have left.';
grant select on app.run_step to authenticated;
grant insert (org_id, run_id, position, kind, name, provider, arguments_sha256, sources, row_count, input_tokens, output_tokens,
  duration_ms, outcome, sqlstate, taint) on app.run_step to authenticated;

create function authz.step_digest(step app.run_step) returns text
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select authz.row_digest(to_jsonb(step) || jsonb_build_object('created_at', to_char(step.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')))
$$;
comment on function authz.step_digest(app.run_step) is 'SHA-256, hexadecimal, of a step of a run as canonical JSON; its audit event keeps it.';
revoke all on function authz.step_digest(app.run_step) from public;
grant execute on function authz.step_digest(app.run_step) to authenticated, ringfence_owner;

create function authz.tg_audit_step() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_bot record;
begin
  select r.bot_id, r.bot_version into v_bot from app.run r where r.org_id = new.org_id and r.id = new.run_id;
  perform authz.record_event(
    org_id => new.org_id, action => new.kind || '.call', object_id => new.id::text, run_id => new.run_id,
    bot_id => v_bot.bot_id, bot_version => v_bot.bot_version, target => new.name, outcome => new.outcome,
    rule => case when new.outcome = 'denied' and new.kind = 'model' then (
        select authz.model_rule(c.refused_by) from app.model_call c
        where c.org_id = new.org_id and c.run_id = new.run_id and c.refused_by is not null order by c.ended_at desc limit 1)
      when new.outcome = 'denied' then coalesce(
      (select 'deny_rule:' || d.id from app.deny_rule d where d.org_id = new.org_id and d.tool = new.name order by d.id limit 1),
      'binding_or_permission')
      else (select 'approval:' || a.id from app.approval a where a.org_id = new.org_id and (a.step_id = new.id
        or new.outcome = 'needs_approval' and a.run_id = new.run_id and a.arguments_sha256 = new.arguments_sha256 and a.state = 'pending')
        order by a.requested_at desc limit 1) end,
    arguments_sha256 => new.arguments_sha256, object_sha256 => authz.step_digest(new));
  return null;
end
$$;
comment on function authz.tg_audit_step() is 'Trigger: record a tool call or model call in app.audit_event, in the same transaction, with a digest of the step (F47).';
revoke all on function authz.tg_audit_step() from public;
create trigger _900_audit after insert on app.run_step
  for each row execute function authz.tg_audit_step();
alter function authz.tg_audit_step() owner to ringfence_owner;
