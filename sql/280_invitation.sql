-- Invitations: the only way into an organization that is there already. Whoever is invited says yes themselves, signed in with
-- the address the invitation was made for. The token is shown once and stored as a digest.

create function authz.invitation_lasts_at_most() returns interval
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
return interval '30 days';
comment on function authz.invitation_lasts_at_most() is 'How long an invitation may be made to last. The one place that says so.';
revoke all on function authz.invitation_lasts_at_most() from public;
grant execute on function authz.invitation_lasts_at_most() to authenticated;

-- An invitation carries the role and standing of who made it, kept equal by the foreign key: acceptance asks what they may do now,
-- and whoever accepts may not see memberships.
create table app.invitation (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  email text not null constraint invitation_email_check check (
    email = lower(email) and char_length(email) between 3 and 254 and email ~ '^[^[:space:]@]+@[^[:space:]@]+$'),
  role_id uuid not null,
  service boolean not null default false,
  token_sha256 text not null constraint invitation_token_sha256_check check (token_sha256 ~ '^[0-9a-f]{64}$'),
  created_by uuid not null default authz.uid(),
  inviter_role_id uuid,
  inviter_status text,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  accepted_at timestamptz,
  accepted_by uuid,
  revoked_at timestamptz,
  primary key (org_id, id),
  constraint invitation_expires_at_check check (expires_at > created_at),
  constraint invitation_accepted_check check ((accepted_at is null) = (accepted_by is null)),
  constraint invitation_role_id_fkey foreign key (org_id, role_id) references app.role (org_id, id) on delete cascade,
  constraint invitation_inviter_fkey foreign key (org_id, created_by, inviter_role_id, inviter_status)
    references app.membership (org_id, user_id, role_id, status) on update cascade on delete set null (inviter_role_id, inviter_status)
);
create index invitation_org_id_created_by_idx on app.invitation (org_id, created_by);
create index invitation_org_id_role_id_idx on app.invitation (org_id, role_id);
-- Who accepts belongs to no organization yet: their address is where they start from.
create index invitation_email_idx on app.invitation (email);
comment on table app.invitation is 'An offer of membership to one e-mail address, good for one use.';
comment on column app.invitation.org_id is 'The organization.';
comment on column app.invitation.id is 'Random identifier.';
comment on column app.invitation.email is 'Whom it is for, in lower case; 3..254 characters.';
comment on column app.invitation.role_id is 'The role it gives.';
comment on column app.invitation.service is 'Whether it is for an account that no person uses, which the inviter will answer for.';
comment on column app.invitation.token_sha256 is 'SHA-256 of the token, hexadecimal. The token itself is nowhere.';
comment on column app.invitation.created_by is 'Who invited.';
comment on column app.invitation.inviter_role_id is 'A copy of the inviter''s role, held equal by the foreign key; null once they are gone.';
comment on column app.invitation.inviter_status is 'A copy of the inviter''s standing, held equal by the foreign key; null once they are gone.';
comment on column app.invitation.created_at is 'Since when.';
comment on column app.invitation.expires_at is 'Until when it can be accepted.';
comment on column app.invitation.accepted_at is 'When it was accepted, or null.';
comment on column app.invitation.accepted_by is 'Who accepted it, or null.';
comment on column app.invitation.revoked_at is 'When it was revoked, or null.';

alter table app.invitation enable row level security;
alter table app.invitation force row level security;
create policy invitation_select_manager on app.invitation for select to authenticated
  using (org_id = any (array(select authz.orgs_with('members.manage'))));
create policy invitation_insert_manager on app.invitation for insert to authenticated
  with check (org_id = any (array(select authz.orgs_with('members.manage'))) and created_by = (select authz.uid()));
create policy invitation_update_manager on app.invitation for update to authenticated
  using (org_id = any (array(select authz.orgs_with('members.manage'))))
  with check (org_id = any (array(select authz.orgs_with('members.manage'))));
create policy invitation_delete_nobody on app.invitation for delete to authenticated using (false);
create policy invitation_floor on app.invitation as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy invitation_select_owner on app.invitation for select to ringfence_owner
  using (email = (select authz.verified_email()));
create policy invitation_update_owner on app.invitation for update to ringfence_owner
  using (email = (select authz.verified_email()))
  with check (email = (select authz.verified_email()));
create policy invitation_select_departing_owner on app.invitation for select to ringfence_owner
  using (org_id in (select authz.departing_org_ids()));
