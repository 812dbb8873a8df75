-- The clauses of the policies of each kind of object, one row an alternative: within a policy every `need` must have one that holds. The
-- policies stay where they are and decide; a test asks them for every person and object of the test world and compares (F87).

create function authz.explained_document(org_id uuid, user_id uuid, object_id uuid, action text) returns table (
  policy text, need integer, clause text, holds boolean, found jsonb)
language plpgsql stable rows 20
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_org uuid := explained_document.org_id;
  v_user uuid := explained_document.user_id;
  v_writes text := case explained_document.action when 'change' then 'document_update_editor' when 'delete' then 'document_delete_editor' end;
  v_document app.document;
begin
  select t.* into v_document from app.document t where t.org_id = v_org and t.id = explained_document.object_id;
  return query
    with reads as (select p.holds, p.found from authz.explained_permission(v_org, v_user, 'documents.read') p),
      manages as (select p.holds, p.found from authz.explained_permission(v_org, v_user, 'documents.manage') p),
      viewer as (select g.holds, g.found from authz.explained_grants(v_org, v_user, 'document', v_document.id, 'viewer') g),
      editor as (select g.holds, g.found from authz.explained_grants(v_org, v_user, 'document', v_document.id, 'editor') g),
      base_viewer as (select g.holds, g.found from authz.explained_grants(v_org, v_user, 'knowledge_base', v_document.knowledge_base_id, 'viewer') g),
      base_editor as (select g.holds, g.found from authz.explained_grants(v_org, v_user, 'knowledge_base', v_document.knowledge_base_id, 'editor') g),
      member as (select s.is_caller, s.active from authz.explained_member(v_org, v_user) s)
    select 'document_select_reader', 1, 'holds documents.read', r.holds, r.found from reads r
    union all select 'document_select_reader', 2, 'it is the whole organization''s', v_document.visibility = 'organization', null
    union all select 'document_select_reader', 2, 'added it', v_document.owner_id = v_user, null
    union all select 'document_select_reader', 2, 'it is shared with them', v.holds, v.found from viewer v
    union all select 'document_select_reader', 2, 'its restricted knowledge base is shared with them', v_document.visibility = 'knowledge_base' and b.holds, b.found from base_viewer b
    union all select 'document_floor', 1, 'is an active member', m.active, null from member m
    union all select 'document_classification_floor', 1, 'it is public or internal', v_document.classification <= 1, null
    union all select 'document_classification_floor', 1, 'it is confidential and they hold documents.read_confidential', v_document.classification = 2 and p.holds, p.found
      from authz.explained_permission(v_org, v_user, 'documents.read_confidential') p
    union all select 'document_classification_floor', 1, 'holds documents.read_secret', p.holds, p.found
      from authz.explained_permission(v_org, v_user, 'documents.read_secret') p
    union all select 'document_denied_floor', 1, 'no rule takes it from them', n.holds, n.found from authz.explained_rules(v_org, v_user, 'document', v_document.id) n
    union all select 'document_denied_floor', 2, 'no rule takes its knowledge base from them', n.holds, n.found
      from authz.explained_rules(v_org, v_user, 'knowledge_base', v_document.knowledge_base_id) n
    union all select 'document_expired_floor', 1, 'its access was checked at its source recently enough', v_document.acl_expires_at > now(), null
    union all select 'document_expired_floor', 1, 'added it', v_document.owner_id = v_user, null
    union all select 'document_loading_floor', 1, 'it is loaded', v_document.state = 'ready', null
    union all select 'document_loading_floor', 1, 'added it', v_document.owner_id = v_user, null
    union all select v_writes, 1, 'holds documents.read', r.holds, r.found from reads r where v_writes is not null
    union all select v_writes, 2, 'added it and has not left since', v_document.owner_id = v_user and v_document.owner_left_at is null, null where v_writes is not null
    union all select v_writes, 2, 'it is shared with them as editor', e.holds, e.found from editor e where v_writes is not null
    union all select v_writes, 2, 'it is not private and its knowledge base is shared with them as editor', v_document.visibility <> 'private' and b.holds, b.found
      from base_editor b where v_writes is not null
    union all select v_writes, 2, 'holds documents.manage, and reads it other than by having added it',
      m.holds and (v_document.visibility = 'organization' or v.holds or v_document.visibility = 'knowledge_base' and b.holds), m.found
      from manages m, viewer v, base_viewer b where v_writes is not null
    union all select 'trigger _060_in_scope', 1, 'acts through no API token, or one made for documents.manage',
      not m.is_caller or authz.in_scope(array['documents.manage']), null from member m where v_writes is not null;
