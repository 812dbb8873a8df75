-- Class:    Tenant kept in a session setting that outlives the request
-- Culprit:  private.remember_org() | public.documents | private.check_request()
-- Command:  execute
--
-- is_local is false: the next person's request on the same pooled connection finds the organization of the one before.

create function private.remember_org() returns uuid language plpgsql volatile security definer set search_path = '' as $$
declare
  v_org text := nullif(current_setting('app.org_id', true), '');
begin
  if v_org is null then
    select m.org_id::text into v_org from public.memberships m where m.user_id = auth.uid() and m.status = 'active' limit 1;
    perform set_config('app.org_id', coalesce(v_org, ''), false);
  end if;
  return nullif(v_org, '')::uuid;
end
$$;
grant execute on function private.remember_org() to authenticated;
drop policy documents_read on public.documents;
create policy documents_read on public.documents for select to authenticated using (org_id = (select private.remember_org()));

-- @as mia
select * from documents
-- @as gina
select * from documents where org_id = :acme
