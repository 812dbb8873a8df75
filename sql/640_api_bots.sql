-- Bots: making and changing them, taking them out of use, and finding those one may run.

create function api.create_bot(org_id uuid, slug text, name text, instructions text default '') returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform authz.require_org(create_bot.org_id);
  perform authz.lock_name(create_bot.org_id, 'bot ' || create_bot.slug);
  -- Only of one that the person sees is told that it is there; whoever sees both names them by id.
  if exists (select from app.bot b where b.org_id = create_bot.org_id and b.slug = create_bot.slug) then
    raise sqlstate 'PT409' using message = 'the organization has a bot of that slug';
  end if;
  insert into app.bot (org_id, slug, name, instructions)
  values (create_bot.org_id, create_bot.slug, create_bot.name, create_bot.instructions) returning id into v_id;
  return jsonb_build_object('id', v_id);
end
$$;
comment on function api.create_bot(uuid, text, text, text) is $c$Create a bot. You are its owner. It reaches nothing until it is bound, and nobody else runs it until it is shared.

@audience app
@param org_id        the organization
@param slug          short name; 2..40 of a-z, 0-9 and -, no uuid
@param name          display name; 1..120 characters
@param instructions  what the model is told to do; 0..8000 characters
@returns             {id}
@errors              22004, 23514, 42501, PT409
@effect              write$c$;
revoke all on function api.create_bot(uuid, text, text, text) from public;
grant execute on function api.create_bot(uuid, text, text, text) to authenticated;

create function api.update_bot(org_id uuid, bot_id uuid, expected_version integer, name text default null, instructions text default null) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_version integer;
begin
  perform authz.require_org(update_bot.org_id);
  perform authz.require(update_bot.expected_version >= 1, 'expected_version: the version you read, 1..2147483647');
  update app.bot b set name = coalesce(update_bot.name, b.name), instructions = coalesce(update_bot.instructions, b.instructions)
  where b.org_id = update_bot.org_id and b.id = update_bot.bot_id and b.version = update_bot.expected_version
  returning b.version into v_version;
  if not found then
    -- A statement of its own: it sees what was committed while the update waited.
    select b.version into v_version from app.bot b where b.org_id = update_bot.org_id and b.id = update_bot.bot_id;
    if not found then
      raise sqlstate 'PT404' using message = 'no such bot';
    elsif v_version <> update_bot.expected_version then
      raise sqlstate 'PT409' using message = 'somebody changed the bot meanwhile: read it again';
    end if;
    raise sqlstate '42501' using message = 'changing a bot is for its editors and owners and for bots.manage';
  end if;
  return jsonb_build_object('version', v_version);
end
$$;
comment on function api.update_bot(uuid, uuid, integer, text, text) is $c$Publish a new version of a bot: what you leave out stays as it was. Runs that have begun go on with the version they began with.

@audience app
@param org_id            the organization
@param bot_id            the bot
@param expected_version  the version you read; a change in between is not overwritten; 1..2147483647
@param name              display name; 1..120 characters
@param instructions      what the model is told to do; 0..8000 characters
@returns                 {version}
@errors                  22004, 22023, 23514, 42501, PT404, PT409
@effect                  write$c$;
revoke all on function api.update_bot(uuid, uuid, integer, text, text) from public;
grant execute on function api.update_bot(uuid, uuid, integer, text, text) to authenticated;

create function authz.set_archived(org_id uuid, bot_id uuid, archived boolean) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_at timestamptz;
begin
  perform authz.require_org(set_archived.org_id);
  -- Archived twice is archived since the first time.
  update app.bot b set archived_at = case when set_archived.archived then coalesce(b.archived_at, now()) end
  where b.org_id = set_archived.org_id and b.id = set_archived.bot_id
  returning b.archived_at into v_at;
  if not found then
    if exists (select from app.bot b where b.org_id = set_archived.org_id and b.id = set_archived.bot_id) then
      raise sqlstate '42501' using message = 'archiving a bot and taking it back into use is for its owners and bots.manage';
    end if;
    raise sqlstate 'PT404' using message = 'no such bot';
  end if;
  return jsonb_build_object('archived_at', v_at);
end
$$;
comment on function authz.set_archived(uuid, uuid, boolean) is 'Put a bot out of use or back into it; 42501 for who may not, PT404 for a bot the person does not see.';
revoke all on function authz.set_archived(uuid, uuid, boolean) from public;
grant execute on function authz.set_archived(uuid, uuid, boolean) to authenticated;

create function api.archive_bot(org_id uuid, bot_id uuid) returns jsonb
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  select authz.set_archived(archive_bot.org_id, archive_bot.bot_id, true)
$$;
comment on function api.archive_bot(uuid, uuid) is $c$Put a bot out of use: nobody runs it from their next request on, not even in a run that has begun. Its record stays, and it can be restored.

@audience app
@param org_id  the organization
@param bot_id  the bot
@returns       {archived_at}
@errors        22004, 42501, PT404
@effect        write$c$;
revoke all on function api.archive_bot(uuid, uuid) from public;
grant execute on function api.archive_bot(uuid, uuid) to authenticated;

create function api.restore_bot(org_id uuid, bot_id uuid) returns jsonb
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  select authz.set_archived(restore_bot.org_id, restore_bot.bot_id, false)
$$;
comment on function api.restore_bot(uuid, uuid) is $c$Put an archived bot back into use, for those it is still shared with.

@audience app
@param org_id  the organization
@param bot_id  the bot
@returns       {archived_at: null}
@errors        22004, 42501, PT404
@effect        write$c$;
revoke all on function api.restore_bot(uuid, uuid) from public;
grant execute on function api.restore_bot(uuid, uuid) to authenticated;
