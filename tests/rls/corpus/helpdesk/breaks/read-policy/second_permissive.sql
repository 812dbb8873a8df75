-- Class:    Second permissive policy ORs the tenant filter away
-- Culprit:  public.documents
-- Command:  select
--
-- "Published documents are readable": by everybody, of every organization.

create policy documents_read_published on public.documents for select to authenticated using (status = 'published');

-- @as gina
select * from documents where org_id = :acme
