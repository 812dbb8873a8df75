-- Class:    Role check dropped from a delete policy
-- Culprit:  public.documents
-- Command:  delete

drop policy documents_remove on public.documents;
create policy documents_remove on public.documents for delete to authenticated using (org_id in (select private.my_org_ids()));

-- @as vera
delete from documents where org_id = :acme
