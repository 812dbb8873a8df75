-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

ALTER TABLE "app"."deny_rule"
  DROP CONSTRAINT "deny_rule_role_id_fkey";

ALTER TABLE "app"."deny_rule"
  DROP CONSTRAINT "deny_rule_team_id_fkey";

CREATE OR REPLACE FUNCTION api.delete_role (
  org_id  uuid,
  role_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(delete_role.org_id);
  perform authz.lock_organization(delete_role.org_id);
  perform authz.require_role(delete_role.org_id, delete_role.role_id);
  delete from app.role r where r.org_id = delete_role.org_id and r.id = delete_role.role_id;
  return jsonb_build_object('id', delete_role.role_id);
exception
  when foreign_key_violation then raise sqlstate 'PT409' using message = 'the role is held or a deny rule names it: give its members another one, delete the rule';
end
$function$;

CREATE OR REPLACE FUNCTION authz.ruled_team_ids()
  RETURNS SETOF uuid
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  ROWS 1
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select r.team_id from app.deny_rule r where r.team_id is not null
$function$;

ALTER FUNCTION "authz"."ruled_team_ids"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.tg_ruled_team()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  -- Who leaves the organization leaves its teams; that is a foreign key at work, where policies do not apply.
  if row_security_active('app.team_member') and old.team_id = any (array(select authz.ruled_team_ids()))
    and not old.org_id = any (array(select authz.orgs_with('rules.manage')))
  then
    raise sqlstate '42501' using message = 'a rule names this team: rules.manage takes people out of it';
  end if;
  return old;
end
$function$;

ALTER TABLE "app"."deny_rule"
  ADD CONSTRAINT "deny_rule_role_id_fkey" FOREIGN KEY (org_id, role_id) REFERENCES app.role(org_id, id);

ALTER TABLE "app"."deny_rule"
  ADD CONSTRAINT "deny_rule_team_id_fkey" FOREIGN KEY (org_id, team_id) REFERENCES app.team(org_id, id);

CREATE TRIGGER _120_ruled
  BEFORE DELETE ON app.team_member
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_ruled_team();

COMMENT ON FUNCTION "authz"."ruled_team_ids"() IS 'The teams of the signed-in person that a deny rule names.';

COMMENT ON FUNCTION "authz"."tg_ruled_team"() IS 'Trigger: nobody is taken out of a team that a deny rule names but by rules.manage (42501).';

REVOKE ALL ON FUNCTION "authz"."ruled_team_ids"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."ruled_team_ids"() TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."ruled_team_ids"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."ruled_team_ids"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."tg_ruled_team"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_ruled_team"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_ruled_team"() TO "postgres";

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
