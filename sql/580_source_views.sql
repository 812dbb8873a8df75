-- What questions are asked of: views over our tables that show each person what they may see, and only inside a begun job. Only
-- ringfence_analyst reads them, through the policies for it on the tables beneath: organization and relation by the scope of the job,
-- rows by what its requester may see now.
--
-- The planner looks through none of them. Its statistics are of whole tables, other organizations included, and it goes by them for leakproof
-- operators whatever the policies say. What it expects a statement to cost would tell of rows that nobody is shown. A barrier keeps it from
-- the statistics; `offset 0` keeps it from moving a leakproof condition beneath, where it would look at them all the same.

create view source.orders with (security_barrier = true, security_invoker = true) as
  select o.id, o.user_id as customer_id, o.order_number, o.status, o.total_cents, o.currency, o.placed_at from app.customer_order o offset 0;
comment on view source.orders is 'Orders of customers: your own, or with orders.read all of the organization.';
comment on column source.orders.id is 'Identifier of the order.';
comment on column source.orders.customer_id is 'The customer, as an identifier.';
comment on column source.orders.order_number is 'As printed on the order, like ORD-1042.';
comment on column source.orders.status is 'placed, paid, shipped, delivered or cancelled.';
comment on column source.orders.total_cents is 'Total in hundredths of the currency.';
comment on column source.orders.currency is 'ISO 4217 code, like EUR.';
comment on column source.orders.placed_at is 'When it was placed.';

create view source.tickets with (security_barrier = true, security_invoker = true) as
  select t.id, t.user_id as customer_id, t.order_id, t.subject, t.status, t.created_at from app.support_ticket t offset 0;
comment on view source.tickets is 'Support tickets: your own, or with tickets.read all of the organization.';
comment on column source.tickets.id is 'Identifier of the ticket.';
comment on column source.tickets.customer_id is 'The customer, as an identifier.';
comment on column source.tickets.order_id is 'The order it is about, or null; orders.id.';
comment on column source.tickets.subject is 'One line.';
comment on column source.tickets.status is 'open, pending or closed.';
comment on column source.tickets.created_at is 'When it was opened.';

create view source.conversations with (security_barrier = true, security_invoker = true) as
  select c.id, c.bot_id, c.title, c.created_at as started_at from app.conversation c offset 0;
comment on view source.conversations is 'Your own conversations with bots.';
comment on column source.conversations.id is 'Identifier of the conversation.';
comment on column source.conversations.bot_id is 'The bot, as an identifier.';
comment on column source.conversations.title is 'The beginning of the first question.';
comment on column source.conversations.started_at is 'When it began.';

create view source.usage with (security_barrier = true, security_invoker = true) as
  select u.on_day, u.measure, u.amount from app.usage_entry u offset 0;
comment on view source.usage is 'How much the organization added or used, day by day: sum(amount) by measure. Needs usage.read.';
comment on column source.usage.on_day is 'The day, in UTC.';
comment on column source.usage.measure is 'members, teams, bots, knowledge_bases, documents, passages, characters, runs, model_calls, input_tokens or output_tokens.';
comment on column source.usage.amount is 'How much was added; below zero for what was taken away.';

-- Without `offset 0`: the one condition that goes beneath is the worker's own, which names a table of the job's source, and it is what keeps a
-- source of fifty tables from being read whole. Conditions on data are on no leakproof operator and stay above.
create view source.uploaded with (security_barrier = true, security_invoker = true) as
  select r.table_id, r.data from app.uploaded_row r;
comment on view source.uploaded is 'Rows of uploaded tables, which the worker names and casts for each.';
comment on column source.uploaded.table_id is 'The table.';
comment on column source.uploaded.data is 'Values by column.';

grant select on source.uploaded, source.orders, source.tickets, source.conversations, source.usage to ringfence_analyst;
