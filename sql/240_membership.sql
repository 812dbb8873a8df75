-- Who belongs to which organization, with which role. Deleting the row is removing the member: it works on the next request.
create table app.membership (
  org_id uuid not null references app.organization (id) on delete cascade,
  user_id uuid not null references auth.users (id) on delete cascade,
  role_id uuid not null,
  permissions bigint not null,
  status text not null default 'active' constraint membership_status_check check (status in ('active', 'suspended')),
  service_owner_id uuid,
  service_owner_role_id uuid,
  service_owner_status text constraint membership_service_owner_status_check check (service_owner_status in ('active', 'suspended')),
  email text constraint membership_email_check check (char_length(email) between 1 and 320),
  created_at timestamptz not null default now(),
  primary key (org_id, user_id),
  -- For the foreign keys that keep copies of somebody's standing equal to it.
  constraint membership_standing_key unique (org_id, user_id, role_id, status),
  -- A service account goes when its owner goes, stands still while they are suspended, and may nothing that they may not (F03).
  constraint membership_service_owner_id_fkey foreign key (org_id, service_owner_id, service_owner_role_id, service_owner_status)
    references app.membership (org_id, user_id, role_id, status) on update cascade on delete cascade,
  constraint membership_service_owner_check check (
    num_nulls(service_owner_id, service_owner_role_id, service_owner_status) in (0, 3) and service_owner_id is distinct from user_id),
  -- So that authz.orgs_with() reads one index and nothing else.
  constraint membership_permissions_fkey foreign key (org_id, role_id, permissions)
    references app.role (org_id, id, permissions) on update cascade
);
-- Every statement starts from the person, so this one index leads with user_id.
create index membership_user_id_idx on app.membership (user_id, org_id)
  include (role_id, permissions, status, service_owner_id, service_owner_role_id, service_owner_status, created_at);
create index membership_org_id_role_id_idx on app.membership (org_id, role_id);
create index membership_org_id_service_owner_id_idx on app.membership (org_id, service_owner_id) where service_owner_id is not null;
comment on table app.membership is 'A person''s place in an organization; carries one role.';
comment on column app.membership.org_id is 'The organization.';
comment on column app.membership.user_id is 'The person, as known to Supabase Auth.';
comment on column app.membership.role_id is 'The one role held.';
comment on column app.membership.permissions is 'A copy of what the role carries, held equal by the foreign key.';
comment on column app.membership.status is 'active, or suspended: then as if not a member, until resumed; authz.org_ids() sees to it.';
comment on column app.membership.service_owner_id is 'The member who answers for this service account; null for people.';
comment on column app.membership.service_owner_role_id is 'A copy of the owner''s role, held equal by the foreign key.';
comment on column app.membership.service_owner_status is 'A copy of the owner''s status, held equal by the foreign key.';
comment on column app.membership.email is 'The confirmed address they joined with, in lower case; null when an operator added them.';
comment on column app.membership.created_at is 'Since when.';

alter table app.membership enable row level security;
alter table app.membership force row level security;
create policy membership_select_member on app.membership for select to authenticated
  using (user_id = (select authz.uid()) or org_id = any (array(select authz.orgs_with('members.read'))));
create policy membership_insert_nobody on app.membership for insert to authenticated with check (false);
create policy membership_update_manager on app.membership for update to authenticated
  using (org_id = any (array(select authz.orgs_with('members.manage'))))
  with check (org_id = any (array(select authz.orgs_with('members.manage'))));
create policy membership_delete_manager on app.membership for delete to authenticated
  using (user_id = (select authz.uid()) or org_id = any (array(select authz.orgs_with('members.manage'))));
create policy membership_floor on app.membership as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy membership_select_owner on app.membership for select to ringfence_owner
  using (user_id = (select authz.uid()));
create policy membership_insert_owner on app.membership for insert to ringfence_owner
  with check (user_id = (select authz.uid()));
create policy membership_update_sso_owner on app.membership for update to ringfence_owner
  using (user_id = (select authz.uid()))
  with check (user_id = (select authz.uid()));
create policy membership_delete_sso_owner on app.membership for delete to ringfence_owner
  using (user_id = (select authz.uid()));
create policy membership_select_departing_owner on app.membership for select to ringfence_owner
  using (org_id in (select authz.departing_org_ids()) and user_id in (select authz.departing_user_ids()));
create policy membership_delete_departing_owner on app.membership for delete to ringfence_owner
  using (org_id in (select authz.departing_org_ids()) and user_id in (select authz.departing_user_ids()));
comment on policy membership_select_member on app.membership is 'One sees one''s own memberships; members.read sees the organization''s.';
comment on policy membership_insert_nobody on app.membership is 'Nobody is added: whoever joins accepts an invitation.';
comment on policy membership_update_manager on app.membership is 'members.manage changes roles and suspends, within what the guard trigger lets them give and take.';
comment on policy membership_delete_manager on app.membership is 'One may leave; members.manage removes members; the guard trigger keeps the last owner.';
comment on policy membership_floor on app.membership is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy membership_select_owner on app.membership is 'The permission helpers see the memberships of the person asking and no others.';
comment on policy membership_insert_owner on app.membership is 'Founding makes the founder a member, an accepted invitation whom it was for.';
comment on policy membership_update_sso_owner on app.membership is 'The role of the person whose token is made, or who joins, follows their groups.';
comment on policy membership_delete_sso_owner on app.membership is 'The membership of the person whose token is made ends when no group of theirs gives a role any more.';
comment on policy membership_select_departing_owner on app.membership is 'A deprovisioning finds the membership it is about.';
comment on policy membership_delete_departing_owner on app.membership is 'A deprovisioning ends that membership and no other.';
grant select, delete on app.membership to authenticated;
grant update (role_id, status) on app.membership to authenticated;
grant select, insert (org_id, user_id, role_id, service_owner_id, service_owner_role_id, service_owner_status), update (role_id), delete
  on app.membership to ringfence_owner;

