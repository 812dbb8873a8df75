-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

CREATE OR REPLACE FUNCTION api.start_run (
  bot             text,
  question        text,
  conversation_id uuid DEFAULT NULL::uuid,
  request_id      text DEFAULT NULL::text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_bots app.bot[];
  v_bot app.bot;
  v_version app.bot_version;
  v_conversation uuid := start_run.conversation_id;
  v_run uuid;
  v_history jsonb;
begin
  perform authz.require(char_length(question) between 1 and 8000, 'question: 1..8000 characters');
  -- By two ids, else by the organization's id, else by slugs: a name never stands in the way of an id.
  select array_agg(m.found) into v_bots
  from (
    select b as found, f.form, min(f.form) over () as best
    from app.bot b
    join app.organization o on o.id = b.org_id
    cross join lateral (select case start_run.bot
      when o.id || '/' || b.id then 1 when o.id || '/' || b.slug then 2 when o.slug || '/' || b.slug then 3 end) f (form)
    where b.id = any (array(select authz.runnable_bots())) and f.form is not null) m
  where m.form = m.best;
  if v_bots is null then
    raise sqlstate 'PT404' using message = 'no such bot, or not yours to run';
  elsif cardinality(v_bots) > 1 then
    raise sqlstate 'PT409' using message = 'several of your organizations have that name: use the id of the organization instead';
  end if;
  v_bot := v_bots[1];
  select v.* into strict v_version from app.bot_version v where v.org_id = v_bot.org_id and v.bot_id = v_bot.id and v.version = v_bot.version;
  -- Whoever began these never heard that they had begun, or died: nothing else would ever end them.
  update app.run r set status = 'failed', error_code = 'abandoned', finished_at = clock_timestamp()
  where r.org_id = v_bot.org_id and r.user_id = authz.uid() and r.status = 'running' and r.started_at <= now() - authz.run_lasts();
  if v_conversation is null then
    insert into app.conversation (org_id, bot_id, title) values (v_bot.org_id, v_bot.id, left(question, 120)) returning id into v_conversation;
  elsif not exists (
    select from app.conversation c where c.org_id = v_bot.org_id and c.id = v_conversation and c.bot_id = v_bot.id)
  then
    raise sqlstate 'PT404' using message = 'no such conversation with this bot';
  end if;
  -- The last 20 messages, as many as make at most 40,000 characters, oldest first.
  select coalesce(jsonb_agg(jsonb_build_object('role', h.role, 'content', h.content) order by h.created_at, h.id)
    filter (where h.characters <= 40000), '[]') into v_history
  from (select m.*, sum(char_length(m.content)) over (order by m.created_at desc, m.id) as characters
    from app.message m where m.org_id = v_bot.org_id and m.conversation_id = v_conversation
    order by m.created_at desc, m.id limit 20) h;
  insert into app.run (org_id, bot_id, bot_version, conversation_id, question_sha256, request_id)
  values (v_bot.org_id, v_bot.id, v_version.version, v_conversation, authz.digest(v_bot.org_id, v_conversation, question), start_run.request_id)
  returning id into v_run;
  insert into app.message (org_id, conversation_id, run_id, role, content) values (v_bot.org_id, v_conversation, v_run, 'user', question);
  return jsonb_build_object(
    'run_id', v_run, 'org_id', v_bot.org_id, 'conversation_id', v_conversation,
    'bot', jsonb_build_object('id', v_bot.id, 'slug', v_bot.slug, 'name', v_version.name, 'version', v_version.version,
      'instructions', v_version.instructions, 'sha256', v_version.sha256),
    'tools', to_jsonb(authz.run_tools(v_bot.org_id, v_bot.id)),
    'history', v_history);
end
$function$;

-- By hand: what is called like an id already gets a name that is none.
update app.bot set slug = 'x-' || slug where slug ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';
update app.knowledge_base set slug = 'x-' || slug where slug ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';
update app.organization set slug = 'x-' || slug where slug ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';
update app.team set slug = 'x-' || slug where slug ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';

ALTER TABLE "app"."bot"
  ADD CONSTRAINT "bot_slug_no_id_check" CHECK ((slug !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'::text));

ALTER TABLE "app"."knowledge_base"
  ADD CONSTRAINT "knowledge_base_slug_no_id_check" CHECK ((slug !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'::text));

ALTER TABLE "app"."organization"
  ADD CONSTRAINT "organization_slug_no_id_check" CHECK ((slug !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'::text));

ALTER TABLE "app"."team"
  ADD CONSTRAINT "team_slug_no_id_check" CHECK ((slug !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'::text));

COMMENT ON COLUMN "app"."bot"."slug" IS 'Short name within the organization; 2..40 of a-z 0-9 -, and no uuid.';

COMMENT ON COLUMN "app"."knowledge_base"."slug" IS 'Short name within the organization; 2..40 of a-z 0-9 -, and no uuid.';

COMMENT ON COLUMN "app"."organization"."slug" IS 'Short name its members use; 2..40 of a-z 0-9 -, and no uuid; unique only among the organizations of one person.';

COMMENT ON COLUMN "app"."team"."slug" IS 'Short name within the organization; 2..40 of a-z 0-9 -, and no uuid.';

COMMENT ON FUNCTION "api"."create_bot"(uuid, text, text, text) IS 'Create a bot. You are its owner. It reaches nothing until it is bound, and nobody else runs it until it is shared.

@audience app
@param org_id        the organization
@param slug          short name; 2..40 of a-z, 0-9 and -, no uuid
@param name          display name; 1..120 characters
@param instructions  what the model is told to do; 0..8000 characters
@returns             {id}
@errors              22004, 23514, 42501, PT409
@effect              write';

COMMENT ON FUNCTION "api"."create_knowledge_base"(uuid, text, text, text) IS 'Create a knowledge base, for the organization or restricted to those you share it with.

@audience app
@param org_id      the organization
@param slug        short name; 2..40 of a-z, 0-9 and -, no uuid
@param name        display name; 1..120 characters
@param visibility  organization or restricted
@returns           {id}
@errors            22004, 23514, 42501, PT409
@effect            write';

COMMENT ON FUNCTION "api"."create_organization"(text, text) IS 'Found an organization and become its owner.

@audience app
@param slug  short name; 2..40 of a-z, 0-9 and -, no uuid
@param name  display name; 1..120 characters
@returns     {id, slug}
@errors      22023, 23514, PT409, PT429
@effect      write';

COMMENT ON FUNCTION "api"."create_team"(uuid, text, text) IS 'Make a team to share things with.

@audience app
@param org_id  the organization; needs teams.manage
@param slug    short name; 2..40 of a-z, 0-9 and -, no uuid
@param name    display name; 1..120 characters
@returns       {id, slug, name}
@errors        22004, 22023, 23514, 42501, PT409, PT429
@effect        write';

COMMENT ON FUNCTION "api"."rename_team"(uuid, uuid, text, text) IS 'Give a team another slug or name.

@audience app
@param org_id   the organization
@param team_id  the team; needs teams.manage, or being its manager
@param slug     short name; 2..40 of a-z, 0-9 and -, no uuid; null: as it is
@param name     display name; 1..120 characters; null: as it is
@returns        {id, slug, name}
@errors         22004, 22023, 23514, 42501, PT404, PT409
@effect         write';

COMMENT ON FUNCTION "api"."update_organization"(uuid, text, text) IS 'Give an organization another slug or name.

@audience app
@param org_id  the organization; needs organization.manage
@param slug    short name; 2..40 of a-z, 0-9 and -, no uuid; null: as it is
@param name    display name; 1..120 characters; null: as it is
@returns       {id, slug, name, created_at, require_mfa}
@errors        22004, 22023, 23514, 42501, PT404
@effect        write';

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
