-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

DROP POLICY "document_select_loading_owner" ON "app"."document";

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
  -- What a change may be; where policies do not apply (an operator, a foreign key) there is nobody to ask.
  if not row_security_active('app.document') then
    return new;
  end if;
  v_manages := new.org_id = any (array(select authz.orgs_with('documents.manage')));
  if new.trust = 'trusted' and (tg_op = 'INSERT' or old.trust <> 'trusted') and not v_manages then
    raise sqlstate '42501' using message = 'only documents.manage calls a document trusted';
  end if;
  if tg_op = 'UPDATE' then
    v_owns := v_manages or old.owner_id = authz.uid() or old.id = any (array(select authz.granted_documents('owner')))
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

CREATE OR REPLACE FUNCTION authz.tg_document_inherit()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_next uuid;
begin
  -- The policy shows the person's own documents being loaded and no others: the version that takes this one's place is among them.
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

CREATE OR REPLACE FUNCTION authz.tg_knowledge_base_loading()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  -- Its loader alone sees it, so nobody else could make room for the knowledge base to go.
  delete from app.document d where d.org_id = old.org_id and d.knowledge_base_id = old.id and d.state = 'loading';
  return old;
end
$function$;

ALTER FUNCTION "authz"."tg_knowledge_base_loading"() OWNER TO "ringfence_owner";

CREATE TRIGGER _300_loading
  BEFORE DELETE ON app.knowledge_base
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_knowledge_base_loading();

CREATE POLICY "document_delete_loading_owner" ON "app"."document"
  FOR DELETE
  TO "ringfence_owner"
  USING (((state = 'loading'::text) AND (org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids)))));

CREATE POLICY "document_loading_floor" ON "app"."document"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING (((state = 'ready'::text) OR (owner_id = ( SELECT authz.uid() AS uid))))
  WITH CHECK (((state = 'ready'::text) OR (owner_id = ( SELECT authz.uid() AS uid))));

CREATE POLICY "document_select_loading_owner" ON "app"."document"
  FOR SELECT
  TO "ringfence_owner"
  USING (((state = 'loading'::text) AND (org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids)))));

COMMENT ON FUNCTION "authz"."tg_document_inherit"() IS 'Trigger: the version that replaces a document has its grants and the rules that deny it, seen by the person replacing or not; its earlier owner has only what the knowledge base gives them.';

COMMENT ON FUNCTION "authz"."tg_knowledge_base_loading"() IS 'Trigger: what is still loading into a knowledge base goes with it, whoever loads it.';

COMMENT ON POLICY "document_delete_loading_owner" ON "app"."document" IS 'What is still loading goes with its knowledge base, whoever loads it.';

COMMENT ON POLICY "document_loading_floor" ON "app"."document" IS 'Whatever else is allowed, what is still loading is seen and changed only by who loads it (F15).';

COMMENT ON POLICY "document_select_loading_owner" ON "app"."document" IS 'A replacement finds the version that takes the old one''s place (the person''s own, it says itself); a knowledge base those that go with it.';

REVOKE ALL ON FUNCTION "authz"."tg_knowledge_base_loading"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_knowledge_base_loading"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."tg_knowledge_base_loading"() TO "ringfence_owner";

REVOKE ALL ON TABLE "app"."document" FROM "ringfence_owner";

GRANT DELETE, SELECT ON TABLE "app"."document" TO "ringfence_owner";

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
