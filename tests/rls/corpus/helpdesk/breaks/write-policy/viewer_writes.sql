-- Class:    Role check dropped from a write policy
-- Culprit:  public.tickets
-- Command:  insert

drop policy tickets_add on public.tickets;
create policy tickets_add on public.tickets for insert to authenticated
  with check (org_id in (select private.my_org_ids()) and created_by = (select auth.uid()));

-- @as vera
insert into tickets (org_id, customer_id, number, subject) select org_id, id, 77, 'by a viewer' from customers where org_id = :acme
