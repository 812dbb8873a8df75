-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

DROP TRIGGER "_050_in_person" ON "app"."deny_rule";

CREATE OR REPLACE FUNCTION api.list_document_grants (
  org_id      uuid,
  document_id uuid
)
  RETURNS TABLE (
    id         uuid,
    user_id    uuid,
    team_id    uuid,
    team       text,
    level      text,
    created_by uuid,
    created_at timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_document_grants.org_id);
  return query
    select g.id, g.user_id, g.team_id, t.slug, g.level, g.created_by, g.created_at
    from app.document_grant g
    left join app.team t on t.org_id = g.org_id and t.id = g.team_id
    where g.org_id = list_document_grants.org_id and g.document_id = list_document_grants.document_id
    order by g.created_at, g.id
    limit 1000;
end
$function$;

CREATE OR REPLACE FUNCTION api.list_knowledge_base_grants (
  org_id            uuid,
  knowledge_base_id uuid
)
  RETURNS TABLE (
    id         uuid,
    user_id    uuid,
    team_id    uuid,
    team       text,
    level      text,
    created_by uuid,
    created_at timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_knowledge_base_grants.org_id);
  return query
    select g.id, g.user_id, g.team_id, t.slug, g.level, g.created_by, g.created_at
    from app.kb_grant g
    left join app.team t on t.org_id = g.org_id and t.id = g.team_id
    where g.org_id = list_knowledge_base_grants.org_id and g.knowledge_base_id = list_knowledge_base_grants.knowledge_base_id
    order by g.created_at, g.id
    limit 1000;
end
$function$;

CREATE OR REPLACE FUNCTION api.list_messages (
  org_id          uuid,
  conversation_id uuid
)
  RETURNS TABLE (
    id         uuid,
    run_id     uuid,
    role       text,
    content    text,
    citations  jsonb,
    created_at timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_messages.org_id);
  if not exists (select from app.conversation c where c.org_id = list_messages.org_id and c.id = list_messages.conversation_id) then
    raise sqlstate 'PT404' using message = 'no such conversation';
  end if;
  return query
    select m.id, m.run_id, m.role, m.content,
      -- A passage that its reader may no longer read is not quoted again (F28).
      coalesce((select jsonb_agg(case
          when c.value @> '{"redacted": true}' then c.value
          when authz.can_read_document(m.org_id, cited.document_id) and exists (select from app.chunk k
            where k.org_id = m.org_id and k.document_id = cited.document_id and k.id::text = c.value ->> 'chunk_id') then c.value
          else jsonb_strip_nulls(jsonb_build_object('n', c.value -> 'n', 'redacted', true)) end order by c.ordinality)
        from jsonb_array_elements(m.citations) with ordinality c
        cross join lateral (select case when pg_input_is_valid(c.value ->> 'document_id', 'uuid')
          then (c.value ->> 'document_id')::uuid end as document_id) cited), '[]'),
      m.created_at
    from app.message m
    where m.org_id = list_messages.org_id and m.conversation_id = list_messages.conversation_id
    order by m.created_at desc, m.id
    limit 200;
end
$function$;

