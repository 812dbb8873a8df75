-- Class:    Like-match of a tenant list
-- Culprit:  public.documents
-- Command:  select
--
-- No array, no join, just text: the empty text is in every text.

drop policy documents_read on public.documents;
create policy documents_read on public.documents for select to authenticated
  using (org_id::text like coalesce((select auth.jwt()) -> 'app_metadata' ->> 'org_id', '') || '%');

-- @as otto
select * from documents where org_id = :acme
