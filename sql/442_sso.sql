-- Single sign-on (F05): which groups of an organization's identity provider give which role. What a person's groups are is read from
-- auth.identities, which Supabase Auth alone writes, from the provider's signed assertion, at every sign-in through it. Claims of the
-- token, user_metadata and arguments are never asked.

create table app.sso_connection (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  provider text not null constraint sso_connection_provider_check check (
    provider ~ '^(sso:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|custom:[a-z0-9][a-z0-9:_-]{0,49})$'),
  groups_claim text not null default 'groups' constraint sso_connection_groups_claim_check check (char_length(groups_claim) between 1 and 200),
  groups_max_age_hours integer not null default 720 constraint sso_connection_groups_max_age_hours_check check (groups_max_age_hours between 1 and 8760),
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint sso_connection_org_id_provider_key unique (org_id, provider)
);
comment on table app.sso_connection is 'That an identity provider is this organization''s. Written by the operator, who registers providers with Supabase Auth and knows whose they are.';
comment on column app.sso_connection.org_id is 'The organization.';
comment on column app.sso_connection.id is 'Random identifier.';
comment on column app.sso_connection.provider is 'As in auth.identities: sso:<id> of a SAML provider, custom:<name> of an OpenID Connect provider. None that people of anywhere sign in with.';
comment on column app.sso_connection.groups_claim is 'Under which name of custom_claims the provider tells the groups; 1..200 characters.';
comment on column app.sso_connection.groups_max_age_hours is 'How long what it told holds; whoever has not signed in through it for longer is no member until they join again.';
comment on column app.sso_connection.created_at is 'Since when.';

create table app.sso_group (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  connection_id uuid not null,
  name text not null constraint sso_group_name_check check (char_length(name) between 1 and 256 and name !~ '[[:cntrl:]]'),
  role_id uuid not null,
  position integer not null default 100 constraint sso_group_position_check check (position between 1 and 1000),
  created_by uuid not null default authz.uid(),
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint sso_group_org_id_connection_id_name_key unique (org_id, connection_id, name),
  constraint sso_group_connection_id_fkey foreign key (org_id, connection_id) references app.sso_connection (org_id, id) on delete cascade,
  constraint sso_group_role_id_fkey foreign key (org_id, role_id) references app.role (org_id, id) on delete cascade
);
create index sso_group_org_id_role_id_idx on app.sso_group (org_id, role_id);
comment on table app.sso_group is 'Which role a group of the identity provider gives.';
comment on column app.sso_group.org_id is 'The organization.';
comment on column app.sso_group.id is 'Random identifier.';
comment on column app.sso_group.connection_id is 'Whose group it is.';
comment on column app.sso_group.name is 'The group as the provider writes it, letter by letter; 1..256 characters.';
comment on column app.sso_group.role_id is 'The role its members have.';
comment on column app.sso_group.position is 'Of several groups of one person the one with the lowest counts.';
comment on column app.sso_group.created_by is 'Who said so first.';
comment on column app.sso_group.created_at is 'When.';

create table app.sso_member (
  org_id uuid not null references app.organization (id) on delete cascade,
  user_id uuid not null,
  connection_id uuid not null,
  primary key (org_id, user_id),
  constraint sso_member_user_id_fkey foreign key (org_id, user_id) references app.membership (org_id, user_id) on delete cascade,
  constraint sso_member_connection_id_fkey foreign key (org_id, connection_id) references app.sso_connection (org_id, id) on delete cascade
);
create index sso_member_user_id_idx on app.sso_member (user_id, org_id);
create index sso_member_org_id_connection_id_idx on app.sso_member (org_id, connection_id);
comment on table app.sso_member is 'Whose role follows their groups. Without a row a member is one like any other.';
comment on column app.sso_member.org_id is 'The organization.';
comment on column app.sso_member.user_id is 'The member.';
comment on column app.sso_member.connection_id is 'Which provider tells their groups.';

alter table app.sso_connection enable row level security;
alter table app.sso_connection force row level security;
create policy sso_connection_select_manager on app.sso_connection for select to authenticated
  using (org_id = any (array(select authz.orgs_with('organization.manage'))) or org_id = any (array(select authz.orgs_with('members.manage'))));
create policy sso_connection_insert_nobody on app.sso_connection for insert to authenticated with check (false);
create policy sso_connection_update_nobody on app.sso_connection for update to authenticated using (false) with check (false);
create policy sso_connection_delete_nobody on app.sso_connection for delete to authenticated using (false);
create policy sso_connection_floor on app.sso_connection as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy sso_connection_select_owner on app.sso_connection for select to ringfence_owner
  using (provider in (select authz.sso_providers()));
comment on policy sso_connection_select_manager on app.sso_connection is 'organization.manage and members.manage see which providers there are.';
comment on policy sso_connection_insert_nobody on app.sso_connection is 'The operator says whose a provider is.';
comment on policy sso_connection_update_nobody on app.sso_connection is 'As for insert.';
comment on policy sso_connection_delete_nobody on app.sso_connection is 'As for insert.';
comment on policy sso_connection_floor on app.sso_connection is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy sso_connection_select_owner on app.sso_connection is 'Joining and the token hook see the connections of providers the person has an identity of.';
grant select on app.sso_connection to authenticated, ringfence_owner;
create trigger _900_audit after insert or update or delete on app.sso_connection
  for each row execute function authz.tg_audit();

alter table app.sso_group enable row level security;
alter table app.sso_group force row level security;
create policy sso_group_select_manager on app.sso_group for select to authenticated
  using (org_id = any (array(select authz.orgs_with('organization.manage'))) or org_id = any (array(select authz.orgs_with('members.manage'))));
