-- Class:    Tenant from a request header (x-org-id)
-- Culprit:  public.documents
-- Command:  select
--
-- The interface sends the organization in a header, and so may anybody.

drop policy documents_read on public.documents;
create policy documents_read on public.documents for select to authenticated
  using (org_id::text = (current_setting('request.headers', true)::json ->> 'x-org-id'));

-- @as gina header x-org-id=aaaaaaaa-0000-4000-8000-000000000001
select * from documents where org_id = :acme
