-- What was there of an organization that is no more, in numbers (F23). It belongs to no organization and says nothing of any person.
create table authz.purge_receipt (
  id uuid not null default gen_random_uuid() primary key,
  organization_id uuid not null,
  purged_at timestamptz not null default clock_timestamp(),
  purged_in xid8 not null default pg_current_xact_id(),
  tables jsonb not null default '{}',
  total bigint not null default 0,
  sha256 text constraint purge_receipt_sha256_check check (sha256 ~ '^[0-9a-f]{64}$')
);
create index purge_receipt_organization_id_idx on authz.purge_receipt (organization_id);
comment on table authz.purge_receipt is 'Proof that an organization was purged: rows deleted by table. Kept by the operator; nobody reads it through the API but who purged, once.';
comment on column authz.purge_receipt.id is 'Random identifier.';
comment on column authz.purge_receipt.organization_id is 'The organization that was. No foreign key: there is nothing left to refer to.';
comment on column authz.purge_receipt.purged_at is 'When.';
comment on column authz.purge_receipt.purged_in is 'The transaction that did it: in it alone the row opens anything.';
comment on column authz.purge_receipt.tables is 'Rows deleted, by table, as PostgreSQL counted them.';
comment on column authz.purge_receipt.total is 'Rows deleted altogether.';
comment on column authz.purge_receipt.sha256 is 'SHA-256, hexadecimal, of organization_id, a space and tables.';

alter table authz.purge_receipt enable row level security;
alter table authz.purge_receipt force row level security;
create policy purge_receipt_select_owner on authz.purge_receipt for select to ringfence_owner
  using (purged_in = pg_current_xact_id_if_assigned() and (select authz.uid()) is not null);
create policy purge_receipt_insert_owner on authz.purge_receipt for insert to ringfence_owner
  with check (organization_id in (select authz.owned_org_ids()));
create policy purge_receipt_update_owner on authz.purge_receipt for update to ringfence_owner
  using (purged_in = pg_current_xact_id_if_assigned() and (select authz.uid()) is not null)
  with check (purged_in = pg_current_xact_id_if_assigned() and (select authz.uid()) is not null);
comment on policy purge_receipt_select_owner on authz.purge_receipt is 'What an organization takes along sees that it is being purged.';
comment on policy purge_receipt_insert_owner on authz.purge_receipt is 'A purge begins with its receipt, for an organization whose owner asks.';
comment on policy purge_receipt_update_owner on authz.purge_receipt is 'A purge ends with its numbers.';
grant select, insert (organization_id), update (tables, total, sha256) on authz.purge_receipt to ringfence_owner;

-- The sessions of API tokens whose row is gone: without it they would be ordinary sessions of their person (F08).
create table authz.ended_session (
  session_id uuid not null primary key,
  ended_at timestamptz not null default clock_timestamp()
);
comment on table authz.ended_session is 'Sessions of Supabase Auth that were behind API tokens of organizations purged since; authz.pre_request() refuses them.';
comment on column authz.ended_session.session_id is 'The session.';
comment on column authz.ended_session.ended_at is 'When its token went.';

alter table authz.ended_session enable row level security;
alter table authz.ended_session force row level security;
create policy ended_session_select_owner on authz.ended_session for select to ringfence_owner
  using (session_id = (select authz.session_id()) and (select authz.uid()) is not null);
comment on policy ended_session_select_owner on authz.ended_session is 'authz.api_token_is_over() looks for the session that asks.';
grant select on authz.ended_session to ringfence_owner;
