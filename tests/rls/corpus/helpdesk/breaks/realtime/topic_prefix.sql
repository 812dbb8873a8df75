-- Class:    realtime.messages: topic checked by its prefix
-- Culprit:  realtime.messages
-- Command:  select
--
-- `like 'org:%'` is true for every organization's channel.

drop policy org_channel_listen on realtime.messages;
create policy org_channel_listen on realtime.messages for select to authenticated
  using ((select realtime.topic()) like 'org:%' and extension in ('broadcast', 'presence'));

-- @as gina
select set_config('realtime.topic', 'org:aaaaaaaa-0000-4000-8000-000000000001', true);
select * from realtime.messages where topic = 'org:aaaaaaaa-0000-4000-8000-000000000001'
