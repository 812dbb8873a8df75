-- Class:    Membership helper marked IMMUTABLE
-- Culprit:  private.my_org_list() | public.documents
-- Command:  execute
--
-- "Immutable is faster": it is worked out when the plan is made, and PostgREST keeps plans for the next person's request.

create function private.my_org_list() returns uuid[] language sql immutable security definer set search_path = '' as $$
  select coalesce(array_agg(m.org_id), '{}') from public.memberships m where m.user_id = auth.uid() and m.status = 'active'
$$;
grant execute on function private.my_org_list() to authenticated;
drop policy documents_read on public.documents;
create policy documents_read on public.documents for select to authenticated using (org_id = any (private.my_org_list()));

-- @as mia
prepare listing as select * from documents;
execute listing
-- @as gina
select 1
-- @as otto
execute listing
