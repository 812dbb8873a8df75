-- Class:    Child policy asks only that the parent exists
-- Culprit:  public.messages
-- Command:  select
--
-- The check runs through a definer helper, so the parent's own policies do not help.

create function private.conversation_exists(conversation uuid) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (select 1 from public.conversations c where c.id = conversation)
$$;
grant execute on function private.conversation_exists(uuid) to authenticated;
drop policy messages_read on public.messages;
create policy messages_read on public.messages for select to authenticated using (private.conversation_exists(conversation_id));

-- @as gina
select * from messages where org_id = :acme
