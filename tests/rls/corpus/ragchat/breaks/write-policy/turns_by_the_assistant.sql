-- Class:    Client writes the assistant's words
-- Culprit:  public.chat_turns
-- Command:  insert
--
-- Into any chat at all: neither the chat nor the speaker is asked.

drop policy chat_turns_say on public.chat_turns;
create policy chat_turns_say on public.chat_turns for insert to authenticated with check (content is not null);
insert into public.chats (id, workspace_id, assistant_id, started_by)
  select 'd0000000-0000-4000-8000-000000000001', workspace_id, id, 'a6666666-0000-4000-8000-000000000001' from public.assistants
  where workspace_id = 'aaaaaaaa-0000-4000-8000-000000000004';

-- @as ella
insert into chat_turns (chat_id, speaker, content) values ('d0000000-0000-4000-8000-000000000001', 'assistant', 'approved')
