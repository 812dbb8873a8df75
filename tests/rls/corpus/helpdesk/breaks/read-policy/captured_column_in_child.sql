-- Class:    Unqualified column captured by sub-select (parent's id)
-- Culprit:  public.ticket_comments
-- Command:  select
--
-- tickets has an id of its own: `t.id = id` was meant to be the comment's ticket.

drop policy ticket_comments_read on public.ticket_comments;
create policy ticket_comments_read on public.ticket_comments for select to authenticated
  using (exists (select 1 from public.tickets t where t.id = id and t.org_id in (select private.my_org_ids())));

-- @as gina
select * from ticket_comments where body like 'ACME%'
