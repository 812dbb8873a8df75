-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

DROP INDEX "app"."membership_user_id_idx";

CREATE TABLE "app"."deny_rule" (
  "org_id"            uuid                     NOT NULL,
  "id"                uuid                     NOT NULL DEFAULT gen_random_uuid(),
  "user_id"           uuid,
  "team_id"           uuid,
  "role_id"           uuid,
  "knowledge_base_id" uuid,
  "document_id"       uuid,
  "bot_id"            uuid,
  "tool"              text,
  "reason"            text                     NOT NULL,
  "created_at"        timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT "deny_rule_key" UNIQUE NULLS NOT DISTINCT (org_id, user_id, team_id, role_id, knowledge_base_id, document_id, bot_id, tool),
  CONSTRAINT "deny_rule_one_object_check" CHECK ((num_nonnulls(knowledge_base_id, document_id, bot_id, tool) = 1)),
  CONSTRAINT "deny_rule_one_subject_check" CHECK ((num_nonnulls(user_id, team_id, role_id) <= 1)),
  CONSTRAINT "deny_rule_pkey" PRIMARY KEY (org_id, id),
  CONSTRAINT "deny_rule_reason_check" CHECK (((char_length(reason) >= 1) AND (char_length(reason) <= 300))),
  CONSTRAINT "deny_rule_tool_check" CHECK ((tool ~ '^[a-z_][a-z0-9_]{0,62}$'::text)),
  "created_by"        uuid                     NOT NULL DEFAULT authz.uid()
);

ALTER TABLE "app"."deny_rule"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."deny_rule"
  FORCE ROW LEVEL SECURITY;

CREATE TABLE "app"."team_member" (
  "org_id"     uuid                     NOT NULL,
  "team_id"    uuid                     NOT NULL,
  "user_id"    uuid                     NOT NULL,
  "manager"    boolean                  NOT NULL DEFAULT false,
  "created_at" timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT "team_member_pkey" PRIMARY KEY (org_id, team_id, user_id)
);

ALTER TABLE "app"."team_member"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."team_member"
  FORCE ROW LEVEL SECURITY;

CREATE TABLE "app"."team" (
  "org_id"     uuid                     NOT NULL,
  "id"         uuid                     NOT NULL DEFAULT gen_random_uuid(),
  "slug"       text                     NOT NULL,
  "name"       text                     NOT NULL,
  "created_at" timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT "team_name_check" CHECK (((char_length(name) >= 1) AND (char_length(name) <= 120))),
  CONSTRAINT "team_org_id_slug_key" UNIQUE (org_id, slug),
  CONSTRAINT "team_pkey" PRIMARY KEY (org_id, id),
  CONSTRAINT "team_slug_check" CHECK ((slug ~ '^[a-z0-9][a-z0-9-]{1,39}$'::text)),
  "created_by" uuid                     NOT NULL DEFAULT authz.uid()
);

ALTER TABLE "app"."team"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."team"
  FORCE ROW LEVEL SECURITY;

ALTER TABLE "app"."membership"
  ADD COLUMN "status" text NOT NULL DEFAULT 'active'::text;

ALTER TABLE "app"."organization"
  ADD COLUMN "suspended_at" timestamp WITH time zone;

CREATE OR REPLACE FUNCTION authz.built_in_roles()
  RETURNS TABLE (
    role       text,
    permission text
  )
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select 'owner', p.name from app.permission p
  union all
  select 'admin', p.name from app.permission p where p.name <> 'organization.manage'
  union all
  select r.role, unnest(r.permissions) from (values
    ('builder', array['members.read', 'documents.read', 'documents.manage', 'bots.run', 'bots.manage', 'orders.place', 'tickets.create',
      'resources.publish', 'tokens.create']),
    ('analyst', array['members.read', 'documents.read', 'bots.run', 'orders.read', 'tickets.read', 'usage.read', 'tokens.create']),
    ('agent', array['members.read', 'documents.read', 'bots.run', 'orders.read', 'tickets.create', 'tickets.read', 'tickets.manage', 'tokens.create']),
    ('member', array['documents.read', 'bots.run', 'orders.place', 'tickets.create', 'tokens.create']),
    ('auditor', array['members.read', 'bots.run', 'runs.read', 'audit.read', 'usage.read'])
  ) r (role, permissions)
$function$;

CREATE OR REPLACE FUNCTION authz.denied (
  kind text
)
  RETURNS SETOF uuid
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  ROWS 1
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select case denied.kind when 'knowledge_base' then r.knowledge_base_id when 'document' then r.document_id when 'bot' then r.bot_id end
  from app.deny_rule r
  where case denied.kind when 'knowledge_base' then r.knowledge_base_id when 'document' then r.document_id when 'bot' then r.bot_id end is not null
