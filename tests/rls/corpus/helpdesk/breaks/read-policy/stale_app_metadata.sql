-- Class:    Tenant list from JWT app_metadata only (stale claim)
-- Culprit:  public.documents
-- Command:  select
--
-- The claim is right when the token is made. Who is removed keeps it until the token ends, and each refresh may copy it.

drop policy documents_read on public.documents;
create policy documents_read on public.documents for select to authenticated
  using (((select auth.jwt()) -> 'app_metadata' -> 'org_ids') ? org_id::text);

-- @as stale
select * from documents where org_id = :acme
