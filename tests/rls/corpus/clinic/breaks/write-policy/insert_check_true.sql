-- Class:    INSERT WITH CHECK (true)
-- Culprit:  core.patient
-- Command:  insert

drop policy patient_insert on core.patient;
create policy patient_insert on core.patient for insert to authenticated with check (true);

-- @as walt
insert into core.patient (practice_id, full_name) values (:east, 'planted')
