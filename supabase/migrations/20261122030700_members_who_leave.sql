-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

DROP POLICY "document_delete_editor" ON "app"."document";

DROP POLICY "document_update_editor" ON "app"."document";

DROP POLICY "run_step_insert_self" ON "app"."run_step";

DROP TRIGGER "_060_in_scope" ON "app"."document";

DROP TRIGGER "_900_audit" ON "app"."document";

DROP INDEX "app"."document_private_key";

DROP INDEX "app"."document_shared_key";

ALTER TABLE "app"."bot"
  DROP CONSTRAINT "bot_org_id_slug_key";

ALTER TABLE "app"."knowledge_base"
  DROP CONSTRAINT "knowledge_base_org_id_slug_key";

DROP FUNCTION "api"."list_members"(uuid);

ALTER TABLE "app"."document"
  ADD COLUMN "owner_left_at" timestamp WITH time zone;

ALTER TABLE "app"."membership"
  ADD COLUMN "email" text;

CREATE OR REPLACE FUNCTION api.adopt_document (
  org_id      uuid,
  document_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(adopt_document.org_id);
  if authz.take_over_document(adopt_document.org_id, adopt_document.document_id) is not true then
    raise sqlstate 'PT404' using message = 'no such document that was left behind, or not yours to take over';
  end if;
  return jsonb_build_object('document_id', adopt_document.document_id, 'owner_id', authz.uid());
end
$function$;

CREATE OR REPLACE FUNCTION api.begin_document (
  org_id            uuid,
  knowledge_base_id uuid,
  title             text,
  uri               text,
  sha256            text,
  visibility        text                     DEFAULT NULL::text,
  media_type        text                     DEFAULT 'text/plain'::text,
  byte_size         bigint                   DEFAULT NULL::bigint,
  tags              text[]                   DEFAULT '{}'::text[],
  classification    integer                  DEFAULT NULL::integer,
  source            text                     DEFAULT 'upload'::text,
  trust             text                     DEFAULT 'untrusted'::text,
  modified_at       timestamp with time zone DEFAULT NULL::timestamp WITH time zone
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_base app.knowledge_base;
  v_old app.document;
  v_visibility text;
  v_id uuid;
  v_message text;
begin
  perform authz.require_org(begin_document.org_id);
  select k.* into v_base from app.knowledge_base k
  where k.org_id = begin_document.org_id and k.id = begin_document.knowledge_base_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such knowledge base';
  end if;
  v_visibility := coalesce(begin_document.visibility, case v_base.visibility when 'restricted' then 'knowledge_base' else 'organization' end);
  perform authz.require(v_visibility <> 'organization' or v_base.visibility = 'organization',
    'visibility: the knowledge base is restricted, and so are its documents; share the document itself with others');
  select d.* into v_old from app.document d
  where d.org_id = begin_document.org_id and d.knowledge_base_id = begin_document.knowledge_base_id and d.state = 'ready'
    and d.uri = begin_document.uri and (d.visibility = 'private') = (v_visibility = 'private')
    and (d.visibility <> 'private' or d.owner_id = authz.uid())
  -- There are several where one was hidden from whoever loaded the next.
  order by d.sha256 = begin_document.sha256 desc, d.classification desc, d.created_at desc limit 1;
  if v_old.sha256 = begin_document.sha256 then
    return jsonb_build_object('document_id', v_old.id, 'state', 'unchanged');
  end if;
  -- What this person left half loaded at this place is of no use to anyone.
  delete from app.document d
  where d.org_id = begin_document.org_id and d.knowledge_base_id = begin_document.knowledge_base_id and d.state = 'loading'
    and d.uri = begin_document.uri and d.owner_id = authz.uid();
  insert into app.document (org_id, knowledge_base_id, title, uri, sha256, visibility, classification, media_type, byte_size, tags, source,
    trust, modified_at)
  values (begin_document.org_id, begin_document.knowledge_base_id, begin_document.title, begin_document.uri, begin_document.sha256,
    -- A new version is not less confidential than the one before unless somebody says so.
    v_visibility, coalesce(begin_document.classification, v_old.classification, 1), begin_document.media_type, begin_document.byte_size,
    coalesce(begin_document.tags, '{}'), begin_document.source, begin_document.trust, begin_document.modified_at)
  returning id into v_id;
  perform authz.inherit_rules(begin_document.org_id, v_old.id, v_id);
  return jsonb_build_object('document_id', v_id, 'state', 'loading');
exception when insufficient_privilege then
  get stacked diagnostics v_message = message_text;
  -- PostgreSQL's own sentence names a table; ours say what is missing.
  if v_message like 'new row violates row-level security policy%' then
    v_message := 'adding documents takes level editor on the knowledge base, or documents.manage (for the whole organization with resources.publish), and the permission to read their classification';
  end if;
  raise sqlstate '42501' using message = v_message;
end
$function$;

CREATE OR REPLACE FUNCTION api.create_bot (
  org_id       uuid,
  slug         text,
  name         text,
  instructions text DEFAULT ''::text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION api.create_knowledge_base (
  org_id     uuid,
  slug       text,
  name       text,
  visibility text DEFAULT 'organization'::text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_id uuid;
begin
  perform authz.require_org(create_knowledge_base.org_id);
  perform authz.lock_name(create_knowledge_base.org_id, 'knowledge base ' || create_knowledge_base.slug);
  -- Only of one that the person sees is told that it is there; whoever sees both names them by id.
  if exists (select from app.knowledge_base k where k.org_id = create_knowledge_base.org_id and k.slug = create_knowledge_base.slug) then
    raise sqlstate 'PT409' using message = 'the organization has a knowledge base of that slug';
  end if;
  insert into app.knowledge_base (org_id, slug, name, visibility)
  values (create_knowledge_base.org_id, create_knowledge_base.slug, create_knowledge_base.name, create_knowledge_base.visibility);
  -- Not "returning": a restricted one is seen with its first grant, which comes right after it.
  select k.id into v_id from app.knowledge_base k where k.org_id = create_knowledge_base.org_id and k.slug = create_knowledge_base.slug;
  return jsonb_build_object('id', v_id);
end
$function$;

CREATE OR REPLACE FUNCTION api.finish_document (
  org_id      uuid,
  document_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_document app.document;
  v_old app.document;
  v_chunks bigint;
  v_replaced uuid;
  v_synced timestamptz;
begin
  perform authz.require_org(finish_document.org_id);
  v_document := authz.loading_document(finish_document.org_id, finish_document.document_id);
  select count(*) into v_chunks from app.chunk c where c.org_id = v_document.org_id and c.document_id = v_document.id;
  perform authz.require(v_chunks > 0, 'the document has no chunks');
  perform authz.require((
    select p.parts = 0 or p.last = p.parts - 1 and p.sha256 = v_document.sha256
    from (select count(*) as parts, max(f.position) as last,
        encode(sha256(coalesce(string_agg(f.content, ''::bytea order by f.position), ''::bytea)), 'hex') as sha256
      from app.document_part f where f.org_id = v_document.org_id and f.document_id = v_document.id) p),
    'the parts are not the file whose sha256 was given');
  perform authz.lock_name(v_document.org_id, 'document ' || v_document.knowledge_base_id || ' ' || v_document.uri);
  -- What the person cannot see stays beside the new version, and nothing tells them of it (R51).
  for v_old in
    select d.* from app.document d
    where d.org_id = v_document.org_id and d.knowledge_base_id = v_document.knowledge_base_id and d.uri = v_document.uri
      and (d.visibility = 'private') = (v_document.visibility = 'private')
      and (d.visibility <> 'private' or d.owner_id = v_document.owner_id)
      and d.state = 'ready'
    order by d.created_at
  loop
    -- As changing it would ask (authz.tg_document_guard): a new version is no way around.
    if v_document.classification < v_old.classification
      and not (v_old.owner_id = authz.uid() and v_old.owner_left_at is null or v_old.org_id = any (array(select authz.orgs_with('documents.manage')))
        or v_old.id = any (array(select authz.granted_documents('owner')))
        or v_old.visibility <> 'private' and v_old.knowledge_base_id = any (array(select authz.granted_knowledge_bases('owner'))))
    then
      raise sqlstate '42501' using message = 'who reads a document is for its owners to change: the earlier version is more confidential';
    end if;
    delete from app.document d where d.org_id = v_old.org_id and d.id = v_old.id returning d.id into v_replaced;
    if not found then
      raise sqlstate 'PT409' using message = 'another document has this uri, and it is not yours to replace';
    end if;
    v_synced := greatest(v_synced, v_old.acl_synced_at);
  end loop;
  -- Access that runs out runs out for the new version, too, until it is checked again.
  update app.document d set state = 'ready', acl_synced_at = greatest(d.acl_synced_at, v_synced)
  where d.org_id = v_document.org_id and d.id = v_document.id;
  return jsonb_build_object('document_id', v_document.id, 'chunks', v_chunks, 'replaced', v_replaced);
end
$function$;

CREATE OR REPLACE FUNCTION api.list_left_documents (
  org_id uuid
)
  RETURNS TABLE (
    id                uuid,
    knowledge_base_id uuid,
    title             text,
    uri               text,
    owner_id          uuid,
    owner_left_at     timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(list_left_documents.org_id);
  return query select l.* from authz.left_documents(list_left_documents.org_id) l;
end
$function$;

CREATE OR REPLACE FUNCTION api.list_members (
  org_id uuid
)
  RETURNS TABLE (
    user_id        uuid,
    email          text,
    role           text,
    status         text,
    teams          integer,
    last_active_on date,
    since          timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_members.org_id);
  return query
    select m.user_id, m.email, r.name, m.status,
      (select count(*)::integer from app.team_member t where t.org_id = m.org_id and t.user_id = m.user_id), a.last_active_on, m.created_at
    from app.membership m
    join app.role r on r.org_id = m.org_id and r.id = m.role_id
    left join app.member_activity a on a.org_id = m.org_id and a.user_id = m.user_id
    where m.org_id = list_members.org_id
    order by m.created_at, m.user_id;
end
$function$;

CREATE OR REPLACE FUNCTION api.list_runs (
  org_id   uuid,
  max_rows integer DEFAULT 100
)
  RETURNS TABLE (
    id              uuid,
    user_id         uuid,
    bot_id          uuid,
    bot             text,
    bot_version     integer,
    conversation_id uuid,
    status          text,
    error_code      text,
    started_at      timestamp with time zone,
    finished_at     timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_runs.org_id);
  perform authz.require(max_rows between 1 and 1000, 'max_rows: 1..1000');
  return query
    -- Nobody writes down that a run was given up before its person is back; whoever reads it is told so at once.
    select r.id, r.user_id, r.bot_id, b.slug, r.bot_version, r.conversation_id,
      case when authz.run_is_over(r.status, r.started_at) then 'failed' else r.status end,
      case when authz.run_is_over(r.status, r.started_at) then 'abandoned' else r.error_code end,
      r.started_at, case when authz.run_is_over(r.status, r.started_at) then r.started_at + authz.run_lasts() else r.finished_at end
    from app.run r
    left join app.bot b on b.org_id = r.org_id and b.id = r.bot_id
    where r.org_id = list_runs.org_id
    order by r.started_at desc, r.id
    limit max_rows;
end
$function$;

CREATE OR REPLACE FUNCTION api.update_document (
  org_id         uuid,
  document_id    uuid,
  title          text    DEFAULT NULL::text,
  visibility     text    DEFAULT NULL::text,
  classification integer DEFAULT NULL::integer,
  tags           text[]  DEFAULT NULL::text[],
  trust          text    DEFAULT NULL::text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_document app.document;
begin
  perform authz.require_org(update_document.org_id);
  update app.document d set
    title = coalesce(update_document.title, d.title),
    visibility = coalesce(update_document.visibility, d.visibility),
    classification = coalesce(update_document.classification, d.classification),
    tags = coalesce(update_document.tags, d.tags),
    trust = coalesce(update_document.trust, d.trust)
  where d.org_id = update_document.org_id and d.id = update_document.document_id
  returning d.* into v_document;
  if not found then
    raise sqlstate 'PT404' using message = 'no such document of yours to change';
  end if;
  -- Only of one that the person sees is told that it is there.
  if update_document.visibility is not null and exists (select from app.document d
    where d.org_id = v_document.org_id and d.knowledge_base_id = v_document.knowledge_base_id and d.uri = v_document.uri
      and d.id <> v_document.id and d.state = 'ready' and (d.visibility = 'private') = (v_document.visibility = 'private')
      and (d.visibility <> 'private' or d.owner_id = v_document.owner_id))
  then
    raise sqlstate 'PT409' using message = 'another document has this uri';
  end if;
  return jsonb_build_object('id', v_document.id, 'title', v_document.title, 'visibility', v_document.visibility,
    'classification', v_document.classification, 'tags', v_document.tags, 'trust', v_document.trust);
end
$function$;

CREATE OR REPLACE FUNCTION api.whoami()
  RETURNS jsonb
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select jsonb_build_object(
    'user_id', authz.uid(),
    'email', authz.claims() ->> 'email',
    'aal', case when authz.is_aal2() then 'aal2' else 'aal1' end,
    'second_factor_missing', authz.second_factor_missing(),
    'organizations', coalesce((
      select jsonb_agg(jsonb_build_object('id', o.id, 'slug', o.slug, 'name', o.name, 'role', r.name,
        -- Those this session may use: an API token has fewer than the role, an OAuth client too.
        'permissions', (select coalesce(jsonb_agg(p.permission order by p.permission), '[]') from app.role_permission p
          where p.org_id = m.org_id and p.role_id = m.role_id and m.org_id = any (array(select authz.orgs_with(p.permission))))) order by o.slug, o.id)
      from app.membership m
      join app.organization o on o.id = m.org_id
      join app.role r on r.org_id = m.org_id and r.id = m.role_id
      where m.user_id = authz.uid()), '[]'))
$function$;

CREATE OR REPLACE FUNCTION authz.adopting_org_id()
  RETURNS uuid
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_org text := current_setting('ringfence.adopting_org_id', true);
begin
  if pg_input_is_valid(v_org, 'uuid') is not true then
    return null;
  end if;
  return (select o.id from authz.orgs_with('documents.manage') o (id) where o.id = v_org::uuid);
end
$function$;

CREATE OR REPLACE FUNCTION authz.inherit_rules (
  org_id        uuid,
  from_document uuid,
  to_document   uuid
)
  RETURNS void
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  insert into app.deny_rule (org_id, user_id, team_id, role_id, document_id, reason)
    select r.org_id, r.user_id, r.team_id, r.role_id, inherit_rules.to_document, r.reason from app.deny_rule r
    where r.org_id = inherit_rules.org_id and r.document_id = inherit_rules.from_document
      -- Against its loader it comes at the end: until then nobody else could finish it.
      and r.user_id is distinct from authz.uid() and num_nonnulls(r.user_id, r.team_id, r.role_id) > 0
      and (r.team_id is null or r.team_id <> all (array(select authz.team_ids())))
      and (r.role_id is null or r.role_id <> all (array(select authz.role_ids())))
  on conflict do nothing;
end
$function$;

ALTER FUNCTION "authz"."inherit_rules"(uuid, uuid, uuid) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.leaving_id()
  RETURNS uuid
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_person text := current_setting('ringfence.leaving_id', true);
begin
  return case when pg_input_is_valid(v_person, 'uuid') then v_person::uuid end;
end
$function$;

CREATE OR REPLACE FUNCTION authz.left_documents (
  org_id uuid
)
  RETURNS TABLE (
    id                uuid,
    knowledge_base_id uuid,
    title             text,
    uri               text,
    owner_id          uuid,
    owner_left_at     timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  ROWS 100
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform set_config('ringfence.adopting_org_id', left_documents.org_id::text, true);
  return query
    select d.id, d.knowledge_base_id, d.title, d.uri, d.owner_id, d.owner_left_at from app.document d
    where d.org_id = left_documents.org_id and d.owner_left_at is not null and d.visibility = 'private' and d.state = 'ready'
    order by d.owner_left_at, d.id limit 1000;
  perform set_config('ringfence.adopting_org_id', '', true);
end
$function$;

ALTER FUNCTION "authz"."left_documents"(uuid) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.loading_elsewhere()
  RETURNS SETOF uuid
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  ROWS 1
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_me uuid := authz.uid();
begin
  -- The policy bounds it to the person's organizations, document_loading_idx to the few that are loading.
  return query select d.id from app.document d where d.state = 'loading' and d.owner_id <> v_me;
end
$function$;

ALTER FUNCTION "authz"."loading_elsewhere"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.lock_name (
  org_id uuid,
  name   text
)
  RETURNS void
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  -- As authz.lock_organization(): whose organization it is not waits for nobody and is waited for by nobody.
  if lock_name.org_id = any (array(select authz.org_ids())) then
    perform pg_advisory_xact_lock(hashtextextended(lock_name.org_id || ' ' || lock_name.name, 0));
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION authz.may_be_message (
  org_id          uuid,
  conversation_id uuid,
  run_id          uuid,
  role            text,
  content         text,
  citations       jsonb
)
  RETURNS boolean
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_run app.run;
  v_digest text := authz.digest(may_be_message.org_id, may_be_message.conversation_id, may_be_message.content);
begin
  select r.* into v_run from app.run r
  where r.org_id = may_be_message.org_id and r.id = may_be_message.run_id and r.conversation_id = may_be_message.conversation_id
    and r.user_id = authz.uid();
  if may_be_message.role = 'user' then
    return coalesce(v_run.question_sha256 = v_digest, false) and may_be_message.citations = '[]';
  end if;
  return coalesce(v_run.status <> 'running' and v_run.answer_sha256 = v_digest, false) and jsonb_typeof(may_be_message.citations) = 'array'
    -- As api.finish_run() asks (F28).
    and not exists (
      select from jsonb_array_elements(may_be_message.citations) c
      where not exists (select from app.run_step s where s.org_id = v_run.org_id and s.run_id = v_run.id
        and s.sources @> jsonb_build_array(jsonb_build_object('document_id', c -> 'document_id', 'chunk_id', c -> 'chunk_id'))));
end
$function$;

CREATE OR REPLACE FUNCTION authz.may_be_step (
  org_id           uuid,
  run_id           uuid,
  kind             text,
  name             text,
  provider         text,
  arguments_sha256 text,
  sources          jsonb,
  row_count        integer,
  input_tokens     integer,
  output_tokens    integer,
  outcome          text
)
  RETURNS boolean
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  if may_be_step.kind = 'model' then
    return may_be_step.sources = '[]' and num_nonnulls(may_be_step.arguments_sha256, may_be_step.row_count) = 0;
  end if;
  if num_nonnulls(may_be_step.provider, may_be_step.input_tokens, may_be_step.output_tokens) > 0 or may_be_step.arguments_sha256 is null
    or jsonb_typeof(may_be_step.sources) <> 'array'
  then
    return false;
  end if;
  -- What failed returned nothing.
  if may_be_step.outcome <> 'ok' then
    return may_be_step.sources = '[]' and may_be_step.row_count = 0;
  end if;
  return may_be_step.name = any (authz.run_tools(may_be_step.org_id,
      (select r.bot_id from app.run r where r.org_id = may_be_step.org_id and r.id = may_be_step.run_id)))
    and not exists (
      select from jsonb_array_elements(may_be_step.sources) s
      where s.value ? 'chunk_id' and not exists (select from app.chunk c
        where c.org_id = may_be_step.org_id and c.document_id::text = s.value ->> 'document_id'
          and c.id = case when pg_input_is_valid(s.value ->> 'chunk_id', 'uuid') then (s.value ->> 'chunk_id')::uuid end));
end
$function$;

CREATE OR REPLACE FUNCTION authz.require_token_wish (
  org_id      uuid,
  permissions text[],
  expires_at  timestamp with time zone
)
  RETURNS void
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_refused text;
begin
  perform authz.require_person();
  -- The same refusal for every organization there is or is not.
  if (require_token_wish.org_id = any (array(select authz.orgs_with('tokens.create')))) is not true then
    raise sqlstate '42501' using message = 'you may not make API tokens in this organization';
  end if;
  perform authz.require(
    require_token_wish.expires_at between now() + interval '1 minute' and now() + authz.api_token_lasts_at_most(),
    'expires_in: 60..31622400 seconds');
  perform authz.require(cardinality(require_token_wish.permissions) between 1 and 100, 'permissions: 1..100 names');
  -- What the caller wrote is told back shortened: it may be anything.
  select left(p.name, 60) into v_refused from unnest(require_token_wish.permissions) with ordinality p (name, place)
  where not exists (select from app.permission r where r.name = p.name) order by p.place limit 1;
  perform authz.require(not found, format('permissions: names of the registry, and %s is none', coalesce(quote_literal(v_refused), 'null')));
  select p.name into v_refused from unnest(require_token_wish.permissions) with ordinality p (name, place)
  where authz.is_personal(p.name) order by p.place limit 1;
  perform authz.require(not found, format('permissions: %s is for people alone, no API token carries it', v_refused));
  select p.name into v_refused from unnest(require_token_wish.permissions) with ordinality p (name, place)
  where not require_token_wish.org_id = any (array(select authz.orgs_with(p.name))) order by p.place limit 1;
  if found then
    raise sqlstate '42501' using message = format('an API token can have only permissions you hold yourself, and %s is none of yours here', v_refused);
  end if;
  if (select count(*) from app.api_token t where t.org_id = require_token_wish.org_id and t.user_id = authz.uid()
    and t.revoked_at is null and t.expires_at > now()) >= 50
  then
    raise sqlstate 'PT429' using message = 'you have 50 API tokens here, the most one person may: revoke one';
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION authz.run_is_over (
  status     text,
  started_at timestamp with time zone
)
  RETURNS boolean
  LANGUAGE sql
  STABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select run_is_over.status = 'running' and run_is_over.started_at <= now() - authz.run_lasts()
$function$;

CREATE OR REPLACE FUNCTION authz.runnable_bot (
  bot text
)
  RETURNS app.bot
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION authz.take_over_document (
  org_id      uuid,
  document_id uuid
)
  RETURNS boolean
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_found boolean;
begin
  perform set_config('ringfence.adopting_org_id', take_over_document.org_id::text, true);
  update app.document d set owner_id = authz.uid(), owner_left_at = null
  where d.org_id = take_over_document.org_id and d.id = take_over_document.document_id and d.owner_left_at is not null
    and d.visibility = 'private' and d.state = 'ready';
  v_found := found;
  delete from app.deny_rule r
  where v_found and r.org_id = take_over_document.org_id and r.document_id = take_over_document.document_id and r.user_id = authz.uid() and r.created_by = authz.uid();
  perform set_config('ringfence.adopting_org_id', '', true);
  return v_found;
end
$function$;

ALTER FUNCTION "authz"."take_over_document"(uuid, uuid) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.tg_document_guard()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_manages boolean;
  v_owns boolean;
begin
  -- Also when a foreign key carries a change of the knowledge base or of the organization here.
  if tg_op = 'INSERT' then
    new.base_visibility := coalesce((select k.visibility from app.knowledge_base k where k.org_id = new.org_id and k.id = new.knowledge_base_id),
      'organization');
  end if;
  if new.visibility <> 'private' then
    new.visibility := case new.base_visibility when 'restricted' then 'knowledge_base' else 'organization' end;
  end if;
  if new.acl_synced_at is not null and new.acl_max_age_hours is null then
    new.acl_max_age_hours := (select o.acl_max_age_hours from app.organization o where o.id = new.org_id);
  end if;
  new.acl_expires_at := coalesce(new.acl_synced_at + make_interval(hours => new.acl_max_age_hours), 'infinity');
  if tg_op = 'UPDATE' and new.state <> old.state then
    new.passages := (select count(*) from app.chunk c where c.org_id = new.org_id and c.document_id = new.id);
  end if;
  -- What a change may be; where policies do not apply (an operator, a foreign key) there is nobody to ask, and ringfence_owner
  -- changes only whose it is (346_left_documents.sql).
  if not row_security_active('app.document') or current_user = 'ringfence_owner' then
    return new;
  end if;
  v_manages := new.org_id = any (array(select authz.orgs_with('documents.manage')));
  if new.trust = 'trusted' and (tg_op = 'INSERT' or old.trust <> 'trusted') and not v_manages then
    raise sqlstate '42501' using message = 'only documents.manage calls a document trusted';
  end if;
  if tg_op = 'UPDATE' then
    v_owns := v_manages or old.owner_id = authz.uid() and old.owner_left_at is null or old.id = any (array(select authz.granted_documents('owner')))
      or old.visibility <> 'private' and old.knowledge_base_id = any (array(select authz.granted_knowledge_bases('owner')));
    if (new.visibility <> old.visibility or new.classification < old.classification or new.acl_synced_at is distinct from old.acl_synced_at)
      and not v_owns
    then
      raise sqlstate '42501' using message = 'who reads a document is for its owners to change';
    end if;
    if new.acl_synced_at is distinct from old.acl_synced_at then
      perform authz.require(new.acl_synced_at >= coalesce(old.acl_synced_at, '-infinity') and new.acl_synced_at <= clock_timestamp(),
        'synced_at: not in the future, and not before the last time');
    end if;
    perform authz.require(new.state = old.state or new.state = 'ready', 'a document that is ready is not loaded again');
    -- Loading takes its time, and a private document is there for long: what was allowed at the beginning must still be when it is published.
    if (new.visibility <> 'private' and old.visibility = 'private' or new.state <> old.state)
      and not new.knowledge_base_id = any (array(select authz.granted_knowledge_bases('editor')))
      and not (v_manages and (new.visibility <> 'organization' or new.org_id = any (array(select authz.orgs_with('resources.publish'))))
        and exists (select from app.knowledge_base k where k.org_id = new.org_id and k.id = new.knowledge_base_id))
    then
      raise sqlstate '42501' using message = 'publishing in this knowledge base takes level editor, or documents.manage and resources.publish';
    end if;
  end if;
  return new;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_in_scope()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  if row_security_active(tg_relid) and not authz.in_scope(tg_argv::text[]) then
    raise sqlstate '42501' using message = 'this API token was not made for that: it takes one with ' || array_to_string(tg_argv::text[], ' or ');
  end if;
  return null;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_left_grant()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_document app.document;
  v_grant app.document_grant := case when tg_op = 'INSERT' then new else old end;
begin
  if row_security_active('app.document_grant') and current_user <> 'ringfence_owner' then
    select d.* into v_document from app.document d where d.org_id = v_grant.org_id and d.id = v_grant.document_id;
    if v_document.owner_id = authz.uid() and v_document.owner_left_at is not null
      and not v_grant.org_id = any (array(select authz.orgs_with('documents.manage')))
      and not v_grant.document_id = any (array(select authz.granted_documents('owner')))
      and not (v_document.visibility <> 'private' and v_document.knowledge_base_id = any (array(select authz.granted_knowledge_bases('owner'))))
      -- What was given to oneself one may always give up.
      and not (tg_op = 'DELETE' and v_grant.user_id is not distinct from authz.uid())
    then
      raise sqlstate '42501' using message = 'you left the organization since you added this document: it is not yours to share';
    end if;
  end if;
  return case when tg_op = 'INSERT' then new else old end;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_membership_guard()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_org uuid := case when tg_op = 'INSERT' then new.org_id else old.org_id end;
begin
  if tg_op = 'INSERT' and new.user_id = authz.uid() then
    new.email := authz.verified_email();
  end if;
  -- Changes of one organization's members are put in line, so that nobody's own place goes while it is being looked at.
  perform pg_advisory_xact_lock(hashtextextended(v_org::text, 0));
  -- Where policies do not apply (an operator, a restore) or the founder takes the first seat, there is no granter to bound.
  if row_security_active('app.membership') and current_user <> 'ringfence_owner' then
    -- What waited in that line must see what was committed meanwhile.
    if current_setting('transaction_isolation') <> 'read committed' then
      raise sqlstate '25001' using message = 'members are changed in a transaction of isolation level read committed';
    end if;
    -- The policy asked the same when the statement began; by now the right may be gone (R46). Leaving needs none.
    if (v_org = any (array(select authz.orgs_with('members.manage')))) is not true and not coalesce(tg_op = 'DELETE' and old.user_id = authz.uid(), false) then
      raise sqlstate '42501' using message = 'giving and taking roles needs members.manage';
    end if;
    -- A granter must hold every permission of the role it gives, and of the role it takes away (F12). Someone whose own place
    -- is gone, perhaps by this very statement, no longer sees any of this and is refused.
    if (v_org = any (array(select authz.org_ids()))) is not true or exists (
      select from app.role_permission p
      where p.org_id = v_org
        and (tg_op <> 'INSERT' and p.role_id = old.role_id or tg_op <> 'DELETE' and p.role_id = new.role_id)
        and not v_org = any (array(select authz.orgs_with(p.permission))))
    then
      raise sqlstate '42501' using message = 'you can give or take only roles whose permissions you hold yourself';
    end if;
  end if;
  -- An owner is a person: a service account keeps no organization.
  if tg_op <> 'INSERT' and old.status = 'active' and old.service_owner_id is null and exists (
    select from app.role r where r.org_id = v_org and r.id = old.role_id and r.name = 'owner' and r.built_in)
  then
    if tg_op = 'DELETE' or new.role_id <> old.role_id or new.status <> 'active' then
      -- One who is suspended could not act as one.
      if not exists (select from app.membership m
        where m.org_id = v_org and m.role_id = old.role_id and m.user_id <> old.user_id and m.status = 'active' and m.service_owner_id is null)
      then
        raise sqlstate 'PT409' using message = 'an organization keeps at least one owner';
      end if;
    end if;
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_owner_leaves()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform set_config('ringfence.leaving_id', old.user_id::text, true);
  update app.document d set owner_left_at = now()
  where d.org_id = old.org_id and d.owner_id = old.user_id and d.owner_left_at is null;
  perform set_config('ringfence.leaving_id', '', true);
  return old;
end
$function$;

ALTER FUNCTION "authz"."tg_owner_leaves"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.tg_owner_returns()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform set_config('ringfence.leaving_id', new.user_id::text, true);
  -- What an operator's removal, or an upload at the same moment, left unmarked.
  update app.document d set owner_left_at = now()
  where d.org_id = new.org_id and d.owner_id = new.user_id and d.owner_left_at is null;
  -- Passages ask who added them: the rule stands in the way of those that the organization does not read.
  insert into app.deny_rule (org_id, user_id, document_id, reason)
    select d.org_id, d.owner_id, d.id, 'made before they left the organization: who deletes this rule lets them read it again'
    from app.document d
    where d.org_id = new.org_id and d.owner_id = new.user_id and d.owner_left_at is not null
      and (d.visibility <> 'organization' or d.acl_synced_at is not null or d.state = 'loading')
  on conflict do nothing;
  perform set_config('ringfence.leaving_id', '', true);
  return null;
end
$function$;

ALTER FUNCTION "authz"."tg_owner_returns"() OWNER TO "ringfence_owner";

ALTER TABLE "app"."membership"
  ADD CONSTRAINT "membership_email_check" CHECK (((char_length(email) >= 1) AND (char_length(email) <= 320)));

-- By hand: what no function of ours could have written would stand in the way of the key.
DELETE FROM "app"."message" m USING (
  SELECT org_id, id, row_number() OVER (PARTITION BY org_id, run_id, role ORDER BY created_at, id) AS place FROM "app"."message") d
WHERE d.org_id = m.org_id AND d.id = m.id AND d.place > 1;

ALTER TABLE "app"."message"
  ADD CONSTRAINT "message_org_id_run_id_role_key" UNIQUE (org_id, run_id, ROLE);

CREATE INDEX bot_org_id_slug_idx ON app.bot USING btree (org_id, slug);

CREATE INDEX document_org_id_knowledge_base_id_uri_idx ON app.document USING btree (org_id, knowledge_base_id, uri);

CREATE INDEX knowledge_base_org_id_slug_idx ON app.knowledge_base USING btree (org_id, slug);

CREATE TRIGGER _060_in_scope
  BEFORE INSERT OR DELETE OR UPDATE ON app.document
  FOR EACH STATEMENT
  WHEN ((CURRENT_USER <> 'ringfence_owner'::name))
  EXECUTE FUNCTION authz.tg_in_scope('documents.manage');

CREATE TRIGGER _900_audit
  AFTER INSERT OR DELETE ON app.document
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _910_audit
  AFTER UPDATE ON app.document
  FOR EACH ROW
  WHEN (((NOT (old.owner_left_at IS DISTINCT FROM new.owner_left_at)) OR (old.owner_id <> new.owner_id)))
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _110_left
  BEFORE INSERT OR DELETE ON app.document_grant
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_left_grant();

CREATE TRIGGER _510_owner_leaves
  BEFORE DELETE ON app.membership
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_owner_leaves();

CREATE TRIGGER _510_owner_returns
  AFTER INSERT ON app.membership
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_owner_returns();

CREATE POLICY "deny_rule_delete_returning_owner" ON "app"."deny_rule"
  FOR DELETE
  TO "ringfence_owner"
  USING (((created_by = ( SELECT authz.uid() AS uid)) AND (user_id = ( SELECT authz.uid() AS uid)) AND (document_id IN ( SELECT d.id
   FROM app.document d
  WHERE ((d.owner_id = ( SELECT authz.uid() AS uid)) AND (d.owner_left_at IS NULL))))));

CREATE POLICY "deny_rule_insert_returning_owner" ON "app"."deny_rule"
  FOR INSERT
  TO "ringfence_owner"
  WITH CHECK (((created_by = ( SELECT authz.uid() AS uid)) AND (user_id = ( SELECT authz.uid() AS uid)) AND (document_id IN ( SELECT d.id
   FROM app.document d
  WHERE ((d.owner_id = ( SELECT authz.uid() AS uid)) AND (d.owner_left_at IS NOT NULL))))));

CREATE POLICY "document_delete_editor" ON "app"."document"
  FOR DELETE
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.read'::text) AS orgs_with))) AND (((owner_id = ( SELECT authz.uid() AS uid)) AND (owner_left_at IS NULL)) OR (id = ANY
    (ARRAY( SELECT authz.granted_documents('editor'::text) AS granted_documents))) OR
    ((visibility <> 'private'::text) AND (knowledge_base_id = ANY (ARRAY( SELECT authz.granted_knowledge_bases('editor'::text) AS granted_knowledge_bases)))) OR
    ((org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.manage'::text) AS orgs_with))) AND ((visibility = 'organization'::text) OR (id = ANY (ARRAY( SELECT
    authz.granted_documents() AS granted_documents))) OR
    ((visibility = 'knowledge_base'::text) AND (knowledge_base_id = ANY (ARRAY( SELECT authz.granted_knowledge_bases() AS granted_knowledge_bases)))))))));

CREATE POLICY "document_select_adopter_owner" ON "app"."document"
  FOR SELECT
  TO "ringfence_owner"
  USING (((org_id = ( SELECT authz.adopting_org_id() AS adopting_org_id)) AND ((owner_id = ( SELECT authz.uid() AS uid)) OR ((owner_left_at IS
    NOT NULL) AND (visibility = 'private'::text) AND (state = 'ready'::text) AND
    ((base_visibility = 'organization'::text) OR (knowledge_base_id = ANY (ARRAY( SELECT authz.granted_knowledge_bases() AS granted_knowledge_bases)))) AND
    ((classification <= 1) OR ((classification = 2) AND (org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.read_confidential'::text) AS orgs_with)))) OR (org_id = ANY (ARRAY(
    SELECT authz.orgs_with('documents.read_secret'::text) AS orgs_with)))) AND (knowledge_base_id <> ALL (ARRAY( SELECT authz.denied('knowledge_base'::text) AS denied)))))));

