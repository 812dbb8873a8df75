-- Calls of models: decided by the organization's data policy and budgets before they are made, settled afterwards, and kept: who served
-- it, where, what was known of it then, and which rule refused it. No text.
create table app.model_call (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  run_id uuid,
  purpose text not null constraint model_call_purpose_check check (purpose in ('answer', 'embedding', 'analytics')),
  provider text not null constraint model_call_provider_check check (provider ~ '^[a-z0-9][a-z0-9._-]{0,99}$'),
  model text not null constraint model_call_model_check check (model ~ '^[A-Za-z0-9._:/@?-]{1,200}$'),
  region text,
  retention_days integer,
  trains boolean,
  redacted boolean not null,
  classification smallint not null default 0 constraint model_call_classification_check check (classification between 0 and 3),
  refused_by text constraint model_call_refused_by_check check (refused_by in ('region', 'retention', 'training', 'classification', 'budget')),
  input_price bigint,
  output_price bigint,
  reserved_tokens integer not null constraint model_call_reserved_tokens_check check (reserved_tokens >= 0),
  reserved_cost bigint not null,
  budget_ids uuid[] not null default '{}',
  key_sha256 text not null,
  started_at timestamptz not null default now(),
  ended_at timestamptz,
  input_tokens integer constraint model_call_input_tokens_check check (input_tokens >= 0),
  output_tokens integer constraint model_call_output_tokens_check check (output_tokens >= 0),
  cost bigint,
  primary key (org_id, id),
  constraint model_call_run_id_fkey foreign key (org_id, run_id, user_id) references app.run (org_id, id, user_id) on delete cascade
);
create index model_call_org_id_run_id_idx on app.model_call (org_id, run_id, started_at);
comment on table app.model_call is 'One call of a model, or its refusal.';
comment on column app.model_call.org_id is 'The organization.';
comment on column app.model_call.id is 'Random identifier.';
comment on column app.model_call.user_id is 'The person it was made for.';
comment on column app.model_call.run_id is 'The run it was part of, or null.';
comment on column app.model_call.purpose is 'answer, embedding or analytics.';
comment on column app.model_call.provider is 'Who served it, as registered in app.provider where it is.';
comment on column app.model_call.model is 'The model, as the agent is configured.';
comment on column app.model_call.region is 'Where the provider processed it, as registered then; null: not known.';
comment on column app.model_call.retention_days is 'How long the provider keeps it, as registered then; null: not known.';
comment on column app.model_call.trains is 'Whether the provider trains on it, as registered then; null: not known.';
comment on column app.model_call.redacted is 'Whether personal data had to be replaced by pseudonyms.';
comment on column app.model_call.classification is 'The highest classification of documents known to be in what it sent, from confidential on.';
comment on column app.model_call.refused_by is 'The rule that refused it: region, retention, training, classification or budget; null for one that was allowed.';
comment on column app.model_call.input_price is 'Price of a million input tokens then.';
comment on column app.model_call.output_price is 'Price of a million output tokens then.';
comment on column app.model_call.reserved_tokens is 'What it might take at most.';
comment on column app.model_call.reserved_cost is 'What it might cost at most, in millionths.';
comment on column app.model_call.budget_ids is 'The budgets it was reserved in.';
comment on column app.model_call.key_sha256 is 'SHA-256 of the key that settles it: whoever did not make the call cannot say what it took.';
comment on column app.model_call.started_at is 'When it was decided.';
comment on column app.model_call.ended_at is 'When it was settled; one that never is counts as what it reserved.';
comment on column app.model_call.input_tokens is 'Tokens sent.';
comment on column app.model_call.output_tokens is 'Tokens received.';
comment on column app.model_call.cost is 'What it cost, in millionths; null: the price is not known.';

alter table app.model_call enable row level security;
alter table app.model_call force row level security;
create policy model_call_select_self on app.model_call for select to authenticated
  using (user_id = (select authz.uid()) or org_id = any (array(select authz.orgs_with('runs.read'))));
create policy model_call_insert_nobody on app.model_call for insert to authenticated with check (false);
create policy model_call_update_nobody on app.model_call for update to authenticated using (false) with check (false);
create policy model_call_delete_nobody on app.model_call for delete to authenticated using (false);
create policy model_call_floor on app.model_call as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy model_call_scope_floor on app.model_call as restrictive for all to authenticated
  using ((select authz.in_scope(array['bots.run', 'runs.read'])))
  with check ((select authz.in_scope(array['bots.run', 'runs.read'])));
create policy model_call_select_owner on app.model_call for select to ringfence_owner
  using (user_id = (select authz.uid()) and org_id = any (array(select authz.org_ids())));
create policy model_call_insert_owner on app.model_call for insert to ringfence_owner
  with check (user_id = (select authz.uid()) and org_id = any (array(select authz.org_ids())));
