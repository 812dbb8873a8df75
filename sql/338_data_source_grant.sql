-- With whom a data source is shared: one person, a team, everyone with a role, or (all null) everyone in the organization (F14, F44).
create table app.data_source_grant (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  data_source_id uuid not null,
  user_id uuid,
  team_id uuid,
  role_id uuid,
  level text not null default 'viewer' constraint data_source_grant_level_check check (level in ('viewer', 'editor', 'owner')),
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint data_source_grant_data_source_id_fkey foreign key (org_id, data_source_id) references app.data_source (org_id, id) on delete cascade,
  constraint data_source_grant_user_id_fkey foreign key (org_id, user_id) references app.membership (org_id, user_id) on delete cascade,
  constraint data_source_grant_team_id_fkey foreign key (org_id, team_id) references app.team (org_id, id) on delete cascade,
  constraint data_source_grant_role_id_fkey foreign key (org_id, role_id) references app.role (org_id, id) on delete cascade,
  constraint data_source_grant_one_principal_check check (num_nonnulls(user_id, team_id, role_id) <= 1),
  constraint data_source_grant_principal_key unique nulls not distinct (org_id, data_source_id, user_id, team_id, role_id)
);
comment on table app.data_source_grant is 'With whom a data source is shared. Without analytics.run it gives nothing.';
comment on column app.data_source_grant.org_id is 'The organization.';
comment on column app.data_source_grant.id is 'Random identifier.';
comment on column app.data_source_grant.data_source_id is 'The data source.';
comment on column app.data_source_grant.user_id is 'One member, or null.';
comment on column app.data_source_grant.team_id is 'Everyone in this team, or null.';
comment on column app.data_source_grant.role_id is 'Everyone with this role, or null. All three null: everyone in the organization.';
comment on column app.data_source_grant.level is 'viewer may ask it; editor may also load tables into it and say what things mean; owner may also share and delete it.';
comment on column app.data_source_grant.created_at is 'Since when.';

alter table app.data_source_grant enable row level security;
alter table app.data_source_grant force row level security;
create policy data_source_grant_select_concerned on app.data_source_grant for select to authenticated
  using (org_id = any (array(select authz.orgs_with('analytics.manage'))) or data_source_id = any (array(select authz.granted_data_sources('owner')))
    or org_id = any (array(select authz.orgs_with('analytics.run')))
      and (user_id = (select authz.uid()) or team_id = any (array(select authz.team_ids())) or role_id = any (array(select authz.role_ids()))
        or num_nonnulls(user_id, team_id, role_id) = 0));
create policy data_source_grant_insert_owner on app.data_source_grant for insert to authenticated
  with check ((org_id = any (array(select authz.orgs_with('analytics.manage'))) or data_source_id = any (array(select authz.granted_data_sources('owner'))))
    and (num_nonnulls(user_id, team_id) = 1 or org_id = any (array(select authz.orgs_with('resources.publish')))));
create policy data_source_grant_update_nobody on app.data_source_grant for update to authenticated using (false) with check (false);
create policy data_source_grant_delete_owner on app.data_source_grant for delete to authenticated
  using (org_id = any (array(select authz.orgs_with('analytics.manage'))) or data_source_id = any (array(select authz.granted_data_sources('owner'))));
create policy data_source_grant_floor on app.data_source_grant as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy data_source_grant_denied_floor on app.data_source_grant as restrictive for all to authenticated
  using (not (data_source_id = any (array(select authz.denied('data_source')))))
  with check (not (data_source_id = any (array(select authz.denied('data_source')))));
create policy data_source_grant_select_self_owner on app.data_source_grant for select to ringfence_owner
  using (org_id = any (array(select authz.org_ids()))
    and (user_id = (select authz.uid()) or team_id = any (array(select authz.team_ids())) or role_id = any (array(select authz.role_ids()))
      or num_nonnulls(user_id, team_id, role_id) = 0));
comment on policy data_source_grant_select_concerned on app.data_source_grant is 'analytics.manage and the source''s owners see with whom it is shared; others the rows that let them ask it.';
comment on policy data_source_grant_insert_owner on app.data_source_grant is 'analytics.manage and the source''s owners share it with people and teams; with a role or everyone only who holds resources.publish.';
comment on policy data_source_grant_update_nobody on app.data_source_grant is 'Sharing is added and withdrawn, not edited.';
comment on policy data_source_grant_delete_owner on app.data_source_grant is 'analytics.manage and the source''s owners withdraw sharing.';
comment on policy data_source_grant_floor on app.data_source_grant is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy data_source_grant_denied_floor on app.data_source_grant is 'Whatever else is allowed, never a source that a rule takes from the person (F15).';
comment on policy data_source_grant_select_self_owner on app.data_source_grant is 'authz.granted_data_sources() sees the rows that apply to the person asking and no others.';
grant select, delete on app.data_source_grant to authenticated;
grant insert (org_id, data_source_id, user_id, team_id, role_id, level) on app.data_source_grant to authenticated;
grant select (org_id, data_source_id, user_id, team_id, role_id, level) on app.data_source_grant to ringfence_owner;
create trigger _060_in_scope before insert or update or delete on app.data_source_grant
  for each statement execute function authz.tg_in_scope('analytics.manage');
create trigger _900_audit after insert or update or delete on app.data_source_grant
  for each row execute function authz.tg_audit();

create function authz.tg_data_source_owner() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  -- A row and not a rule about created_by: it can be withdrawn, and goes with the membership. An operator's insert is nobody's.
  if new.created_by = authz.uid() then
    insert into app.data_source_grant (org_id, data_source_id, user_id, level) values (new.org_id, new.id, new.created_by, 'owner');
  end if;
  return null;
end
$$;
comment on function authz.tg_data_source_owner() is 'Trigger: who makes a data source is its first owner.';
revoke all on function authz.tg_data_source_owner() from public;
create trigger _600_owner after insert on app.data_source
  for each row execute function authz.tg_data_source_owner();
