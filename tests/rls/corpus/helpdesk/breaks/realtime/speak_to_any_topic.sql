-- Class:    realtime.messages: sending to any topic
-- Culprit:  realtime.messages
-- Command:  insert

drop policy org_channel_speak on realtime.messages;
create policy org_channel_speak on realtime.messages for insert to authenticated with check (extension = 'broadcast');

-- @as otto
select set_config('realtime.topic', 'org:aaaaaaaa-0000-4000-8000-000000000001', true);
insert into realtime.messages (topic, extension, payload, event, private)
  values ('org:aaaaaaaa-0000-4000-8000-000000000001', 'broadcast', '{"status": "approved"}', 'run', true)
