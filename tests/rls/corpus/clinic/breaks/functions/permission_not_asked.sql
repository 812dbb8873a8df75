-- Class:    Permission helper ignores the permission argument
-- Culprit:  authz.practices(text) | core.invoice
-- Command:  execute

create or replace function authz.practices(needed text) returns setof uuid
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select a.practice_id from core.assignment a where a.person_id = (select auth.uid()) and a.valid @> current_date
$$;

-- @as dina
select * from core.invoice where practice_id = :east
