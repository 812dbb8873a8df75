-- Class:    USING (true) for authenticated
-- Culprit:  public.documents
-- Command:  select
--
-- The dashboard's template "enable read access for authenticated users".

drop policy documents_read on public.documents;
create policy documents_read on public.documents for select to authenticated using (true);

-- @as gina
select * from documents where org_id = :acme
