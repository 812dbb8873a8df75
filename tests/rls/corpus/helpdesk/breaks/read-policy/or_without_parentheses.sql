-- Class:    AND/OR precedence lets a branch out of the tenant filter
-- Culprit:  public.tickets
-- Command:  select
--
-- Meant: my organization, and (mine or urgent).

drop policy tickets_read on public.tickets;
create policy tickets_read on public.tickets for select to authenticated
  using (org_id in (select private.my_org_ids()) and created_by = (select auth.uid()) or priority = 'normal');

-- @as gina
select * from tickets where org_id = :acme
