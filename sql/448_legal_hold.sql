-- Legal holds (F72): what may not be erased, purged or deleted by retention while somebody may have to show it. A hold stops what removes
-- data for good; it opens nothing and changes nobody's sight.
create table app.legal_hold (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  user_id uuid,
  conversation_id uuid,
  reason text not null constraint legal_hold_reason_check check (char_length(reason) between 1 and 300),
  created_by uuid not null default authz.uid(),
  created_at timestamptz not null default now(),
  released_by uuid,
  released_at timestamptz,
  primary key (org_id, id),
  constraint legal_hold_one_subject_check check (num_nonnulls(user_id, conversation_id) <= 1),
  constraint legal_hold_released_check check ((released_by is null) = (released_at is null))
);
create index legal_hold_open_idx on app.legal_hold (org_id, user_id, conversation_id) where released_at is null;
comment on table app.legal_hold is 'Keeps a person''s data, a conversation or (naming neither) everything of the organization from being erased, purged or deleted by retention.';
comment on column app.legal_hold.org_id is 'The organization.';
comment on column app.legal_hold.id is 'Random identifier.';
comment on column app.legal_hold.user_id is 'The person whose data is held, or null. No foreign key: they may have left.';
comment on column app.legal_hold.conversation_id is 'The conversation, or null. No foreign key: who sets the hold does not see it.';
comment on column app.legal_hold.reason is 'Why, for whoever reviews the holds; 1..300 characters.';
comment on column app.legal_hold.created_by is 'Who set it.';
comment on column app.legal_hold.created_at is 'Since when.';
comment on column app.legal_hold.released_by is 'Who released it, or null.';
comment on column app.legal_hold.released_at is 'Until when, or null while it holds.';

alter table app.legal_hold enable row level security;
alter table app.legal_hold force row level security;
create policy legal_hold_select_manager on app.legal_hold for select to authenticated
  using (org_id = any (array(select authz.orgs_with('organization.manage'))) or org_id = any (array(select authz.orgs_with('audit.read'))));
create policy legal_hold_insert_manager on app.legal_hold for insert to authenticated
  with check (created_by = (select authz.uid()) and released_at is null and org_id = any (array(select authz.orgs_with('organization.manage'))));
create policy legal_hold_update_manager on app.legal_hold for update to authenticated
  using (released_at is null and org_id = any (array(select authz.orgs_with('organization.manage'))))
  with check (coalesce(released_by, (select authz.uid())) = (select authz.uid()) and org_id = any (array(select authz.orgs_with('organization.manage'))));
create policy legal_hold_delete_nobody on app.legal_hold for delete to authenticated using (false);
create policy legal_hold_floor on app.legal_hold as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy legal_hold_select_erasing_owner on app.legal_hold for select to ringfence_owner
  using (org_id in (select authz.erasing_org_ids()) or org_id in (select authz.owned_org_ids()) or (select authz.runs_the_queue()));
comment on policy legal_hold_select_manager on app.legal_hold is 'organization.manage and audit.read see the holds; whom one concerns is not told of it.';
comment on policy legal_hold_insert_manager on app.legal_hold is 'organization.manage sets holds, in its own name.';
comment on policy legal_hold_update_manager on app.legal_hold is 'organization.manage releases one that holds, in its own name; it stays on the record.';
comment on policy legal_hold_delete_nobody on app.legal_hold is 'The record stays.';
comment on policy legal_hold_floor on app.legal_hold is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy legal_hold_select_erasing_owner on app.legal_hold is 'An erasure, a purge and the job of retention see whether something is held.';
grant select on app.legal_hold to authenticated;
grant insert (org_id, user_id, conversation_id, reason), update (released_by, released_at) on app.legal_hold to authenticated;
grant select on app.legal_hold to ringfence_owner;
create trigger _050_in_person before insert or update or delete on app.legal_hold
  for each statement execute function authz.tg_in_person();
create trigger _110_step_up before insert or update on app.legal_hold
  for each row execute function authz.tg_step_up('if_enrolled');
create trigger _900_audit after insert or update or delete on app.legal_hold
  for each row execute function authz.tg_audit();

create function authz.require_no_hold(org_id uuid, user_id uuid) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (select from app.legal_hold h
    where h.org_id = require_no_hold.org_id and h.released_at is null
      and (require_no_hold.user_id is null or num_nonnulls(h.user_id, h.conversation_id) = 0 or h.user_id = require_no_hold.user_id
        or exists (select from app.conversation c where c.org_id = h.org_id and c.id = h.conversation_id and c.user_id = require_no_hold.user_id)))
  then
    raise sqlstate 'PT423' using message = 'a legal hold keeps this: nothing was deleted; ask whoever manages the organization';
  end if;
end
$$;
comment on function authz.require_no_hold(uuid, uuid) is 'Raise PT423 while a hold keeps anything of this person in this organization, or with null anything of the organization; asked by erasure and purge.';
revoke all on function authz.require_no_hold(uuid, uuid) from public;
grant execute on function authz.require_no_hold(uuid, uuid) to ringfence_owner;
