-- Class:    Definer view that filters by a claim people write themselves
-- Culprit:  public.my_documents
-- Command:  select

create view public.my_documents as
  select * from public.documents where org_id::text = auth.jwt() -> 'user_metadata' ->> 'org_id';
grant select on public.my_documents to authenticated;

-- @as forger
select * from my_documents where org_id = :acme
