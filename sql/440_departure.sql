-- Whose membership somebody else ended. The row comes first where a directory (SCIM) or an admin deprovisions: the trigger then ends the
-- membership with everything that hangs on it, in the same transaction (F05). Whoever was sent away does not come back by single sign-on.
create table app.departure (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  how text not null default 'deprovisioned' constraint departure_how_check check (how in ('deprovisioned', 'removed')),
  ended_by uuid not null default authz.uid(),
  ended_at timestamptz not null default clock_timestamp(),
  ended_in xid8 not null default pg_current_xact_id(),
  runs_cancelled integer,
  tokens_revoked integer,
  primary key (org_id, id)
);
create index departure_org_id_user_id_idx on app.departure (org_id, user_id);
comment on table app.departure is 'The record of memberships ended by somebody else; for a deprovisioning also the order to do it.';
comment on column app.departure.org_id is 'The organization.';
comment on column app.departure.id is 'Random identifier.';
comment on column app.departure.user_id is 'Whose membership it was.';
comment on column app.departure.how is 'deprovisioned: by this very row; removed: as a member is removed by hand.';
comment on column app.departure.ended_by is 'Who ended it.';
comment on column app.departure.ended_at is 'When.';
comment on column app.departure.ended_in is 'The transaction that did it: in it alone the row is an order.';
comment on column app.departure.runs_cancelled is 'How many of their runs a deprovisioning cancelled.';
comment on column app.departure.tokens_revoked is 'How many of their API tokens for the organization it revoked.';

alter table app.departure enable row level security;
alter table app.departure force row level security;
create policy departure_select_manager on app.departure for select to authenticated
  using (org_id = any (array(select authz.orgs_with('members.manage'))) or org_id = any (array(select authz.orgs_with('members.deprovision'))));
create policy departure_insert_directory on app.departure for insert to authenticated
  with check (ended_by = (select authz.uid()) and org_id = any (array(select authz.orgs_with('members.deprovision'))));
create policy departure_update_nobody on app.departure for update to authenticated using (false) with check (false);
create policy departure_delete_nobody on app.departure for delete to authenticated using (false);
create policy departure_floor on app.departure as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy departure_select_owner on app.departure for select to ringfence_owner
  using (ended_by = (select authz.uid()) or user_id = (select authz.uid()));
create policy departure_insert_owner on app.departure for insert to ringfence_owner
  with check (ended_by = (select authz.uid()) and how = 'removed');
create policy departure_update_owner on app.departure for update to ringfence_owner
  using (ended_by = (select authz.uid()) and ended_in = pg_current_xact_id_if_assigned())
  with check (ended_by = (select authz.uid()) and ended_in = pg_current_xact_id_if_assigned());
comment on policy departure_select_manager on app.departure is 'members.manage and members.deprovision see who was sent away.';
comment on policy departure_insert_directory on app.departure is 'members.deprovision orders it, in its own name, within what the guard trigger lets it take.';
comment on policy departure_update_nobody on app.departure is 'The record stays as it is.';
comment on policy departure_delete_nobody on app.departure is 'The record stays.';
comment on policy departure_floor on app.departure is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy departure_select_owner on app.departure is 'The triggers see what the person asking ended, joining by single sign-on whether they were sent away.';
comment on policy departure_insert_owner on app.departure is 'The trigger notes a removal by hand in the name of who removes.';
comment on policy departure_update_owner on app.departure is 'The trigger fills in what this transaction cancelled and revoked.';
grant select on app.departure to authenticated;
grant insert (org_id, user_id) on app.departure to authenticated;
grant select, insert (org_id, user_id, how), update (runs_cancelled, tokens_revoked) on app.departure to ringfence_owner;

create function authz.tg_departure_guard() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_answers uuid;
  v_role app.role;
