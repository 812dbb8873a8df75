-- Class:    Membership helper ignores the period of an assignment
-- Culprit:  authz.practices(text) | core.patient
-- Command:  execute

create or replace function authz.practices(needed text) returns setof uuid
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select a.practice_id from core.assignment a join core.job_permission p on p.role_key = a.role_key
  where a.person_id = (select auth.uid()) and p.permission = practices.needed
$$;

-- @seen
update core.assignment set valid = daterange('2020-01-01', '2021-01-01') where person_id = :dina
-- @as dina
select * from api.patients where practice_id = :east
