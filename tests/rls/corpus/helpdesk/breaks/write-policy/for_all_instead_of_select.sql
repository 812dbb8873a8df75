-- Class:    FOR ALL policy where FOR SELECT was meant
-- Culprit:  public.documents
-- Command:  delete
--
-- A viewer may now write, and a member delete: FOR ALL is one more permissive policy for every command.

drop policy documents_read on public.documents;
create policy documents_read on public.documents to authenticated using (org_id in (select private.my_org_ids()));

-- @as vera
delete from documents where org_id = :acme
