-- The permission registry: an append-only contract (F10). It belongs to no organization.
create table app.permission (
  name text not null primary key constraint permission_name_check check (name ~ '^[a-z_]+\.[a-z_]+$'),
  description text not null
);
comment on table app.permission is 'Every permission there is; roles can carry no other.';
comment on column app.permission.name is 'resource.action';
comment on column app.permission.description is 'What holding it allows, in one sentence.';

alter table app.permission enable row level security;
alter table app.permission force row level security;
create policy permission_select_person on app.permission for select to authenticated
  using ((select authz.uid()) is not null);
create policy permission_insert_nobody on app.permission for insert to authenticated with check (false);
create policy permission_update_nobody on app.permission for update to authenticated using (false) with check (false);
create policy permission_delete_nobody on app.permission for delete to authenticated using (false);
create policy permission_select_owner on app.permission for select to ringfence_owner
  using ((select authz.uid()) is not null);
comment on policy permission_select_person on app.permission is 'Every signed-in person may read the registry.';
comment on policy permission_insert_nobody on app.permission is 'The registry changes by migration only.';
comment on policy permission_update_nobody on app.permission is 'The registry changes by migration only.';
comment on policy permission_delete_nobody on app.permission is 'The registry changes by migration only.';
comment on policy permission_select_owner on app.permission is 'Founding reads the registry to fill the built-in roles.';
grant select on app.permission to authenticated, ringfence_owner;

insert into app.permission (name, description) values
  ('organization.manage', 'Rename the organization and change its settings.'),
  ('members.read', 'See who belongs to the organization and with which role.'),
  ('members.manage', 'Add, change and remove members, within the permissions one holds.'),
  ('documents.read', 'Read documents shared with the organization, and search them.'),
  ('documents.manage', 'Create knowledge bases; add, replace and delete documents.'),
  ('bots.run', 'Run the bots one is a runner of.'),
  ('bots.manage', 'Create bots, share them and bind them to resources.'),
  ('orders.place', 'Place orders of one''s own.'),
  ('orders.read', 'Read every order of the organization.'),
  ('tickets.create', 'Open support tickets of one''s own.'),
  ('tickets.read', 'Read every support ticket of the organization.'),
  ('tickets.manage', 'Answer and close every support ticket of the organization.'),
  ('runs.read', 'Read the record of every run of the organization, without its text.'),
  ('audit.read', 'Read the audit trail of the organization.'),
  ('roles.manage', 'Make, change and delete roles, within the permissions one holds.'),
  ('teams.manage', 'Make and delete teams, choose their managers and members.'),
  ('rules.manage', 'Make and delete the rules that deny a person, team or role a resource whatever was shared with them.'),
  ('resources.publish', 'Share what one owns with the whole organization, not only with people and teams.'),
  ('documents.read_confidential', 'Read confidential documents among those one may read.'),
  ('documents.read_secret', 'Read secret documents among those one may read.'),
  ('tokens.create', 'Make API tokens of one''s own.'),
  ('usage.read', 'Read how much of everything the organization uses.'),
  ('members.deprovision', 'End memberships as a directory does, also with an API token, within the permissions of who answers for it.'),
  ('analytics.run', 'Ask the data sources shared with one, and read what was found.'),
  ('analytics.manage', 'Make data sources, share them, and say what they hold and mean.'),
  ('approvals.decide', 'Approve or deny what other people''s runs ask to do, after seeing it.');

create function authz.permission_bit(permission text) returns bigint
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  -- For good: a new one goes to the end. Not a column of the registry: the helpers of the policies would have to read it each time.
  return 1::bigint << array_position(array[
      'organization.manage', 'members.read', 'members.manage', 'documents.read', 'documents.manage', 'bots.run', 'bots.manage',
      'orders.place', 'orders.read', 'tickets.create', 'tickets.read', 'tickets.manage', 'runs.read', 'audit.read',
      'roles.manage', 'teams.manage', 'rules.manage', 'resources.publish', 'documents.read_confidential', 'documents.read_secret',
      'tokens.create', 'usage.read', 'members.deprovision', 'analytics.run', 'analytics.manage', 'approvals.decide'],
    permission_bit.permission) - 1;
end
$$;
comment on function authz.permission_bit(text) is 'Which bit of app.role.permissions this permission is; null for what is no permission. A test holds it equal to the registry.';
revoke all on function authz.permission_bit(text) from public;
grant execute on function authz.permission_bit(text) to authenticated, ringfence_owner;
