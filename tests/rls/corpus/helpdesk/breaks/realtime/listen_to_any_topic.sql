-- Class:    realtime.messages: any topic for whoever is signed in
-- Culprit:  realtime.messages
-- Command:  select
--
-- The example of the documentation, which asks only for a role.

drop policy org_channel_listen on realtime.messages;
create policy org_channel_listen on realtime.messages for select to authenticated using (true);

-- @as gina
select set_config('realtime.topic', 'org:aaaaaaaa-0000-4000-8000-000000000001', true);
select * from realtime.messages where topic = 'org:aaaaaaaa-0000-4000-8000-000000000001'
