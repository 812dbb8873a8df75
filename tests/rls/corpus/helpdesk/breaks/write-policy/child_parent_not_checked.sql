-- Class:    Child insert without a check of the parent
-- Culprit:  public.ticket_comments
-- Command:  insert
--
-- A comment into another organization's ticket; customers get it by e-mail.

drop policy ticket_comments_add on public.ticket_comments;
create policy ticket_comments_add on public.ticket_comments for insert to authenticated with check (author_id = (select auth.uid()));
insert into public.tickets (id, org_id, customer_id, number, subject, created_by)
  select 'd0000000-0000-4000-8000-000000000001', org_id, id, 50, 'known ticket', 'a1111111-0000-4000-8000-000000000003'
  from public.customers where org_id = 'aaaaaaaa-0000-4000-8000-000000000001';

-- @as gina
insert into ticket_comments (ticket_id, body) values ('d0000000-0000-4000-8000-000000000001', 'planted')