create policy model_call_data_policy_floor on app.model_call as restrictive for insert to ringfence_owner
  with check (refused_by is not null or authz.provider_refusal(org_id, provider, classification) is null);
create policy model_call_update_owner on app.model_call for update to ringfence_owner
  using (user_id = (select authz.uid()) and ended_at is null and org_id = any (array(select authz.org_ids())))
  with check (user_id = (select authz.uid()) and org_id = any (array(select authz.org_ids())));
comment on policy model_call_select_self on app.model_call is 'One''s own; runs.read sees the organization''s.';
comment on policy model_call_insert_nobody on app.model_call is 'authz.reserve_model_call() writes it.';
comment on policy model_call_update_nobody on app.model_call is 'authz.settle_model_call() ends it.';
comment on policy model_call_delete_nobody on app.model_call is 'The record stays.';
comment on policy model_call_floor on app.model_call is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy model_call_scope_floor on app.model_call is 'An API token reaches one''s own rows only with a permission for them; every other session passes.';
comment on policy model_call_select_owner on app.model_call is 'A settlement finds the call of the person asking.';
comment on policy model_call_insert_owner on app.model_call is 'Only in the name of the person asking, in an organization of theirs.';
comment on policy model_call_data_policy_floor on app.model_call is 'Whatever function writes it, and whatever its permissive policies allow: no call that the organization''s data policy refuses is on record as allowed (F15, F70).';
comment on policy model_call_update_owner on app.model_call is 'Settled once.';
grant select on app.model_call to authenticated;
grant select, insert (org_id, user_id, run_id, purpose, provider, model, region, retention_days, trains, redacted, classification, refused_by,
  input_price, output_price, reserved_tokens, reserved_cost, budget_ids, key_sha256, ended_at), update (ended_at, input_tokens, output_tokens, cost) on app.model_call to ringfence_owner;

create function authz.model_rule(refused_by text) returns text
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
return case when model_rule.refused_by = 'budget' then 'budget' else 'data_policy:' || model_rule.refused_by end;
comment on function authz.model_rule(text) is 'What the trail calls the rule that refused a model call: data_policy: with its name, or budget; null for none.';
revoke all on function authz.model_rule(text) from public;
grant execute on function authz.model_rule(text) to ringfence_owner;

create function authz.tg_audit_model_call() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_bot record;
begin
  select r.bot_id, r.bot_version into v_bot from app.run r where r.org_id = new.org_id and r.id = new.run_id;
  perform authz.record_event(
    org_id => new.org_id, action => 'model_call.insert', object_id => new.id::text, run_id => new.run_id,
    bot_id => v_bot.bot_id, bot_version => v_bot.bot_version, target => new.model,
    outcome => case when new.refused_by is null then 'ok' else 'denied' end, rule => authz.model_rule(new.refused_by));
  return null;
end
$$;
comment on function authz.tg_audit_model_call() is 'Trigger: record that a model call was allowed or refused, and by which rule, in the same transaction; also where no run is, as for an embedding or a job (F70, F71).';
revoke all on function authz.tg_audit_model_call() from public;
create trigger _900_audit after insert on app.model_call
  for each row execute function authz.tg_audit_model_call();
alter function authz.tg_audit_model_call() owner to ringfence_owner;

create function authz.model_cost(input_tokens bigint, output_tokens bigint, input_price bigint, output_price bigint) returns bigint
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
return ceil((input_tokens::numeric * input_price + output_tokens::numeric * output_price) / 1000000)::bigint;
comment on function authz.model_cost(bigint, bigint, bigint, bigint) is 'What tokens cost at prices of a million, rounded up to a millionth; null when a price is not known.';
revoke all on function authz.model_cost(bigint, bigint, bigint, bigint) from public;
grant execute on function authz.model_cost(bigint, bigint, bigint, bigint) to ringfence_owner;

create function authz.reserve_model_call(
  org_id uuid, run_id uuid, purpose text, provider text, model text, tokens integer, key_sha256 text, classification smallint default 0)
returns app.model_call
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_provider app.provider;
  v_rule text;
  v_class smallint;
  v_budget app.budget;
  v_ids uuid[] := '{}';
  v_cost bigint;
  v_call app.model_call;
