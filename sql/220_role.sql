-- Roles: rows of each organization, so that a membership, its role and its permissions share one org_id.
create table app.role (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  name text not null constraint role_name_check check (name ~ '^[a-z][a-z0-9_-]{1,39}$'),
  built_in boolean not null default false,
  permissions bigint not null default 0,
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint role_org_id_name_key unique (org_id, name),
  -- For the foreign key that keeps the copy in app.membership equal.
  constraint role_permissions_key unique (org_id, id, permissions)
);
comment on table app.role is 'A named set of permissions inside one organization.';
comment on column app.role.org_id is 'The organization.';
comment on column app.role.id is 'Random identifier.';
comment on column app.role.name is 'Name within the organization; 2..40 of a-z 0-9 _ -.';
comment on column app.role.built_in is 'True for the roles every organization has.';
comment on column app.role.permissions is 'Its rows of app.role_permission as bits (authz.permission_bit); triggers count them anew, whatever is written here.';
comment on column app.role.created_at is 'When it was made.';

create table app.role_permission (
  org_id uuid not null references app.organization (id) on delete cascade,
  role_id uuid not null,
  permission text not null references app.permission (name),
  primary key (org_id, role_id, permission),
  constraint role_permission_org_id_role_id_fkey foreign key (org_id, role_id) references app.role (org_id, id) on delete cascade
);
comment on table app.role_permission is 'The permissions of a role; a foreign key keeps unknown ones out (F10).';
comment on column app.role_permission.org_id is 'The organization.';
comment on column app.role_permission.role_id is 'The role.';
comment on column app.role_permission.permission is 'A name from the registry.';

alter table app.role enable row level security;
alter table app.role force row level security;
create policy role_select_member on app.role for select to authenticated
  using (org_id = any (array(select authz.org_ids())));
create policy role_insert_manager on app.role for insert to authenticated
  with check (org_id = any (array(select authz.orgs_with('roles.manage'))) and not built_in);
create policy role_update_manager on app.role for update to authenticated
  using (org_id = any (array(select authz.orgs_with('roles.manage'))) and not built_in)
  with check (org_id = any (array(select authz.orgs_with('roles.manage'))) and not built_in);
create policy role_delete_manager on app.role for delete to authenticated
  using (org_id = any (array(select authz.orgs_with('roles.manage'))) and not built_in);
create policy role_floor on app.role as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy role_select_owner on app.role for select to ringfence_owner
  using (org_id in (select authz.joined_org_ids())
    or org_id in (select o.id from app.organization o where o.created_by = (select authz.uid())));
create policy role_select_invited_owner on app.role for select to ringfence_owner
  using (org_id in (select authz.inviting_org_ids()));
create policy role_insert_owner on app.role for insert to ringfence_owner
  with check (org_id in (select o.id from app.organization o where o.created_by = (select authz.uid())));
create policy role_update_owner on app.role for update to ringfence_owner
  using (org_id in (select o.id from app.organization o where o.created_by = (select authz.uid())))
  with check (org_id in (select o.id from app.organization o where o.created_by = (select authz.uid())));
create policy role_select_sso_owner on app.role for select to ringfence_owner
  using (org_id in (select authz.sso_org_ids()));
comment on policy role_select_member on app.role is 'Members see the roles of their organization.';
comment on policy role_insert_manager on app.role is 'roles.manage makes roles of the organization''s own.';
comment on policy role_update_manager on app.role is 'roles.manage renames them, within what the guard trigger lets them change; built-in roles stay.';
comment on policy role_delete_manager on app.role is 'roles.manage deletes them, within what the guard trigger lets them change; built-in roles stay.';
comment on policy role_floor on app.role is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy role_select_owner on app.role is 'The audit trail names the role at the time, of a suspended organization too; founding needs the role just made.';
comment on policy role_select_invited_owner on app.role is 'Acceptance gives the new member what the role carries.';
comment on policy role_insert_owner on app.role is 'Founding gives the new organization its built-in roles.';
comment on policy role_update_owner on app.role is 'Founding gives the built-in roles their permissions, which are counted in the role.';
comment on policy role_select_sso_owner on app.role is 'Joining names the role it would give.';
grant select, delete on app.role to authenticated;
grant insert (org_id, name) on app.role to authenticated;
grant update (name) on app.role to authenticated;
grant select, insert (org_id, name, built_in), update (name) on app.role to ringfence_owner;
create trigger _050_in_person before insert or update or delete on app.role
  for each statement execute function authz.tg_in_person();

alter table app.role_permission enable row level security;
alter table app.role_permission force row level security;
create policy role_permission_select_member on app.role_permission for select to authenticated
  using (org_id = any (array(select authz.org_ids())));
create policy role_permission_insert_manager on app.role_permission for insert to authenticated
  with check (org_id = any (array(select authz.orgs_with('roles.manage'))));
