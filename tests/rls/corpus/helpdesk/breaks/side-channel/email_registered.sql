-- Class:    RPC that tells whether an address has an account
-- Culprit:  public.email_registered(text)
-- Command:  execute

create function public.email_registered(address text) returns boolean language sql stable security definer set search_path = '' as $$
  select exists (select 1 from auth.users u where lower(u.email) = lower(address))
$$;
grant execute on function public.email_registered(text) to anon, authenticated;

-- @as anon
select 1 where email_registered('mia@acme.test') and not email_registered('nobody@acme.test')
