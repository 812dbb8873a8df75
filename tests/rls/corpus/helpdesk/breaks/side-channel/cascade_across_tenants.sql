-- Class:    FK not tenant-composite with ON DELETE CASCADE
-- Culprit:  public.tool_calls
-- Command:  delete
--
-- A tool of one organization used in the run of another: who deletes the tool deletes the other's records.

alter table public.tool_calls drop constraint tool_calls_org_id_tool_id_fkey;
alter table public.tool_calls add foreign key (tool_id) references public.agent_tools (id) on delete cascade;
update public.tool_calls c set tool_id = (select t.id from public.agent_tools t where t.org_id <> c.org_id limit 1)
  where c.org_id = 'aaaaaaaa-0000-4000-8000-000000000001';

-- @as gina
delete from agent_tools where org_id = :globex
-- @seen
select 1 where not exists (select 1 from public.tool_calls where org_id = :acme)