$function$;

ALTER FUNCTION "authz"."denied"(text) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.denied_tools()
  RETURNS TABLE (
    org_id uuid,
    tool   text
  )
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  ROWS 1
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select r.org_id, r.tool from app.deny_rule r where r.tool is not null
$function$;

ALTER FUNCTION "authz"."denied_tools"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.managed_team_ids()
  RETURNS SETOF uuid
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  ROWS 10
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select t.team_id from app.team_member t
  where t.user_id = (select authz.uid()) and t.manager and t.org_id = any (array(select authz.org_ids()))
$function$;

ALTER FUNCTION "authz"."managed_team_ids"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.org_ids()
  RETURNS SETOF uuid
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  ROWS 10
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select m.org_id from app.membership m
  where m.user_id = (select authz.uid()) and m.status = 'active'
    -- A token made for one organization sees that one only; a claim can narrow, never widen. Malformed narrows to nothing.
    and (not (select authz.claims() ? 'org_id') or m.org_id::text = (select authz.claims() ->> 'org_id'))
    -- A suspended organization does not exist; nor, to a token without a second factor, one that requires it (F06, R42): here, so everywhere.
    and not exists (select from app.organization o
      where o.id = m.org_id and (o.suspended_at is not null or o.require_mfa and not (select authz.is_aal2())))
$function$;

CREATE OR REPLACE FUNCTION authz.second_factor_missing()
  RETURNS boolean
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select not authz.is_aal2() and exists (
    select from app.membership m join app.organization o on o.id = m.org_id
    where m.user_id = (select authz.uid()) and m.status = 'active' and o.require_mfa and o.suspended_at is null
      and (not (select authz.claims() ? 'org_id') or m.org_id::text = (select authz.claims() ->> 'org_id')))
$function$;

CREATE OR REPLACE FUNCTION authz.team_ids()
  RETURNS SETOF uuid
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  ROWS 10
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select t.team_id from app.team_member t
  where t.user_id = (select authz.uid()) and t.org_id = any (array(select authz.org_ids()))
$function$;

ALTER FUNCTION "authz"."team_ids"() OWNER TO "ringfence_owner";

ALTER TABLE "app"."deny_rule"
  ADD CONSTRAINT "deny_rule_bot_id_fkey" FOREIGN KEY (org_id, bot_id) REFERENCES app.bot(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."deny_rule"
  ADD CONSTRAINT "deny_rule_document_id_fkey" FOREIGN KEY (org_id, document_id) REFERENCES app.document(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."deny_rule"
  ADD CONSTRAINT "deny_rule_knowledge_base_id_fkey" FOREIGN KEY (org_id, knowledge_base_id) REFERENCES app.knowledge_base(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."deny_rule"
  ADD CONSTRAINT "deny_rule_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."deny_rule"
  ADD CONSTRAINT "deny_rule_role_id_fkey" FOREIGN KEY (org_id, role_id) REFERENCES app.role(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."deny_rule"
  ADD CONSTRAINT "deny_rule_user_id_fkey" FOREIGN KEY (org_id, user_id) REFERENCES app.membership(org_id, user_id) ON DELETE CASCADE;

ALTER TABLE "app"."membership"
  ADD CONSTRAINT "membership_status_check" CHECK ((status = ANY (ARRAY['active'::text, 'suspended'::text])));

ALTER TABLE "app"."team"
  ADD CONSTRAINT "team_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."deny_rule"
  ADD CONSTRAINT "deny_rule_team_id_fkey" FOREIGN KEY (org_id, team_id) REFERENCES app.team(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."team_member"
  ADD CONSTRAINT "team_member_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."team_member"
  ADD CONSTRAINT "team_member_team_id_fkey" FOREIGN KEY (org_id, team_id) REFERENCES app.team(org_id, id) ON DELETE CASCADE;

ALTER TABLE "app"."team_member"
  ADD CONSTRAINT "team_member_user_id_fkey" FOREIGN KEY (org_id, user_id) REFERENCES app.membership(org_id, user_id) ON DELETE CASCADE;

CREATE INDEX membership_user_id_idx ON app.membership USING btree (user_id, org_id) INCLUDE (role_id, status);

CREATE INDEX team_member_user_id_idx ON app.team_member USING btree (user_id, org_id) INCLUDE (team_id, manager);

CREATE TRIGGER _900_audit
  AFTER INSERT OR DELETE OR UPDATE ON app.deny_rule
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _900_audit
  AFTER INSERT OR DELETE OR UPDATE ON app.team
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _900_audit
  AFTER INSERT OR DELETE OR UPDATE ON app.team_member
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE POLICY "deny_rule_delete_manager" ON "app"."deny_rule"
  FOR DELETE
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.orgs_with('rules.manage'::text) AS orgs_with))));

CREATE POLICY "deny_rule_floor" ON "app"."deny_rule"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "deny_rule_select_manager" ON "app"."deny_rule"
  FOR SELECT
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.orgs_with('rules.manage'::text) AS orgs_with))));