CREATE POLICY "document_select_leaving_owner" ON "app"."document"
  FOR SELECT
  TO "ringfence_owner"
  USING
    (((owner_id = ( SELECT authz.leaving_id() AS leaving_id)) AND ((owner_id = ( SELECT authz.uid() AS uid)) OR ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))) AND
    (COALESCE(owner_left_at, now()) = now())))));

CREATE POLICY "document_update_adopter_owner" ON "app"."document"
  FOR UPDATE
  TO "ringfence_owner"
  USING
    (((org_id = ( SELECT authz.adopting_org_id() AS adopting_org_id)) AND (org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.manage'::text) AS orgs_with))) AND (owner_left_at
    IS NOT NULL) AND (visibility = 'private'::text) AND (state = 'ready'::text)))
  WITH CHECK (((org_id = ( SELECT authz.adopting_org_id() AS adopting_org_id)) AND (owner_left_at IS NULL) AND (owner_id = ( SELECT authz.uid() AS uid))));

CREATE POLICY "document_update_editor" ON "app"."document"
  FOR UPDATE
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.read'::text) AS orgs_with))) AND (((owner_id = ( SELECT authz.uid() AS uid)) AND (owner_left_at IS NULL)) OR (id = ANY
    (ARRAY( SELECT authz.granted_documents('editor'::text) AS granted_documents))) OR
    ((visibility <> 'private'::text) AND (knowledge_base_id = ANY (ARRAY( SELECT authz.granted_knowledge_bases('editor'::text) AS granted_knowledge_bases)))) OR
    ((org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.manage'::text) AS orgs_with))) AND ((visibility = 'organization'::text) OR (id = ANY (ARRAY( SELECT
    authz.granted_documents() AS granted_documents))) OR
    ((visibility = 'knowledge_base'::text) AND (knowledge_base_id = ANY (ARRAY( SELECT authz.granted_knowledge_bases() AS granted_knowledge_bases)))))))))
  WITH
    CHECK
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.read'::text) AS orgs_with))) AND (((owner_id = ( SELECT authz.uid() AS uid)) AND (owner_left_at IS NULL)) OR (id = ANY
    (ARRAY( SELECT authz.granted_documents('editor'::text) AS granted_documents))) OR
    ((visibility <> 'private'::text) AND (knowledge_base_id = ANY (ARRAY( SELECT authz.granted_knowledge_bases('editor'::text) AS granted_knowledge_bases)))) OR
    ((org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.manage'::text) AS orgs_with))) AND ((visibility = 'organization'::text) OR (id = ANY (ARRAY( SELECT
    authz.granted_documents() AS granted_documents))) OR
    ((visibility = 'knowledge_base'::text) AND (knowledge_base_id = ANY (ARRAY( SELECT authz.granted_knowledge_bases() AS granted_knowledge_bases)))))))));