create policy role_permission_update_nobody on app.role_permission for update to authenticated using (false) with check (false);
create policy role_permission_delete_manager on app.role_permission for delete to authenticated
  using (org_id = any (array(select authz.orgs_with('roles.manage'))));
create policy role_permission_floor on app.role_permission as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy role_permission_select_owner on app.role_permission for select to ringfence_owner
  using (org_id in (select authz.joined_org_ids())
    or org_id in (select o.id from app.organization o where o.created_by = (select authz.uid())));
create policy role_permission_select_invited_owner on app.role_permission for select to ringfence_owner
  using (org_id in (select authz.inviting_org_ids()));
create policy role_permission_insert_owner on app.role_permission for insert to ringfence_owner
  with check (org_id in (select o.id from app.organization o where o.created_by = (select authz.uid())));
comment on policy role_permission_select_member on app.role_permission is 'Members see what each role of their organization may do.';
comment on policy role_permission_insert_manager on app.role_permission is 'roles.manage adds permissions, within what the guard trigger lets them add, and to no built-in role.';
comment on policy role_permission_update_nobody on app.role_permission is 'A permission is added or taken away, never turned into another.';
comment on policy role_permission_delete_manager on app.role_permission is 'roles.manage takes permissions away, within what the guard trigger lets them change, and from no built-in role.';
comment on policy role_permission_floor on app.role_permission is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy role_permission_select_owner on app.role_permission is 'What a role carries is counted in the role: in the person''s own organizations, and in one being founded.';
comment on policy role_permission_select_invited_owner on app.role_permission is 'Acceptance compares what the role carries with what the inviter holds.';
comment on policy role_permission_insert_owner on app.role_permission is 'Founding gives the built-in roles their permissions.';
grant select, delete on app.role_permission to authenticated;
grant insert (org_id, role_id, permission) on app.role_permission to authenticated;
grant select, insert (org_id, role_id, permission) on app.role_permission to ringfence_owner;
create trigger _050_in_person before insert or update or delete on app.role_permission
  for each statement execute function authz.tg_in_person();

create function authz.tg_role_permissions() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  new.permissions := coalesce((
    select bit_or(authz.permission_bit(c.permission)) from app.role_permission c where c.org_id = new.org_id and c.role_id = new.id), 0);
  return new;
end
$$;
comment on function authz.tg_role_permissions() is 'Trigger: what a role carries, as bits, is counted from its rows and never written.';
revoke all on function authz.tg_role_permissions() from public;
create trigger _200_permissions before insert or update on app.role
  for each row execute function authz.tg_role_permissions();

create function authz.tg_role_recount() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Any update counts anew, and this is one that whoever may change the role may make. From there foreign keys carry it to the members.
  update app.role r set name = r.name
  where exists (select from changed c where c.org_id = r.org_id and c.role_id = r.id);
  return null;
end
$$;
comment on function authz.tg_role_recount() is 'Trigger, once a statement: roles whose permissions changed are counted anew.';
revoke all on function authz.tg_role_recount() from public;
create trigger _600_recount_added after insert on app.role_permission
  referencing new table as changed for each statement execute function authz.tg_role_recount();
create trigger _610_recount_taken after delete on app.role_permission
  referencing old table as changed for each statement execute function authz.tg_role_recount();
create trigger _620_recount_changed after update on app.role_permission
  referencing new table as changed for each statement execute function authz.tg_role_recount();

create function authz.built_in_roles() returns table (role text, permission text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select 'owner', p.name from app.permission p
  union all
  select 'admin', p.name from app.permission p where p.name <> 'organization.manage'
  union all
  select r.role, unnest(r.permissions) from (values
    ('builder', array['members.read', 'documents.read', 'documents.manage', 'bots.run', 'bots.manage', 'orders.place', 'tickets.create',
      'resources.publish', 'tokens.create', 'analytics.run']),
    ('analyst', array['members.read', 'documents.read', 'bots.run', 'orders.read', 'tickets.read', 'usage.read', 'tokens.create', 'analytics.run',
      'analytics.manage']),
    ('agent', array['members.read', 'documents.read', 'bots.run', 'orders.read', 'tickets.create', 'tickets.read', 'tickets.manage', 'tokens.create',
      'analytics.run']),
    ('member', array['documents.read', 'bots.run', 'orders.place', 'tickets.create', 'tokens.create', 'analytics.run']),
    ('auditor', array['members.read', 'bots.run', 'runs.read', 'audit.read', 'usage.read'])
  ) r (role, permissions)
$$;
comment on function authz.built_in_roles() is 'The roles every organization starts with, one row a permission. Members of an organization choose none of it.';
revoke all on function authz.built_in_roles() from public;
grant execute on function authz.built_in_roles() to ringfence_owner;
