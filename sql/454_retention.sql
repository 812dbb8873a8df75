-- Retention (F72): how long an organization keeps what, and its end. The policies themselves say what is over, so that the job that deletes
-- it can delete nothing else; it runs as the log-in ringfence_worker, which is a member of nothing and passes by no policy.
create table app.retention_rule (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  class text not null constraint retention_rule_class_check check (class in ('conversations', 'tickets', 'usage')),
  days integer not null constraint retention_rule_days_check check (days between 1 and 36500),
  set_by uuid not null default authz.uid(),
  set_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint retention_rule_class_key unique (org_id, class)
);
comment on table app.retention_rule is 'How long an organization keeps a class of data; without a row for as long as there is the organization.';
comment on column app.retention_rule.org_id is 'The organization.';
comment on column app.retention_rule.id is 'Random identifier.';
comment on column app.retention_rule.class is 'conversations (with messages, runs and steps, since the last run), tickets (closed ones), usage.';
comment on column app.retention_rule.days is 'Days; 1..36500.';
comment on column app.retention_rule.set_by is 'Who set it first.';
comment on column app.retention_rule.set_at is 'When.';

create table app.retention_receipt (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  class text not null,
  days integer not null,
  deleted jsonb not null,
  deleted_at timestamptz not null default clock_timestamp(),
  primary key (org_id, id)
);
create index retention_receipt_org_id_deleted_at_idx on app.retention_receipt (org_id, deleted_at desc);
comment on table app.retention_receipt is 'Proof that something was deleted because its time was over: numbers by table.';
comment on column app.retention_receipt.org_id is 'The organization.';
comment on column app.retention_receipt.id is 'Random identifier.';
comment on column app.retention_receipt.class is 'As in app.retention_rule.';
comment on column app.retention_receipt.days is 'The days that the rule said then.';
comment on column app.retention_receipt.deleted is 'Rows deleted, by table, as PostgreSQL counted them.';
comment on column app.retention_receipt.deleted_at is 'When.';

alter table app.retention_rule enable row level security;
alter table app.retention_rule force row level security;
create policy retention_rule_select_manager on app.retention_rule for select to authenticated
  using (org_id = any (array(select authz.orgs_with('organization.manage'))) or org_id = any (array(select authz.orgs_with('audit.read'))));
create policy retention_rule_insert_manager on app.retention_rule for insert to authenticated
  with check (set_by = (select authz.uid()) and org_id = any (array(select authz.orgs_with('organization.manage'))));
create policy retention_rule_update_manager on app.retention_rule for update to authenticated
  using (org_id = any (array(select authz.orgs_with('organization.manage'))))
  with check (org_id = any (array(select authz.orgs_with('organization.manage'))));
create policy retention_rule_delete_manager on app.retention_rule for delete to authenticated
  using (org_id = any (array(select authz.orgs_with('organization.manage'))));
create policy retention_rule_floor on app.retention_rule as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy retention_rule_select_worker_owner on app.retention_rule for select to ringfence_owner
  using ((select authz.runs_the_queue()));
comment on policy retention_rule_select_manager on app.retention_rule is 'organization.manage and audit.read see how long what is kept.';
comment on policy retention_rule_insert_manager on app.retention_rule is 'organization.manage says so, in its own name.';
comment on policy retention_rule_update_manager on app.retention_rule is 'organization.manage changes the days.';
comment on policy retention_rule_delete_manager on app.retention_rule is 'organization.manage takes a rule back.';
comment on policy retention_rule_floor on app.retention_rule is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy retention_rule_select_worker_owner on app.retention_rule is 'The job that deletes what is over reads the rules of every organization.';
grant select, delete on app.retention_rule to authenticated;
grant insert (org_id, class, days), update (days) on app.retention_rule to authenticated;
grant select on app.retention_rule to ringfence_owner;
create trigger _050_in_person before insert or update or delete on app.retention_rule
  for each statement execute function authz.tg_in_person();