end
$$;
comment on function authz.explained_document(uuid, uuid, uuid, text) is 'The policies on a document one may see, clause by clause, for a member.';
revoke all on function authz.explained_document(uuid, uuid, uuid, text) from public;
grant execute on function authz.explained_document(uuid, uuid, uuid, text) to authenticated;

create function authz.explained_knowledge_base(org_id uuid, user_id uuid, object_id uuid, action text) returns table (
  policy text, need integer, clause text, holds boolean, found jsonb)
language plpgsql stable rows 10
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_org uuid := explained_knowledge_base.org_id;
  v_user uuid := explained_knowledge_base.user_id;
  v_writes text := case explained_knowledge_base.action when 'change' then 'knowledge_base_update_manager' when 'delete' then 'knowledge_base_delete_manager' end;
  v_base app.knowledge_base;
begin
  select t.* into v_base from app.knowledge_base t where t.org_id = v_org and t.id = explained_knowledge_base.object_id;
  return query
    with reads as (select p.holds, p.found from authz.explained_permission(v_org, v_user, 'documents.read') p),
      viewer as (select g.holds, g.found from authz.explained_grants(v_org, v_user, 'knowledge_base', v_base.id, 'viewer') g),
      member as (select s.is_caller, s.active from authz.explained_member(v_org, v_user) s)
    select 'knowledge_base_select_reader', 1, 'holds documents.read', r.holds, r.found from reads r
    union all select 'knowledge_base_select_reader', 2, 'it is the whole organization''s', v_base.visibility = 'organization', null
    union all select 'knowledge_base_select_reader', 2, 'it is shared with them', v.holds, v.found from viewer v
    union all select 'knowledge_base_floor', 1, 'is an active member', m.active, null from member m
    union all select 'knowledge_base_denied_floor', 1, 'no rule takes it from them', n.holds, n.found
      from authz.explained_rules(v_org, v_user, 'knowledge_base', v_base.id) n
    union all select v_writes, 1, 'holds documents.read', r.holds, r.found from reads r where v_writes is not null
    union all select v_writes, 2, 'it is shared with them as owner', g.holds, g.found
      from authz.explained_grants(v_org, v_user, 'knowledge_base', v_base.id, 'owner') g where v_writes is not null
    union all select v_writes, 2, 'holds documents.manage and reads it', p.holds and (v_base.visibility = 'organization' or v.holds), p.found
      from authz.explained_permission(v_org, v_user, 'documents.manage') p, viewer v where v_writes is not null
    union all select 'trigger _060_in_scope', 1, 'acts through no API token, or one made for documents.manage',
      not m.is_caller or authz.in_scope(array['documents.manage']), null from member m where v_writes is not null;
end
$$;
comment on function authz.explained_knowledge_base(uuid, uuid, uuid, text) is 'The policies on a knowledge base one may see, clause by clause, for a member.';
revoke all on function authz.explained_knowledge_base(uuid, uuid, uuid, text) from public;
grant execute on function authz.explained_knowledge_base(uuid, uuid, uuid, text) to authenticated;

create function authz.explained_bot(org_id uuid, user_id uuid, object_id uuid, action text) returns table (
  policy text, need integer, clause text, holds boolean, found jsonb)
language plpgsql stable rows 10
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_org uuid := explained_bot.org_id;
  v_user uuid := explained_bot.user_id;
  v_action text := explained_bot.action;
  v_bot app.bot;
begin
  select t.* into v_bot from app.bot t where t.org_id = v_org and t.id = explained_bot.object_id;
  return query
    with manages as (select p.holds, p.found from authz.explained_permission(v_org, v_user, 'bots.manage') p),
      runs as (select p.holds, p.found from authz.explained_permission(v_org, v_user, 'bots.run') p),
      viewer as (select g.holds, g.found from authz.explained_grants(v_org, v_user, 'bot', v_bot.id, 'viewer') g),
      member as (select s.is_caller, s.active from authz.explained_member(v_org, v_user) s)
    select 'bot_select_viewer', 1, 'holds bots.manage', m.holds, m.found from manages m
    union all select 'bot_select_viewer', 1, 'holds bots.run and it is shared with them', r.holds and v.holds, v.found from runs r, viewer v
    union all select 'bot_floor', 1, 'is an active member', m.active, null from member m
    union all select 'bot_denied_floor', 1, 'no rule takes it from them', n.holds, n.found from authz.explained_rules(v_org, v_user, 'bot', v_bot.id) n
    union all select 'bot_update_editor', 1, 'holds bots.manage', m.holds, m.found from manages m where v_action = 'change'
    union all select 'bot_update_editor', 1, 'holds bots.run and it is shared with them as editor', r.holds and g.holds, g.found
      from runs r, authz.explained_grants(v_org, v_user, 'bot', v_bot.id, 'editor') g where v_action = 'change'
    union all select 'trigger _060_in_scope', 1, 'acts through no API token, or one made for bots.manage',
      not m.is_caller or authz.in_scope(array['bots.manage']), null from member m where v_action = 'change'
    union all select 'bot_delete_nobody', 1, 'nobody: bots are archived', false, null where v_action = 'delete'
    union all select 'run_insert_self', 1, 'holds bots.run', r.holds, r.found from runs r where v_action = 'run'
    union all select 'run_insert_self', 2, 'it is shared with them', v.holds, v.found from viewer v where v_action = 'run'
    union all select 'run_insert_self', 3, 'it is in use, not archived', v_bot.archived_at is null, null where v_action = 'run';