begin
  -- What is in the context of the run, or of the run that asked for the job begun here, whatever the caller says.
  select max(c.class) into v_class
  from (
    select coalesce(reserve_model_call.classification, 3::smallint) as class
    union all
    select authz.taint_classification(r.taint)
    from app.run r
    where r.org_id = reserve_model_call.org_id and r.user_id = authz.uid()
      and r.id = any (array(select j.run_id from authz.begun_jobs() b join app.analytics_job j on j.id = b) || reserve_model_call.run_id)) c;
  v_rule := authz.provider_refusal(reserve_model_call.org_id, reserve_model_call.provider, v_class);
  select p.* into v_provider from app.provider p where p.name = reserve_model_call.provider;
  v_cost := coalesce(authz.model_cost(tokens, 0, greatest(v_provider.input_price, v_provider.output_price), 0), 0);
  -- Always in the same order, so that two calls never wait for each other.
  for v_budget in select b.* from app.budget b where b.org_id = reserve_model_call.org_id and v_rule is null order by b.period for update loop
    if v_budget.starts_on <> authz.period_start(v_budget.period) then
      v_budget.used_tokens := 0;
      v_budget.used_cost := 0;
    end if;
    if v_budget.used_tokens + tokens > v_budget.max_tokens or v_budget.used_cost + v_cost > v_budget.max_cost
      -- A limit on money says nothing about a provider whose price nobody knows.
      or v_budget.max_cost is not null and coalesce(v_provider.leaves, true) and num_nulls(v_provider.input_price, v_provider.output_price) > 0
    then
      v_rule := 'budget';
      exit;
    end if;
    v_ids := v_ids || v_budget.id;
  end loop;
  if v_rule is null then
    update app.budget b set starts_on = authz.period_start(b.period),
      used_tokens = case when b.starts_on = authz.period_start(b.period) then b.used_tokens else 0 end + tokens,
      used_cost = case when b.starts_on = authz.period_start(b.period) then b.used_cost else 0 end + v_cost
    where b.org_id = reserve_model_call.org_id and b.id = any (v_ids);
  end if;
  insert into app.model_call (org_id, user_id, run_id, purpose, provider, model, region, retention_days, trains, redacted, classification, refused_by,
    input_price, output_price, reserved_tokens, reserved_cost, budget_ids, key_sha256, ended_at)
  values (reserve_model_call.org_id, authz.uid(), reserve_model_call.run_id, reserve_model_call.purpose, reserve_model_call.provider,
    reserve_model_call.model, v_provider.region, v_provider.retention_days, v_provider.trains,
    coalesce(v_provider.leaves, true) and exists (select from app.organization o where o.id = reserve_model_call.org_id and o.redact), v_class,
    v_rule, v_provider.input_price, v_provider.output_price,
    case when v_rule is null then tokens else 0 end, case when v_rule is null then v_cost else 0 end,
    case when v_rule is null then v_ids else '{}' end, reserve_model_call.key_sha256,
    case when v_rule is not null then clock_timestamp() end)
  returning * into v_call;
  return v_call;
end
$$;
comment on function authz.reserve_model_call(uuid, uuid, text, text, text, integer, text, smallint) is 'Decide whether a model may be called for the person asking in an organization of theirs, by its data policy and budgets, reserve the tokens, and keep the decision.';
revoke all on function authz.reserve_model_call(uuid, uuid, text, text, text, integer, text, smallint) from public;
-- The worker too, inside a job: then it is the job's requester whose organization decides.
grant execute on function authz.reserve_model_call(uuid, uuid, text, text, text, integer, text, smallint) to authenticated, ringfence_worker;
alter function authz.reserve_model_call(uuid, uuid, text, text, text, integer, text, smallint) owner to ringfence_owner;

create function authz.settle_model_call(call_id uuid, key text, input_tokens integer, output_tokens integer) returns app.model_call
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_call app.model_call;
begin
  update app.model_call c set ended_at = clock_timestamp(), input_tokens = settle_model_call.input_tokens,
    output_tokens = settle_model_call.output_tokens,
    cost = authz.model_cost(settle_model_call.input_tokens, settle_model_call.output_tokens, c.input_price, c.output_price)
  where c.id = settle_model_call.call_id and c.user_id = authz.uid() and c.ended_at is null
    and c.key_sha256 = encode(sha256(convert_to(settle_model_call.key, 'UTF8')), 'hex')
  returning c.* into v_call;
  if not found then
    raise sqlstate 'PT404' using message = 'no such open model call of yours';
  end if;
  -- In the period it was reserved in; what began since begins at nothing.
  update app.budget b set used_tokens = b.used_tokens + v_call.input_tokens + v_call.output_tokens - v_call.reserved_tokens,
    used_cost = b.used_cost + coalesce(v_call.cost, 0) - v_call.reserved_cost
  where b.org_id = v_call.org_id and b.id = any (v_call.budget_ids) and v_call.started_at >= b.starts_on;
  return v_call;
end
$$;
comment on function authz.settle_model_call(uuid, text, integer, integer) is 'End a call of the person asking, once, by the key its reservation gave, and give back to the budgets what it did not take; PT404 for any other.';
revoke all on function authz.settle_model_call(uuid, text, integer, integer) from public;
grant execute on function authz.settle_model_call(uuid, text, integer, integer) to authenticated, ringfence_worker;
alter function authz.settle_model_call(uuid, text, integer, integer) owner to ringfence_owner;
