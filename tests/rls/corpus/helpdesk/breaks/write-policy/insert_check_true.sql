-- Class:    INSERT WITH CHECK (true)
-- Culprit:  public.documents
-- Command:  insert
--
-- A plain insert of a foreign row succeeds; the form with RETURNING is refused by the read policy and hides it.

drop policy documents_add on public.documents;
create policy documents_add on public.documents for insert to authenticated with check (true);

-- @as gina
insert into documents (org_id, title) values (:acme, 'planted')
