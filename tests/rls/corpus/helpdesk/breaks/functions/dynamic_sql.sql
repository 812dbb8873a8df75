-- Class:    SQL text built from an argument in a definer
-- Culprit:  public.sorted_tickets(uuid,text)
-- Command:  execute

create function public.sorted_tickets(org uuid, sort_by text) returns setof public.tickets
language plpgsql stable security definer set search_path = '' as $$
begin
  if not private.has_org_role(org, '{viewer,member,admin,owner}') then
    raise exception 'not allowed' using errcode = '42501';
  end if;
  return query execute 'select * from public.tickets where org_id = ' || quote_literal(org) || ' order by ' || sort_by;
end
$$;
grant execute on function public.sorted_tickets(uuid, text) to authenticated;

-- @as gina raises ACME
select * from sorted_tickets(:globex, '(select subject::int from public.tickets where subject like ''ACME%'')')
