-- Class:    Updatable definer view without CHECK OPTION
-- Culprit:  public.my_customers
-- Command:  insert
--
-- Reading is filtered by the view's own WHERE. Writing is not: a simple view passes an insert on, as its owner.

create view public.my_customers as
  select id, org_id, email, full_name from public.customers where org_id in (select private.my_org_ids());
grant select, insert, update, delete on public.my_customers to authenticated;

-- @as gina
insert into my_customers (org_id, email) values (:acme, 'planted@acme.test')
-- @seen
select * from public.customers where org_id = :acme and email = 'planted@acme.test'
