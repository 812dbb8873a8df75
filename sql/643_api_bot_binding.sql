-- Binding bots: what their runs may reach, within what the person running them may (F13, F35).

create function api.bind_bot(org_id uuid, bot_id uuid, knowledge_base_id uuid default null, tool text default null, data_source_id uuid default null)
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform authz.require_org(bind_bot.org_id);
  perform authz.require(num_nonnulls(bind_bot.knowledge_base_id, bind_bot.data_source_id, bind_bot.tool) = 1, 'name a knowledge base, a data source or a tool');
  perform authz.require(bind_bot.tool is null or authz.is_tool(bind_bot.tool), 'tool: not a function that may be bound to bots');
  if bind_bot.knowledge_base_id is not null
      and not exists (select from app.knowledge_base k where k.org_id = bind_bot.org_id and k.id = bind_bot.knowledge_base_id)
    or bind_bot.data_source_id is not null
      and not exists (select from app.data_source s where s.org_id = bind_bot.org_id and s.id = bind_bot.data_source_id)
  then
    raise sqlstate 'PT404' using message = 'no such bot, or no such knowledge base or data source';
  end if;
  insert into app.bot_binding (org_id, bot_id, knowledge_base_id, data_source_id, tool)
  values (bind_bot.org_id, bind_bot.bot_id, bind_bot.knowledge_base_id, bind_bot.data_source_id, bind_bot.tool) returning id into v_id;
  return jsonb_build_object('id', v_id);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'already bound so';
  when foreign_key_violation then raise sqlstate 'PT404' using message = 'no such bot, or no such knowledge base or data source';
end
$$;
comment on function api.bind_bot(uuid, uuid, uuid, text, uuid) is $c$Let runs of a bot use a knowledge base or a data source that you see, or a tool, within what the person running it may do. Needs level editor or bots.manage.

@audience app
@param org_id             the organization
@param bot_id             the bot
@param knowledge_base_id  a knowledge base
@param tool               name of a function whose audience is bot
@param data_source_id     a data source, which ask_data may then ask
@returns                  {id}
@errors                   22004, 22023, 42501, PT404, PT409
@effect                   write$c$;
revoke all on function api.bind_bot(uuid, uuid, uuid, text, uuid) from public;
grant execute on function api.bind_bot(uuid, uuid, uuid, text, uuid) to authenticated;

create function api.unbind_bot(org_id uuid, binding_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(unbind_bot.org_id);
  delete from app.bot_binding b where b.org_id = unbind_bot.org_id and b.id = unbind_bot.binding_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such binding, or not yours to withdraw';
  end if;
  return jsonb_build_object('id', unbind_bot.binding_id);
end
$$;
comment on function api.unbind_bot(uuid, uuid) is $c$Withdraw a binding of a bot: it works on the next call, in runs that have begun too. Needs level editor or bots.manage.

@audience app
@param org_id      the organization
@param binding_id  the binding
@returns           {id}
@errors            22004, PT404
@effect            write$c$;
revoke all on function api.unbind_bot(uuid, uuid) from public;
grant execute on function api.unbind_bot(uuid, uuid) to authenticated;

create function api.list_bot_bindings(org_id uuid, bot_id uuid)
returns table (id uuid, knowledge_base_id uuid, knowledge_base text, data_source_id uuid, data_source text, tool text, created_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_bot_bindings.org_id);
  return query
    select b.id, b.knowledge_base_id, k.slug, b.data_source_id, s.slug, b.tool, b.created_at
    from app.bot_binding b
    left join app.knowledge_base k on k.org_id = b.org_id and k.id = b.knowledge_base_id
    left join app.data_source s on s.org_id = b.org_id and s.id = b.data_source_id
    where b.org_id = list_bot_bindings.org_id and b.bot_id = list_bot_bindings.bot_id
    order by b.tool nulls first, k.slug, s.slug, b.id
    limit 1000;
end
$$;
comment on function api.list_bot_bindings(uuid, uuid) is $c$List what a bot that you see is bound to. A knowledge base or data source you may not see has no name.

@audience app
@param org_id  the organization
@param bot_id  the bot
@returns       array of {id, knowledge_base_id, knowledge_base, data_source_id, data_source, tool, created_at}, at most 1000; knowledge bases first
@errors        22004
@effect        read$c$;
revoke all on function api.list_bot_bindings(uuid, uuid) from public;
grant execute on function api.list_bot_bindings(uuid, uuid) to authenticated;