CREATE OR REPLACE FUNCTION api.set_access_max_age (
  org_id uuid,
  hours  integer
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(set_access_max_age.org_id);
  perform authz.require(hours between 1 and 8760, 'hours: 1..8760');
  update app.organization o set acl_max_age_hours = hours where o.id = set_access_max_age.org_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such organization of yours to manage';
  end if;
  return jsonb_build_object('hours', hours);
end
$function$;

CREATE OR REPLACE FUNCTION api.share_document (
  org_id      uuid,
  document_id uuid,
  user_id     uuid DEFAULT NULL::uuid,
  team_id     uuid DEFAULT NULL::uuid,
  level       text DEFAULT 'viewer'::text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_id uuid;
begin
  perform authz.require_org(share_document.org_id);
  perform authz.require(num_nonnulls(share_document.user_id, share_document.team_id) <= 1, 'name a person or a team, or neither for everyone');
  perform authz.require(share_document.level in ('viewer', 'editor', 'owner'), 'level: viewer, editor or owner');
  if not exists (select from app.document r where r.org_id = share_document.org_id and r.id = share_document.document_id) then
    raise sqlstate 'PT404' using message = 'no such document';
  end if;
  -- Shared anew at another level; the insert's policy decides, and takes the delete back with it.
  delete from app.document_grant g
  where g.org_id = share_document.org_id and g.document_id = share_document.document_id
    and (g.user_id, g.team_id) is not distinct from (share_document.user_id, share_document.team_id) and g.level <> share_document.level;
  insert into app.document_grant (org_id, document_id, user_id, team_id, level)
  values (share_document.org_id, share_document.document_id, share_document.user_id, share_document.team_id, share_document.level)
  returning id into v_id;
  return jsonb_build_object('id', v_id);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'already shared so';
  when foreign_key_violation then raise sqlstate 'PT404' using message = 'no such member or team';
end
$function$;

CREATE OR REPLACE FUNCTION api.share_knowledge_base (
  org_id            uuid,
  knowledge_base_id uuid,
  user_id           uuid DEFAULT NULL::uuid,
  team_id           uuid DEFAULT NULL::uuid,
  level             text DEFAULT 'viewer'::text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_id uuid;
begin
  perform authz.require_org(share_knowledge_base.org_id);
  perform authz.require(num_nonnulls(share_knowledge_base.user_id, share_knowledge_base.team_id) <= 1, 'name a person or a team, or neither for everyone');
  perform authz.require(share_knowledge_base.level in ('viewer', 'editor', 'owner'), 'level: viewer, editor or owner');
  if not exists (select from app.knowledge_base r where r.org_id = share_knowledge_base.org_id and r.id = share_knowledge_base.knowledge_base_id) then
    raise sqlstate 'PT404' using message = 'no such knowledge base';
  end if;
  -- Shared anew at another level; the insert's policy decides, and takes the delete back with it.
  delete from app.kb_grant g
  where g.org_id = share_knowledge_base.org_id and g.knowledge_base_id = share_knowledge_base.knowledge_base_id
    and (g.user_id, g.team_id) is not distinct from (share_knowledge_base.user_id, share_knowledge_base.team_id) and g.level <> share_knowledge_base.level;
  insert into app.kb_grant (org_id, knowledge_base_id, user_id, team_id, level)
  values (share_knowledge_base.org_id, share_knowledge_base.knowledge_base_id, share_knowledge_base.user_id, share_knowledge_base.team_id, share_knowledge_base.level)
  returning id into v_id;
  return jsonb_build_object('id', v_id);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'already shared so';
  when foreign_key_violation then raise sqlstate 'PT404' using message = 'no such member or team';
end
$function$;

CREATE OR REPLACE FUNCTION api.sync_document_access (
  org_id      uuid,
  document_id uuid,
  synced_at   timestamp with time zone,
  grants      jsonb
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_document app.document;
begin
  perform authz.require_org(sync_document_access.org_id);
  perform authz.require(synced_at is not null, 'synced_at: required');
  perform authz.require(jsonb_typeof(grants) = 'array', 'grants: an array');
  perform authz.require(jsonb_array_length(grants) <= 1000, 'grants: at most 1000');
  perform authz.require(not exists (
    select from jsonb_array_elements(grants) g
    where jsonb_typeof(g.value) <> 'object'
      or num_nonnulls(g.value ->> 'user_id', g.value ->> 'team_id') <> 1
      or coalesce(g.value ->> 'level', 'viewer') not in ('viewer', 'editor', 'owner')
      or not pg_input_is_valid(coalesce(g.value ->> 'user_id', g.value ->> 'team_id'), 'uuid')),
    'grants: each {user_id or team_id, level: viewer, editor or owner}');
  update app.document d set acl_synced_at = sync_document_access.synced_at
  where d.org_id = sync_document_access.org_id and d.id = sync_document_access.document_id
  returning d.* into v_document;
  if not found then
    raise sqlstate 'PT404' using message = 'no such document of yours to change';
  end if;
  -- As it is at the source, no more and no less.
  delete from app.document_grant g where g.org_id = v_document.org_id and g.document_id = v_document.id
    and not exists (select from jsonb_array_elements(grants) a
      where (a.value ->> 'user_id')::uuid is not distinct from g.user_id and (a.value ->> 'team_id')::uuid is not distinct from g.team_id
        and coalesce(a.value ->> 'level', 'viewer') = g.level);
  insert into app.document_grant (org_id, document_id, user_id, team_id, level)
  select distinct v_document.org_id, v_document.id, (a.value ->> 'user_id')::uuid, (a.value ->> 'team_id')::uuid,
    coalesce(a.value ->> 'level', 'viewer')
  from jsonb_array_elements(grants) a
  where not exists (select from app.document_grant g where g.org_id = v_document.org_id and g.document_id = v_document.id
    and (a.value ->> 'user_id')::uuid is not distinct from g.user_id and (a.value ->> 'team_id')::uuid is not distinct from g.team_id);
  return jsonb_build_object('document_id', v_document.id, 'acl_expires_at', v_document.acl_expires_at, 'grants',
    (select count(*) from app.document_grant g where g.org_id = v_document.org_id and g.document_id = v_document.id));
exception
  when unique_violation then raise sqlstate '22023' using message = 'grants: one person or team twice';
  when foreign_key_violation then raise sqlstate 'PT404' using message = 'no such member or team';
end
$function$;

CREATE OR REPLACE FUNCTION api.unshare_document (
  org_id      uuid,
  document_id uuid,
  user_id     uuid DEFAULT NULL::uuid,
  team_id     uuid DEFAULT NULL::uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_id uuid;
begin
  perform authz.require_org(unshare_document.org_id);
  perform authz.require(num_nonnulls(unshare_document.user_id, unshare_document.team_id) <= 1, 'name a person or a team, or neither for everyone');
  delete from app.document_grant g
  where g.org_id = unshare_document.org_id and g.document_id = unshare_document.document_id
    and (g.user_id, g.team_id) is not distinct from (unshare_document.user_id, unshare_document.team_id)
  returning g.id into v_id;
  if not found then
    raise sqlstate 'PT404' using message = 'not shared so, or not yours to withdraw';
  end if;
  return jsonb_build_object('id', v_id);
end
$function$;

CREATE OR REPLACE FUNCTION api.unshare_knowledge_base (
  org_id            uuid,
  knowledge_base_id uuid,
  user_id           uuid DEFAULT NULL::uuid,
  team_id           uuid DEFAULT NULL::uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_id uuid;
begin
  perform authz.require_org(unshare_knowledge_base.org_id);
  perform authz.require(num_nonnulls(unshare_knowledge_base.user_id, unshare_knowledge_base.team_id) <= 1, 'name a person or a team, or neither for everyone');
  delete from app.kb_grant g
  where g.org_id = unshare_knowledge_base.org_id and g.knowledge_base_id = unshare_knowledge_base.knowledge_base_id
    and (g.user_id, g.team_id) is not distinct from (unshare_knowledge_base.user_id, unshare_knowledge_base.team_id)
  returning g.id into v_id;
  if not found then
    raise sqlstate 'PT404' using message = 'not shared so, or not yours to withdraw';
  end if;
  return jsonb_build_object('id', v_id);
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
  return jsonb_build_object('id', v_document.id, 'title', v_document.title, 'visibility', v_document.visibility,
    'classification', v_document.classification, 'tags', v_document.tags, 'trust', v_document.trust);
exception when unique_violation then
  raise sqlstate 'PT409' using message = 'another document has this uri';
end
$function$;

CREATE TRIGGER _050_in_person
  BEFORE INSERT OR DELETE OR UPDATE ON app.deny_rule
  FOR EACH STATEMENT
  WHEN ((CURRENT_USER <> 'ringfence_owner'::name))
  EXECUTE FUNCTION authz.tg_in_person();

COMMENT ON FUNCTION "api"."list_document_grants"(uuid, uuid) IS 'List with whom a document is shared: its owners and documents.manage see everybody, others what is shared with themselves.

@audience app
@param org_id  the organization
@param document_id  the document
@returns       array of at most 1000 {id, user_id, team_id, team, level, created_by, created_at}; both null for everyone; oldest first
@errors        22004
@effect        read';

COMMENT ON FUNCTION "api"."list_knowledge_base_grants"(uuid, uuid) IS 'List with whom a knowledge base is shared: its owners and documents.manage see everybody, others what is shared with themselves.

@audience app
@param org_id  the organization
@param knowledge_base_id  the knowledge base
@returns       array of at most 1000 {id, user_id, team_id, team, level, created_by, created_at}; both null for everyone; oldest first
@errors        22004
@effect        read';

COMMENT ON FUNCTION "api"."set_access_max_age"(uuid, integer) IS 'Set how long a document from another system is read after its access was last checked there; documents of the organization follow at once.

@audience app
@param org_id  the organization
@param hours   1..8760
@returns       {hours}
@errors        22004, 22023, PT404
@effect        write';

COMMENT ON FUNCTION "api"."share_document"(uuid, uuid, uuid, uuid, text) IS 'Share a document with a member, a team or (naming neither) everyone in the organization, or change the level: viewer reads it, editor also changes and deletes it, owner also shares it. Needs level owner, or documents.manage on what you can read; for everyone also resources.publish.

@audience app
@param org_id   the organization
@param document_id  the document
@param user_id  a member
@param team_id  a team
@param level    viewer, editor or owner
@returns        {id}
@errors         22004, 22023, 42501, PT404, PT409
@effect         write';

COMMENT ON FUNCTION "api"."share_knowledge_base"(uuid, uuid, uuid, uuid, text) IS 'Share a knowledge base with a member, a team or (naming neither) everyone in the organization, or change the level: viewer reads its documents, editor also adds, replaces and deletes them, owner also shares, renames and deletes it. Needs level owner, or documents.manage on what you can read; for everyone also resources.publish.

@audience app
@param org_id   the organization
@param knowledge_base_id  the knowledge base
@param user_id  a member
@param team_id  a team
@param level    viewer, editor or owner
@returns        {id}
@errors         22004, 22023, 42501, PT404, PT409
@effect         write';

COMMENT ON FUNCTION "api"."sync_document_access"(uuid, uuid, timestamp with time zone, jsonb) IS 'Give a document the access it has at its source, for a connector: exactly these grants, good for as long as the organization''s setting says (set_access_max_age).

@audience app
@param org_id       the organization
@param document_id  a document of yours; private, or others read it besides
@param synced_at    when the access was read at the source; not in the future, and not before the last time
@param grants       array of at most 1000 {user_id or team_id, level: viewer, editor or owner}
@returns            {document_id, acl_expires_at, grants: how many it has now}
@errors             22004, 22023, 42501, PT404
@effect             write';

COMMENT ON FUNCTION "api"."unshare_document"(uuid, uuid, uuid, uuid) IS 'Withdraw one sharing of a document: the member''s, the team''s or (naming neither) everyone''s. It works on their next request.

@audience app
@param org_id   the organization
@param document_id  the document
@param user_id  a member
@param team_id  a team
@returns        {id}
@errors         22004, 22023, PT404
@effect         write';

COMMENT ON FUNCTION "api"."unshare_knowledge_base"(uuid, uuid, uuid, uuid) IS 'Withdraw one sharing of a knowledge base: the member''s, the team''s or (naming neither) everyone''s. It works on their next request.

@audience app
@param org_id   the organization
@param knowledge_base_id  the knowledge base
@param user_id  a member
@param team_id  a team
@returns        {id}
@errors         22004, 22023, PT404
@effect         write';

COMMENT ON FUNCTION "api"."update_document"(uuid, uuid, text, text, integer, text[], text) IS 'Change a document''s title, tags, visibility, classification or trust; what is left out stays. Who reads it is for its owners to change, to less confidential too; only documents.manage calls it trusted.

@audience app
@param org_id          the organization
@param document_id     the document
@param title           title; 1..300 characters
@param visibility      organization, knowledge_base or private
@param classification  0 public, 1 internal, 2 confidential, 3 secret; 0..3
@param tags            words to filter by; at most 20, 1000 characters in all
@param trust           untrusted or trusted
@returns               {id, title, visibility, classification, tags, trust}
@errors                22004, 22023, 23514, 42501, PT404, PT409
@effect                write';

REVOKE ALL ON FUNCTION "api"."list_document_grants"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_document_grants"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_document_grants"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_document_grants"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_knowledge_base_grants"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_knowledge_base_grants"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_knowledge_base_grants"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_knowledge_base_grants"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."set_access_max_age"(uuid, integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."set_access_max_age"(uuid, integer) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."set_access_max_age"(uuid, integer) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."set_access_max_age"(uuid, integer) TO "postgres";

REVOKE ALL ON FUNCTION "api"."share_document"(uuid, uuid, uuid, uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."share_document"(uuid, uuid, uuid, uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."share_document"(uuid, uuid, uuid, uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."share_document"(uuid, uuid, uuid, uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."share_knowledge_base"(uuid, uuid, uuid, uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."share_knowledge_base"(uuid, uuid, uuid, uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."share_knowledge_base"(uuid, uuid, uuid, uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."share_knowledge_base"(uuid, uuid, uuid, uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."sync_document_access"(uuid, uuid, timestamp WITH time zone, jsonb) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."sync_document_access"(uuid, uuid, timestamp WITH time zone, jsonb) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."sync_document_access"(uuid, uuid, timestamp WITH time zone, jsonb) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."sync_document_access"(uuid, uuid, timestamp WITH time zone, jsonb) TO "postgres";

REVOKE ALL ON FUNCTION "api"."unshare_document"(uuid, uuid, uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."unshare_document"(uuid, uuid, uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."unshare_document"(uuid, uuid, uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."unshare_document"(uuid, uuid, uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."unshare_knowledge_base"(uuid, uuid, uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."unshare_knowledge_base"(uuid, uuid, uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."unshare_knowledge_base"(uuid, uuid, uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."unshare_knowledge_base"(uuid, uuid, uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."update_document"(uuid, uuid, text, text, integer, text[], text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."update_document"(uuid, uuid, text, text, integer, text[], text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."update_document"(uuid, uuid, text, text, integer, text[], text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."update_document"(uuid, uuid, text, text, integer, text[], text) TO "postgres";

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
