-- Support tickets of the example domain: a customer sees their own; staff with tickets.read see the organization's.
create table app.support_ticket (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  user_id uuid not null default authz.uid(),
  order_id uuid,
  subject text not null constraint support_ticket_subject_check check (char_length(subject) between 1 and 200),
  body text not null constraint support_ticket_body_check check (char_length(body) between 1 and 8000),
  status text not null default 'open' constraint support_ticket_status_check check (status in ('open', 'pending', 'closed')),
  idempotency_key uuid not null default gen_random_uuid(),
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint support_ticket_order_id_fkey foreign key (org_id, order_id) references app.customer_order (org_id, id),
  constraint support_ticket_idempotency_key_key unique (org_id, user_id, idempotency_key)
);
comment on table app.support_ticket is 'A customer''s request for help.';
comment on column app.support_ticket.org_id is 'The organization asked.';
comment on column app.support_ticket.id is 'Random identifier.';
comment on column app.support_ticket.user_id is 'The customer.';
comment on column app.support_ticket.order_id is 'The order it is about, or null.';
comment on column app.support_ticket.subject is 'One line; 1..200 characters.';
comment on column app.support_ticket.body is 'The request; 1..8000 characters.';
comment on column app.support_ticket.status is 'open, pending or closed.';
comment on column app.support_ticket.idempotency_key is 'Chosen by the caller: the same key again is the same ticket.';
comment on column app.support_ticket.created_at is 'When it was opened.';

alter table app.support_ticket enable row level security;
alter table app.support_ticket force row level security;
create policy support_ticket_select_customer on app.support_ticket for select to authenticated
  using (user_id = (select authz.uid()) or org_id = any (array(select authz.orgs_with('tickets.read'))));
create policy support_ticket_insert_customer on app.support_ticket for insert to authenticated
  with check (user_id = (select authz.uid()) and org_id = any (array(select authz.orgs_with('tickets.create')))
    -- A ticket names only an order its author can see: the foreign key alone would accept a colleague's.
    and (order_id is null or order_id in (select o.id from app.customer_order o)));
create policy support_ticket_update_staff on app.support_ticket for update to authenticated
  using (org_id = any (array(select authz.orgs_with('tickets.manage'))))
  with check (org_id = any (array(select authz.orgs_with('tickets.manage'))));
create policy support_ticket_delete_nobody on app.support_ticket for delete to authenticated using (false);
create policy support_ticket_floor on app.support_ticket as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy support_ticket_scope_floor on app.support_ticket as restrictive for all to authenticated
  using ((select authz.in_scope(array['tickets.create', 'tickets.read', 'tickets.manage'])))
  with check ((select authz.in_scope(array['tickets.create', 'tickets.read', 'tickets.manage'])));
create policy support_ticket_select_analyst on app.support_ticket for select to ringfence_analyst
  using (user_id = (select authz.uid()) or org_id = any (array(select authz.orgs_with('tickets.read'))));
create policy support_ticket_analyst_floor on app.support_ticket as restrictive for select to ringfence_analyst
  using (org_id = any (array(select authz.job_orgs('tickets'))) and (select authz.in_scope(array['tickets.create', 'tickets.read', 'tickets.manage'])));
create policy support_ticket_select_erasing_owner on app.support_ticket for select to ringfence_owner
  using (org_id in (select authz.erasing_org_ids()) and user_id in (select authz.erasing_user_ids()));
create policy support_ticket_delete_erasing_owner on app.support_ticket for delete to ringfence_owner
  using (org_id in (select authz.erasing_org_ids()) and user_id in (select authz.erasing_user_ids()));
create policy support_ticket_select_over_owner on app.support_ticket for select to ringfence_owner
  using ((select authz.runs_the_queue()) and status = 'closed' and created_at < authz.kept_until(org_id, 'tickets') and not authz.is_held(org_id, user_id, null));
create policy support_ticket_delete_over_owner on app.support_ticket for delete to ringfence_owner
  using ((select authz.runs_the_queue()) and status = 'closed' and created_at < authz.kept_until(org_id, 'tickets') and not authz.is_held(org_id, user_id, null));
comment on policy support_ticket_select_customer on app.support_ticket is 'One''s own; tickets.read sees the organization''s.';
comment on policy support_ticket_insert_customer on app.support_ticket is 'tickets.create, in one''s own name, about an order one can see.';
comment on policy support_ticket_update_staff on app.support_ticket is 'tickets.manage changes the status.';
comment on policy support_ticket_delete_nobody on app.support_ticket is 'Tickets stay.';
comment on policy support_ticket_select_erasing_owner on app.support_ticket is 'An erasure finds the tickets of whom it is about.';
comment on policy support_ticket_delete_erasing_owner on app.support_ticket is 'It deletes them.';
comment on policy support_ticket_select_over_owner on app.support_ticket is 'The job of retention finds what is closed, over by the organization''s rule and held by nothing.';
comment on policy support_ticket_delete_over_owner on app.support_ticket is 'It deletes that and nothing else.';
comment on policy support_ticket_floor on app.support_ticket is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy support_ticket_scope_floor on app.support_ticket is 'An API token reaches one''s own rows only with a permission for them; every other session passes.';
comment on policy support_ticket_select_analyst on app.support_ticket is 'In a job its requester''s own; with tickets.read the organization''s.';
comment on policy support_ticket_analyst_floor on app.support_ticket is 'Whatever else is allowed, only in a job of that organization whose source holds tickets.';
grant select on app.support_ticket to authenticated;
grant select (org_id, id, user_id, order_id, subject, status, created_at) on app.support_ticket to ringfence_analyst;
grant select (org_id, id, user_id, status, created_at), delete on app.support_ticket to ringfence_owner;
grant insert (org_id, order_id, subject, body, idempotency_key) on app.support_ticket to authenticated;
grant update (status) on app.support_ticket to authenticated;
create trigger _900_audit after insert or update or delete on app.support_ticket
  for each row execute function authz.tg_audit();
