-- Exports of an organization (F23): who took it along, when, and how many rows of which table they could read.

create function authz.export_lasts() returns interval
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
return interval '1 hour';
comment on function authz.export_lasts() is 'How long after it began the rows of an export are given. The one place that says so.';
revoke all on function authz.export_lasts() from public;
grant execute on function authz.export_lasts() to authenticated;

create table app.organization_export (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  requested_by uuid not null default authz.uid(),
  requested_at timestamptz not null default now(),
  tables jsonb not null,
  primary key (org_id, id)
);
comment on table app.organization_export is 'An export that somebody began.';
comment on column app.organization_export.org_id is 'The organization.';
comment on column app.organization_export.id is 'Random identifier.';
comment on column app.organization_export.requested_by is 'Who began it, after a step-up; nobody else reads its rows.';
comment on column app.organization_export.requested_at is 'When.';
comment on column app.organization_export.tables is 'Rows they could read then, by table.';

alter table app.organization_export enable row level security;
alter table app.organization_export force row level security;
create policy organization_export_select_manager on app.organization_export for select to authenticated
  using (org_id = any (array(select authz.orgs_with('organization.manage'))));
create policy organization_export_insert_manager on app.organization_export for insert to authenticated
  with check (requested_by = (select authz.uid()) and org_id = any (array(select authz.orgs_with('organization.manage'))));
create policy organization_export_update_nobody on app.organization_export for update to authenticated using (false) with check (false);
create policy organization_export_delete_nobody on app.organization_export for delete to authenticated using (false);
create policy organization_export_floor on app.organization_export as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
comment on policy organization_export_select_manager on app.organization_export is 'organization.manage sees who took the organization along.';
comment on policy organization_export_insert_manager on app.organization_export is 'organization.manage begins an export, in its own name.';
comment on policy organization_export_update_nobody on app.organization_export is 'The record stays as it is.';
comment on policy organization_export_delete_nobody on app.organization_export is 'The record stays.';
comment on policy organization_export_floor on app.organization_export is 'Whatever else is allowed, never outside one''s own organizations.';
grant select on app.organization_export to authenticated;
grant insert (org_id, tables) on app.organization_export to authenticated;
create trigger _050_in_person before insert on app.organization_export
  for each statement execute function authz.tg_in_person();
create trigger _110_step_up before insert on app.organization_export
  for each row execute function authz.tg_step_up('if_enrolled');
create trigger _900_audit after insert on app.organization_export
  for each row execute function authz.tg_audit();
