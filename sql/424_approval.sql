-- Approvals (F36, R101): somebody says yes to one call of one tool, with these arguments, in this run. The call that needs one leaves the
-- request behind; the step of the call that has one uses it up. No step that needs one is written without.

create function authz.approval_lasts() returns interval
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
return interval '30 minutes';
comment on function authz.approval_lasts() is 'How long after it was asked for an approval can be given and used; it ends with its run at the latest. The one place that says so.';
revoke all on function authz.approval_lasts() from public;
grant execute on function authz.approval_lasts() to authenticated;

create table app.approval (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  run_id uuid not null,
  user_id uuid not null default authz.uid(),
  on_behalf_of uuid,
  tool text not null constraint approval_tool_check check (tool ~ '^[a-z_][a-z0-9_]{0,62}$'),
  arguments jsonb constraint approval_arguments_check check (jsonb_typeof(arguments) = 'object' and octet_length(arguments::text) <= 65536),
  arguments_sha256 text not null constraint approval_arguments_sha256_check check (arguments_sha256 ~ '^[0-9a-f]{64}$'),
  reason text not null constraint approval_reason_check check (reason in ('destructive', 'tainted', 'organization')),
  state text not null default 'pending' constraint approval_state_check check (state in ('pending', 'approved', 'denied', 'used', 'cancelled')),
  requested_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  decided_by uuid,
  decided_at timestamptz,
  step_id uuid,
  used_at timestamptz,
  primary key (org_id, id),
  constraint approval_run_id_fkey foreign key (org_id, run_id, user_id) references app.run (org_id, id, user_id) on delete cascade,
  constraint approval_step_id_fkey foreign key (org_id, step_id) references app.run_step (org_id, id),
  constraint approval_step_id_key unique (org_id, step_id),
  constraint approval_decided_check check ((decided_by is null) = (decided_at is null) and (state not in ('approved', 'denied', 'used') or decided_by is not null)),
  constraint approval_used_check check ((state = 'used') = (step_id is not null) and (state = 'used') = (used_at is not null)),
  constraint approval_arguments_kept_check check ((arguments is not null) = (state in ('pending', 'approved')))
);
create index approval_org_id_run_id_idx on app.approval (org_id, run_id);
create index approval_org_id_requested_at_idx on app.approval (org_id, requested_at desc);
comment on table app.approval is 'One call of a tool that waits for somebody to approve it, or waited.';
comment on column app.approval.org_id is 'The organization.';
comment on column app.approval.id is 'Random identifier.';
comment on column app.approval.run_id is 'The run that wants to make the call.';
comment on column app.approval.user_id is 'The person of the run, in whose name it would be made.';
comment on column app.approval.on_behalf_of is 'Who answers for that person, when it is a service account.';
comment on column app.approval.tool is 'The tool.';
comment on column app.approval.arguments is 'Its arguments, for whoever decides; gone when nothing can come of it any more.';
comment on column app.approval.arguments_sha256 is 'authz.digest() of the tool''s name and arguments in canonical JSON: what is approved, and no byte else.';
comment on column app.approval.reason is 'Why it has to wait: destructive, a tool that destroys; tainted, untrusted text and private data meet a tool that writes; organization, the organization wants it.';
comment on column app.approval.state is 'pending, then approved or denied; approved, then used once; cancelled when its run ended before.';
comment on column app.approval.requested_at is 'When the call was tried.';
comment on column app.approval.expires_at is 'Until when it can be given and used.';
comment on column app.approval.decided_by is 'Who approved or denied it.';
comment on column app.approval.decided_at is 'When.';
comment on column app.approval.step_id is 'The step that used it.';
comment on column app.approval.used_at is 'When.';

alter table app.approval enable row level security;
alter table app.approval force row level security;
create policy approval_select_decider on app.approval for select to authenticated
  using (user_id = (select authz.uid()) or org_id = any (array(select authz.orgs_with('approvals.decide'))));
create policy approval_insert_self on app.approval for insert to authenticated
  with check (user_id = (select authz.uid())
    and run_id in (select r.id from app.run r where r.user_id = (select authz.uid()) and r.status = 'running'));
create policy approval_update_decider on app.approval for update to authenticated
  using (state = 'pending' and expires_at > now()
    and (user_id = (select authz.uid()) or org_id = any (array(select authz.orgs_with('approvals.decide')))))
  with check (state in ('approved', 'denied') and decided_by = (select authz.uid())
    and (user_id = (select authz.uid()) or org_id = any (array(select authz.orgs_with('approvals.decide')))));
create policy approval_delete_nobody on app.approval for delete to authenticated using (false);
create policy approval_floor on app.approval as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy approval_scope_floor on app.approval as restrictive for all to authenticated
  using ((select authz.in_scope(array['bots.run'])))
  with check ((select authz.in_scope(array['bots.run'])));
create policy approval_select_owner on app.approval for select to ringfence_owner
  using (user_id = (select authz.uid()) or org_id = any (array(select authz.org_ids())));
create policy approval_update_owner on app.approval for update to ringfence_owner
  using (state in ('pending', 'approved') and (user_id = (select authz.uid()) or org_id = any (array(select authz.org_ids()))))
  with check (state in ('used', 'cancelled') and (user_id = (select authz.uid()) or org_id = any (array(select authz.org_ids()))));
