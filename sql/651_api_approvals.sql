-- Approvals: what waits for one, the decision, and going on after it (F36, F46). Asking is no function: the call that needs one asks.

create function api.list_approvals(org_id uuid, waiting boolean default true, max_rows integer default 100)
returns table (
  id uuid, run_id uuid, user_id uuid, email text, bot text, tool text, arguments jsonb, arguments_sha256 text, reason text, state text,
  requested_at timestamptz, expires_at timestamptz, decided_by uuid, decided_at timestamptz, used_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_approvals.org_id);
  perform authz.require(list_approvals.waiting is not null, 'waiting: true or false');
  perform authz.require(max_rows between 1 and 1000, 'max_rows: 1..1000');
  return query
    select a.id, a.run_id, a.user_id, m.email, b.slug, a.tool, a.arguments, a.arguments_sha256, a.reason,
      case when a.state in ('pending', 'approved') and a.expires_at <= now() then 'expired' else a.state end,
      a.requested_at, a.expires_at, a.decided_by, a.decided_at, a.used_at
    from app.approval a
    left join app.run r on r.org_id = a.org_id and r.id = a.run_id
    left join app.bot b on b.org_id = r.org_id and b.id = r.bot_id
    left join app.membership m on m.org_id = a.org_id and m.user_id = a.user_id
    where a.org_id = list_approvals.org_id and (not list_approvals.waiting or a.state = 'pending' and a.expires_at > now())
    order by a.requested_at desc, a.id
    limit max_rows;
end
$$;
comment on function api.list_approvals(uuid, boolean, integer) is $c$List calls of tools that wait for an approval, or all that ever did: of your own runs, with approvals.decide of everybody's.

@audience app
@param org_id    the organization
@param waiting   true: only those that can be decided now
@param max_rows  number of approvals; 1..1000
@returns         array of {id, run_id, user_id, email, bot, tool, arguments: null when nothing can come of it any more, arguments_sha256, reason: destructive, tainted or organization, state: pending, approved, denied, used, cancelled or expired, requested_at, expires_at, decided_by, decided_at, used_at}; newest first; email and bot are null where you cannot see them
@errors          22004, 22023
@effect          read$c$;
revoke all on function api.list_approvals(uuid, boolean, integer) from public;
grant execute on function api.list_approvals(uuid, boolean, integer) to authenticated;

create function api.decide_approval(org_id uuid, approval_id uuid, decision text) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_approval app.approval;
begin
  perform authz.require_org(decide_approval.org_id);
  perform authz.require(decision in ('approve', 'deny'), 'decision: approve or deny');
  -- Asked before anything is looked up, so the answer is the same for every request there is or is not.
  perform authz.require_person();
  if decision = 'approve' then
    perform authz.require_step_up();
  end if;
  update app.approval a set state = case decision when 'approve' then 'approved' else 'denied' end
  where a.org_id = decide_approval.org_id and a.id = decide_approval.approval_id and a.state = 'pending' and a.expires_at > now()
  returning a.* into v_approval;
  if not found then
    if exists (select from app.approval a where a.org_id = decide_approval.org_id and a.id = decide_approval.approval_id) then
      raise sqlstate 'PT409' using message = 'it was decided before, or its time is over';
    end if;
    raise sqlstate 'PT404' using message = 'no such request that is yours to decide';
  end if;
  return jsonb_build_object('id', v_approval.id, 'run_id', v_approval.run_id, 'tool', v_approval.tool, 'state', v_approval.state,
    'expires_at', v_approval.expires_at);
end
$$;
comment on function api.decide_approval(uuid, uuid, text) is $c$Approve or deny one call of a tool, with the arguments that list_approvals shows: of your own run, or with approvals.decide anybody's. An approval holds for that call in that run, once; giving it needs a recent second factor of your own, and where the organization wants it another person than who asked.

