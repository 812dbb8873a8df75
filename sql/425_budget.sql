-- Budgets (F75): how many tokens, or how much money, an organization's model calls may take in a day or a month. A call reserves what it
-- may take at most before it is made, under a lock on this row, and settles what it took afterwards.
create table app.budget (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  period text not null constraint budget_period_check check (period in ('day', 'month')),
  max_tokens bigint constraint budget_max_tokens_check check (max_tokens between 0 and 1000000000000),
  max_cost bigint constraint budget_max_cost_check check (max_cost between 0 and 1000000000000),
  starts_on date not null default current_date,
  used_tokens bigint not null default 0,
  used_cost bigint not null default 0,
  primary key (org_id, id),
  constraint budget_period_key unique (org_id, period)
);
comment on table app.budget is 'What an organization''s model calls may take in a period; without a row there is no limit.';
comment on column app.budget.org_id is 'The organization.';
comment on column app.budget.id is 'Random identifier: a limit that was lifted and set again is another one.';
comment on column app.budget.period is 'day or month, of the calendar in UTC on a Supabase server.';
comment on column app.budget.max_tokens is 'Tokens sent and received together; null: no limit.';
comment on column app.budget.max_cost is 'Millionths of the currency the operator counts prices in; null: no limit.';
comment on column app.budget.starts_on is 'The first day of the period that the two counters are about.';
comment on column app.budget.used_tokens is 'Tokens settled in that period, and those reserved and not settled.';
comment on column app.budget.used_cost is 'The same of money.';

create function authz.period_start(period text) returns date
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
return date_trunc(period, now())::date;
comment on function authz.period_start(text) is 'The first day of the day or month that it is.';
revoke all on function authz.period_start(text) from public;
grant execute on function authz.period_start(text) to authenticated, ringfence_owner;

alter table app.budget enable row level security;
alter table app.budget force row level security;
create policy budget_select_reader on app.budget for select to authenticated
  using (org_id = any (array(select authz.orgs_with('usage.read'))));
create policy budget_insert_manager on app.budget for insert to authenticated
  with check (org_id = any (array(select authz.orgs_with('organization.manage'))));
create policy budget_update_manager on app.budget for update to authenticated
  using (org_id = any (array(select authz.orgs_with('organization.manage'))))
  with check (org_id = any (array(select authz.orgs_with('organization.manage'))));
create policy budget_delete_manager on app.budget for delete to authenticated
  using (org_id = any (array(select authz.orgs_with('organization.manage'))));
create policy budget_floor on app.budget as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy budget_select_owner on app.budget for select to ringfence_owner
  using (org_id = any (array(select authz.org_ids())));
create policy budget_update_owner on app.budget for update to ringfence_owner
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
comment on policy budget_select_reader on app.budget is 'usage.read sees limits and what is used.';
comment on policy budget_insert_manager on app.budget is 'organization.manage sets limits.';
comment on policy budget_update_manager on app.budget is 'organization.manage changes limits.';
comment on policy budget_delete_manager on app.budget is 'organization.manage lifts limits.';
comment on policy budget_floor on app.budget is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy budget_select_owner on app.budget is 'A reservation reads what is left to the person''s organization, which the person need not.';
comment on policy budget_update_owner on app.budget is 'A reservation and its settlement count; limits are not theirs to change.';
grant select on app.budget to authenticated, ringfence_owner;
grant insert (org_id, period, max_tokens, max_cost), update (max_tokens, max_cost), delete on app.budget to authenticated;
grant update (starts_on, used_tokens, used_cost) on app.budget to ringfence_owner;
create trigger _050_in_person before insert or delete or update of max_tokens, max_cost on app.budget
  for each statement execute function authz.tg_in_person();
create trigger _110_step_up before insert or delete or update of max_tokens, max_cost on app.budget
  for each row execute function authz.tg_step_up('if_enrolled');
create trigger _900_audit after insert or delete or update of max_tokens, max_cost on app.budget
  for each row execute function authz.tg_audit();