comment on policy approval_select_decider on app.approval is 'What one asked for oneself; approvals.decide sees the organization''s.';
comment on policy approval_insert_self on app.approval is 'For one''s own running run.';
comment on policy approval_update_decider on app.approval is 'One''s own or with approvals.decide, once, in time; a trigger asks for a second factor and, where the organization wants it, for another person.';
comment on policy approval_delete_nobody on app.approval is 'The record stays.';
comment on policy approval_floor on app.approval is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy approval_scope_floor on app.approval is 'An API token reaches one''s own rows only with a permission for them; every other session passes.';
comment on policy approval_select_owner on app.approval is 'The step that needs one finds it; so does the end of its run.';
comment on policy approval_update_owner on app.approval is 'Used once by the step of its call, or cancelled with its run.';
grant select on app.approval to authenticated;
grant insert (org_id, run_id, tool, arguments), update (state) on app.approval to authenticated;
grant select, update (state, arguments, step_id, used_at) on app.approval to ringfence_owner;

create function authz.tg_approval_request() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run app.run;
begin
  select r.* into v_run from app.run r where r.org_id = new.org_id and r.id = new.run_id and r.user_id = authz.uid();
  new.on_behalf_of := v_run.on_behalf_of;
  -- Made here, from what the one who decides will see: nothing else can be used for it.
  new.arguments_sha256 := authz.digest(v_run.org_id, v_run.conversation_id, jsonb_build_array(new.tool, new.arguments)::text);
  new.reason := authz.approval_reason(new.org_id, new.run_id, new.tool);
  new.expires_at := least(now() + authz.approval_lasts(), v_run.started_at + authz.run_lasts());
  return new;
end
$$;
comment on function authz.tg_approval_request() is 'Trigger: what a request is about, why it has to wait and how long it holds is said by the database, whatever its insert says.';
revoke all on function authz.tg_approval_request() from public;
create trigger _100_request before insert on app.approval
  for each row execute function authz.tg_approval_request();

create function authz.tg_approval_decision() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  -- What ringfence_owner changes is no decision: the use of one, or the end of its run.
  if row_security_active('app.approval') and current_user <> 'ringfence_owner' then
    perform authz.require_person();
    if exists (select from app.membership m where m.org_id = old.org_id and m.user_id = authz.uid() and m.service_owner_id is not null) then
      raise sqlstate '42501' using message = 'approvals are decided by people: a service account asks who answers for it';
    end if;
    if new.state = 'approved' then
      perform authz.require_step_up();
      if authz.uid() in (old.user_id, old.on_behalf_of)
        and exists (select from app.organization o where o.id = old.org_id and o.approve_by_another)
      then
        raise sqlstate '42501' using message = 'this organization wants somebody else to approve what you asked for';
      end if;
    else
      new.arguments := null;
    end if;
    new.decided_by := authz.uid();
    new.decided_at := clock_timestamp();
  end if;
  return new;
end
$$;
comment on function authz.tg_approval_decision() is 'Trigger: people decide, by themselves; approving takes a fresh second factor (PT401), and another person where the organization wants one (42501).';
revoke all on function authz.tg_approval_decision() from public;
create trigger _100_decision before update on app.approval
  for each row execute function authz.tg_approval_decision();

create function authz.tg_audit_approval() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_bot record;
begin
  select r.bot_id, r.bot_version into v_bot from app.run r where r.org_id = new.org_id and r.id = new.run_id;
  perform authz.record_event(
    org_id => new.org_id, action => 'approval.' || lower(tg_op), object_id => new.id::text, run_id => new.run_id,
    bot_id => v_bot.bot_id, bot_version => v_bot.bot_version, target => new.tool, rule => 'approval:' || new.state,
    arguments_sha256 => new.arguments_sha256, changed => case when tg_op = 'UPDATE' then array['state'] else '{}' end);
  return null;
end
$$;
comment on function authz.tg_audit_approval() is 'Trigger: record that a call waits, and what became of it, in app.audit_event, in the same transaction (F36, F47).';
revoke all on function authz.tg_audit_approval() from public;
create trigger _900_audit after insert or update on app.approval
  for each row execute function authz.tg_audit_approval();
alter function authz.tg_audit_approval() owner to ringfence_owner;

create function authz.tg_step_approval() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if authz.approval_reason(new.org_id, new.run_id, new.name) is not null then
    update app.approval a set state = 'used', used_at = clock_timestamp(), step_id = new.id, arguments = null
    where a.org_id = new.org_id and a.id = (
      select u.id from app.approval u
      where u.org_id = new.org_id and u.run_id = new.run_id and u.user_id = new.user_id and u.tool = new.name
        and u.arguments_sha256 = new.arguments_sha256 and u.state = 'approved' and u.expires_at > now()
      order by u.decided_at limit 1 for update);
    if not found then
      raise sqlstate '42501' using message = 'this call needs an approval';
    end if;
  end if;
  return null;
end
$$;
comment on function authz.tg_step_approval() is 'Trigger: a call that needs an approval leaves its step only by using one up: of its run, its tool and its arguments, once (F36, F39).';
revoke all on function authz.tg_step_approval() from public;
create trigger _500_approval after insert on app.run_step
  for each row when (new.kind = 'tool' and new.outcome = 'ok') execute function authz.tg_step_approval();
alter function authz.tg_step_approval() owner to ringfence_owner;

create function authz.tg_run_approvals() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update app.approval a set state = 'cancelled', arguments = null
  where a.org_id = new.org_id and a.run_id = new.id and a.state in ('pending', 'approved');
  return null;
end
$$;
comment on function authz.tg_run_approvals() is 'Trigger: with a run ends what waits for it, and the arguments of that are forgotten.';
revoke all on function authz.tg_run_approvals() from public;
create trigger _500_approvals after update on app.run
  for each row when (old.status = 'running' and new.status <> 'running') execute function authz.tg_run_approvals();
alter function authz.tg_run_approvals() owner to ringfence_owner;