CREATE POLICY "document_update_leaving_owner" ON "app"."document"
  FOR UPDATE
  TO "ringfence_owner"
  USING
    (((owner_id = ( SELECT authz.leaving_id() AS leaving_id)) AND ((owner_id = ( SELECT authz.uid() AS uid)) OR (org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids)))) AND
    (owner_left_at IS NULL)))
  WITH
    CHECK
    (((owner_id = ( SELECT authz.leaving_id() AS leaving_id)) AND ((owner_id = ( SELECT authz.uid() AS uid)) OR (org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids)))) AND
    (owner_left_at = now())));

CREATE POLICY "document_part_loading_floor" ON "app"."document_part"
  AS RESTRICTIVE
  FOR SELECT
  TO "authenticated"
  USING ((document_id <> ALL (ARRAY( SELECT authz.loading_elsewhere() AS loading_elsewhere))));

CREATE POLICY "message_record_floor" ON "app"."message"
  AS RESTRICTIVE
  FOR INSERT
  TO "authenticated"
  WITH CHECK (authz.may_be_message(org_id, conversation_id, run_id, role, content, citations));

CREATE POLICY "run_step_insert_self" ON "app"."run_step"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (((user_id = ( SELECT authz.uid() AS uid)) AND (run_id IN ( SELECT r.id
   FROM app.run r
  WHERE ((r.user_id = ( SELECT authz.uid() AS uid)) AND (r.status = 'running'::text) AND (r.started_at > (now() - ( SELECT authz.run_lasts() AS run_lasts))))))));

