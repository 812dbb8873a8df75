-- Erasure of one person's data in one organization (F68). The row is the order and afterwards the receipt: its trigger does the rest in
-- the same transaction, under policies that open only what is that person's there.
create table app.erasure (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  requested_by uuid not null default authz.uid(),
  erased_at timestamptz not null default clock_timestamp(),
  erased_in xid8 not null default pg_current_xact_id(),
  deleted jsonb not null default '{}',
  anonymised jsonb not null default '{}',
  primary key (org_id, id)
);
create index erasure_org_id_user_id_idx on app.erasure (org_id, user_id);
comment on table app.erasure is 'Proof that a person''s data was erased in an organization: numbers by table.';
comment on column app.erasure.org_id is 'The organization.';
comment on column app.erasure.id is 'Random identifier.';
comment on column app.erasure.user_id is 'Whose data: an identifier that names nobody here any more.';
comment on column app.erasure.requested_by is 'Who asked: the person, or who manages members.';
comment on column app.erasure.erased_at is 'When.';
comment on column app.erasure.erased_in is 'The transaction that did it: in it alone the row is an order.';
comment on column app.erasure.deleted is 'Rows deleted, by table, as PostgreSQL counted them.';
comment on column app.erasure.anonymised is 'Rows that name nobody any more, by table.';

alter table app.erasure enable row level security;
alter table app.erasure force row level security;
create policy erasure_select_requester on app.erasure for select to authenticated
  using (requested_by = (select authz.uid()) or org_id = any (array(select authz.orgs_with('audit.read'))));
create policy erasure_insert_requester on app.erasure for insert to authenticated
  with check (requested_by = (select authz.uid())
    and (user_id = (select authz.uid()) and org_id = any (array(select authz.org_ids()))
      or org_id = any (array(select authz.orgs_with('members.manage'))) and org_id = any (array(select authz.orgs_with('members.read')))
        and user_id not in (select m.user_id from app.membership m where m.org_id = erasure.org_id)));
create policy erasure_update_nobody on app.erasure for update to authenticated using (false) with check (false);
create policy erasure_delete_nobody on app.erasure for delete to authenticated using (false);
create policy erasure_floor on app.erasure as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy erasure_select_owner on app.erasure for select to ringfence_owner
  using (requested_by = (select authz.uid()) and erased_in = pg_current_xact_id_if_assigned());
create policy erasure_update_owner on app.erasure for update to ringfence_owner
  using (requested_by = (select authz.uid()) and erased_in = pg_current_xact_id_if_assigned())
  with check (requested_by = (select authz.uid()) and erased_in = pg_current_xact_id_if_assigned());
comment on policy erasure_select_requester on app.erasure is 'One sees what one asked for; audit.read the organization''s.';
comment on policy erasure_insert_requester on app.erasure is 'For oneself, while a member; members.manage for who is a member no more: ending the membership has guards of its own.';
comment on policy erasure_update_nobody on app.erasure is 'The record stays as it is.';
comment on policy erasure_delete_nobody on app.erasure is 'The record stays.';
comment on policy erasure_floor on app.erasure is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy erasure_select_owner on app.erasure is 'The trigger, and the policies it works under, see the order of this transaction.';
comment on policy erasure_update_owner on app.erasure is 'The trigger fills in its numbers.';
grant select on app.erasure to authenticated;
grant insert (org_id, user_id) on app.erasure to authenticated;
grant select, update (deleted, anonymised) on app.erasure to ringfence_owner;
create trigger _050_in_person before insert on app.erasure
  for each statement execute function authz.tg_in_person();
create trigger _110_step_up before insert on app.erasure
  for each row execute function authz.tg_step_up('if_enrolled');

create function authz.tg_erase() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_before jsonb;
  v_deleted jsonb;
  v_documents integer;
  v_invitations integer;
  v_tokens integer;
  -- One for all, so that what the person left stays together and leads to nobody.
  v_nobody uuid := gen_random_uuid();
begin
  perform authz.require_no_hold(new.org_id, new.user_id);
  v_before := authz.deleted_rows();
  -- Messages, runs and steps, results of jobs, passages and files go with what they hang on.
  delete from app.conversation c where c.org_id = new.org_id and c.user_id = new.user_id;
  delete from app.analytics_job j where j.org_id = new.org_id and j.user_id = new.user_id;
  delete from app.support_ticket t where t.org_id = new.org_id and t.user_id = new.user_id;
  delete from app.document d where d.org_id = new.org_id and d.owner_id = new.user_id and (d.visibility = 'private' or d.state = 'loading');
  update app.document d set owner_id = v_nobody, owner_left_at = coalesce(d.owner_left_at, now())
  where d.org_id = new.org_id and d.owner_id = new.user_id;
  get diagnostics v_documents = row_count;
  update app.invitation i set email = 'erased@erased.invalid' where i.org_id = new.org_id and i.accepted_by = new.user_id and i.email <> 'erased@erased.invalid';
  get diagnostics v_invitations = row_count;
  update app.api_token t set name = 'erased', revoked_at = coalesce(t.revoked_at, now())
  where t.org_id = new.org_id and t.user_id = new.user_id and (t.name <> 'erased' or t.revoked_at is null);
  get diagnostics v_tokens = row_count;
  select coalesce(jsonb_object_agg(d.key, d.value::bigint - coalesce((v_before ->> d.key)::bigint, 0)), '{}') into v_deleted
  from jsonb_each_text(authz.deleted_rows()) d where d.value::bigint > coalesce((v_before ->> d.key)::bigint, 0);
  update app.erasure e set deleted = v_deleted,
    anonymised = (select coalesce(jsonb_object_agg(n.key, n.value), '{}')
      from jsonb_each(jsonb_build_object('document', v_documents, 'invitation', v_invitations, 'api_token', v_tokens)) n where n.value <> '0')
  where e.org_id = new.org_id and e.id = new.id;
  return null;
end
$$;
comment on function authz.tg_erase() is 'Trigger: carry out an erasure, whose policies have said that it may be, unless a legal hold is in the way (PT423).';
revoke all on function authz.tg_erase() from public;
create trigger _500_erase after insert on app.erasure
  for each row execute function authz.tg_erase();
alter function authz.tg_erase() owner to ringfence_owner;
create trigger _900_audit after insert on app.erasure
  for each row execute function authz.tg_audit();
