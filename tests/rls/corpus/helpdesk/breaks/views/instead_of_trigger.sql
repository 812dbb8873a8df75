-- Class:    INSTEAD OF trigger writes as definer without a tenant check
-- Culprit:  public.ticket_inbox | public.ticket_inbox_insert() | private.ticket_inbox_insert()
-- Command:  insert

create view public.ticket_inbox with (security_invoker = on) as select org_id, customer_id, number, subject from public.tickets;
create function private.ticket_inbox_insert() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  insert into public.tickets (org_id, customer_id, number, subject, created_by)
    select new.org_id, c.id, new.number, new.subject, (select auth.uid()) from public.customers c where c.org_id = new.org_id limit 1;
  return new;
end
$$;
create trigger ticket_inbox_insert instead of insert on public.ticket_inbox for each row execute function private.ticket_inbox_insert();
grant select, insert on public.ticket_inbox to authenticated;

-- @as gina
insert into ticket_inbox (org_id, number, subject) values (:acme, 66, 'planted')
-- @seen
select * from public.tickets where org_id = :acme and subject = 'planted'
