-- Class:    Inheritance child reachable directly
-- Culprit:  public.archived_tickets
-- Command:  select
--
-- A table that INHERITS gets the columns of its parent, not its row security.

create table public.archived_tickets () inherits (public.tickets);
grant select on public.archived_tickets to authenticated;
insert into public.archived_tickets select * from public.tickets;

-- @as gina
select * from archived_tickets where org_id = :acme