begin
  perform pg_advisory_xact_lock(hashtextextended(new.org_id::text, 0));
  if row_security_active('app.departure') and current_user <> 'ringfence_owner' then
    if current_setting('transaction_isolation') <> 'read committed' then
      raise sqlstate '25001' using message = 'members are changed in a transaction of isolation level read committed';
    end if;
    -- What acts for a person does not, but for an API token made for this: it was made with every factor its owner has.
    if authz.api_token_id() is null or (new.org_id = any (array(select authz.orgs_with('members.deprovision')))) is not true then
      perform authz.require_person();
      if authz.has_second_factor() or exists (select from app.organization o where o.id = new.org_id and o.require_mfa) then
        perform authz.require_step_up();
      end if;
    end if;
    -- The policy asks the same; by now the right may be gone (R46).
    if (new.org_id = any (array(select authz.orgs_with('members.deprovision')))) is not true then
      raise sqlstate '42501' using message = 'giving and taking roles needs members.manage, ending memberships members.deprovision';
    end if;
    perform authz.require(new.user_id <> authz.uid(), 'user_id: somebody else; to go yourself, leave');
    select r.* into v_role from app.membership m join app.role r on r.org_id = m.org_id and r.id = m.role_id
    where m.org_id = new.org_id and m.user_id = new.user_id;
    if not found then
      raise sqlstate 'PT404' using message = 'no such member, or not yours to change';
    end if;
    -- Nobody takes a role whose permissions they lack (F12). For a service account its owner answers: it takes what they could take.
    select coalesce(m.service_owner_role_id, m.role_id) into v_answers
    from app.membership m where m.org_id = new.org_id and m.user_id = authz.uid();
    if exists (
      select p.permission from app.role_permission p where p.org_id = new.org_id and p.role_id = v_role.id
      union select 'members.manage'
      except select held.permission from app.role_permission held where held.org_id = new.org_id and held.role_id = v_answers)
    then
      raise sqlstate '42501' using message = 'you can give or take only roles whose permissions you hold yourself';
    end if;
    if v_role.built_in and v_role.name = 'owner' then
      raise sqlstate 'PT409' using message = 'an owner is not deprovisioned: an owner gives them another role first';
    end if;
  end if;
  return new;
end
$$;
comment on function authz.tg_departure_guard() is 'Trigger: who deprovisions may, now, with a fresh second factor or an API token made for it; nobody takes a role that they, or whoever answers for them, could not take (42501), nor an owner''s (PT409).';
revoke all on function authz.tg_departure_guard() from public;
create trigger _100_guard before insert on app.departure
  for each row execute function authz.tg_departure_guard();

create function authz.tg_deprovision() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_runs integer;
  v_tokens integer;
begin
  update app.run r set status = 'cancelled', error_code = 'membership_ended', finished_at = clock_timestamp()
  where r.org_id = new.org_id and r.user_id = new.user_id and r.status = 'running';
  get diagnostics v_runs = row_count;
  update app.api_token t set revoked_at = now()
  where t.org_id = new.org_id and t.user_id = new.user_id and t.revoked_at is null;
  get diagnostics v_tokens = row_count;
  -- Teams, grants and choices go with it.
  delete from app.membership m where m.org_id = new.org_id and m.user_id = new.user_id;
  update app.departure d set runs_cancelled = v_runs, tokens_revoked = v_tokens where d.org_id = new.org_id and d.id = new.id;
  return null;
end
$$;
comment on function authz.tg_deprovision() is 'Trigger: carry out a deprovisioning, whose guard has said that it may be.';
revoke all on function authz.tg_deprovision() from public;
create trigger _500_deprovision after insert on app.departure
  for each row when (new.how = 'deprovisioned') execute function authz.tg_deprovision();

create function authz.tg_membership_departure() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if authz.is_purging(old.org_id) then
    return old;
  end if;
  update app.run r set status = 'cancelled', error_code = 'membership_ended', finished_at = clock_timestamp()
  where r.org_id = old.org_id and r.user_id = old.user_id and r.status = 'running';
  if authz.uid() <> old.user_id and not exists (select from app.departure d
    where d.org_id = old.org_id and d.user_id = old.user_id and d.ended_in = pg_current_xact_id())
  then
    insert into app.departure (org_id, user_id, how) values (old.org_id, old.user_id, 'removed');
  end if;
  return old;
end
$$;
comment on function authz.tg_membership_departure() is 'Trigger: with a membership end the runs of that person there; that somebody else ended it is noted.';
revoke all on function authz.tg_membership_departure() from public;
create trigger _520_departure before delete on app.membership
  for each row execute function authz.tg_membership_departure();
