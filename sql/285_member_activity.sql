-- When somebody last did something in an organization, to the day. Of what they do elsewhere it knows nothing.
create table app.member_activity (
  org_id uuid not null references app.organization (id) on delete cascade,
  user_id uuid not null,
  last_active_on date not null default current_date,
  primary key (org_id, user_id),
  constraint member_activity_user_id_fkey foreign key (org_id, user_id) references app.membership (org_id, user_id) on delete cascade
);
comment on table app.member_activity is 'The last day on which a member did something that is recorded; it goes with the membership.';
comment on column app.member_activity.org_id is 'The organization.';
comment on column app.member_activity.user_id is 'The member.';
comment on column app.member_activity.last_active_on is 'The day, in UTC on a Supabase server.';

alter table app.member_activity enable row level security;
alter table app.member_activity force row level security;
create policy member_activity_select_member on app.member_activity for select to authenticated
  using (user_id = (select authz.uid()) or org_id = any (array(select authz.orgs_with('members.read'))));
create policy member_activity_insert_nobody on app.member_activity for insert to authenticated with check (false);
create policy member_activity_update_nobody on app.member_activity for update to authenticated using (false) with check (false);
create policy member_activity_delete_nobody on app.member_activity for delete to authenticated using (false);
create policy member_activity_floor on app.member_activity as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy member_activity_select_owner on app.member_activity for select to ringfence_owner
  using (user_id = (select authz.uid()));
create policy member_activity_insert_owner on app.member_activity for insert to ringfence_owner
  with check (user_id = (select authz.uid()));
create policy member_activity_update_owner on app.member_activity for update to ringfence_owner
  using (user_id = (select authz.uid()))
  with check (user_id = (select authz.uid()));
comment on policy member_activity_select_member on app.member_activity is 'One sees one''s own; members.read sees the organization''s.';
comment on policy member_activity_insert_nobody on app.member_activity is 'Only the trigger writes here.';
comment on policy member_activity_update_nobody on app.member_activity is 'Only the trigger writes here.';
comment on policy member_activity_delete_nobody on app.member_activity is 'It goes with the membership.';
comment on policy member_activity_floor on app.member_activity is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy member_activity_select_owner on app.member_activity is 'The trigger looks whether today is noted already.';
comment on policy member_activity_insert_owner on app.member_activity is 'The trigger notes the day of the person asking and of nobody else.';
comment on policy member_activity_update_owner on app.member_activity is 'As for insert.';
grant select on app.member_activity to authenticated;
grant select, insert (org_id, user_id), update (last_active_on) on app.member_activity to ringfence_owner;

create function authz.tg_activity() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Only the first act of a day writes, and so waits for nobody.
  if not exists (select from app.member_activity a
    where a.org_id = new.org_id and a.user_id = new.actor_id and a.last_active_on >= current_date)
  then
    update app.member_activity a set last_active_on = current_date where a.org_id = new.org_id and a.user_id = new.actor_id;
    insert into app.member_activity (org_id, user_id)
      select m.org_id, m.user_id from app.membership m where m.org_id = new.org_id and m.user_id = new.actor_id
      on conflict (org_id, user_id) do nothing;
  end if;
  return null;
end
$$;
comment on function authz.tg_activity() is 'Trigger: note the day on which the actor of an audit event did something.';
revoke all on function authz.tg_activity() from public;
create trigger _500_activity after insert on app.audit_event
  for each row when (new.actor_id is not null) execute function authz.tg_activity();
alter function authz.tg_activity() owner to ringfence_owner;
