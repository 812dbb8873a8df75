-- Class:    SECURITY DEFINER RPC trusting a slug argument
-- Culprit:  public.team_page(text)
-- Command:  execute
--
-- Not an id but a name one knows or guesses.

create function public.team_page(slug text) returns table (display_name text, role public.org_role)
language sql stable security definer set search_path = '' as $$
  select p.id::text, m.role from public.organizations o join public.memberships m on m.org_id = o.id
    join public.profiles p on p.id = m.user_id where o.slug = team_page.slug
$$;
grant execute on function public.team_page(text) to anon, authenticated;

-- @as anon
select * from team_page('acme')