CREATE POLICY "run_step_record_floor" ON "app"."run_step"
  AS RESTRICTIVE
  FOR INSERT
  TO "authenticated"
  WITH CHECK (authz.may_be_step(org_id, run_id, kind, name, provider, arguments_sha256, sources, row_count, input_tokens, output_tokens, outcome));

COMMENT ON COLUMN "app"."document"."owner_left_at" IS 'When its owner left the organization; from then on it has none, also when they are back, until somebody takes it over.';

COMMENT ON COLUMN "app"."membership"."email" IS 'The confirmed address they joined with, in lower case; null when an operator added them.';

COMMENT ON FUNCTION "api"."adopt_document"(uuid, uuid) IS 'Become the owner of a private document whose owner left the organization; needs documents.manage, and is in the audit trail.

@audience app
@param org_id       the organization
@param document_id  the document, as list_left_documents gives it
@returns            {document_id, owner_id: yours}
@errors             22004, PT404
@effect             write';

COMMENT ON FUNCTION "api"."list_left_documents"(uuid) IS 'List private documents whose owner left the organization, of knowledge bases and classes you may read; needs documents.manage.

@audience app
@param org_id  the organization
@returns       array of at most 1000 {id, knowledge_base_id, title, uri, owner_id, owner_left_at}; longest left first
@errors        22004
@effect        read';

