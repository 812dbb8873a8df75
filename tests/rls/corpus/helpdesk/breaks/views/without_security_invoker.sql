-- Class:    View without security_invoker
-- Culprit:  public.ticket_board
-- Command:  select

create view public.ticket_board as select id, org_id, subject, priority from public.tickets;
grant select on public.ticket_board to authenticated;

-- @as gina
select * from ticket_board where org_id = :acme
