-- Sharing what a job found, and questions that bots ask for the person they answer.

create function api.share_analytics_result(org_id uuid, job_id uuid, user_id uuid default null, team_id uuid default null) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform authz.require_org(share_analytics_result.org_id);
  perform authz.require(num_nonnulls(share_analytics_result.user_id, share_analytics_result.team_id) <= 1, 'name a person or a team, or neither for everyone');
  if not exists (select from app.analytics_result r
    where r.org_id = share_analytics_result.org_id and r.job_id = share_analytics_result.job_id and r.user_id = authz.uid() and r.error_message is null)
  then
    raise sqlstate 'PT404' using message = 'no such result of yours, or no such member or team';
  end if;
  insert into app.analytics_result_grant (org_id, job_id, user_id, team_id)
  values (share_analytics_result.org_id, share_analytics_result.job_id, share_analytics_result.user_id, share_analytics_result.team_id)
  returning id into v_id;
  return jsonb_build_object('id', v_id);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'already shared so';
  when foreign_key_violation then raise sqlstate 'PT404' using message = 'no such result of yours, or no such member or team';
end
$$;
comment on function api.share_analytics_result(uuid, uuid, uuid, uuid) is $c$Let a member, a team or (naming neither) everyone with analytics.run read what your job found: that one result, not its source. Sharing with everyone needs resources.publish.

@audience app
@param org_id   the organization
@param job_id   your job
@param user_id  a member
@param team_id  a team
@returns        {id}
@errors         22004, 22023, 42501, PT404, PT409
@effect         write$c$;
revoke all on function api.share_analytics_result(uuid, uuid, uuid, uuid) from public;
grant execute on function api.share_analytics_result(uuid, uuid, uuid, uuid) to authenticated;

create function api.unshare_analytics_result(org_id uuid, job_id uuid, user_id uuid default null, team_id uuid default null) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform authz.require_org(unshare_analytics_result.org_id);
  perform authz.require(num_nonnulls(unshare_analytics_result.user_id, unshare_analytics_result.team_id) <= 1, 'name a person or a team, or neither for everyone');
  -- First all of this result, then the one: somebody's row of another organization is not looked at because it names the same person.
  with shared as materialized (
    select g.id, g.user_id, g.team_id from app.analytics_result_grant g
    where g.org_id = unshare_analytics_result.org_id and g.job_id = unshare_analytics_result.job_id)
  delete from app.analytics_result_grant g using shared s
  where g.org_id = unshare_analytics_result.org_id and g.id = s.id
    and (s.user_id, s.team_id) is not distinct from (unshare_analytics_result.user_id, unshare_analytics_result.team_id)
  returning g.id into v_id;
  if not found then
    raise sqlstate 'PT404' using message = 'not shared so, or not yours to withdraw';
  end if;
  return jsonb_build_object('id', v_id);
end
$$;
comment on function api.unshare_analytics_result(uuid, uuid, uuid, uuid) is $c$Withdraw one sharing of what your job found: it works on their next page.

@audience app
@param org_id   the organization
@param job_id   your job
@param user_id  a member
@param team_id  a team
@returns        {id}
@errors         22004, 22023, PT404
@effect         write$c$;
revoke all on function api.unshare_analytics_result(uuid, uuid, uuid, uuid) from public;
grant execute on function api.unshare_analytics_result(uuid, uuid, uuid, uuid) to authenticated;

create function api.ask_data(org_id uuid, run_id uuid, source text, question text, idempotency_key text) returns table (id uuid, status text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_run app.run;
  v_source app.data_source;
begin
  perform authz.require_org(ask_data.org_id);
  perform authz.require(char_length(ask_data.source) between 2 and 40, 'source: 2..40 characters');
  v_run := authz.running(ask_data.run_id);
  v_source := authz.data_source_named(ask_data.org_id, ask_data.source);
  if v_run.org_id <> v_source.org_id or not exists (select from app.bot_binding b
    where b.org_id = v_run.org_id and b.bot_id = v_run.bot_id and b.data_source_id = v_source.id)
  then
    raise sqlstate 'PT404' using message = 'no such data source';
  end if;
  return query
    select j.id, j.status from authz.submit_job(v_source.org_id, v_source.id::text, ask_data.question, null, ask_data.idempotency_key, v_run.id, v_run.bot_id) j;
end
$$;
comment on function api.ask_data(uuid, uuid, text, text, text) is $c$Ask a data source a question in words: counts, sums, lists and comparisons over its tables. It is answered as the person the bot works for.

@audience bot
@context org_id           the organization
@context run_id           the running run
@param source             name of a data source of this bot; 2..40 characters
@param question           one question, with everything it needs to be understood by itself; 1..2000 characters
@context idempotency_key  the same call again is the same job
@returns                  array of one {id, status}: the job, whose result follows
@errors                   22004, 22023, 23514, 42501, PT404, PT409, PT429
@effect                   write
@changes                  nothing$c$;
revoke all on function api.ask_data(uuid, uuid, text, text, text) from public;
grant execute on function api.ask_data(uuid, uuid, text, text, text) to authenticated;
