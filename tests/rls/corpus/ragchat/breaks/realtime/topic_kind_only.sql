-- Class:    realtime.messages: topic checked by its prefix
-- Culprit:  realtime.messages
-- Command:  select

drop policy workspace_topics on realtime.messages;
create policy workspace_topics on realtime.messages for select to authenticated
  using (split_part((select realtime.topic()), ':', 1) = 'workspace');
insert into realtime.messages (topic, extension, payload, private, inserted_at)
  values ('workspace:aaaaaaaa-0000-4000-8000-000000000004', 'broadcast', '{"text": "OAK"}', true, '2026-11-01');

-- @as ella
select set_config('realtime.topic', 'workspace:aaaaaaaa-0000-4000-8000-000000000004', true);
select * from realtime.messages where topic like 'workspace:aaaa%'