COMMENT ON FUNCTION "api"."list_members"(uuid) IS 'List the members of an organization; without members.read, only yourself.

@audience app
@param org_id  the organization
@returns       array of {user_id, email (the confirmed address they joined with, or null), role, status (active, suspended), teams, last_active_on (the day of their last recorded act here, or null), since}; oldest first
@errors        22004
@effect        read';

COMMENT ON FUNCTION "api"."list_runs"(uuid, integer) IS 'List runs: yours, with runs.read everybody''s. One that was never finished counts as failed: abandoned when its time is up.

@audience app
@param org_id    the organization
@param max_rows  number of runs; 1..1000
@returns         array of {id, user_id, bot_id, bot, bot_version, conversation_id, status, error_code, started_at, finished_at}; newest first; bot is null for one you cannot see
@errors          22004, 22023
@effect          read';

COMMENT ON FUNCTION "api"."whoami"() IS 'Tell who you are, and your organizations with your role and, of its permissions, those this session may use.

@audience app
@returns  {user_id, email, aal, second_factor_missing (true: sign in with it to see more), organizations: [{id, slug, name, role, permissions}]}
@effect   read';

COMMENT ON FUNCTION "authz"."adopting_org_id"() IS 'The organization of which left documents are looked at in this transaction, where the person holds documents.manage; otherwise null.';

