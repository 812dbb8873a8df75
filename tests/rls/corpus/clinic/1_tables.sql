-- Tables are in an unexposed schema; the exposed schema api has views (as the caller) and functions. Who may do what is in tables:
-- roles have permissions, staff have roles at a practice from one day to another.

create schema core;
create schema authz;
create schema api;
revoke all on schema core, authz, api from public;
grant usage on schema core, authz, api to authenticated;
alter default privileges revoke execute on functions from public;

create table core.practice (
  practice_id uuid primary key default gen_random_uuid(),
  title text not null
);
create table core.job_role (role_key text primary key, title text not null);
create table core.job_permission (
  role_key text not null references core.job_role,
  permission text not null,
  primary key (role_key, permission)
);
create table core.assignment (
  practice_id uuid not null references core.practice,
  person_id uuid not null references auth.users (id),
  role_key text not null references core.job_role,
  valid daterange not null default daterange(current_date, null),
  primary key (practice_id, person_id, role_key)
);
create index assignment_person_idx on core.assignment (person_id);

create function authz.practices(needed text) returns setof uuid
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select a.practice_id from core.assignment a join core.job_permission p on p.role_key = a.role_key
  where a.person_id = (select auth.uid()) and a.valid @> current_date and p.permission = practices.needed
$$;
revoke execute on function authz.practices(text) from public;
grant execute on function authz.practices(text) to authenticated;

create table core.patient (
  practice_id uuid not null references core.practice,
  patient_id uuid not null default gen_random_uuid(),
  full_name text not null,
  born_on date,
  insurance_number text,
  primary key (practice_id, patient_id),
  unique (practice_id, insurance_number)
);
create table core.appointment (
  practice_id uuid not null,
  appointment_id uuid not null default gen_random_uuid(),
  patient_id uuid not null,
  during tstzrange not null,
  room text not null,
  primary key (practice_id, appointment_id),
  foreign key (practice_id, patient_id) references core.patient on delete cascade
);
create table core.finding (
  practice_id uuid not null,
  finding_id uuid not null default gen_random_uuid(),
  patient_id uuid not null,
  written_by uuid not null default auth.uid(),
  body text not null,
  primary key (practice_id, finding_id),
  foreign key (practice_id, patient_id) references core.patient on delete cascade
);
create table core.invoice (
  practice_id uuid not null,
  invoice_id uuid not null default gen_random_uuid(),
  patient_id uuid not null,
  number int not null,
  amount numeric not null,
  primary key (practice_id, invoice_id),
  unique (practice_id, number),
  foreign key (practice_id, patient_id) references core.patient
);
create table core.diagnosis_code (code text primary key, title text not null);
create table core.access_log (
  practice_id uuid not null,
  log_id bigint generated always as identity,
  person_id uuid,
  entry text not null,
  primary key (practice_id, log_id)
);

alter table core.practice enable row level security;
alter table core.practice force row level security;
alter table core.job_role enable row level security;
alter table core.job_permission enable row level security;
alter table core.assignment enable row level security;
alter table core.patient enable row level security;
alter table core.patient force row level security;
alter table core.appointment enable row level security;
alter table core.finding enable row level security;
alter table core.invoice enable row level security;
alter table core.diagnosis_code enable row level security;
alter table core.access_log enable row level security;

create policy practice_select on core.practice for select to authenticated using (practice_id in (select authz.practices('practice.read')));
grant select on core.practice to authenticated;
create policy job_role_select on core.job_role for select to authenticated using (true);
create policy job_permission_select on core.job_permission for select to authenticated using (true);
grant select on core.job_role, core.job_permission to authenticated;
create policy assignment_select on core.assignment for select to authenticated
  using (person_id = (select auth.uid()) or practice_id in (select authz.practices('staff.read')));
create policy assignment_insert on core.assignment for insert to authenticated
  with check (practice_id in (select authz.practices('staff.write')) and person_id <> (select auth.uid()));
create policy assignment_delete on core.assignment for delete to authenticated
  using (practice_id in (select authz.practices('staff.write')) and person_id <> (select auth.uid()));
