-- Teams: groups of members that resources are shared with. Managers of a team choose its members; nothing else comes with it (F16).
create table app.team (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  slug text not null constraint team_slug_check check (slug ~ '^[a-z0-9][a-z0-9-]{1,39}$'),
  -- An id may stand wherever a slug may: nobody takes somebody else's id for a name.
  constraint team_slug_no_id_check check (slug !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'),
  name text not null constraint team_name_check check (char_length(name) between 1 and 120),
  created_by uuid not null default authz.uid(),
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint team_org_id_slug_key unique (org_id, slug)
);
comment on table app.team is 'A group of members of one organization.';
comment on column app.team.org_id is 'The organization.';
comment on column app.team.id is 'Random identifier.';
comment on column app.team.slug is 'Short name within the organization; 2..40 of a-z 0-9 -, and no uuid.';
comment on column app.team.name is 'Display name; 1..120 characters.';
comment on column app.team.created_by is 'Who made it.';
comment on column app.team.created_at is 'When it was made.';

create table app.team_member (
  org_id uuid not null references app.organization (id) on delete cascade,
  team_id uuid not null,
  user_id uuid not null,
  manager boolean not null default false,
  created_at timestamptz not null default now(),
  primary key (org_id, team_id, user_id),
  constraint team_member_team_id_fkey foreign key (org_id, team_id) references app.team (org_id, id) on delete cascade,
  constraint team_member_user_id_fkey foreign key (org_id, user_id) references app.membership (org_id, user_id) on delete cascade
);
-- authz.team_ids() starts from the person.
create index team_member_user_id_idx on app.team_member (user_id, org_id) include (team_id, manager);
comment on table app.team_member is 'A member''s place in a team; it goes with the membership.';
comment on column app.team_member.org_id is 'The organization.';
comment on column app.team_member.team_id is 'The team.';
comment on column app.team_member.user_id is 'The member.';
comment on column app.team_member.manager is 'Whether they choose who else is in the team.';
comment on column app.team_member.created_at is 'Since when.';

alter table app.team enable row level security;
alter table app.team force row level security;
create policy team_select_member on app.team for select to authenticated
  using (org_id = any (array(select authz.org_ids())));
create policy team_insert_manager on app.team for insert to authenticated
  with check (org_id = any (array(select authz.orgs_with('teams.manage'))) and created_by = (select authz.uid()));
create policy team_update_manager on app.team for update to authenticated
  using (org_id = any (array(select authz.orgs_with('teams.manage'))) or id = any (array(select authz.managed_team_ids())))
  with check (org_id = any (array(select authz.orgs_with('teams.manage'))) or id = any (array(select authz.managed_team_ids())));
create policy team_delete_manager on app.team for delete to authenticated
  using (org_id = any (array(select authz.orgs_with('teams.manage'))));
create policy team_floor on app.team as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
comment on policy team_select_member on app.team is 'Members see which teams there are, to share with them.';
comment on policy team_insert_manager on app.team is 'teams.manage makes teams, in their own name.';
comment on policy team_update_manager on app.team is 'teams.manage and the team''s own managers rename it.';
comment on policy team_delete_manager on app.team is 'teams.manage deletes teams; what was shared with one is no longer.';
comment on policy team_floor on app.team is 'Whatever else is allowed, never outside one''s own organizations.';
grant select, delete on app.team to authenticated;
grant insert (org_id, slug, name) on app.team to authenticated;
grant update (slug, name) on app.team to authenticated;
create trigger _050_in_person before insert or update or delete on app.team
  for each statement execute function authz.tg_in_person();
create trigger _900_audit after insert or update or delete on app.team
  for each row execute function authz.tg_audit();

alter table app.team_member enable row level security;
alter table app.team_member force row level security;
create policy team_member_select_member on app.team_member for select to authenticated
  using (user_id = (select authz.uid()) or org_id = any (array(select authz.orgs_with('members.read')))
    or team_id = any (array(select authz.team_ids())));
create policy team_member_insert_manager on app.team_member for insert to authenticated
  with check (org_id = any (array(select authz.orgs_with('teams.manage')))
    or team_id = any (array(select authz.managed_team_ids())) and not manager);
create policy team_member_update_manager on app.team_member for update to authenticated
  using (org_id = any (array(select authz.orgs_with('teams.manage'))))
  with check (org_id = any (array(select authz.orgs_with('teams.manage'))));
create policy team_member_delete_manager on app.team_member for delete to authenticated
  using (user_id = (select authz.uid()) or org_id = any (array(select authz.orgs_with('teams.manage')))
    or team_id = any (array(select authz.managed_team_ids())) and not manager);
create policy team_member_floor on app.team_member as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy team_member_select_owner on app.team_member for select to ringfence_owner
  using (user_id = (select authz.uid()));
comment on policy team_member_select_member on app.team_member is 'One sees who is in one''s own teams; members.read sees the organization''s.';
comment on policy team_member_insert_manager on app.team_member is 'teams.manage, and a manager into their own teams, though never as another manager.';
comment on policy team_member_update_manager on app.team_member is 'teams.manage chooses the managers.';
comment on policy team_member_delete_manager on app.team_member is 'One may leave; teams.manage takes out anybody, a manager anybody but managers.';
comment on policy team_member_floor on app.team_member is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy team_member_select_owner on app.team_member is 'authz.team_ids() sees the teams of the person asking and no others.';
grant select, delete on app.team_member to authenticated;
grant insert (org_id, team_id, user_id, manager) on app.team_member to authenticated;
grant update (manager) on app.team_member to authenticated;
grant select (org_id, team_id, user_id, manager) on app.team_member to ringfence_owner;
create trigger _050_in_person before insert or update or delete on app.team_member
  for each statement execute function authz.tg_in_person();
create trigger _900_audit after insert or update or delete on app.team_member
  for each row execute function authz.tg_audit();