COMMENT ON FUNCTION "authz"."inherit_rules"(uuid, uuid, uuid) IS 'Put the rules that deny a document to others onto the version of it that the person asking is loading, from its first passage on (F15).';

COMMENT ON FUNCTION "authz"."leaving_id"() IS 'Who leaves or joins in this statement; for the policies by which the triggers below find what they made.';

COMMENT ON FUNCTION "authz"."left_documents"(uuid) IS 'The private documents that were left behind in an organization where the person asking holds documents.manage, the first thousand.';

COMMENT ON FUNCTION "authz"."loading_elsewhere"() IS 'The documents that others in the person''s organizations are loading now. For restrictive policies.';

COMMENT ON FUNCTION "authz"."lock_name"(uuid, text) IS 'Wait in line with whoever else gives this name in this organization: what is looked up next in the transaction is what they committed.';

COMMENT ON FUNCTION "authz"."may_be_message"(uuid, uuid, uuid, text, text, jsonb) IS 'Whether this is the question of the person''s own run, or the answer it ended with, citing what it retrieved: by the digests on the run.';

COMMENT ON FUNCTION "authz"."may_be_step"(uuid, uuid, text, text, text, text, jsonb, integer, integer, integer, text) IS 'Whether a step of the person''s own run may be so: a tool its bot is bound to now, passages the person may read now, nothing from a call that failed.';

