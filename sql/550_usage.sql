-- Usage: a ledger of what was added and taken away, written in the transaction that does it. Whoever may read usage sees true totals
-- without seeing a row of what is counted. Entries are only ever added, so nobody waits for anybody.
create table app.usage_entry (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  on_day date not null default current_date,
  actor_id uuid,
  measure text not null constraint usage_entry_measure_check check (measure in ('members', 'teams', 'bots', 'knowledge_bases', 'documents',
    'passages', 'characters', 'runs', 'model_calls', 'input_tokens', 'output_tokens')),
  amount bigint not null,
  primary key (org_id, id)
);
create index usage_entry_org_id_measure_on_day_idx on app.usage_entry (org_id, measure, on_day) include (amount);
comment on table app.usage_entry is 'How much of what was added (or taken away, below zero), and when.';
comment on column app.usage_entry.org_id is 'The organization.';
comment on column app.usage_entry.id is 'Random identifier.';
comment on column app.usage_entry.on_day is 'The day, in UTC on a Supabase server.';
comment on column app.usage_entry.actor_id is 'Who did it; null for an operator.';
comment on column app.usage_entry.measure is 'What is counted.';
comment on column app.usage_entry.amount is 'How much.';

alter table app.usage_entry enable row level security;
alter table app.usage_entry force row level security;
create policy usage_entry_select_reader on app.usage_entry for select to authenticated
  using (org_id = any (array(select authz.orgs_with('usage.read'))));
create policy usage_entry_insert_nobody on app.usage_entry for insert to authenticated with check (false);
create policy usage_entry_update_nobody on app.usage_entry for update to authenticated using (false) with check (false);
create policy usage_entry_delete_nobody on app.usage_entry for delete to authenticated using (false);
create policy usage_entry_floor on app.usage_entry as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy usage_entry_insert_owner on app.usage_entry for insert to ringfence_owner
  with check (actor_id is not distinct from (select authz.uid()));
create policy usage_entry_select_analyst on app.usage_entry for select to ringfence_analyst
  using (org_id = any (array(select authz.orgs_with('usage.read'))));
create policy usage_entry_analyst_floor on app.usage_entry as restrictive for select to ringfence_analyst
  using (org_id = any (array(select authz.job_orgs('usage'))));
create policy usage_entry_select_over_owner on app.usage_entry for select to ringfence_owner
  using ((select authz.runs_the_queue()) and on_day < authz.kept_until(org_id, 'usage')::date and not authz.is_held(org_id, actor_id, null));
create policy usage_entry_delete_over_owner on app.usage_entry for delete to ringfence_owner
  using ((select authz.runs_the_queue()) and on_day < authz.kept_until(org_id, 'usage')::date and not authz.is_held(org_id, actor_id, null));
comment on policy usage_entry_select_reader on app.usage_entry is 'usage.read sees the amounts.';
comment on policy usage_entry_insert_nobody on app.usage_entry is 'Only the trigger writes here.';
comment on policy usage_entry_update_nobody on app.usage_entry is 'Append-only.';
comment on policy usage_entry_delete_nobody on app.usage_entry is 'Append-only.';
comment on policy usage_entry_select_over_owner on app.usage_entry is 'The job of retention finds what is over by the organization''s rule and held by nothing.';
comment on policy usage_entry_delete_over_owner on app.usage_entry is 'It deletes that and nothing else.';
comment on policy usage_entry_floor on app.usage_entry is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy usage_entry_insert_owner on app.usage_entry is 'Even the trigger cannot write in another person''s name.';
comment on policy usage_entry_select_analyst on app.usage_entry is 'In a job of somebody with usage.read the amounts.';
comment on policy usage_entry_analyst_floor on app.usage_entry is 'Whatever else is allowed, only in a job of that organization whose source holds usage.';
grant select on app.usage_entry to authenticated;
grant select (org_id, on_day, measure, amount) on app.usage_entry to ringfence_analyst;
grant insert (org_id, actor_id, measure, amount), select (org_id, id, on_day, actor_id), delete on app.usage_entry to ringfence_owner;

create function authz.tg_usage() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_sign integer := case tg_op when 'DELETE' then -1 else 1 end;
begin
  if tg_op = 'DELETE' then
    if exists (select from (select distinct t.org_id from touched t) d where authz.is_purging(d.org_id)) then
      return null;
    end if;
  end if;
  if tg_table_name = 'chunk' then
    insert into app.usage_entry (org_id, actor_id, measure, amount)
      select t.org_id, authz.uid(), m.measure, v_sign * m.amount
      from (select s.org_id, count(*) as passages, sum(char_length(s.content)) as characters from touched s group by s.org_id) t
      cross join lateral (values ('passages', t.passages), ('characters', t.characters)) m (measure, amount);
  elsif tg_table_name = 'run_step' then
    insert into app.usage_entry (org_id, actor_id, measure, amount)
      select t.org_id, authz.uid(), m.measure, m.amount
      from (select s.org_id, count(*) as calls, sum(s.input_tokens) as input, sum(s.output_tokens) as output
        from touched s where s.kind = 'model' group by s.org_id) t
      cross join lateral (values ('model_calls', t.calls), ('input_tokens', t.input), ('output_tokens', t.output)) m (measure, amount)
      where m.amount > 0;
  else
    insert into app.usage_entry (org_id, actor_id, measure, amount)
      select t.org_id, authz.uid(), tg_argv[0], v_sign * count(*) from touched t group by t.org_id;
  end if;
  return null;
end
$$;
comment on function authz.tg_usage() is 'Trigger, once a statement: note how much was added or taken away; of other tables than chunk and run_step the argument says what is counted.';
revoke all on function authz.tg_usage() from public;
create trigger _950_usage after insert on app.membership referencing new table as touched
  for each statement execute function authz.tg_usage('members');
create trigger _960_usage after delete on app.membership referencing old table as touched
  for each statement execute function authz.tg_usage('members');
create trigger _950_usage after insert on app.team referencing new table as touched
  for each statement execute function authz.tg_usage('teams');
create trigger _960_usage after delete on app.team referencing old table as touched
  for each statement execute function authz.tg_usage('teams');
create trigger _950_usage after insert on app.bot referencing new table as touched
  for each statement execute function authz.tg_usage('bots');
create trigger _960_usage after delete on app.bot referencing old table as touched
  for each statement execute function authz.tg_usage('bots');
create trigger _950_usage after insert on app.knowledge_base referencing new table as touched
  for each statement execute function authz.tg_usage('knowledge_bases');
create trigger _960_usage after delete on app.knowledge_base referencing old table as touched
  for each statement execute function authz.tg_usage('knowledge_bases');
create trigger _950_usage after insert on app.document referencing new table as touched
  for each statement execute function authz.tg_usage('documents');
create trigger _960_usage after delete on app.document referencing old table as touched
  for each statement execute function authz.tg_usage('documents');
create trigger _950_usage after insert on app.chunk referencing new table as touched
  for each statement execute function authz.tg_usage();
create trigger _960_usage after delete on app.chunk referencing old table as touched
  for each statement execute function authz.tg_usage();
create trigger _950_usage after insert on app.run referencing new table as touched
  for each statement execute function authz.tg_usage('runs');
create trigger _950_usage after insert on app.run_step referencing new table as touched
  for each statement execute function authz.tg_usage();
alter function authz.tg_usage() owner to ringfence_owner;
