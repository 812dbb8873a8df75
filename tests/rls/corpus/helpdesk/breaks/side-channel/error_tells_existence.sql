-- Class:    Error text tells "not yours" from "does not exist"
-- Culprit:  public.document_title(uuid)
-- Command:  execute

create function public.document_title(document uuid) returns text language plpgsql stable security definer set search_path = '' as $$
declare
  v_document public.documents;
begin
  select d.* into v_document from public.documents d where d.id = document;
  if v_document.id is null then
    raise exception 'document not found' using errcode = 'PT404';
  elsif not private.has_org_role(v_document.org_id, '{viewer,member,admin,owner}') then
    raise exception 'document belongs to another organization' using errcode = '42501';
  end if;
  return v_document.title;
end
$$;
grant execute on function public.document_title(uuid) to authenticated;
insert into public.documents (id, org_id, title, created_by) values
  ('d0000000-0000-4000-8000-000000000005', 'aaaaaaaa-0000-4000-8000-000000000001', 'ACME known', 'a1111111-0000-4000-8000-000000000001');

-- @as gina differs
select document_title('d0000000-0000-4000-8000-000000000005')
-- @or
select document_title('d0000000-0000-4000-8000-000000000006')
