-- Class:    Inverted auth check (auth.uid() is null or …) without TO
-- Culprit:  public.documents
-- Command:  select
--
-- Meant: "the server, which has no user, sees all". anon has no user either.

drop policy documents_read on public.documents;
create policy documents_read on public.documents for select
  using ((select auth.uid()) is null or org_id in (select private.my_org_ids()));
grant select on public.documents to anon;
grant execute on function private.my_org_ids() to anon;

-- @as anon
select * from documents where org_id = :acme
