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
  action text not null constraint audit_event_action_check check (action ~ '^[a-z_]+\.(insert|update|delete)$'
    or action in ('tool.call', 'model.call', 'documents.search', 'document.read', 'access.deny', 'session.start')),
  object_id text,
  run_id uuid,
  bot_id uuid,
  changed text[] not null default '{}',
  auth_session_id uuid,
  bot_version integer,
  target text constraint audit_event_target_check check (target ~ '^[A-Za-z0-9._:/@?-]{1,200}$'),
  outcome text not null default 'ok' constraint audit_event_outcome_check
    check (outcome in ('ok', 'denied', 'not_found', 'invalid', 'conflict', 'failed', 'needs_approval')),
  rule text constraint audit_event_rule_check check (rule ~ '^[A-Za-z0-9_.:-]{1,200}$'),
  request_id text constraint audit_event_request_id_check check (request_id ~ '^[A-Za-z0-9._:-]{1,100}$'),
  arguments_sha256 text constraint audit_event_arguments_sha256_check check (arguments_sha256 ~ '^[0-9a-f]{64}$'),
  object_sha256 text constraint audit_event_object_sha256_check check (object_sha256 ~ '^[0-9a-f]{64}$'),
  documents uuid[] constraint audit_event_documents_check check (cardinality(documents) <= 50),
  primary key (org_id, id)
);
create index audit_event_org_id_run_id_idx on app.audit_event (org_id, run_id) where run_id is not null;
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
comment on column app.audit_event.action is 'table.command for a change of state; tool.call, model.call, documents.search, document.read, access.deny and session.start for what changes none. Names are added, never changed.';
comment on column app.audit_event.object_id is 'The identifier of the row acted on; of a permission of a role, the role''s and its name; of the meaning of a column, the data source''s, the relation and the column.';
comment on column app.audit_event.run_id is 'The run it was part of, if any.';
comment on column app.audit_event.bot_id is 'The bot that ran or was acted on, if any. A bot is never an actor (F03).';
comment on column app.audit_event.changed is 'Names of the columns that an update changed.';
comment on column app.audit_event.auth_session_id is 'The session of Supabase Auth it was done in, if any.';
comment on column app.audit_event.bot_version is 'The version of the bot that ran, or that the bot was given, if any.';
comment on column app.audit_event.target is 'The tool, model or function called, or how somebody signed in.';
comment on column app.audit_event.outcome is 'ok, denied, not_found, invalid, conflict, failed or needs_approval. A change of state that did not happen leaves no event.';
comment on column app.audit_event.rule is 'What denied it: policy:, privilege:, deny_rule: with the rule''s identifier, function:, data_policy:, budget, binding, permission or step_up (F64); of a call that waited, approval: with its identifier, and of that what became of it (F36).';
comment on column app.audit_event.request_id is 'The request at the edge it was part of, as the edge named it.';
comment on column app.audit_event.arguments_sha256 is 'Digest of what was called with which arguments: of a step of a run, authz.digest() under the key of its conversation.';
comment on column app.audit_event.object_sha256 is 'authz.row_digest() of the row recorded, where that row is a record itself: a step of a run.';
comment on column app.audit_event.documents is 'The documents whose passages a search outside a run returned; null for other acts.';

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
create policy audit_event_select_subject_owner on app.audit_event for select to ringfence_owner
  using (object_id = (select authz.uid())::text and action in ('membership.insert', 'membership.update', 'membership.delete')
    and org_id = any (array(select authz.org_ids())));
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
comment on policy audit_event_select_subject_owner on app.audit_event is 'An export for a person tells what others did to their membership (F67).';
comment on policy audit_event_select_purging_owner on app.audit_event is 'A purge finds the trail of the organization that goes.';
comment on policy audit_event_delete_purging_owner on app.audit_event is 'A purge takes it along.';
grant select on app.audit_event to authenticated;
grant select (org_id, at, actor_id, actor_role, action, object_id, changed, outcome), delete on app.audit_event to ringfence_owner;
grant insert (org_id, actor_id, actor_kind, actor_role, on_behalf_of, api_token_id, client_id, action, object_id, run_id, bot_id, changed,
  auth_session_id, bot_version, target, outcome, rule, request_id, arguments_sha256, object_sha256, documents) on app.audit_event to ringfence_owner;

create function authz.request_id() returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_headers text := current_setting('request.headers', true);
  v_id text := case when (v_headers is json object) then v_headers::json ->> 'x-request-id' end;
