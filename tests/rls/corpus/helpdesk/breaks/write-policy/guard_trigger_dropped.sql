-- Class:    Trigger that keeps a row in its tenant disabled
-- Culprit:  public.tickets
-- Command:  move
--
-- Somebody of two organizations carries a ticket from one into the other; the policies allow both.

alter table public.tickets disable trigger tickets_keep_tenant;
alter table public.tickets drop constraint tickets_org_id_customer_id_fkey;
update public.memberships set role = 'member' where user_id = 'c1111111-0000-4000-8000-000000000001' and role = 'viewer';

-- @as bo
update tickets set org_id = :globex, number = 500 where org_id = :acme
-- @seen
select * from public.tickets where org_id = :globex and subject like 'ACME%'
