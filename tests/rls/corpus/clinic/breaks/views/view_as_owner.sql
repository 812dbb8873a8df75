-- Class:    View without security_invoker in the exposed schema
-- Culprit:  api.patients
-- Command:  select

create or replace view api.patients as select practice_id, patient_id, full_name, born_on from core.patient;

-- @as walt
select * from api.patients where practice_id = :east
