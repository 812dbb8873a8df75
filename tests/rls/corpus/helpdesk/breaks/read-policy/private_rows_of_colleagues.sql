-- Class:    Owner check dropped: rows of one person readable by the organization
-- Culprit:  public.conversations
-- Command:  select
--
-- What a person asked the agent is theirs alone.

create policy conversations_read_org on public.conversations for select to authenticated
  using (org_id in (select private.my_org_ids()));

-- @as mia
select * from conversations where org_id = :acme
