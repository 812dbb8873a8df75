-- Class:    Child policy asks only that the parent exists
-- Culprit:  public.subscription_items
-- Command:  select

alter table public.subscriptions disable row level security;
revoke select on public.subscriptions from authenticated;
grant select (id) on public.subscriptions to authenticated;
drop policy subscription_items_read on public.subscription_items;
create policy subscription_items_read on public.subscription_items for select to authenticated
  using (exists (select 1 from public.subscriptions s where s.id = subscription_items.subscription_id));

-- @as ben
select * from subscription_items where id = 'si_sub_red'
