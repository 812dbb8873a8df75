-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

DROP POLICY "deny_rule_select_owner" ON "app"."deny_rule";

DROP FUNCTION "authz"."service_owners"();

CREATE OR REPLACE FUNCTION authz.denied (
  kind text
)
  RETURNS SETOF uuid
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  ROWS 1
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return query
    select d.id
    from app.deny_rule r, lateral (select case denied.kind
      when 'knowledge_base' then r.knowledge_base_id when 'document' then r.document_id when 'bot' then r.bot_id end as id) d
    where d.id is not null
      -- The policy shows the owner role more than this: what a replacing document inherits.
      and (r.user_id = (select authz.uid()) or r.team_id = any (array(select authz.team_ids())) or r.role_id = any (array(select authz.role_ids()))
        or num_nonnulls(r.user_id, r.team_id, r.role_id) = 0
        or r.user_id = any (array(select authz.service_owner_ids())) or r.role_id = any (array(select authz.service_owner_role_ids())));
end
$function$;

CREATE OR REPLACE FUNCTION authz.service_owner_ids()
  RETURNS SETOF uuid
  LANGUAGE sql
  STABLE
  ROWS 1
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select m.service_owner_id from app.membership m where m.user_id = (select authz.uid()) and m.service_owner_id is not null
$function$;

CREATE OR REPLACE FUNCTION authz.service_owner_role_ids()
  RETURNS SETOF uuid
  LANGUAGE sql
  STABLE
  ROWS 1
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select m.service_owner_role_id from app.membership m where m.user_id = (select authz.uid()) and m.service_owner_id is not null
$function$;

CREATE POLICY "deny_rule_select_owner" ON "app"."deny_rule"
  FOR SELECT
  TO "ringfence_owner"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))) AND ((user_id = ( SELECT authz.uid() AS uid)) OR (team_id = ANY (ARRAY( SELECT authz.team_ids() AS team_ids))) OR
    (role_id = ANY (ARRAY( SELECT authz.role_ids() AS role_ids))) OR (num_nonnulls(user_id, team_id, role_id) = 0) OR
    (user_id = ANY (ARRAY( SELECT authz.service_owner_ids() AS service_owner_ids))) OR (role_id = ANY (ARRAY( SELECT authz.service_owner_role_ids() AS service_owner_role_ids))))));

COMMENT ON FUNCTION "authz"."service_owner_ids"() IS 'Who answers for the signed-in service account; for the policy that holds it to the rules that concern them.';

COMMENT ON FUNCTION "authz"."service_owner_role_ids"() IS 'The roles of those who answer for the signed-in service account; for the policy that holds it to the rules that concern them.';

COMMENT ON POLICY "deny_rule_select_owner" ON "app"."deny_rule" IS 'authz.denied() sees the rules that concern the person asking and no others.';

REVOKE ALL ON FUNCTION "authz"."service_owner_ids"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."service_owner_ids"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."service_owner_ids"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."service_owner_ids"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."service_owner_role_ids"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."service_owner_role_ids"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."service_owner_role_ids"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."service_owner_role_ids"() TO "ringfence_owner";

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
