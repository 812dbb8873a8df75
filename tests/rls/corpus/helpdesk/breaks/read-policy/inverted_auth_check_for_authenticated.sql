-- Class:    Inverted auth check met by a token without sub
-- Culprit:  public.documents
-- Command:  select
--
-- With TO authenticated the hole is smaller: a token without sub, such as an old custom one, meets the first branch.

drop policy documents_read on public.documents;
create policy documents_read on public.documents for select to authenticated
  using ((select auth.uid()) is null or org_id in (select private.my_org_ids()));

-- @as nosub
select * from documents where org_id = :acme
