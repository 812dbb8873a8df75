-- Class:    UPDATE moves a row to another person
-- Culprit:  public.notifications
-- Command:  update
--
-- A person writes into another person's list.

drop policy notifications_mark on public.notifications;
create policy notifications_mark on public.notifications for update to authenticated using (user_id = (select auth.uid())) with check (true);
grant update on public.notifications to authenticated;

-- @as otto
update notifications set user_id = :mia, body = 'Your invoice is due: http://evil.test'
-- @seen
select * from public.notifications where user_id = :mia and body like '%evil%'
