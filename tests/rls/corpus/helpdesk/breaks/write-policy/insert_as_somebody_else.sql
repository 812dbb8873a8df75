-- Class:    Author column not bound to the caller
-- Culprit:  public.documents
-- Command:  insert
--
-- A member writes in another member's name.

drop policy documents_add on public.documents;
create policy documents_add on public.documents for insert to authenticated
  with check (private.has_org_role(org_id, '{member,admin,owner}'));

-- @as mia
insert into documents (org_id, title, created_by) values (:acme, 'I resign', :olga)
