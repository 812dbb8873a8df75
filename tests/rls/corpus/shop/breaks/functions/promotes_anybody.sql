-- Class:    SECURITY DEFINER RPC that sets roles without asking who calls
-- Culprit:  public.promote(uuid,public.staff_role)
-- Command:  execute

create or replace function public.promote(person uuid, new_role public.staff_role) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp as $$
  update public.staff s set role = new_role where s.id = person
$$;

-- @as carl
select promote(:carl, 'director')
-- @seen
select 1 from public.staff where id = :carl and role = 'director'