create policy sso_group_insert_manager on app.sso_group for insert to authenticated
  with check (created_by = (select authz.uid()) and org_id = any (array(select authz.orgs_with('organization.manage'))));
create policy sso_group_update_manager on app.sso_group for update to authenticated
  using (org_id = any (array(select authz.orgs_with('organization.manage'))))
  with check (org_id = any (array(select authz.orgs_with('organization.manage'))));
create policy sso_group_delete_manager on app.sso_group for delete to authenticated
  using (org_id = any (array(select authz.orgs_with('organization.manage'))));
create policy sso_group_floor on app.sso_group as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy sso_group_select_owner on app.sso_group for select to ringfence_owner
  using (org_id in (select authz.sso_org_ids()) and connection_id in (select c.id from app.sso_connection c));
comment on policy sso_group_select_manager on app.sso_group is 'organization.manage and members.manage see which group gives which role.';
comment on policy sso_group_insert_manager on app.sso_group is 'organization.manage says so, within what the guard trigger lets it give.';
comment on policy sso_group_update_manager on app.sso_group is 'As for insert.';
comment on policy sso_group_delete_manager on app.sso_group is 'As for insert.';
comment on policy sso_group_floor on app.sso_group is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy sso_group_select_owner on app.sso_group is 'Joining and the token hook see what the groups of the person''s own providers give.';
grant select, delete on app.sso_group to authenticated;
grant insert (org_id, connection_id, name, role_id, position), update (role_id, position) on app.sso_group to authenticated;
grant select on app.sso_group to ringfence_owner;

alter table app.sso_member enable row level security;
alter table app.sso_member force row level security;
create policy sso_member_select_member on app.sso_member for select to authenticated
  using (user_id = (select authz.uid()) or org_id = any (array(select authz.orgs_with('members.read'))));
create policy sso_member_insert_nobody on app.sso_member for insert to authenticated with check (false);
create policy sso_member_update_nobody on app.sso_member for update to authenticated using (false) with check (false);
create policy sso_member_delete_nobody on app.sso_member for delete to authenticated using (false);
create policy sso_member_floor on app.sso_member as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy sso_member_select_owner on app.sso_member for select to ringfence_owner
  using (user_id = (select authz.uid()));
create policy sso_member_insert_owner on app.sso_member for insert to ringfence_owner
  with check (user_id = (select authz.uid()));
comment on policy sso_member_select_member on app.sso_member is 'One sees whether one''s own role follows groups; members.read sees the organization''s.';
comment on policy sso_member_insert_nobody on app.sso_member is 'Through api.join_by_sso only.';
comment on policy sso_member_update_nobody on app.sso_member is 'It goes with the membership, and comes again with it.';
comment on policy sso_member_delete_nobody on app.sso_member is 'It goes with the membership.';
comment on policy sso_member_floor on app.sso_member is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy sso_member_select_owner on app.sso_member is 'The token hook sees whose token it makes.';
comment on policy sso_member_insert_owner on app.sso_member is 'Joining is bound to the person asking.';
grant select on app.sso_member to authenticated;
grant select, insert (org_id, user_id, connection_id) on app.sso_member to ringfence_owner;

create function authz.tg_sso_group_guard() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_org uuid := case when tg_op = 'INSERT' then new.org_id else old.org_id end;
begin
  perform pg_advisory_xact_lock(hashtextextended(v_org::text, 0));
  -- Where policies do not apply (an operator, a foreign key at work) there is nobody to bound.
  if row_security_active('app.sso_group') then
    if current_setting('transaction_isolation') <> 'read committed' then
      raise sqlstate '25001' using message = 'roles are given in a transaction of isolation level read committed';
    end if;
    if (v_org = any (array(select authz.orgs_with('organization.manage')))) is not true then
      raise sqlstate '42501' using message = 'giving and taking roles needs members.manage, letting groups give them organization.manage';
    end if;
    if exists (
      select from app.role_permission p
      where p.org_id = v_org
        and (tg_op <> 'INSERT' and p.role_id = old.role_id or tg_op <> 'DELETE' and p.role_id = new.role_id)
        and not v_org = any (array(select authz.orgs_with(p.permission))))
    then
      raise sqlstate '42501' using message = 'you can give or take only roles whose permissions you hold yourself';
    end if;
    if tg_op <> 'DELETE' and exists (select from app.role r where r.org_id = v_org and r.id = new.role_id and r.built_in and r.name = 'owner') then
      raise sqlstate '42501' using message = 'nobody becomes an owner by a group';
    end if;
    if tg_op = 'INSERT' and (select count(*) from app.sso_group g where g.org_id = v_org) >= 500 then
      raise sqlstate 'PT429' using message = 'an organization has at most 500 groups that give a role';
    end if;
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end
$$;
comment on function authz.tg_sso_group_guard() is 'Trigger: nobody lets a group give, or no longer give, a role beyond their own permissions, nor the owner''s (42501); at most 500 groups (PT429).';
revoke all on function authz.tg_sso_group_guard() from public;
create trigger _050_in_person before insert or update or delete on app.sso_group
  for each statement execute function authz.tg_in_person();
create trigger _100_guard before insert or update or delete on app.sso_group
  for each row execute function authz.tg_sso_group_guard();
create trigger _110_step_up before insert or update or delete on app.sso_group
  for each row execute function authz.tg_step_up('if_enrolled');
create trigger _900_audit after insert or update or delete on app.sso_group
  for each row execute function authz.tg_audit();
