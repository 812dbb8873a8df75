-- Class:    Definer that asks user_metadata whether the caller is an admin
-- Culprit:  public.all_organizations()
-- Command:  execute

create function public.all_organizations() returns setof public.organizations
language plpgsql stable security definer set search_path = '' as $$
begin
  if coalesce((auth.jwt() -> 'user_metadata' ->> 'role'), '') <> 'admin' then
    raise exception 'not allowed' using errcode = '42501';
  end if;
  return query select o.* from public.organizations o;
end
$$;
grant execute on function public.all_organizations() to authenticated;

-- @as forger
select * from all_organizations() where id = :acme
