-- Class:    SECURITY DEFINER RPC trusting a tenant-id argument
-- Culprit:  api.staff_directory(uuid)
-- Command:  execute

create or replace function api.staff_directory(practice uuid) returns table (person_id uuid, email text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select u.id, u.email::text from core.assignment a join auth.users u on u.id = a.person_id where a.practice_id = staff_directory.practice
$$;

-- @as walt
select * from api.staff_directory(:east)
