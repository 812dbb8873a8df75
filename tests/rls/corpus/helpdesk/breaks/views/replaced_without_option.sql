-- Class:    CREATE OR REPLACE VIEW silently drops security_invoker
-- Culprit:  public.ticket_queue
-- Command:  select

create or replace view public.ticket_queue as
  select t.org_id, t.id, t.number, t.subject, t.priority, c.email as customer, t.created_at
  from public.tickets t join public.customers c on c.org_id = t.org_id and c.id = t.customer_id;

-- @as gina
select * from ticket_queue where org_id = :acme
