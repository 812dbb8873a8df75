-- The example domain: orders and tickets of the customer-support bot.

create function api.place_order(org_id uuid, order_number text, total_cents bigint, currency text, items jsonb default '[]') returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform authz.require_org(place_order.org_id);
  insert into app.customer_order (org_id, order_number, total_cents, currency, items)
  values (place_order.org_id, place_order.order_number, place_order.total_cents, place_order.currency, place_order.items) returning id into v_id;
  return jsonb_build_object('id', v_id, 'order_number', order_number);
exception when unique_violation then
  raise sqlstate 'PT409' using message = 'you have an order of that number';
end
$$;
comment on function api.place_order(uuid, text, bigint, text, jsonb) is $c$Place an order in your own name.

@audience app
@param org_id        the organization that sells
@param order_number  like ORD-1042; 2..6 capital letters, a dash, 3..10 digits
@param total_cents   total in hundredths of the currency; 0..100000000
@param currency      ISO 4217 code
@param items         array of {name, quantity}; at most 8192 bytes
@returns             {id, order_number}
@errors              22004, 23514, 42501, PT409
@effect              write$c$;
revoke all on function api.place_order(uuid, text, bigint, text, jsonb) from public;
grant execute on function api.place_order(uuid, text, bigint, text, jsonb) to authenticated;

create function api.my_orders(org_id uuid, max_rows integer default 20)
returns table (id uuid, order_number text, status text, total_cents bigint, currency text, items jsonb, placed_at timestamptz, trust text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(my_orders.org_id);
  perform authz.require(max_rows between 1 and 100, 'max_rows: 1..100');
  return query
    select o.id, o.order_number, o.status, o.total_cents, o.currency, o.items, o.placed_at, 'trusted'
    from app.customer_order o
    where o.org_id = my_orders.org_id and o.user_id = authz.uid()
    order by o.placed_at desc, o.id
    limit max_rows;
end
$$;
comment on function api.my_orders(uuid, integer) is $c$List my own orders: what I have ordered, with number, status, total and date.

@audience bot
@context org_id  the organization
@param max_rows  number of orders; 1..100
@returns         array of {id, order_number, status, total_cents, currency, items, placed_at, trust}; newest first
@errors          22004, 22023
@effect          read$c$;
revoke all on function api.my_orders(uuid, integer) from public;
grant execute on function api.my_orders(uuid, integer) to authenticated;

create function api.get_order(org_id uuid, number text)
returns table (id uuid, order_number text, status text, total_cents bigint, currency text, items jsonb, placed_at timestamptz, trust text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(get_order.org_id);
  perform authz.require(char_length(get_order.number) between 1 and 20, 'number: 1..20 characters');
  return query
    select o.id, o.order_number, o.status, o.total_cents, o.currency, o.items, o.placed_at,
      -- What an order says of its items, its customer wrote.
      case when o.user_id = authz.uid() then 'trusted' else 'untrusted' end
    from app.customer_order o
    where o.org_id = get_order.org_id and o.order_number = upper(get_order.number)
    order by o.placed_at desc, o.id;
  if not found then
    raise sqlstate 'PT404' using message = 'no order of that number that you may see';
  end if;
end
$$;
comment on function api.get_order(uuid, text) is $c$Look up one order by its order number: its status, total, items and date.

@audience bot
@context org_id  the organization
@param number    the order number, like ORD-1042; 1..20 characters
@returns         array of {id, order_number, status, total_cents, currency, items, placed_at, trust}; one, or for staff one a customer
@errors          22004, 22023, PT404
@effect          read$c$;
revoke all on function api.get_order(uuid, text) from public;
grant execute on function api.get_order(uuid, text) to authenticated;

create function api.create_ticket(
  org_id uuid, subject text, body text, order_number text default null, idempotency_key uuid default null)
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ticket app.support_ticket;
  v_orders uuid[];
  v_order uuid;
begin
  perform authz.require_org(create_ticket.org_id);
  perform authz.require(char_length(subject) between 1 and 200, 'subject: 1..200 characters');
  perform authz.require(char_length(body) between 1 and 8000, 'body: 1..8000 characters');
  if create_ticket.order_number is not null then
    perform authz.require(char_length(create_ticket.order_number) between 1 and 20, 'order_number: 1..20 characters');
    v_orders := array(select o.id from app.customer_order o
      where o.org_id = create_ticket.org_id and o.order_number = upper(create_ticket.order_number)
      order by o.user_id = authz.uid() desc);
    v_order := v_orders[1];
    if v_order is null then
      raise sqlstate 'PT404' using message = 'no order of that number that you may see';
    elsif cardinality(v_orders) > 1 and not exists (
      select from app.customer_order o where o.org_id = create_ticket.org_id and o.id = v_order and o.user_id = authz.uid())
    then
      -- A number is the customer's own: two may have the same, and staff must not be made to mean the wrong one.
      raise sqlstate 'PT409' using message = 'several customers have an order of that number';
    end if;
  end if;
  begin
    insert into app.support_ticket (org_id, order_id, subject, body, idempotency_key)
    values (create_ticket.org_id, v_order, create_ticket.subject, create_ticket.body, coalesce(create_ticket.idempotency_key, gen_random_uuid()))
    returning * into v_ticket;
  exception when unique_violation then
    -- The key is the caller's own: it is the ticket this very call made before.
    select t.* into strict v_ticket from app.support_ticket t
    where t.org_id = create_ticket.org_id and t.user_id = authz.uid() and t.idempotency_key = create_ticket.idempotency_key;
  end;
  return jsonb_build_object('id', v_ticket.id, 'subject', v_ticket.subject, 'status', v_ticket.status, 'created_at', v_ticket.created_at,
    -- It holds nothing but what the caller said.
    'trust', 'trusted');
end
$$;
comment on function api.create_ticket(uuid, text, text, text, uuid) is $c$Open a support ticket: ask the staff for help, report a problem, request a refund or complain.

@audience bot
@context org_id           the organization
@context idempotency_key  the same key again is the same ticket
@param subject            one line; 1..200 characters
@param body               what is wrong and what is wanted; 1..8000 characters
@param order_number       the order it is about, like ORD-1042; 1..20 characters
@returns                  {id, subject, status, created_at, trust}
@errors                   22004, 22023, 42501, PT404, PT409
@effect                   write$c$;
revoke all on function api.create_ticket(uuid, text, text, text, uuid) from public;
grant execute on function api.create_ticket(uuid, text, text, text, uuid) to authenticated;
