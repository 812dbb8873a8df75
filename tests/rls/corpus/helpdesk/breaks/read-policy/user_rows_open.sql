-- Class:    Rows of one person readable by all
-- Culprit:  public.notifications
-- Command:  select

drop policy notifications_read on public.notifications;
create policy notifications_read on public.notifications for select to authenticated using (user_id is not null);

-- @as otto
select * from notifications where user_id = :mia