end
$$;
comment on function authz.explained_bot(uuid, uuid, uuid, text) is 'The policies on a bot one may see, clause by clause, for a member.';
revoke all on function authz.explained_bot(uuid, uuid, uuid, text) from public;
grant execute on function authz.explained_bot(uuid, uuid, uuid, text) to authenticated;

create function authz.explained_row(org_id uuid, user_id uuid, kind text, object_id uuid, action text) returns table (
  policy text, need integer, clause text, holds boolean, found jsonb)
language plpgsql stable rows 5
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_org uuid := explained_row.org_id;
  v_kind text := explained_row.kind;
  v_action text := explained_row.action;
  v_table text := case explained_row.kind when 'order' then 'customer_order' when 'ticket' then 'support_ticket' else explained_row.kind end;
  v_owner uuid;
  v_status text;
  v_all text := case explained_row.kind when 'order' then 'orders.read' when 'ticket' then 'tickets.read' when 'run' then 'runs.read' end;
  v_scope text[] := case explained_row.kind when 'order' then '{orders.place,orders.read}' when 'ticket' then '{tickets.create,tickets.read,tickets.manage}'
    when 'run' then '{bots.run,runs.read}' else '{bots.run}' end;
begin
  if v_kind = 'order' then
    select t.user_id into v_owner from app.customer_order t where t.org_id = v_org and t.id = explained_row.object_id;
  elsif v_kind = 'ticket' then
    select t.user_id into v_owner from app.support_ticket t where t.org_id = v_org and t.id = explained_row.object_id;
  elsif v_kind = 'run' then
    select t.user_id, t.status into v_owner, v_status from app.run t where t.org_id = v_org and t.id = explained_row.object_id;
  else
    select t.user_id into v_owner from app.conversation t where t.org_id = v_org and t.id = explained_row.object_id;
  end if;
  return query
    with member as (select s.is_caller, s.active from authz.explained_member(v_org, explained_row.user_id) s)
    select v_table || case when v_kind in ('order', 'ticket') then '_select_customer' else '_select_self' end, 1, 'it is their own', v_owner = explained_row.user_id, null::jsonb
    union all select v_table || case when v_kind in ('order', 'ticket') then '_select_customer' else '_select_self' end, 1, 'holds ' || v_all, p.holds, p.found
      from authz.explained_permission(v_org, explained_row.user_id, v_all) p where v_all is not null
    union all select v_table || '_floor', 1, 'is an active member', m.active, null from member m
    union all select v_table || '_scope_floor', 1, 'acts through no API token, or one made for ' || array_to_string(v_scope, ' or '),
      not m.is_caller or authz.in_scope(v_scope), null from member m
    union all select 'support_ticket_update_staff', 1, 'holds tickets.manage', p.holds, p.found
      from authz.explained_permission(v_org, explained_row.user_id, 'tickets.manage') p where v_action = 'change' and v_kind = 'ticket'
    union all select 'run_update_self', 1, 'it is their own', v_owner = explained_row.user_id, null where v_action = 'change' and v_kind = 'run'
    union all select 'run_update_self', 2, 'it is running', v_status = 'running', null where v_action = 'change' and v_kind = 'run'
    union all select v_table || '_update_nobody', 1, 'nobody', false, null where v_action = 'change' and v_kind in ('order', 'conversation')
    union all select v_table || '_delete_nobody', 1, 'nobody', false, null where v_action = 'delete';
end
$$;
comment on function authz.explained_row(uuid, uuid, text, uuid, text) is 'The policies on an order, ticket, conversation or run one may see, clause by clause, for a member.';
revoke all on function authz.explained_row(uuid, uuid, text, uuid, text) from public;
grant execute on function authz.explained_row(uuid, uuid, text, uuid, text) to authenticated;