CREATE POLICY "deny_rule_select_owner" ON "app"."deny_rule"
  FOR SELECT
  TO "ringfence_owner"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))) AND ((user_id = ( SELECT authz.uid() AS uid)) OR (team_id = ANY (ARRAY( SELECT authz.team_ids() AS team_ids))) OR
    (role_id = ANY (ARRAY( SELECT authz.role_ids() AS role_ids))) OR (num_nonnulls(user_id, team_id, role_id) = 0))));

CREATE POLICY "deny_rule_update_nobody" ON "app"."deny_rule"
  FOR UPDATE
  TO "authenticated"
  USING (false)
  WITH CHECK (false);

CREATE POLICY "team_delete_manager" ON "app"."team"
  FOR DELETE
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.orgs_with('teams.manage'::text) AS orgs_with))));

CREATE POLICY "team_floor" ON "app"."team"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "team_select_member" ON "app"."team"
  FOR SELECT
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "team_update_manager" ON "app"."team"
  FOR UPDATE
  TO "authenticated"
  USING (((org_id = ANY (ARRAY( SELECT authz.orgs_with('teams.manage'::text) AS orgs_with))) OR (id = ANY (ARRAY( SELECT authz.managed_team_ids() AS managed_team_ids)))))
  WITH CHECK (((org_id = ANY (ARRAY( SELECT authz.orgs_with('teams.manage'::text) AS orgs_with))) OR (id = ANY (ARRAY( SELECT authz.managed_team_ids() AS managed_team_ids)))));

CREATE POLICY "team_member_delete_manager" ON "app"."team_member"
  FOR DELETE
  TO "authenticated"
  USING
    (((user_id = ( SELECT authz.uid() AS uid)) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('teams.manage'::text) AS orgs_with))) OR ((team_id = ANY (ARRAY( SELECT
    authz.managed_team_ids() AS managed_team_ids))) AND (NOT manager))));

CREATE POLICY "team_member_floor" ON "app"."team_member"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "team_member_insert_manager" ON "app"."team_member"
  FOR INSERT
  TO "authenticated"
  WITH
    CHECK
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('teams.manage'::text) AS orgs_with))) OR ((team_id = ANY (ARRAY( SELECT authz.managed_team_ids() AS managed_team_ids))) AND (NOT
    manager))));

CREATE POLICY "team_member_select_member" ON "app"."team_member"
  FOR SELECT
  TO "authenticated"
  USING
    (((user_id = ( SELECT authz.uid() AS uid)) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('members.read'::text) AS orgs_with))) OR (team_id = ANY (ARRAY( SELECT
    authz.team_ids() AS team_ids)))));

CREATE POLICY "team_member_select_owner" ON "app"."team_member"
  FOR SELECT
  TO "ringfence_owner"
  USING ((user_id = ( SELECT authz.uid() AS uid)));

CREATE POLICY "team_member_update_manager" ON "app"."team_member"
  FOR UPDATE
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.orgs_with('teams.manage'::text) AS orgs_with))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.orgs_with('teams.manage'::text) AS orgs_with))));

COMMENT ON COLUMN "app"."deny_rule"."bot_id" IS 'The bot, or null.';

COMMENT ON COLUMN "app"."deny_rule"."created_at" IS 'Since when.';

COMMENT ON COLUMN "app"."deny_rule"."document_id" IS 'The document, or null.';

COMMENT ON COLUMN "app"."deny_rule"."id" IS 'Random identifier.';

COMMENT ON COLUMN "app"."deny_rule"."knowledge_base_id" IS 'The knowledge base with all its documents, or null.';

COMMENT ON COLUMN "app"."deny_rule"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."deny_rule"."reason" IS 'Why, for whoever reviews the rules; 1..300 characters.';

COMMENT ON COLUMN "app"."deny_rule"."role_id" IS 'Everyone with this role, or null. All three null: everybody in the organization.';

