-- Class:    Error text holds values of a foreign row
-- Culprit:  public.rename_document(uuid,text)
-- Command:  execute

create function public.rename_document(document uuid, new_title text) returns void
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_document public.documents;
begin
  select d.* into v_document from public.documents d where d.id = document;
  if not private.has_org_role(v_document.org_id, '{member,admin,owner}') then
    raise exception 'you may not rename "%"', v_document.title using errcode = '42501';
  end if;
  update public.documents set title = new_title where id = document;
end
$$;
grant execute on function public.rename_document(uuid, text) to authenticated;
insert into public.documents (id, org_id, title, created_by) values
  ('d0000000-0000-4000-8000-000000000005', 'aaaaaaaa-0000-4000-8000-000000000001', 'ACME known', 'a1111111-0000-4000-8000-000000000001');

-- @as gina raises ACME known
select rename_document('d0000000-0000-4000-8000-000000000005', 'x')