begin
  return case when v_id ~ '^[A-Za-z0-9._:-]{1,100}$' then v_id end;
end
$$;
comment on function authz.request_id() is 'The request at the edge, as it named it in x-request-id; null for none, or for one that is no name. Whoever calls without the edge says it themselves.';
revoke all on function authz.request_id() from public;
grant execute on function authz.request_id() to ringfence_owner;

create function authz.row_digest(content jsonb) returns text
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select encode(sha256(convert_to(jsonb_strip_nulls(row_digest.content)::text, 'UTF8')), 'hex')
$$;
comment on function authz.row_digest(jsonb) is 'SHA-256, hexadecimal, of a row as the text of its jsonb (keys by length and then bytes) without nulls, so that a column added later changes none.';
revoke all on function authz.row_digest(jsonb) from public;
grant execute on function authz.row_digest(jsonb) to authenticated, ringfence_owner;

create function authz.record_event(
  org_id uuid, action text, object_id text default null, run_id uuid default null, bot_id uuid default null, bot_version integer default null,
  target text default null, outcome text default 'ok', rule text default null, arguments_sha256 text default null,
  object_sha256 text default null, changed text[] default '{}', documents uuid[] default null) returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_owner uuid;
  v_role text;
begin
  -- An organization that goes keeps no record of going: its receipt is elsewhere (F23).
  if authz.is_purging(record_event.org_id) then
    return;
  end if;
  select m.service_owner_id, r.name into v_owner, v_role
  from app.membership m join app.role r on r.org_id = m.org_id and r.id = m.role_id
  where m.org_id = record_event.org_id and m.user_id = authz.uid();
  insert into app.audit_event (
    org_id, actor_id, actor_kind, actor_role, on_behalf_of, api_token_id, client_id, auth_session_id, request_id,
    action, object_id, run_id, bot_id, bot_version, target, outcome, rule, arguments_sha256, object_sha256, changed, documents)
  values (
    record_event.org_id,
    authz.uid(),
    case when authz.uid() is null then 'operator' when v_owner is not null then 'service' else 'user' end,
    v_role,
    v_owner,
    authz.api_token_id(),
    left(authz.claims() ->> 'client_id', 100),
    authz.session_id(),
    authz.request_id(),
    record_event.action, record_event.object_id, record_event.run_id, record_event.bot_id, record_event.bot_version, record_event.target,
    record_event.outcome, record_event.rule, record_event.arguments_sha256, record_event.object_sha256, record_event.changed, record_event.documents);
end
$$;
comment on function authz.record_event(uuid, text, text, uuid, uuid, integer, text, text, text, text, text, text[], uuid[]) is 'Record an act of the person asking in app.audit_event, in the transaction of the act: the only writer there. For functions and triggers of ringfence_owner.';
revoke all on function authz.record_event(uuid, text, text, uuid, uuid, integer, text, text, text, text, text, text[], uuid[]) from public;
grant execute on function authz.record_event(uuid, text, text, uuid, uuid, integer, text, text, text, text, text, text[], uuid[]) to ringfence_owner;

create function authz.tg_audit() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_old jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  v_row jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) else v_old end;
begin
  perform authz.record_event(
    org_id => coalesce(v_row ->> 'org_id', v_row ->> 'id')::uuid,
    action => tg_table_name || '.' || lower(tg_op),
    object_id => coalesce(v_row ->> 'id', v_row ->> 'user_id', (v_row ->> 'role_id') || ' ' || (v_row ->> 'permission'),
      (v_row ->> 'data_source_id') || ' ' || (v_row ->> 'relation') || ' ' || (v_row ->> 'column_name')),
    run_id => case when tg_table_name = 'run' then v_row ->> 'id' else v_row ->> 'run_id' end::uuid,
    bot_id => case when tg_table_name = 'bot' then v_row ->> 'id' else v_row ->> 'bot_id' end::uuid,
    bot_version => case when tg_table_name = 'bot' then v_row ->> 'version' else v_row ->> 'bot_version' end::integer,
    changed => case when tg_op = 'UPDATE' then array(
      select n.key from jsonb_each(v_row) n where v_old -> n.key is distinct from n.value order by n.key) else '{}' end);
  return case when tg_op = 'DELETE' then old else new end;
end
$$;
comment on function authz.tg_audit() is 'Trigger: record an insert, update or delete in app.audit_event, in the same transaction.';
revoke all on function authz.tg_audit() from public;
create trigger _900_audit after insert or update or delete on app.organization
  for each row execute function authz.tg_audit();
