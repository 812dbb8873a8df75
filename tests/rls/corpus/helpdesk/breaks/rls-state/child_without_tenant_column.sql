-- Class:    Child table without a tenant column left open
-- Culprit:  public.ticket_comments
-- Command:  select
--
-- The child has no org_id, so a script that enables RLS on "every table with org_id" passes it by.

alter table public.ticket_comments disable row level security;

-- @as gina
select * from ticket_comments where body like 'ACME%'