create trigger _110_step_up before insert or update or delete on app.retention_rule
  for each row execute function authz.tg_step_up('if_enrolled');
create trigger _900_audit after insert or update or delete on app.retention_rule
  for each row execute function authz.tg_audit();

alter table app.retention_receipt enable row level security;
alter table app.retention_receipt force row level security;
create policy retention_receipt_select_manager on app.retention_receipt for select to authenticated
  using (org_id = any (array(select authz.orgs_with('organization.manage'))) or org_id = any (array(select authz.orgs_with('audit.read'))));
create policy retention_receipt_insert_nobody on app.retention_receipt for insert to authenticated with check (false);
create policy retention_receipt_update_nobody on app.retention_receipt for update to authenticated using (false) with check (false);
create policy retention_receipt_delete_nobody on app.retention_receipt for delete to authenticated using (false);
create policy retention_receipt_floor on app.retention_receipt as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy retention_receipt_insert_owner on app.retention_receipt for insert to ringfence_owner
  with check ((select authz.runs_the_queue()));
comment on policy retention_receipt_select_manager on app.retention_receipt is 'organization.manage and audit.read see what was deleted.';
comment on policy retention_receipt_insert_nobody on app.retention_receipt is 'Only the job writes here.';
comment on policy retention_receipt_update_nobody on app.retention_receipt is 'Append-only.';
comment on policy retention_receipt_delete_nobody on app.retention_receipt is 'Append-only.';
comment on policy retention_receipt_floor on app.retention_receipt is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy retention_receipt_insert_owner on app.retention_receipt is 'The job notes what it deleted.';
grant select on app.retention_receipt to authenticated;
grant insert (org_id, class, days, deleted) on app.retention_receipt to ringfence_owner;

create function authz.apply_retention() returns table (org_id uuid, class text, deleted jsonb)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_rule app.retention_rule;
  v_before jsonb;
  v_deleted jsonb;
begin
  for v_rule in select r.* from app.retention_rule r order by r.org_id, r.class loop
    v_before := authz.deleted_rows();
    -- What is over and what is held, the policies say; here only which organization, so that indexes serve, and no more at once than a
    -- transaction should do: the next call goes on.
    if v_rule.class = 'conversations' then
      delete from app.conversation c where c.org_id = v_rule.org_id and c.id in (
        select o.id from app.conversation o where o.org_id = v_rule.org_id and o.created_at < authz.kept_until(v_rule.org_id, v_rule.class) limit 5000);
    elsif v_rule.class = 'tickets' then
      delete from app.support_ticket t where t.org_id = v_rule.org_id and t.id in (
        select o.id from app.support_ticket o where o.org_id = v_rule.org_id and o.created_at < authz.kept_until(v_rule.org_id, v_rule.class) limit 5000);
    else
      delete from app.usage_entry u where u.org_id = v_rule.org_id and u.id in (
        select o.id from app.usage_entry o where o.org_id = v_rule.org_id and o.on_day < authz.kept_until(v_rule.org_id, v_rule.class)::date limit 5000);
    end if;
    select coalesce(jsonb_object_agg(d.key, d.value::bigint - coalesce((v_before ->> d.key)::bigint, 0)), '{}') into v_deleted
    from jsonb_each_text(authz.deleted_rows()) d where d.value::bigint > coalesce((v_before ->> d.key)::bigint, 0);
    if v_deleted <> '{}' then
      insert into app.retention_receipt (org_id, class, days, deleted) values (v_rule.org_id, v_rule.class, v_rule.days, v_deleted);
      org_id := v_rule.org_id; class := v_rule.class; deleted := v_deleted;
      return next;
    end if;
  end loop;
end
$$;
comment on function authz.apply_retention() is 'Delete what is over by the rules of each organization and held by nothing, at most 5000 of a class at once, and note it; called again until it deletes nothing.';
revoke all on function authz.apply_retention() from public;
grant execute on function authz.apply_retention() to ringfence_worker;
alter function authz.apply_retention() owner to ringfence_owner;
