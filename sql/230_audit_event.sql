-- The audit trail. Rows are written by triggers only, in the transaction of the act they record: no act without its record.
create table app.audit_event (
  org_id uuid not null references app.organization (id) on delete restrict,
  id uuid not null default gen_random_uuid(),
  at timestamptz not null default clock_timestamp(),
  actor_id uuid,
  actor_kind text not null constraint audit_event_actor_kind_check check (actor_kind in ('user', 'service', 'schedule', 'operator')),
  actor_role text,
  on_behalf_of uuid,
  api_token_id uuid,
  client_id text constraint audit_event_client_id_check check (char_length(client_id) <= 100),
  action text not null constraint audit_event_action_check check (action ~ '^[a-z_]+\.(insert|update|delete)$'),
  object_id text,
  run_id uuid,
  bot_id uuid,
  changed text[] not null default '{}',
  primary key (org_id, id)
);
create index audit_event_org_id_at_id_idx on app.audit_event (org_id, at desc, id desc);
comment on table app.audit_event is 'What was done, by whom, with which role at the time. Digests and names only, no content.';
comment on column app.audit_event.org_id is 'The organization it happened in.';
comment on column app.audit_event.id is 'Random identifier.';
comment on column app.audit_event.at is 'When the row was written, inside the transaction of the act.';
comment on column app.audit_event.actor_id is 'The person; null for an operator working in the database.';
comment on column app.audit_event.actor_kind is 'user, service, schedule, or operator (someone with a database login).';
comment on column app.audit_event.actor_role is 'The name of the role the actor had in the organization at that moment.';
comment on column app.audit_event.on_behalf_of is 'The person who answers for the actor: the owner of a service account; null for a person acting in their own name.';
comment on column app.audit_event.api_token_id is 'The API token that was used, if any.';
comment on column app.audit_event.client_id is 'The OAuth client that acted for the person, if any.';
comment on column app.audit_event.action is 'table.command';
comment on column app.audit_event.object_id is 'The identifier of the row acted on; of a permission of a role, the role''s and its name.';
comment on column app.audit_event.run_id is 'The run it was part of, if any.';
comment on column app.audit_event.bot_id is 'The bot that ran or was acted on, if any. A bot is never an actor (F03).';
comment on column app.audit_event.changed is 'Names of the columns that an update changed.';

alter table app.audit_event enable row level security;
alter table app.audit_event force row level security;
create policy audit_event_select_actor on app.audit_event for select to authenticated
  using (actor_id = (select authz.uid()) or org_id = any (array(select authz.orgs_with('audit.read'))));
create policy audit_event_insert_nobody on app.audit_event for insert to authenticated with check (false);
create policy audit_event_update_nobody on app.audit_event for update to authenticated using (false) with check (false);
create policy audit_event_delete_nobody on app.audit_event for delete to authenticated using (false);
create policy audit_event_floor on app.audit_event as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy audit_event_scope_floor on app.audit_event as restrictive for all to authenticated
  using ((select authz.in_scope(array['audit.read'])))
  with check ((select authz.in_scope(array['audit.read'])));
create policy audit_event_insert_owner on app.audit_event for insert to ringfence_owner
  with check (actor_id is not distinct from (select authz.uid()));
create policy audit_event_select_purging_owner on app.audit_event for select to ringfence_owner
  using (org_id in (select authz.purging_org_ids()));
create policy audit_event_delete_purging_owner on app.audit_event for delete to ringfence_owner
  using (org_id in (select authz.purging_org_ids()));
comment on policy audit_event_select_actor on app.audit_event is 'One sees what one did; audit.read sees the organization''s.';
comment on policy audit_event_insert_nobody on app.audit_event is 'Only the trigger writes here.';
comment on policy audit_event_update_nobody on app.audit_event is 'Append-only.';
comment on policy audit_event_delete_nobody on app.audit_event is 'Append-only.';
comment on policy audit_event_floor on app.audit_event is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy audit_event_scope_floor on app.audit_event is 'An API token reaches one''s own rows only with a permission for them; every other session passes.';
comment on policy audit_event_insert_owner on app.audit_event is 'Even the trigger cannot write in another person''s name.';
comment on policy audit_event_select_purging_owner on app.audit_event is 'A purge finds the trail of the organization that goes.';
comment on policy audit_event_delete_purging_owner on app.audit_event is 'A purge takes it along.';
grant select on app.audit_event to authenticated;
grant select (org_id), delete on app.audit_event to ringfence_owner;
grant insert (org_id, actor_id, actor_kind, actor_role, on_behalf_of, api_token_id, client_id, action, object_id, run_id, bot_id, changed) on app.audit_event to ringfence_owner;

create function authz.tg_audit() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_old jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  v_row jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) else v_old end;
  v_org uuid := coalesce(v_row ->> 'org_id', v_row ->> 'id')::uuid;
  v_owner uuid;
  v_role text;
begin
  -- An organization that goes keeps no record of going: its receipt is elsewhere (F23).
  if authz.is_purging(v_org) then
    return case when tg_op = 'DELETE' then old else new end;
  end if;
  select m.service_owner_id, r.name into v_owner, v_role
  from app.membership m join app.role r on r.org_id = m.org_id and r.id = m.role_id
  where m.org_id = v_org and m.user_id = authz.uid();
  insert into app.audit_event (
    org_id, actor_id, actor_kind, actor_role, on_behalf_of, api_token_id, client_id, action, object_id, run_id, bot_id, changed)
  values (
    v_org,
    authz.uid(),
    case when authz.uid() is null then 'operator' when v_owner is not null then 'service' else 'user' end,
    v_role,
    v_owner,
    authz.api_token_id(),
    left(authz.claims() ->> 'client_id', 100),
    tg_table_name || '.' || lower(tg_op),
    coalesce(v_row ->> 'id', v_row ->> 'user_id', (v_row ->> 'role_id') || ' ' || (v_row ->> 'permission')),
    case when tg_table_name = 'run' then v_row ->> 'id' else v_row ->> 'run_id' end::uuid,
    case when tg_table_name = 'bot' then v_row ->> 'id' else v_row ->> 'bot_id' end::uuid,
    case when tg_op = 'UPDATE' then array(
      select n.key from jsonb_each(v_row) n where v_old -> n.key is distinct from n.value order by n.key) else '{}' end);
  return case when tg_op = 'DELETE' then old else new end;
end
$$;
comment on function authz.tg_audit() is 'Trigger: record an insert, update or delete in app.audit_event, in the same transaction.';
revoke all on function authz.tg_audit() from public;
create trigger _900_audit after insert or update or delete on app.organization
  for each row execute function authz.tg_audit();