COMMENT ON COLUMN "app"."deny_rule"."team_id" IS 'Everyone in this team, or null.';

COMMENT ON COLUMN "app"."deny_rule"."tool" IS 'The name of a function bots may call, or null.';

COMMENT ON COLUMN "app"."deny_rule"."user_id" IS 'One member, or null.';

COMMENT ON COLUMN "app"."membership"."status" IS 'active, or suspended: then as if not a member, until resumed; authz.org_ids() sees to it.';

COMMENT ON COLUMN "app"."organization"."suspended_at" IS 'When it was suspended, or null: while it is, it does not exist for anybody; authz.org_ids() sees to it.';

COMMENT ON COLUMN "app"."team"."created_at" IS 'When it was made.';

COMMENT ON COLUMN "app"."team"."id" IS 'Random identifier.';

COMMENT ON COLUMN "app"."team"."name" IS 'Display name; 1..120 characters.';

COMMENT ON COLUMN "app"."team"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."team"."slug" IS 'Short name within the organization; 2..40 of a-z 0-9 -.';

COMMENT ON COLUMN "app"."team_member"."created_at" IS 'Since when.';

COMMENT ON COLUMN "app"."team_member"."manager" IS 'Whether they choose who else is in the team.';

COMMENT ON COLUMN "app"."team_member"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."team_member"."team_id" IS 'The team.';

COMMENT ON COLUMN "app"."team_member"."user_id" IS 'The member.';

COMMENT ON FUNCTION "authz"."denied"(text) IS 'What deny rules take from the signed-in person now: ids of the kind knowledge_base, document or bot. For restrictive policies (F15).';

COMMENT ON FUNCTION "authz"."denied_tools"() IS 'The tools that deny rules take from the signed-in person now, by organization.';

COMMENT ON FUNCTION "authz"."managed_team_ids"() IS 'The teams whose manager the signed-in person is now: they choose its members without holding teams.manage (F16).';

COMMENT ON FUNCTION "authz"."org_ids"() IS 'The organizations the signed-in person belongs to now: narrowed by the token''s org_id claim when it has one, without those suspended, and without those that require a second factor the token lacks.';

COMMENT ON FUNCTION "authz"."team_ids"() IS 'The teams the signed-in person is in now.';

COMMENT ON POLICY "deny_rule_delete_manager" ON "app"."deny_rule" IS 'rules.manage deletes rules.';

COMMENT ON POLICY "deny_rule_floor" ON "app"."deny_rule" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "deny_rule_select_manager" ON "app"."deny_rule" IS 'rules.manage sees the rules; whom one concerns is not told of it.';

COMMENT ON POLICY "deny_rule_select_owner" ON "app"."deny_rule" IS 'authz.denied() sees the rules that concern the person asking and no others.';

COMMENT ON POLICY "deny_rule_update_nobody" ON "app"."deny_rule" IS 'Rules are made and deleted, not edited.';

COMMENT ON POLICY "organization_select_joined_owner" ON "app"."organization" IS 'authz.org_ids() sees which of the person''s organizations are suspended or require a second factor.';

COMMENT ON POLICY "team_delete_manager" ON "app"."team" IS 'teams.manage deletes teams; what was shared with one is no longer.';

COMMENT ON POLICY "team_floor" ON "app"."team" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "team_select_member" ON "app"."team" IS 'Members see which teams there are, to share with them.';

COMMENT ON POLICY "team_update_manager" ON "app"."team" IS 'teams.manage and the team''s own managers rename it.';

COMMENT ON POLICY "team_member_delete_manager" ON "app"."team_member" IS 'One may leave; teams.manage takes out anybody, a manager anybody but managers.';

COMMENT ON POLICY "team_member_floor" ON "app"."team_member" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "team_member_insert_manager" ON "app"."team_member" IS 'teams.manage, and a manager into their own teams, though never as another manager.';

COMMENT ON POLICY "team_member_select_member" ON "app"."team_member" IS 'One sees who is in one''s own teams; members.read sees the organization''s.';

COMMENT ON POLICY "team_member_select_owner" ON "app"."team_member" IS 'authz.team_ids() sees the teams of the person asking and no others.';

COMMENT ON POLICY "team_member_update_manager" ON "app"."team_member" IS 'teams.manage chooses the managers.';

COMMENT ON TABLE "app"."deny_rule" IS 'Takes one resource or tool from a person, a team, a role or (naming none) everybody.';

COMMENT ON TABLE "app"."team" IS 'A group of members of one organization.';

COMMENT ON TABLE "app"."team_member" IS 'A member''s place in a team; it goes with the membership.';

