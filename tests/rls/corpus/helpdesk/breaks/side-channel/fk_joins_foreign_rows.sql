-- Class:    FK not tenant-composite (child reaches a foreign parent)
-- Culprit:  public.shared_links
-- Command:  insert
--
-- A link of one's own organization to a foreign document, which shared_document() then shows.

alter table public.shared_links drop constraint shared_links_org_id_document_id_fkey;
alter table public.shared_links add foreign key (document_id) references public.documents (id) on delete cascade;
create or replace function public.shared_document(token text) returns table (title text, body text)
language sql stable security definer set search_path = '' as $$
  select d.title, d.body from public.shared_links l join public.documents d on d.id = l.document_id
  where l.token = shared_document.token and l.expires_at > now()
$$;
grant execute on function public.shared_document(text) to anon, authenticated;
insert into public.documents (id, org_id, title, body, created_by) values
  ('d0000000-0000-4000-8000-000000000004', 'aaaaaaaa-0000-4000-8000-000000000001', 'ACME known', 'ACME known body', 'a1111111-0000-4000-8000-000000000001');

-- @as gina
insert into shared_links (org_id, document_id) values (:globex, 'd0000000-0000-4000-8000-000000000004')
-- @as gina
select d.* from shared_links l, shared_document(l.token) d where d.body = 'ACME known body'
