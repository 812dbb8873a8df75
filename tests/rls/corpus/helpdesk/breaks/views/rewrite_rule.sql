-- Class:    Rewrite rule runs as the table's owner
-- Culprit:  public.ticket_drop
-- Command:  insert
--
-- A rule's action is checked as the owner of the relation it stands on, so no policy applies to what it writes.

create table public.ticket_drop (org_id uuid, customer_id uuid, number int, subject text);
alter table public.ticket_drop enable row level security;
create rule ticket_drop_insert as on insert to public.ticket_drop do instead
  insert into public.tickets (org_id, customer_id, number, subject, created_by)
  select new.org_id, c.id, new.number, new.subject, auth.uid() from public.customers c where c.org_id = new.org_id limit 1;
grant insert on public.ticket_drop to authenticated;

-- @as gina
insert into ticket_drop (org_id, number, subject) values (:acme, 66, 'planted')
-- @seen
select * from public.tickets where org_id = :acme and subject = 'planted'
