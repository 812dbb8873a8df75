-- What a run may use: read at every call, so that unsharing or unbinding works in the middle of a run.

create function authz.running(run_id uuid) returns app.run
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run app.run;
begin
  -- runs.read shows other people's runs; only one's own can be acted in, and only while one may still run its bot.
  select r.* into v_run from app.run r
  where r.id = running.run_id and r.user_id = authz.uid() and r.status = 'running'
    and r.started_at > now() - authz.run_lasts()
    and r.bot_id = any (array(select authz.runnable_bots()));
  if not found then
    raise sqlstate 'PT404' using message = 'no such running run of yours';
  end if;
  return v_run;
end
$$;
comment on function authz.running(uuid) is 'The caller''s own running run; PT404 for any other, for one older than authz.run_lasts(), or when the bot is no longer theirs to run.';
revoke all on function authz.running(uuid) from public;
grant execute on function authz.running(uuid) to authenticated;

create function authz.digest(org_id uuid, conversation_id uuid, content text) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select encode(sha256(convert_to(c.digest_key || ' ' || digest.content, 'UTF8')), 'hex')
  from app.conversation c where c.org_id = digest.org_id and c.id = digest.conversation_id
$$;
comment on function authz.digest(uuid, uuid, text) is 'SHA-256, hexadecimal, of the key of one''s own conversation, a space and the content; null for another''s conversation. An order number has so few values that a bare hash would give it back.';
revoke all on function authz.digest(uuid, uuid, text) from public;
grant execute on function authz.digest(uuid, uuid, text) to authenticated;

create function authz.run_knowledge_bases(org_id uuid, run_id uuid) returns uuid[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run app.run := authz.running(run_knowledge_bases.run_id);
begin
  if v_run.org_id is distinct from run_knowledge_bases.org_id then
    raise sqlstate 'PT404' using message = 'no such running run of yours';
  end if;
  return array(select b.knowledge_base_id from app.bot_binding b
    where b.org_id = v_run.org_id and b.bot_id = v_run.bot_id and b.knowledge_base_id is not null);
end
$$;
comment on function authz.run_knowledge_bases(uuid, uuid) is 'The knowledge bases the bot of a running run is bound to now; PT404 when the run is not the caller''s in that organization.';
revoke all on function authz.run_knowledge_bases(uuid, uuid) from public;
grant execute on function authz.run_knowledge_bases(uuid, uuid) to authenticated;

create function authz.run_tools(org_id uuid, bot_id uuid) returns text[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(b.tool order by b.tool), '{}') from app.bot_binding b
  where b.org_id = run_tools.org_id and b.bot_id = run_tools.bot_id and b.tool is not null and authz.is_tool(b.tool)
    and not exists (select from authz.denied_tools() d where d.org_id = b.org_id and d.tool = b.tool)
$$;
comment on function authz.run_tools(uuid, uuid) is 'The tools a bot is bound to now, without those a rule takes from the signed-in person (F15).';
revoke all on function authz.run_tools(uuid, uuid) from public;
grant execute on function authz.run_tools(uuid, uuid) to authenticated;

create function authz.runnable_bot(bot text) returns app.bot
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_bots app.bot[];
begin
  -- By two ids, else by the organization's id, else by slugs: a name never stands in the way of an id.
  select array_agg(m.found) into v_bots
  from (
    select b as found, f.form, min(f.form) over () as best
    from app.bot b
    join app.organization o on o.id = b.org_id
    cross join lateral (select case runnable_bot.bot
      when o.id || '/' || b.id then 1 when o.id || '/' || b.slug then 2 when o.slug || '/' || b.slug then 3 end) f (form)
    where b.id = any (array(select authz.runnable_bots())) and f.form is not null) m
  where m.form = m.best;
  if v_bots is null then
    raise sqlstate 'PT404' using message = 'no such bot, or not yours to run';
  elsif cardinality(v_bots) > 1 then
    raise sqlstate 'PT409' using message = 'several bots have that name: use the ids of the organization and of the bot instead';
  end if;
  return v_bots[1];
end
$$;
comment on function authz.runnable_bot(text) is 'The one bot of that name, organization/bot by slug or by id, that the signed-in person may run; PT404 for none, PT409 for several.';
revoke all on function authz.runnable_bot(text) from public;
grant execute on function authz.runnable_bot(text) to authenticated;
