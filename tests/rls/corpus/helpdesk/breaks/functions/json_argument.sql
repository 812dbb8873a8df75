-- Class:    SECURITY DEFINER RPC trusting the tenant in a JSON argument
-- Culprit:  public.create_ticket(jsonb)
-- Command:  execute

create function public.create_ticket(payload jsonb) returns uuid language sql volatile security definer set search_path = '' as $$
  insert into public.tickets (org_id, customer_id, number, subject, created_by)
  select (payload ->> 'org_id')::uuid, c.id, (payload ->> 'number')::int, payload ->> 'subject', auth.uid()
  from public.customers c where c.org_id = (payload ->> 'org_id')::uuid limit 1
  returning id
$$;
grant execute on function public.create_ticket(jsonb) to authenticated;

-- @as gina
select create_ticket(jsonb_build_object('org_id', :acme, 'number', 88, 'subject', 'planted'))
-- @seen
select 1 from public.tickets where org_id = :acme and subject = 'planted'