grant select, insert, delete on core.assignment to authenticated;
create policy patient_select on core.patient for select to authenticated using (practice_id in (select authz.practices('patient.read')));
create policy patient_insert on core.patient for insert to authenticated with check (practice_id in (select authz.practices('patient.write')));
create policy patient_update on core.patient for update to authenticated
  using (practice_id in (select authz.practices('patient.write'))) with check (practice_id in (select authz.practices('patient.write')));
grant select, insert, update (full_name, born_on, insurance_number) on core.patient to authenticated;
create policy appointment_select on core.appointment for select to authenticated using (practice_id in (select authz.practices('patient.read')));
create policy appointment_insert on core.appointment for insert to authenticated
  with check (practice_id in (select authz.practices('appointment.write')));
create policy appointment_delete on core.appointment for delete to authenticated
  using (practice_id in (select authz.practices('appointment.write')));
grant select, insert, delete on core.appointment to authenticated;
create policy finding_select on core.finding for select to authenticated using (practice_id in (select authz.practices('finding.read')));
create policy finding_insert on core.finding for insert to authenticated
  with check (practice_id in (select authz.practices('finding.write')) and written_by = (select auth.uid()));
create policy finding_strong on core.finding as restrictive for all to authenticated
  using (((select auth.jwt()) ->> 'aal') = 'aal2') with check (((select auth.jwt()) ->> 'aal') = 'aal2');
grant select, insert on core.finding to authenticated;
create policy invoice_select on core.invoice for select to authenticated using (practice_id in (select authz.practices('invoice.read')));
grant select on core.invoice to authenticated;
create policy diagnosis_code_select on core.diagnosis_code for select to authenticated using (true);
grant select on core.diagnosis_code to authenticated;
create policy access_log_select on core.access_log for select to authenticated using (practice_id in (select authz.practices('log.read')));
grant select on core.access_log to authenticated;

create view api.patients with (security_invoker = true) as select practice_id, patient_id, full_name, born_on from core.patient;
create view api.appointments with (security_invoker = true) as
  select a.practice_id, a.appointment_id, a.during, a.room, p.full_name
  from core.appointment a join core.patient p using (practice_id, patient_id);
create view api.findings with (security_invoker = true) as select practice_id, finding_id, patient_id, body from core.finding;
create view api.diagnosis_codes with (security_invoker = true) as select code, title from core.diagnosis_code;
grant select on api.patients, api.appointments, api.findings, api.diagnosis_codes to authenticated;
grant insert (practice_id, full_name, born_on) on api.patients to authenticated;

create function api.whoami() returns jsonb language sql stable security invoker set search_path = pg_catalog, pg_temp as $$
  select jsonb_build_object('id', auth.uid(), 'practices', (select jsonb_agg(p.title) from core.practice p))
$$;
create function api.open_patient(practice uuid, patient uuid) returns setof api.patients
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
  if practice not in (select authz.practices('patient.read')) then
    raise exception 'no such patient' using errcode = 'PT404';
  end if;
  insert into core.access_log (practice_id, person_id, entry) values (practice, (select auth.uid()), 'opened ' || patient);
  return query select p.practice_id, p.patient_id, p.full_name, p.born_on from core.patient p
    where p.practice_id = practice and p.patient_id = patient;
end
$$;
create function api.staff_directory(practice uuid) returns table (person_id uuid, email text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select u.id, u.email::text from core.assignment a join auth.users u on u.id = a.person_id
  where a.practice_id = staff_directory.practice and a.practice_id in (select authz.practices('staff.read'))
$$;
grant execute on function api.whoami(), api.open_patient(uuid, uuid), api.staff_directory(uuid) to authenticated;

insert into core.job_role values ('doctor', 'Doctor'), ('desk', 'Front desk'), ('head', 'Head of practice');
insert into core.job_permission values
  ('doctor', 'practice.read'), ('doctor', 'patient.read'), ('doctor', 'finding.read'), ('doctor', 'finding.write'),
  ('desk', 'practice.read'), ('desk', 'patient.read'), ('desk', 'patient.write'), ('desk', 'appointment.write'),
  ('head', 'practice.read'), ('head', 'patient.read'), ('head', 'patient.write'), ('head', 'appointment.write'), ('head', 'staff.read'),
  ('head', 'staff.write'), ('head', 'invoice.read'), ('head', 'log.read'), ('head', 'finding.read');
