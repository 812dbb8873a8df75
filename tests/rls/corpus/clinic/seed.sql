insert into auth.users (id, email) values ('a7777777-0000-4000-8000-000000000001', 'hedy@east.test'),
  ('a7777777-0000-4000-8000-000000000002', 'dina@east.test'), ('b7777777-0000-4000-8000-000000000001', 'walt@west.test');
insert into core.practice values ('aaaaaaaa-0000-4000-8000-000000000005', 'EAST'), ('bbbbbbbb-0000-4000-8000-000000000005', 'WEST');
insert into core.assignment (practice_id, person_id, role_key) values
  ('aaaaaaaa-0000-4000-8000-000000000005', 'a7777777-0000-4000-8000-000000000001', 'head'),
  ('aaaaaaaa-0000-4000-8000-000000000005', 'a7777777-0000-4000-8000-000000000002', 'desk'),
  ('bbbbbbbb-0000-4000-8000-000000000005', 'b7777777-0000-4000-8000-000000000001', 'head');
insert into core.diagnosis_code values ('J00', 'Common cold');
insert into core.patient (practice_id, full_name, insurance_number) select practice_id, title || ' patient', title || ' number' from core.practice;
insert into core.appointment (practice_id, patient_id, during, room)
  select practice_id, patient_id, '[2026-12-01 10:00+00,2026-12-01 11:00+00)', full_name || ' room' from core.patient;
insert into core.finding (practice_id, patient_id, written_by, body)
  select practice_id, patient_id, 'a7777777-0000-4000-8000-000000000001', full_name || ' finding' from core.patient;
insert into core.invoice (practice_id, patient_id, number, amount) select practice_id, patient_id, 1, 100 from core.patient;
