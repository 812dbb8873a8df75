-- Reading the record of runs: one's own, and with runs.read the organization's.

create function api.list_runs(org_id uuid, max_rows integer default 100) returns table (
  id uuid, user_id uuid, bot_id uuid, bot text, bot_version integer, conversation_id uuid, status text, error_code text,
  started_at timestamptz, finished_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_runs.org_id);
  perform authz.require(max_rows between 1 and 1000, 'max_rows: 1..1000');
  return query
    -- Nobody writes down that a run was given up before its person is back; whoever reads it is told so at once.
    select r.id, r.user_id, r.bot_id, b.slug, r.bot_version, r.conversation_id,
      case when authz.run_is_over(r.status, r.started_at) then 'failed' else r.status end,
      case when authz.run_is_over(r.status, r.started_at) then 'abandoned' else r.error_code end,
      r.started_at, case when authz.run_is_over(r.status, r.started_at) then r.started_at + authz.run_lasts() else r.finished_at end
    from app.run r
    left join app.bot b on b.org_id = r.org_id and b.id = r.bot_id
    where r.org_id = list_runs.org_id
    order by r.started_at desc, r.id
    limit max_rows;
end
$$;
comment on function api.list_runs(uuid, integer) is $c$List runs: yours, with runs.read everybody's. One that was never finished counts as failed: abandoned when its time is up.

@audience app
@param org_id    the organization
@param max_rows  number of runs; 1..1000
@returns         array of {id, user_id, bot_id, bot, bot_version, conversation_id, status, error_code, started_at, finished_at}; newest first; bot is null for one you cannot see
@errors          22004, 22023
@effect          read$c$;
revoke all on function api.list_runs(uuid, integer) from public;
grant execute on function api.list_runs(uuid, integer) to authenticated;

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