COMMENT ON FUNCTION "authz"."run_is_over"(text, timestamp with time zone) IS 'Whether a run that says it is running has lasted longer than authz.run_lasts(): whoever began it never ended it.';

COMMENT ON FUNCTION "authz"."take_over_document"(uuid, uuid) IS 'Make the person asking, who holds documents.manage, owner of a private document that was left behind; false when there is none such for them.';

COMMENT ON FUNCTION "authz"."tg_left_grant"() IS 'Trigger: nobody shares a document, or withdraws that, by having owned it before they left (42501).';

COMMENT ON FUNCTION "authz"."tg_owner_leaves"() IS 'Trigger: what somebody made who leaves or is removed has no owner from then on (F17).';

COMMENT ON FUNCTION "authz"."tg_owner_returns"() IS 'Trigger: who joins again does not get back what they alone read before they left (F17).';

COMMENT ON POLICY "deny_rule_delete_returning_owner" ON "app"."deny_rule" IS 'Who takes over what they had left behind themselves reads it again.';

COMMENT ON POLICY "deny_rule_insert_returning_owner" ON "app"."deny_rule" IS 'Only against the person who joins, about what they left behind.';

COMMENT ON POLICY "document_delete_editor" ON "app"."document" IS 'As changing it.';

COMMENT ON POLICY "document_select_adopter_owner" ON "app"."document" IS 'documents.manage finds private documents that were left behind, in knowledge bases it reads and of classes it may read.';

COMMENT ON POLICY "document_select_leaving_owner" ON "app"."document" IS 'The triggers of leaving and joining find what the person made: themselves anywhere (single sign-on joins before a second factor), others in organizations of the person asking.';

