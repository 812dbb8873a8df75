-- Class:    Membership helper that is told who asks
-- Culprit:  public.is_member(uuid,uuid)
-- Command:  execute
--
-- An overload for the server; callable by anybody it tells who belongs where.

create function public.is_member(account uuid, person uuid) returns boolean language sql stable security definer set search_path = '' as $$
  select exists (select 1 from public.accounts_memberships m where m.account_id = account and m.user_id = person)
$$;
grant execute on function public.is_member(uuid, uuid) to authenticated;

-- @as otto
select 1 where is_member(:red, :ruth) and not is_member(:blue, :ruth)
