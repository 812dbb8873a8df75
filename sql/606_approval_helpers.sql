-- Which calls of tools wait for an approval (F36, F39, R101).

create function authz.tool_effect(tool text) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- A function that says it is stable cannot write. What is said of the others counts; who says nothing is taken for the worst.
  select coalesce((
    select case when p.provolatile <> 'v' or obj_description(p.oid, 'pg_proc') ~ '(^|\n)@changes +nothing\M' then 'read'
      else substring(obj_description(p.oid, 'pg_proc') from '(?:^|\n)@effect +(write|destructive)\M') end
    from pg_proc p where p.pronamespace = 'api'::regnamespace and p.proname = tool_effect.tool), 'destructive')
$$;
comment on function authz.tool_effect(text) is 'What a function of schema api does to what others see: read (nothing), write or destructive; destructive where it is not said.';
revoke all on function authz.tool_effect(text) from public;
grant execute on function authz.tool_effect(text) to authenticated, ringfence_owner;

create function authz.approval_reason(org_id uuid, run_id uuid, tool text) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when e.effect = 'read' then null
    when e.effect = 'destructive' then 'destructive'
    -- A run nobody sees is taken for one that has seen everything.
    when coalesce((select r.taint @> array['private', 'untrusted'] from app.run r
      where r.org_id = approval_reason.org_id and r.id = approval_reason.run_id), true) then 'tainted'
    when exists (select from app.organization o where o.id = approval_reason.org_id and o.approve_writes) then 'organization' end
  from authz.tool_effect(approval_reason.tool) e (effect)
$$;
comment on function authz.approval_reason(uuid, uuid, text) is 'Why a call of this tool in this run needs an approval now: destructive, tainted or organization; null when it needs none. The one place that says which do.';
revoke all on function authz.approval_reason(uuid, uuid, text) from public;
grant execute on function authz.approval_reason(uuid, uuid, text) to authenticated, ringfence_owner;

create function authz.is_tool_conversation(org_id uuid, conversation_id uuid) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select exists (select from app.conversation c
    where c.org_id = is_tool_conversation.org_id and c.id = is_tool_conversation.conversation_id and c.title like 'Tool call: %')
$$;
comment on function authz.is_tool_conversation(uuid, uuid) is 'Whether a conversation of the person is one that api.use_tool() keeps.';
revoke all on function authz.is_tool_conversation(uuid, uuid) from public;
grant execute on function authz.is_tool_conversation(uuid, uuid) to authenticated;