COMMENT ON POLICY "document_update_adopter_owner" ON "app"."document" IS 'Those it makes its own, and nobody else''s.';

COMMENT ON POLICY "document_update_editor" ON "app"."document" IS 'Its owner, editors of it or (unless it is private) of its knowledge base, and documents.manage where it can read it.';

COMMENT ON POLICY "document_update_leaving_owner" ON "app"."document" IS 'Of those, the triggers change that their owner has left, now.';

COMMENT ON POLICY "document_part_loading_floor" ON "app"."document_part" IS 'Whatever else is allowed, nothing of what somebody else is still loading: rules and grants of the version before come to it at its end (F15).';

COMMENT ON POLICY "message_record_floor" ON "app"."message" IS 'Whatever else is allowed, nothing but the question and the answer of its run.';

COMMENT ON POLICY "run_step_insert_self" ON "app"."run_step" IS 'Into one''s own running run, while it may be running.';

COMMENT ON POLICY "run_step_record_floor" ON "app"."run_step" IS 'Whatever else is allowed, no step that a call could not have left.';

REVOKE ALL ON FUNCTION "api"."adopt_document"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."adopt_document"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."adopt_document"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."adopt_document"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_left_documents"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_left_documents"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_left_documents"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_left_documents"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_members"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_members"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_members"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_members"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_runs"(uuid, integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_runs"(uuid, integer) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_runs"(uuid, integer) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_runs"(uuid, integer) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."adopting_org_id"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."adopting_org_id"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."adopting_org_id"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."adopting_org_id"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."inherit_rules"(uuid, uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."inherit_rules"(uuid, uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."inherit_rules"(uuid, uuid, uuid) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."inherit_rules"(uuid, uuid, uuid) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."leaving_id"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."leaving_id"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."leaving_id"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."leaving_id"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."left_documents"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."left_documents"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."left_documents"(uuid) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."left_documents"(uuid) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."loading_elsewhere"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."loading_elsewhere"() TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."loading_elsewhere"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."loading_elsewhere"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."lock_name"(uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."lock_name"(uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."lock_name"(uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."lock_name"(uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."may_be_message"(uuid, uuid, uuid, text, text, jsonb) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."may_be_message"(uuid, uuid, uuid, text, text, jsonb) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."may_be_message"(uuid, uuid, uuid, text, text, jsonb) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."may_be_message"(uuid, uuid, uuid, text, text, jsonb) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."may_be_step"(uuid, uuid, text, text, text, text, jsonb, integer, integer, integer, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."may_be_step"(uuid, uuid, text, text, text, text, jsonb, integer, integer, integer, text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."may_be_step"(uuid, uuid, text, text, text, text, jsonb, integer, integer, integer, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."may_be_step"(uuid, uuid, text, text, text, text, jsonb, integer, integer, integer, text) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."run_is_over"(text, timestamp WITH time zone) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."run_is_over"(text, timestamp WITH time zone) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."run_is_over"(text, timestamp WITH time zone) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."run_is_over"(text, timestamp WITH time zone) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."take_over_document"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."take_over_document"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."take_over_document"(uuid, uuid) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."take_over_document"(uuid, uuid) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."tg_left_grant"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_left_grant"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_left_grant"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_owner_leaves"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_owner_leaves"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."tg_owner_leaves"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."tg_owner_returns"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_owner_returns"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."tg_owner_returns"() TO "ringfence_owner";

REVOKE ALL ON TABLE "app"."deny_rule" FROM "ringfence_owner";

REVOKE ALL ("document_id") ON TABLE "app"."deny_rule" FROM "ringfence_owner";

GRANT INSERT ("document_id") ON TABLE "app"."deny_rule" TO "ringfence_owner";

REVOKE ALL ("org_id") ON TABLE "app"."deny_rule" FROM "ringfence_owner";

GRANT INSERT ("org_id") ON TABLE "app"."deny_rule" TO "ringfence_owner";

REVOKE ALL ("reason") ON TABLE "app"."deny_rule" FROM "ringfence_owner";

GRANT INSERT ("reason") ON TABLE "app"."deny_rule" TO "ringfence_owner";

REVOKE ALL ("role_id") ON TABLE "app"."deny_rule" FROM "ringfence_owner";

GRANT INSERT ("role_id") ON TABLE "app"."deny_rule" TO "ringfence_owner";

REVOKE ALL ("team_id") ON TABLE "app"."deny_rule" FROM "ringfence_owner";

GRANT INSERT ("team_id") ON TABLE "app"."deny_rule" TO "ringfence_owner";

REVOKE ALL ("user_id") ON TABLE "app"."deny_rule" FROM "ringfence_owner";

GRANT INSERT ("user_id") ON TABLE "app"."deny_rule" TO "ringfence_owner";

GRANT DELETE, SELECT ON TABLE "app"."deny_rule" TO "ringfence_owner";

REVOKE ALL ("owner_id") ON TABLE "app"."document" FROM "ringfence_owner";

GRANT UPDATE ("owner_id") ON TABLE "app"."document" TO "ringfence_owner";

REVOKE ALL ("owner_left_at") ON TABLE "app"."document" FROM "ringfence_owner";

GRANT UPDATE ("owner_left_at") ON TABLE "app"."document" TO "ringfence_owner";

-- By hand, as the triggers would have it: the addresses of who is here, and the documents of who has left, or left and came back.
ALTER TABLE "app"."membership" DISABLE TRIGGER USER;
UPDATE "app"."membership" m SET email = lower(u.email) FROM auth.users u WHERE u.id = m.user_id AND u.email_confirmed_at IS NOT NULL;
ALTER TABLE "app"."membership" ENABLE TRIGGER USER;
ALTER TABLE "app"."document" DISABLE TRIGGER USER;
UPDATE "app"."document" d SET owner_left_at = now() WHERE NOT EXISTS (
  SELECT FROM "app"."membership" m WHERE m.org_id = d.org_id AND m.user_id = d.owner_id AND m.created_at <= d.created_at);
ALTER TABLE "app"."document" ENABLE TRIGGER USER;
INSERT INTO "app"."deny_rule" (org_id, user_id, document_id, reason, created_by)
  SELECT d.org_id, d.owner_id, d.id, 'made before they left the organization: who deletes this rule lets them read it again', d.owner_id
  FROM "app"."document" d JOIN "app"."membership" m ON m.org_id = d.org_id AND m.user_id = d.owner_id
  WHERE d.owner_left_at IS NOT NULL AND (d.visibility <> 'organization' OR d.acl_synced_at IS NOT NULL OR d.state = 'loading')
ON CONFLICT DO NOTHING;

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
