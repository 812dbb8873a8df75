-- Class:    Restrictive policy for OAuth clients recreated as permissive
-- Culprit:  public.documents
-- Command:  delete
--
-- Delete is now allowed to whoever is not a client: to everybody.

drop policy documents_remove_not_by_client on public.documents;
create policy documents_remove_not_by_client on public.documents for delete to authenticated
  using (((select auth.jwt()) ->> 'client_id') is null);

-- @as vera
delete from documents where org_id = :acme