create function authz.lock_organization(org_id uuid) returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Nobody holds up an organization that is not theirs: for them the statements that follow find nothing anyway.
  if lock_organization.org_id = any (array(select authz.org_ids())) then
    perform pg_advisory_xact_lock(hashtextextended(lock_organization.org_id::text, 0));
  end if;
end
$$;
comment on function authz.lock_organization(uuid) is 'Wait in line with whoever else changes members, roles or invitations of this organization; what follows in the transaction sees what they committed.';
revoke all on function authz.lock_organization(uuid) from public;
grant execute on function authz.lock_organization(uuid) to authenticated;

create function authz.lock_name(org_id uuid, name text) returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  -- As authz.lock_organization(): whose organization it is not waits for nobody and is waited for by nobody.
  if lock_name.org_id = any (array(select authz.org_ids())) then
    perform pg_advisory_xact_lock(hashtextextended(lock_name.org_id || ' ' || lock_name.name, 0));
  end if;
end
$$;
comment on function authz.lock_name(uuid, text) is 'Wait in line with whoever else gives this name in this organization: what is looked up next in the transaction is what they committed.';
revoke all on function authz.lock_name(uuid, text) from public;
grant execute on function authz.lock_name(uuid, text) to authenticated;

create function authz.tg_membership_guard() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_org uuid := case when tg_op = 'INSERT' then new.org_id else old.org_id end;
begin
  if tg_op = 'INSERT' and new.user_id = authz.uid() then
    new.email := authz.verified_email();
  end if;
  -- Changes of one organization's members are put in line, so that nobody's own place goes while it is being looked at.
  perform pg_advisory_xact_lock(hashtextextended(v_org::text, 0));
  -- Where policies do not apply (an operator, a restore) or the founder takes the first seat, there is no granter to bound.
  if row_security_active('app.membership') and current_user <> 'ringfence_owner' then
    -- What waited in that line must see what was committed meanwhile.
    if current_setting('transaction_isolation') <> 'read committed' then
      raise sqlstate '25001' using message = 'members are changed in a transaction of isolation level read committed';
    end if;
    -- The policy asked the same when the statement began; by now the right may be gone (R46). Leaving needs none.
    if (v_org = any (array(select authz.orgs_with('members.manage')))) is not true and not coalesce(tg_op = 'DELETE' and old.user_id = authz.uid(), false) then
      raise sqlstate '42501' using message = 'giving and taking roles needs members.manage';
    end if;
    -- A granter must hold every permission of the role it gives, and of the role it takes away (F12). Someone whose own place
    -- is gone, perhaps by this very statement, no longer sees any of this and is refused.
    if (v_org = any (array(select authz.org_ids()))) is not true or exists (
      select from app.role_permission p
      where p.org_id = v_org
        and (tg_op <> 'INSERT' and p.role_id = old.role_id or tg_op <> 'DELETE' and p.role_id = new.role_id)
        and not v_org = any (array(select authz.orgs_with(p.permission))))
    then
      raise sqlstate '42501' using message = 'you can give or take only roles whose permissions you hold yourself';
    end if;
  end if;
  -- An owner is a person: a service account keeps no organization.
  if tg_op <> 'INSERT' and old.status = 'active' and old.service_owner_id is null and not authz.is_purging(v_org) and exists (
    select from app.role r where r.org_id = v_org and r.id = old.role_id and r.name = 'owner' and r.built_in)
  then
    if tg_op = 'DELETE' or new.role_id <> old.role_id or new.status <> 'active' then
      -- One who is suspended could not act as one.
      if not exists (select from app.membership m
        where m.org_id = v_org and m.role_id = old.role_id and m.user_id <> old.user_id and m.status = 'active' and m.service_owner_id is null)
      then
        raise sqlstate 'PT409' using message = 'an organization keeps at least one owner';
      end if;
    end if;
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end
$$;
comment on function authz.tg_membership_guard() is 'Trigger: nobody grants or takes a role beyond their own permissions (42501), and the last active owner stays (PT409).';
revoke all on function authz.tg_membership_guard() from public;

create function authz.tg_membership_permissions() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  new.permissions := (select r.permissions from app.role r where r.org_id = new.org_id and r.id = new.role_id);
  return new;
end
$$;
comment on function authz.tg_membership_permissions() is 'Trigger: a member has what the role carries, whatever is written.';
revoke all on function authz.tg_membership_permissions() from public;
create trigger _050_in_person before insert or update or delete on app.membership
  for each statement execute function authz.tg_in_person();
create trigger _100_guard before insert or update or delete on app.membership
  for each row execute function authz.tg_membership_guard();
create trigger _200_permissions before insert or update on app.membership
  for each row execute function authz.tg_membership_permissions();
-- Before a change, not after it: who gives up their own role is recorded with the role they had.
create trigger _900_audit before delete on app.membership
  for each row execute function authz.tg_audit();
-- What the role carries is recorded with app.role_permission.
create trigger _905_audit before update on app.membership
  for each row when (old.permissions = new.permissions or to_jsonb(old) - 'permissions' is distinct from to_jsonb(new) - 'permissions')
  execute function authz.tg_audit();
create trigger _910_audit after insert on app.membership
  for each row execute function authz.tg_audit();
