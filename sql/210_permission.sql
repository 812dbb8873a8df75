-- The permission registry: an append-only contract (F10). It belongs to no organization.
create table app.permission (
  name text not null primary key constraint permission_name_check check (name ~ '^[a-z_]+\.[a-z_]+$'),
  description text not null,
  place smallint not null constraint permission_place_key unique constraint permission_place_check check (place between 0 and 62)
);
comment on table app.permission is 'Every permission there is; roles can carry no other.';
comment on column app.permission.name is 'resource.action';
comment on column app.permission.description is 'What holding it allows, in one sentence.';
comment on column app.permission.place is 'Which bit of app.role.permissions it is, for good: a new one takes the next.';

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

insert into app.permission (name, description, place) values
  ('organization.manage', 'Rename the organization and change its settings.', 0),
  ('members.read', 'See who belongs to the organization and with which role.', 1),
  ('members.manage', 'Add, change and remove members, within the permissions one holds.', 2),
  ('documents.read', 'Read documents shared with the organization, and search them.', 3),
  ('documents.manage', 'Create knowledge bases; add, replace and delete documents.', 4),
  ('bots.run', 'Run the bots one is a runner of.', 5),
  ('bots.manage', 'Create bots, share them and bind them to resources.', 6),
  ('orders.place', 'Place orders of one''s own.', 7),
  ('orders.read', 'Read every order of the organization.', 8),
  ('tickets.create', 'Open support tickets of one''s own.', 9),
  ('tickets.read', 'Read every support ticket of the organization.', 10),
  ('tickets.manage', 'Answer and close every support ticket of the organization.', 11),
  ('runs.read', 'Read the record of every run of the organization, without its text.', 12),
  ('audit.read', 'Read the audit trail of the organization.', 13),
  ('roles.manage', 'Make, change and delete roles, within the permissions one holds.', 14),
  ('teams.manage', 'Make and delete teams, choose their managers and members.', 15),
  ('rules.manage', 'Make and delete the rules that deny a person, team or role a resource whatever was shared with them.', 16),
  ('resources.publish', 'Share what one owns with the whole organization, not only with people and teams.', 17),
  ('documents.read_confidential', 'Read confidential documents among those one may read.', 18),
  ('documents.read_secret', 'Read secret documents among those one may read.', 19),
  ('tokens.create', 'Make API tokens of one''s own.', 20),
  ('usage.read', 'Read how much of everything the organization uses.', 21),
  ('members.deprovision', 'End memberships as a directory does, also with an API token, within the permissions of who answers for it.', 22);