REVOKE ALL ON FUNCTION "authz"."denied"(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."denied"(text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."denied"(text) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."denied"(text) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."denied_tools"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."denied_tools"() TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."denied_tools"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."denied_tools"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."managed_team_ids"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."managed_team_ids"() TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."managed_team_ids"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."managed_team_ids"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."team_ids"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."team_ids"() TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."team_ids"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."team_ids"() TO "ringfence_owner";

GRANT INSERT ("bot_id") ON TABLE "app"."deny_rule" TO "authenticated";

GRANT INSERT ("document_id") ON TABLE "app"."deny_rule" TO "authenticated";

GRANT INSERT ("knowledge_base_id") ON TABLE "app"."deny_rule" TO "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."deny_rule" TO "authenticated";

GRANT INSERT ("reason") ON TABLE "app"."deny_rule" TO "authenticated";

GRANT INSERT ("role_id") ON TABLE "app"."deny_rule" TO "authenticated";

GRANT INSERT ("team_id") ON TABLE "app"."deny_rule" TO "authenticated";

GRANT INSERT ("tool") ON TABLE "app"."deny_rule" TO "authenticated";

GRANT INSERT ("user_id") ON TABLE "app"."deny_rule" TO "authenticated";

GRANT DELETE, SELECT ON TABLE "app"."deny_rule" TO "authenticated";

GRANT SELECT ON TABLE "app"."deny_rule" TO "ringfence_owner";

GRANT INSERT ("name"), UPDATE ("name") ON TABLE "app"."team" TO "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."team" TO "authenticated";

GRANT INSERT ("slug"), UPDATE ("slug") ON TABLE "app"."team" TO "authenticated";

GRANT DELETE, SELECT ON TABLE "app"."team" TO "authenticated";

GRANT INSERT ("manager"), UPDATE ("manager") ON TABLE "app"."team_member" TO "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."team_member" TO "authenticated";

GRANT INSERT ("team_id") ON TABLE "app"."team_member" TO "authenticated";

GRANT INSERT ("user_id") ON TABLE "app"."team_member" TO "authenticated";

GRANT DELETE, SELECT ON TABLE "app"."team_member" TO "authenticated";

GRANT SELECT ("manager") ON TABLE "app"."team_member" TO "ringfence_owner";

GRANT SELECT ("org_id") ON TABLE "app"."team_member" TO "ringfence_owner";

GRANT SELECT ("team_id") ON TABLE "app"."team_member" TO "ringfence_owner";

GRANT SELECT ("user_id") ON TABLE "app"."team_member" TO "ringfence_owner";

CREATE POLICY "deny_rule_insert_manager" ON "app"."deny_rule"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (((org_id = ANY (ARRAY( SELECT authz.orgs_with('rules.manage'::text) AS orgs_with))) AND (created_by = ( SELECT authz.uid() AS uid))));

COMMENT ON COLUMN "app"."deny_rule"."created_by" IS 'Who made it.';

COMMENT ON POLICY "deny_rule_insert_manager" ON "app"."deny_rule" IS 'rules.manage makes rules, in their own name.';

CREATE POLICY "team_insert_manager" ON "app"."team"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (((org_id = ANY (ARRAY( SELECT authz.orgs_with('teams.manage'::text) AS orgs_with))) AND (created_by = ( SELECT authz.uid() AS uid))));

COMMENT ON COLUMN "app"."team"."created_by" IS 'Who made it.';

COMMENT ON POLICY "team_insert_manager" ON "app"."team" IS 'teams.manage makes teams, in their own name.';

-- By hand: the registry's new rows, and the new permissions of the built-in roles organizations have already.
insert into app.permission (name, description) values
  ('roles.manage', 'Make, change and delete roles, within the permissions one holds.'),
  ('teams.manage', 'Make and delete teams, choose their managers and members.'),
  ('rules.manage', 'Make and delete the rules that deny a person, team or role a resource whatever was shared with them.'),
  ('resources.publish', 'Share what one owns with the whole organization, not only with people and teams.'),
  ('documents.read_confidential', 'Read confidential documents among those one may read.'),
  ('documents.read_secret', 'Read secret documents among those one may read.'),
  ('tokens.create', 'Make API tokens of one''s own.'),
  ('usage.read', 'Read how much of everything the organization uses.');
insert into app.role_permission (org_id, role_id, permission)
  select r.org_id, r.id, b.permission from app.role r join authz.built_in_roles() b on b.role = r.name
  where r.built_in on conflict do nothing;

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
