-- Class:    security_barrier taken for security_invoker
-- Culprit:  public.safe_documents
-- Command:  select

create view public.safe_documents with (security_barrier = true) as select id, org_id, title from public.documents;
grant select on public.safe_documents to authenticated;

-- @as gina
select * from safe_documents where org_id = :acme