create policy invitation_update_departing_owner on app.invitation for update to ringfence_owner
  using (org_id in (select authz.departing_org_ids()))
  with check (org_id in (select authz.departing_org_ids()) and revoked_at is not null);
create policy invitation_select_erasing_owner on app.invitation for select to ringfence_owner
  using (org_id in (select authz.erasing_org_ids()) and accepted_by in (select authz.erasing_user_ids()));
create policy invitation_update_erasing_owner on app.invitation for update to ringfence_owner
  using (org_id in (select authz.erasing_org_ids()) and accepted_by in (select authz.erasing_user_ids()))
  with check (org_id in (select authz.erasing_org_ids()) and accepted_by in (select authz.erasing_user_ids()) and email = 'erased@erased.invalid');
comment on policy invitation_select_manager on app.invitation is 'members.manage sees who was invited. No token is in it.';
comment on policy invitation_insert_manager on app.invitation is 'members.manage invites, in their own name, within what the guard trigger lets them give.';
comment on policy invitation_update_manager on app.invitation is 'members.manage revokes; no other column is granted.';
comment on policy invitation_delete_nobody on app.invitation is 'Revoked is not forgotten.';
comment on policy invitation_floor on app.invitation is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy invitation_select_owner on app.invitation is 'Acceptance sees the invitations to the confirmed address of the person asking and no others.';
comment on policy invitation_update_owner on app.invitation is 'Acceptance uses up invitations to the confirmed address of the person asking and no others.';
comment on policy invitation_select_departing_owner on app.invitation is 'A deprovisioning finds the invitations to whom it is about.';
comment on policy invitation_update_departing_owner on app.invitation is 'A deprovisioning revokes those still open.';
comment on policy invitation_select_erasing_owner on app.invitation is 'An erasure finds the invitation that whom it is about accepted.';
comment on policy invitation_update_erasing_owner on app.invitation is 'It blots their address out of it.';
grant select on app.invitation to authenticated;
grant insert (org_id, email, role_id, service, token_sha256, expires_at) on app.invitation to authenticated;
grant update (revoked_at) on app.invitation to authenticated;
grant select, update (email, accepted_at, accepted_by, revoked_at) on app.invitation to ringfence_owner;

create function authz.tg_invitation_guard() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_advisory_xact_lock(hashtextextended(new.org_id::text, 0));
  if row_security_active('app.invitation') and current_user <> 'ringfence_owner' then
    if current_setting('transaction_isolation') <> 'read committed' then
      raise sqlstate '25001' using message = 'members are changed in a transaction of isolation level read committed';
    end if;
    if (new.org_id = any (array(select authz.orgs_with('members.manage')))) is not true then
      raise sqlstate '42501' using message = 'giving and taking roles needs members.manage';
    end if;
    if tg_op = 'UPDATE' then
      -- Revoked is for good, and since then.
      new.revoked_at := case when old.revoked_at is not null then old.revoked_at when new.revoked_at is not null then now() end;
      return new;
    end if;
    if exists (select from app.role_permission p
      where p.org_id = new.org_id and p.role_id = new.role_id and not new.org_id = any (array(select authz.orgs_with(p.permission))))
    then
      raise sqlstate '42501' using message = 'you can give or take only roles whose permissions you hold yourself';
    end if;
    perform authz.require(new.expires_at <= now() + authz.invitation_lasts_at_most(), 'expires_in_hours: 1..720');
    if (select count(*) from app.invitation i
      where i.org_id = new.org_id and i.accepted_at is null and i.revoked_at is null and i.expires_at > now()) >= 500
    then
      raise sqlstate 'PT429' using message = 'an organization has at most 500 open invitations: revoke some';
    end if;
    select m.role_id, m.status into strict new.inviter_role_id, new.inviter_status
    from app.membership m where m.org_id = new.org_id and m.user_id = new.created_by;
  end if;
  return new;
end
$$;
comment on function authz.tg_invitation_guard() is 'Trigger: nobody invites into a role beyond their own permissions (42501) or for longer than authz.invitation_lasts_at_most(); revoked is for good.';
revoke all on function authz.tg_invitation_guard() from public;
create trigger _050_in_person before insert or update of revoked_at on app.invitation
  for each statement execute function authz.tg_in_person();
create trigger _100_guard before insert or update of revoked_at on app.invitation
  for each row execute function authz.tg_invitation_guard();
