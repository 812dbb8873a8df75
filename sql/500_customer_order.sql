-- Orders of the example domain: a customer sees their own; staff with orders.read see the organization's.
create table app.customer_order (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  user_id uuid not null default authz.uid(),
  order_number text not null constraint customer_order_order_number_check check (order_number ~ '^[A-Z]{2,6}-[0-9]{3,10}$'),
  status text not null default 'placed' constraint customer_order_status_check
    check (status in ('placed', 'paid', 'shipped', 'delivered', 'cancelled')),
  total_cents bigint not null constraint customer_order_total_cents_check check (total_cents between 0 and 100000000),
  currency text not null constraint customer_order_currency_check check (currency ~ '^[A-Z]{3}$'),
  items jsonb not null default '[]' constraint customer_order_items_check
    check (jsonb_typeof(items) = 'array' and octet_length(items::text) <= 8192),
  placed_at timestamptz not null default now(),
  primary key (org_id, id),
  -- The person is part of the key: placing an order must not tell whether somebody else has that number.
  constraint customer_order_order_number_key unique (org_id, user_id, order_number)
);
comment on table app.customer_order is 'An order of a customer.';
comment on column app.customer_order.org_id is 'The organization that sells.';
comment on column app.customer_order.id is 'Random identifier.';
comment on column app.customer_order.user_id is 'The customer.';
comment on column app.customer_order.order_number is 'As printed on the order, like ORD-1042.';
comment on column app.customer_order.status is 'placed, paid, shipped, delivered or cancelled.';
comment on column app.customer_order.total_cents is 'Total in hundredths of the currency; 0..100000000.';
comment on column app.customer_order.currency is 'ISO 4217 code.';
comment on column app.customer_order.items is 'What was ordered: a list of {name, quantity}; at most 8192 bytes.';
comment on column app.customer_order.placed_at is 'When it was placed.';

alter table app.customer_order enable row level security;
alter table app.customer_order force row level security;
create policy customer_order_select_customer on app.customer_order for select to authenticated
  using (user_id = (select authz.uid()) or org_id = any (array(select authz.orgs_with('orders.read'))));
create policy customer_order_insert_customer on app.customer_order for insert to authenticated
  with check (user_id = (select authz.uid()) and org_id = any (array(select authz.orgs_with('orders.place'))));
create policy customer_order_update_nobody on app.customer_order for update to authenticated using (false) with check (false);
create policy customer_order_delete_nobody on app.customer_order for delete to authenticated using (false);
create policy customer_order_floor on app.customer_order as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy customer_order_scope_floor on app.customer_order as restrictive for all to authenticated
  using ((select authz.in_scope(array['orders.place', 'orders.read'])))
  with check ((select authz.in_scope(array['orders.place', 'orders.read'])));
create policy customer_order_select_analyst on app.customer_order for select to ringfence_analyst
  using (user_id = (select authz.uid()) or org_id = any (array(select authz.orgs_with('orders.read'))));
create policy customer_order_analyst_floor on app.customer_order as restrictive for select to ringfence_analyst
  using (org_id = any (array(select authz.job_orgs('orders'))) and (select authz.in_scope(array['orders.place', 'orders.read'])));
comment on policy customer_order_select_customer on app.customer_order is 'One''s own; orders.read sees the organization''s.';
comment on policy customer_order_insert_customer on app.customer_order is 'orders.place, in one''s own name.';
comment on policy customer_order_update_nobody on app.customer_order is 'The shop''s own system changes orders.';
comment on policy customer_order_delete_nobody on app.customer_order is 'Orders stay.';
comment on policy customer_order_floor on app.customer_order is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy customer_order_scope_floor on app.customer_order is 'An API token reaches one''s own rows only with a permission for them; every other session passes.';
comment on policy customer_order_select_analyst on app.customer_order is 'In a job its requester''s own; with orders.read the organization''s.';
comment on policy customer_order_analyst_floor on app.customer_order is 'Whatever else is allowed, only in a job of that organization whose source holds orders.';
grant select on app.customer_order to authenticated;
grant select (org_id, id, user_id, order_number, status, total_cents, currency, placed_at) on app.customer_order to ringfence_analyst;
grant insert (org_id, order_number, total_cents, currency, items) on app.customer_order to authenticated;
create trigger _900_audit after insert or update or delete on app.customer_order
  for each row execute function authz.tg_audit();
