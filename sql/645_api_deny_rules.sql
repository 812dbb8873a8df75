-- Deny rules: what a person, a team, a role or everybody may not reach, whatever was shared with them (F15).

create function api.create_deny_rule(
  org_id uuid, reason text, user_id uuid default null, team_id uuid default null, role text default null,
  knowledge_base_id uuid default null, document_id uuid default null, bot_id uuid default null, tool text default null,
  data_source_id uuid default null)
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform authz.require_org(create_deny_rule.org_id);
  perform authz.require(num_nonnulls(create_deny_rule.user_id, create_deny_rule.team_id, create_deny_rule.role) <= 1,
    'name a person, a team or a role, or none of them for everybody');
  perform authz.require(num_nonnulls(create_deny_rule.knowledge_base_id, create_deny_rule.document_id, create_deny_rule.bot_id,
    create_deny_rule.data_source_id, create_deny_rule.tool) = 1, 'name one of a knowledge base, a document, a bot, a data source and a tool');
  perform authz.require(create_deny_rule.tool is null or authz.is_tool(create_deny_rule.tool), 'tool: not a function that may be bound to bots');
  insert into app.deny_rule (org_id, user_id, team_id, role_id, knowledge_base_id, document_id, bot_id, data_source_id, tool, reason)
  values (create_deny_rule.org_id, create_deny_rule.user_id, create_deny_rule.team_id,
    case when create_deny_rule.role is not null then authz.role_named(create_deny_rule.org_id, create_deny_rule.role) end,
    create_deny_rule.knowledge_base_id, create_deny_rule.document_id, create_deny_rule.bot_id, create_deny_rule.data_source_id,
    create_deny_rule.tool, create_deny_rule.reason)
  returning id into v_id;
  return jsonb_build_object('id', v_id);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'there is a rule that says so';
  when foreign_key_violation then raise sqlstate 'PT404' using message = 'no such person, team or resource in the organization';
end
$$;
comment on function api.create_deny_rule(uuid, text, uuid, uuid, text, uuid, uuid, uuid, text, uuid) is $c$Take one resource, or one tool in every bot, from a member, a team, a role or (naming none) everybody, owners included. No sharing, role or ownership overrides it; it works on their next request. Needs rules.manage.

@audience app
@param org_id             the organization
@param reason             why, for whoever reviews the rules; 1..300 characters
@param user_id            a member
@param team_id            a team
@param role               name of a role
@param knowledge_base_id  the knowledge base, with all its documents
@param document_id        the document
@param bot_id             the bot
@param tool               name of a function whose audience is bot
@param data_source_id     the data source, with the results of its jobs
@returns                  {id}
@errors                   22004, 22023, 23514, 42501, PT401, PT404, PT409
@effect                   write$c$;
revoke all on function api.create_deny_rule(uuid, text, uuid, uuid, text, uuid, uuid, uuid, text, uuid) from public;
grant execute on function api.create_deny_rule(uuid, text, uuid, uuid, text, uuid, uuid, uuid, text, uuid) to authenticated;

create function api.delete_deny_rule(org_id uuid, rule_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(delete_deny_rule.org_id);
  delete from app.deny_rule r where r.org_id = delete_deny_rule.org_id and r.id = delete_deny_rule.rule_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such rule, or not yours to delete';
  end if;
  return jsonb_build_object('id', delete_deny_rule.rule_id);
end
$$;
comment on function api.delete_deny_rule(uuid, uuid) is $c$Delete a deny rule: what was shared works again. Needs rules.manage.

@audience app
@param org_id   the organization
@param rule_id  the rule
@returns        {id}
@errors         22004, 42501, PT401, PT404
@effect         destructive$c$;
revoke all on function api.delete_deny_rule(uuid, uuid) from public;
grant execute on function api.delete_deny_rule(uuid, uuid) to authenticated;

create function api.list_deny_rules(org_id uuid)
returns table (
  id uuid, user_id uuid, team_id uuid, team text, role text, knowledge_base_id uuid, document_id uuid, bot_id uuid, data_source_id uuid, tool text, reason text,
  created_by uuid, created_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_deny_rules.org_id);
  return query
    select r.id, r.user_id, r.team_id, t.slug, o.name, r.knowledge_base_id, r.document_id, r.bot_id, r.data_source_id, r.tool, r.reason, r.created_by, r.created_at
    from app.deny_rule r
    left join app.team t on t.org_id = r.org_id and t.id = r.team_id
    left join app.role o on o.org_id = r.org_id and o.id = r.role_id
    where r.org_id = list_deny_rules.org_id
    order by r.created_at, r.id
    limit 1000;
end
$$;
comment on function api.list_deny_rules(uuid) is $c$List the deny rules of an organization. A rule that names no person, team or role concerns everybody. Needs rules.manage; to others it is empty.

@audience app
@param org_id  the organization
@returns       array of {id, user_id, team_id, team, role, knowledge_base_id, document_id, bot_id, data_source_id, tool, reason, created_by, created_at}, at most 1000; oldest first
@errors        22004
@effect        read$c$;
revoke all on function api.list_deny_rules(uuid) from public;
grant execute on function api.list_deny_rules(uuid) to authenticated;