create trigger _110_step_up before insert or update of revoked_at on app.invitation
  for each row execute function authz.tg_step_up('if_enrolled');
create trigger _900_audit after insert or update of accepted_at, revoked_at or delete on app.invitation
  for each row execute function authz.tg_audit();

create function authz.tg_revoke_invitations() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  update app.invitation i set revoked_at = now()
  where i.org_id = old.org_id and i.accepted_at is null and i.revoked_at is null
    and i.email in (select a.email from app.invitation a where a.org_id = old.org_id and a.accepted_by = old.user_id);
  return old;
end
$$;
comment on function authz.tg_revoke_invitations() is 'Trigger: whom somebody removes does not come back by an invitation that was still open.';
revoke all on function authz.tg_revoke_invitations() from public;
create trigger _500_revoke_invitations before delete on app.membership
  for each row execute function authz.tg_revoke_invitations();

create function authz.join_by_invitation(token text) returns jsonb
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_sha256 text := encode(sha256(convert_to(join_by_invitation.token, 'UTF8')), 'hex');
  v_invitation app.invitation%rowtype;
  v_require_mfa boolean;
begin
  perform authz.require_person();
  if current_setting('transaction_isolation') <> 'read committed' then
    raise sqlstate '25001' using message = 'members are changed in a transaction of isolation level read committed';
  end if;
  -- Of invitations to other addresses the policy shows none: a foreign token is an unknown one.
  select i.* into v_invitation from app.invitation i where i.token_sha256 = v_sha256;
  if v_invitation.id is not null then
    -- In line with whoever revokes it, accepts it too, or changes the inviter or the role; then looked at again.
    perform pg_advisory_xact_lock(hashtextextended(v_invitation.org_id::text, 0));
    select i.* into v_invitation from app.invitation i
    where i.org_id = v_invitation.org_id and i.id = v_invitation.id
      and i.accepted_at is null and i.revoked_at is null and i.expires_at > now()
      and i.inviter_status = 'active'
      -- A token made for one organization joins no other.
      and (not (authz.claims() ? 'org_id') or i.org_id::text = authz.claims() ->> 'org_id')
      -- What the inviter could not give now, nobody takes (F12).
      and exists (select from app.role_permission p
        where p.org_id = i.org_id and p.role_id = i.inviter_role_id and p.permission = 'members.manage')
      and not exists (select from app.role_permission p
        where p.org_id = i.org_id and p.role_id = i.role_id and p.permission not in (
          select held.permission from app.role_permission held where held.org_id = i.org_id and held.role_id = i.inviter_role_id));
  end if;
  select o.require_mfa into v_require_mfa from app.organization o where o.id = v_invitation.org_id and o.suspended_at is null;
  if v_require_mfa is null then
    raise sqlstate 'PT404' using message = 'no such invitation to you, or it is over';
  end if;
  if v_require_mfa and not authz.is_aal2() then
    raise sqlstate 'PT401' using message = 'this organization asks for a second factor: sign in with yours, or enrol one first';
  end if;
  if exists (select from app.membership m where m.org_id = v_invitation.org_id and m.user_id = authz.uid()) then
    raise sqlstate 'PT409' using message = 'already a member';
  end if;
  insert into app.membership (org_id, user_id, role_id, service_owner_id, service_owner_role_id, service_owner_status)
  select v_invitation.org_id, authz.uid(), v_invitation.role_id, owner.user_id, owner.role_id, owner.status
  from (values (v_invitation.created_by, v_invitation.inviter_role_id, v_invitation.inviter_status)) inviter (user_id, role_id, status)
  left join lateral (select inviter.* where v_invitation.service) owner on true;
  update app.invitation i set accepted_at = now(), accepted_by = authz.uid()
  where i.org_id = v_invitation.org_id and i.id = v_invitation.id;
  update app.invitation i set revoked_at = now()
  where i.org_id = v_invitation.org_id and i.email = v_invitation.email and i.accepted_at is null and i.revoked_at is null;
  return jsonb_build_object('org_id', v_invitation.org_id, 'role_id', v_invitation.role_id);
end
$$;
comment on function authz.join_by_invitation(text) is 'Make the person asking a member by the open invitation this token belongs to, if it is to their confirmed address and its inviter could still give the role; bound to authz.uid().';
revoke all on function authz.join_by_invitation(text) from public;
grant execute on function authz.join_by_invitation(text) to authenticated;
alter function authz.join_by_invitation(text) owner to ringfence_owner;
