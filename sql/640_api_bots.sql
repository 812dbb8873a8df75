-- Bots: making, sharing and binding them, and finding those one may run.

create function api.create_bot(org_id uuid, slug text, name text, instructions text default '') returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform authz.require_org(create_bot.org_id);
  insert into app.bot (org_id, slug, name, instructions)
  values (create_bot.org_id, create_bot.slug, create_bot.name, create_bot.instructions) returning id into v_id;
  return jsonb_build_object('id', v_id);
exception when unique_violation then
  raise sqlstate 'PT409' using message = 'the organization has a bot of that slug';
end
$$;
comment on function api.create_bot(uuid, text, text, text) is $c$Create a bot. It reaches nothing until it is bound, and nobody runs it until it is shared.

@audience app
@param org_id        the organization
@param slug          short name; 2..40 of a-z, 0-9 and -
@param name          display name; 1..120 characters
@param instructions  what the model is told to do; 0..8000 characters
@returns             {id}
@errors              22004, 23514, 42501, PT409
@effect              write$c$;
revoke all on function api.create_bot(uuid, text, text, text) from public;
grant execute on function api.create_bot(uuid, text, text, text) to authenticated;

create function api.share_bot(org_id uuid, bot_id uuid, role text default null, user_id uuid default null) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform authz.require_org(share_bot.org_id);
  perform authz.require(num_nonnulls(share_bot.role, share_bot.user_id) <= 1, 'name a role, or a person, or neither for everyone');
  insert into app.bot_runner (org_id, bot_id, role_id, user_id)
  values (share_bot.org_id, share_bot.bot_id,
    case when share_bot.role is not null then authz.role_named(share_bot.org_id, share_bot.role) end, share_bot.user_id)
  returning id into v_id;
  return jsonb_build_object('id', v_id);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'already shared so';
  when foreign_key_violation then raise sqlstate 'PT404' using message = 'no such bot, or no such member';
end
$$;
comment on function api.share_bot(uuid, uuid, text, uuid) is $c$Let a role, a member or (naming neither) everyone in the organization run a bot. It gives nobody any access to data.

@audience app
@param org_id   the organization
@param bot_id   the bot
@param role     name of a role
@param user_id  a member
@returns        {id}
@errors         22004, 22023, 42501, PT404, PT409
@effect         write$c$;
revoke all on function api.share_bot(uuid, uuid, text, uuid) from public;
grant execute on function api.share_bot(uuid, uuid, text, uuid) to authenticated;

create function api.bind_bot(org_id uuid, bot_id uuid, knowledge_base_id uuid default null, tool text default null) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform authz.require_org(bind_bot.org_id);
  perform authz.require(num_nonnulls(bind_bot.knowledge_base_id, bind_bot.tool) = 1, 'name a knowledge base or a tool');
  perform authz.require(bind_bot.tool is null or authz.is_tool(bind_bot.tool), 'tool: not a function that may be bound to bots');
  insert into app.bot_binding (org_id, bot_id, knowledge_base_id, tool)
  values (bind_bot.org_id, bind_bot.bot_id, bind_bot.knowledge_base_id, bind_bot.tool) returning id into v_id;
  return jsonb_build_object('id', v_id);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'already bound so';
  when foreign_key_violation then raise sqlstate 'PT404' using message = 'no such bot, or no such knowledge base';
end
$$;
comment on function api.bind_bot(uuid, uuid, uuid, text) is $c$Let runs of a bot use a knowledge base or a tool, within what the person running it may do.

@audience app
@param org_id             the organization
@param bot_id             the bot
@param knowledge_base_id  a knowledge base
@param tool               name of a function whose audience is bot
@returns                  {id}
@errors                   22004, 22023, 42501, PT404, PT409
@effect                   write$c$;
revoke all on function api.bind_bot(uuid, uuid, uuid, text) from public;
grant execute on function api.bind_bot(uuid, uuid, uuid, text) to authenticated;

create function api.list_bots()
returns table (id uuid, org_id uuid, organization text, bot text, name text, version integer, created_at timestamptz)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select b.id, b.org_id, o.slug, b.slug, b.name, b.version, b.created_at
  from app.bot b
  join app.organization o on o.id = b.org_id
  join app.membership m on m.org_id = b.org_id and m.user_id = authz.uid()
  where b.id = any (array(select authz.runnable_bots()))
  -- By how long one has been a member: an organization one was added to yesterday pushes nothing out of the answer.
  order by m.created_at, o.id, b.slug
  limit 1000
$$;
comment on function api.list_bots() is $c$List the bots you may run, in all your organizations.

@audience app
@returns  array of {id, org_id, organization, bot, name, version, created_at}, at most 1000; of the organization joined first, first
@effect   read$c$;
revoke all on function api.list_bots() from public;
grant execute on function api.list_bots() to authenticated;
