-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

DROP POLICY "knowledge_base_select_reader" ON "app"."knowledge_base";

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
  insert into app.knowledge_base (org_id, slug, name, visibility)
  values (create_knowledge_base.org_id, create_knowledge_base.slug, create_knowledge_base.name, create_knowledge_base.visibility);
  -- Not "returning": a restricted one is seen with its first grant, which comes right after it.
  select k.id into v_id from app.knowledge_base k where k.org_id = create_knowledge_base.org_id and k.slug = create_knowledge_base.slug;
  return jsonb_build_object('id', v_id);
exception when unique_violation then
  raise sqlstate 'PT409' using message = 'the organization has a knowledge base of that slug';
end
$function$;

CREATE OR REPLACE FUNCTION authz.granted_knowledge_bases (
  level text DEFAULT 'viewer'::text
)
  RETURNS SETOF uuid
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  ROWS 10
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select g.knowledge_base_id from app.kb_grant g
  where g.level = any (authz.levels_from(granted_knowledge_bases.level))
$function$;

CREATE OR REPLACE FUNCTION authz.tg_document_inherit()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_next uuid;
begin
  -- The version that takes this one's place is the person's own.
  for v_next in
    select d.id from app.document d
    where d.org_id = old.org_id and d.knowledge_base_id = old.knowledge_base_id and d.uri = old.uri
      and d.owner_id = authz.uid() and d.state = 'loading'
      and (d.visibility = 'private') = (old.visibility = 'private')
  loop
    insert into app.document_grant (org_id, document_id, user_id, team_id, level)
      select g.org_id, v_next, g.user_id, g.team_id, g.level from app.document_grant g
      -- Nothing for the earlier owner: they may have lost the knowledge base, and could have shared it with themselves before.
      where g.org_id = old.org_id and g.document_id = old.id and g.user_id is distinct from old.owner_id
    on conflict do nothing;
    insert into app.deny_rule (org_id, user_id, team_id, role_id, document_id, reason)
      select r.org_id, r.user_id, r.team_id, r.role_id, v_next, r.reason from app.deny_rule r
      where r.org_id = old.org_id and r.document_id = old.id
    on conflict do nothing;
  end loop;
  return old;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_knowledge_base_owner()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  -- A row and not a rule about created_by: it can be withdrawn, and goes with the membership. An operator's insert is nobody's.
  if new.created_by = authz.uid() then
    insert into app.kb_grant (org_id, knowledge_base_id, user_id, level) values (new.org_id, new.id, new.created_by, 'owner');
  end if;
  return null;
end
$function$;

ALTER FUNCTION "authz"."tg_knowledge_base_owner"() OWNER TO "ringfence_owner";

CREATE TRIGGER _600_owner
  AFTER INSERT ON app.knowledge_base
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_knowledge_base_owner();

CREATE POLICY "kb_grant_insert_creator_owner" ON "app"."kb_grant"
  FOR INSERT
  TO "ringfence_owner"
  WITH CHECK (((created_by = ( SELECT authz.uid() AS uid)) AND (user_id = ( SELECT authz.uid() AS uid)) AND (level = 'owner'::text) AND (knowledge_base_id IN ( SELECT k.id
   FROM app.knowledge_base k
  WHERE (k.created_by = ( SELECT authz.uid() AS uid))))));

CREATE POLICY "knowledge_base_select_reader" ON "app"."knowledge_base"
  FOR SELECT
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('documents.read'::text) AS orgs_with))) AND ((visibility = 'organization'::text) OR (id = ANY (ARRAY( SELECT
    authz.granted_knowledge_bases() AS granted_knowledge_bases))))));

COMMENT ON COLUMN "app"."knowledge_base"."created_by" IS 'Who made it, and is its first owner (kb_grant).';

COMMENT ON COLUMN "app"."knowledge_base"."visibility" IS 'organization: all with documents.read; restricted: those it is shared with (kb_grant), who made it to begin with.';

COMMENT ON FUNCTION "authz"."granted_knowledge_bases"(text) IS 'The knowledge bases that are shared at this level or above with the signed-in person, a team of theirs or everyone; who makes one has level owner.';

COMMENT ON FUNCTION "authz"."tg_knowledge_base_owner"() IS 'Trigger: who makes a knowledge base is its first owner.';

COMMENT ON POLICY "kb_grant_insert_creator_owner" ON "app"."kb_grant" IS 'Only for the person asking, onto a knowledge base they made: its trigger.';

COMMENT ON POLICY "knowledge_base_select_creator_owner" ON "app"."knowledge_base" IS 'authz.tg_knowledge_base_owner() sees those the person asking made and no others.';

COMMENT ON POLICY "knowledge_base_select_reader" ON "app"."knowledge_base" IS 'documents.read sees those of the organization and those shared with one.';

REVOKE ALL ON FUNCTION "authz"."tg_knowledge_base_owner"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_knowledge_base_owner"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."tg_knowledge_base_owner"() TO "ringfence_owner";

REVOKE ALL ("knowledge_base_id") ON TABLE "app"."kb_grant" FROM "ringfence_owner";

GRANT INSERT ("knowledge_base_id"), SELECT ("knowledge_base_id") ON TABLE "app"."kb_grant" TO "ringfence_owner";

REVOKE ALL ("level") ON TABLE "app"."kb_grant" FROM "ringfence_owner";

GRANT INSERT ("level"), SELECT ("level") ON TABLE "app"."kb_grant" TO "ringfence_owner";

REVOKE ALL ("org_id") ON TABLE "app"."kb_grant" FROM "ringfence_owner";

GRANT INSERT ("org_id"), SELECT ("org_id") ON TABLE "app"."kb_grant" TO "ringfence_owner";

REVOKE ALL ("user_id") ON TABLE "app"."kb_grant" FROM "ringfence_owner";

GRANT INSERT ("user_id"), SELECT ("user_id") ON TABLE "app"."kb_grant" TO "ringfence_owner";

-- By hand: who made a knowledge base and has been a member ever since keeps level owner on it.
insert into app.kb_grant (org_id, knowledge_base_id, user_id, level, created_by)
  select k.org_id, k.id, k.created_by, 'owner', k.created_by from app.knowledge_base k
  join app.membership m on m.org_id = k.org_id and m.user_id = k.created_by and m.created_at <= k.created_at
  on conflict on constraint kb_grant_principal_key do update set level = 'owner';

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
