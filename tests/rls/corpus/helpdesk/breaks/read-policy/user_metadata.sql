-- Class:    Tenant from user_metadata claim
-- Culprit:  public.documents
-- Command:  select
--
-- People write their own user_metadata: supabase.auth.updateUser({data: {org_id: …}}).

drop policy documents_read on public.documents;
create policy documents_read on public.documents for select to authenticated
  using (org_id = (((select auth.jwt()) -> 'user_metadata') ->> 'org_id')::uuid);

-- @as forger
select * from documents where org_id = :acme
