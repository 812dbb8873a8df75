-- Class:    UNIQUE not scoped by tenant
-- Culprit:  public.customers
-- Command:  insert
--
-- Inserting an address tells whether another organization has it.

alter table public.customers drop constraint customers_org_id_email_key, add unique (email);

-- @as gina differs
insert into customers (org_id, email) values (:globex, 'buyer@acme.test')
-- @or
insert into customers (org_id, email) values (:globex, 'buyer@nobody.test')
