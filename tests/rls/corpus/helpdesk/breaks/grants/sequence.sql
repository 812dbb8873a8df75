-- Class:    Sequence granted: counts readable, values settable
-- Culprit:  public.ticket_number_seq
-- Command:  state
--
-- Usage tells how many tickets all organizations make; UPDATE lets anybody set it back, so the next insert fails for everybody.

create sequence public.ticket_number_seq start 1000;
alter table public.tickets alter column number set default nextval('public.ticket_number_seq');
grant all on sequence public.ticket_number_seq to authenticated;

-- @as otto
select setval('ticket_number_seq', 1)
-- @seen
select 1 from public.ticket_number_seq where last_value = 1
