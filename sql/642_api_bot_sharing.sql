-- Sharing bots: with whom, and how far. It gives nobody any access to data (F13, F14).

create function api.share_bot(
  org_id uuid, bot_id uuid, role text default null, user_id uuid default null, team_id uuid default null, level text default 'viewer')
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_role uuid := case when share_bot.role is not null then authz.role_named(share_bot.org_id, share_bot.role) end;
  v_id uuid;
begin
  perform authz.require_org(share_bot.org_id);
  perform authz.require(num_nonnulls(share_bot.role, share_bot.user_id, share_bot.team_id) <= 1,
    'name a role, a person or a team, or none of them for everyone');
  perform authz.require(share_bot.level in ('viewer', 'editor', 'owner'), 'level: viewer, editor or owner');
  begin
    insert into app.bot_runner (org_id, bot_id, role_id, user_id, team_id, level)
    values (share_bot.org_id, share_bot.bot_id, v_role, share_bot.user_id, share_bot.team_id, share_bot.level)
    returning id into v_id;
  exception when unique_violation then
    update app.bot_runner r set level = share_bot.level
    where r.org_id = share_bot.org_id and r.bot_id = share_bot.bot_id and r.level <> share_bot.level
      and (r.role_id, r.user_id, r.team_id) is not distinct from (v_role, share_bot.user_id, share_bot.team_id)
    returning r.id into v_id;
    if not found then
      raise sqlstate 'PT409' using message = 'already shared so';
    end if;
  end;
  return jsonb_build_object('id', v_id);
exception
  when foreign_key_violation then raise sqlstate 'PT404' using message = 'no such bot, or no such member or team';
end
$$;
comment on function api.share_bot(uuid, uuid, text, uuid, uuid, text) is $c$Share a bot with a role, a member, a team or (naming none) everyone in the organization, or change the level it is shared at: viewer may run it, editor also change and bind it, owner also share and archive it. It gives nobody any access to data. Needs level owner or bots.manage; for a role or everyone also resources.publish.

@audience app
@param org_id   the organization
@param bot_id   the bot
@param role     name of a role
@param user_id  a member
@param team_id  a team
@param level    viewer, editor or owner
@returns        {id}
@errors         22004, 22023, 42501, PT404, PT409
@effect         write$c$;
revoke all on function api.share_bot(uuid, uuid, text, uuid, uuid, text) from public;
grant execute on function api.share_bot(uuid, uuid, text, uuid, uuid, text) to authenticated;

create function api.unshare_bot(org_id uuid, bot_id uuid, role text default null, user_id uuid default null, team_id uuid default null) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_role uuid := case when unshare_bot.role is not null then authz.role_named(unshare_bot.org_id, unshare_bot.role) end;
  v_id uuid;
begin
  perform authz.require_org(unshare_bot.org_id);
  perform authz.require(num_nonnulls(unshare_bot.role, unshare_bot.user_id, unshare_bot.team_id) <= 1,
    'name a role, a person or a team, or none of them for everyone');
  delete from app.bot_runner r
  where r.org_id = unshare_bot.org_id and r.bot_id = unshare_bot.bot_id
    and (r.role_id, r.user_id, r.team_id) is not distinct from (v_role, unshare_bot.user_id, unshare_bot.team_id)
  returning r.id into v_id;
  if not found then
    raise sqlstate 'PT404' using message = 'not shared so, or not yours to withdraw';
  end if;
  return jsonb_build_object('id', v_id);
end
$$;
comment on function api.unshare_bot(uuid, uuid, text, uuid, uuid) is $c$Withdraw one sharing of a bot: the role's, the member's, the team's or (naming none) everyone's. It works on their next request, and in the middle of a run.

@audience app
@param org_id   the organization
@param bot_id   the bot
@param role     name of a role
@param user_id  a member
@param team_id  a team
@returns        {id}
@errors         22004, 22023, PT404
@effect         write$c$;
revoke all on function api.unshare_bot(uuid, uuid, text, uuid, uuid) from public;
grant execute on function api.unshare_bot(uuid, uuid, text, uuid, uuid) to authenticated;

create function api.list_bot_shares(org_id uuid, bot_id uuid)
returns table (id uuid, user_id uuid, team_id uuid, team text, role text, level text, created_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_bot_shares.org_id);
  return query
    select r.id, r.user_id, r.team_id, t.slug, o.name, r.level, r.created_at
    from app.bot_runner r
    left join app.team t on t.org_id = r.org_id and t.id = r.team_id
    left join app.role o on o.org_id = r.org_id and o.id = r.role_id
    where r.org_id = list_bot_shares.org_id and r.bot_id = list_bot_shares.bot_id
    order by r.created_at, r.id
    limit 1000;
end
$$;
comment on function api.list_bot_shares(uuid, uuid) is $c$List with whom a bot is shared: its owners and bots.manage see all, others what lets them use it. A row that names nobody is everyone in the organization.

@audience app
@param org_id  the organization
@param bot_id  the bot
@returns       array of {id, user_id, team_id, team, role, level, created_at}, at most 1000; oldest first
@errors        22004
@effect        read$c$;
revoke all on function api.list_bot_shares(uuid, uuid) from public;
grant execute on function api.list_bot_shares(uuid, uuid) to authenticated;