@audience app
@param org_id       the organization
@param approval_id  what list_approvals or the call gave
@param decision     approve or deny
@returns            {id, run_id, tool, state: approved or denied, expires_at}
@errors             22004, 22023, 42501, PT401, PT404, PT409
@effect             write$c$;
revoke all on function api.decide_approval(uuid, uuid, text) from public;
grant execute on function api.decide_approval(uuid, uuid, text) to authenticated;

create function api.resume_run(approval_id uuid) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_approval app.approval;
  v_run app.run;
  v_version app.bot_version;
  v_history jsonb;
begin
  select a.* into v_approval from app.approval a where a.id = resume_run.approval_id and a.user_id = authz.uid();
  if not found then
    raise sqlstate 'PT404' using message = 'no such request of yours';
  end if;
  v_run := authz.running(v_approval.run_id);
  if v_approval.state not in ('approved', 'denied') or v_approval.expires_at <= now() then
    raise sqlstate 'PT409' using message = 'it waits to be decided, was used before, or its time is over';
  end if;
  select v.* into strict v_version from app.bot_version v
  where v.org_id = v_run.org_id and v.bot_id = v_run.bot_id and v.version = v_run.bot_version;
  -- What was said since is not in the context that the run's labels speak of.
  v_history := authz.run_history(v_run.org_id, v_run.conversation_id, v_run.id);
  return jsonb_build_object(
    'run_id', v_run.id, 'org_id', v_run.org_id, 'conversation_id', v_run.conversation_id,
    'bot', jsonb_build_object('id', v_run.bot_id, 'slug', (select b.slug from app.bot b where b.org_id = v_run.org_id and b.id = v_run.bot_id),
      'name', v_version.name, 'version', v_version.version, 'instructions', v_version.instructions, 'sha256', v_version.sha256),
    'tools', to_jsonb(authz.run_tools(v_run.org_id, v_run.bot_id)),
    'history', v_history,
    'call', jsonb_build_object('tool', v_approval.tool, 'arguments', v_approval.arguments, 'state', v_approval.state));
end
$$;
comment on function api.resume_run(uuid) is $c$Tell what is needed to go on with a run of yours whose call was approved or denied: the run as start_run gave it, with its question as the last of the history, and the call.

@audience app
@param approval_id  a decided request of your running run
@returns            {run_id, org_id, conversation_id, bot: {id, slug, name, version, instructions, sha256}, tools, history: [{role, content}], call: {tool, arguments: null when denied, state: approved or denied}}
@errors             PT404, PT409
@effect             read$c$;
revoke all on function api.resume_run(uuid) from public;
grant execute on function api.resume_run(uuid) to authenticated;

create function api.set_approval_policy(org_id uuid, writes boolean, by_another boolean) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(set_approval_policy.org_id);
  perform authz.require(num_nulls(set_approval_policy.writes, set_approval_policy.by_another) = 0, 'writes, by_another: true or false');
  -- Asked before anything is looked up, so the answer is the same for every organization there is or is not.
  perform authz.require_step_up();
  update app.organization o set approve_writes = set_approval_policy.writes, approve_by_another = set_approval_policy.by_another
  where o.id = set_approval_policy.org_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such organization, or not yours to manage';
  end if;
  return jsonb_build_object('org_id', set_approval_policy.org_id, 'approve_writes', set_approval_policy.writes,
    'approve_by_another', set_approval_policy.by_another);
end
$$;
comment on function api.set_approval_policy(uuid, boolean, boolean) is $c$Say which calls of tools wait for an approval in an organization, beyond those that always do, and who may give it; works on the next call.

@audience app
@param org_id      the organization; needs organization.manage and a recent second factor of your own
@param writes      true: every call of a tool that writes waits; false: those that destroy, and those where untrusted text met private data
@param by_another  true: nobody approves what they asked for themselves
@returns           {org_id, approve_writes, approve_by_another}
@errors            22004, 22023, 42501, PT401, PT404
@effect            write$c$;
revoke all on function api.set_approval_policy(uuid, boolean, boolean) from public;
grant execute on function api.set_approval_policy(uuid, boolean, boolean) to authenticated;
