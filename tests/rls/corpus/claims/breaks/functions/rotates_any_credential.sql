-- Class:    SECURITY DEFINER RPC that writes by id without a tenant check
-- Culprit:  public.rotate_credential(uuid,text)
-- Command:  execute

create or replace function public.rotate_credential(credential uuid, new_secret text) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
  update public.credentials c set secret = new_secret where c.credential_id = credential;
  if not found then
    raise exception 'no such credential' using errcode = 'PT404';
  end if;
end
$$;
update public.credentials set credential_id = 'd0000000-0000-4000-8000-000000000001' where label = 'NORTH';

-- @as sam
select rotate_credential('d0000000-0000-4000-8000-000000000001', 'mine')
-- @seen
select 1 from public.credentials where label = 'NORTH' and secret = 'mine'
