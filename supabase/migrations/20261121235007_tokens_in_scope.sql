-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

CREATE OR REPLACE FUNCTION authz.tg_in_scope()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  if row_security_active(tg_relid) and not authz.in_scope(tg_argv::text[]) then
    raise sqlstate '42501' using message = 'this API token was not made for that';
  end if;
  return null;
end
$function$;

CREATE INDEX organization_out_of_sight_idx ON app.organization USING btree (id)
  WHERE ((suspended_at IS NOT NULL) OR require_mfa);

CREATE TRIGGER _060_in_scope
  BEFORE INSERT OR DELETE OR UPDATE ON app.bot
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_scope('bots.manage');

CREATE TRIGGER _060_in_scope
  BEFORE INSERT OR DELETE OR UPDATE ON app.bot_binding
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_scope('bots.manage');

CREATE TRIGGER _060_in_scope
  BEFORE INSERT OR DELETE OR UPDATE ON app.bot_runner
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_scope('bots.manage');

CREATE TRIGGER _060_in_scope
  BEFORE INSERT OR DELETE OR UPDATE ON app.chunk
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_scope('documents.manage');

CREATE TRIGGER _060_in_scope
  BEFORE INSERT OR DELETE OR UPDATE ON app.document
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_scope('documents.manage');

CREATE TRIGGER _060_in_scope
  BEFORE INSERT OR DELETE OR UPDATE ON app.document_grant
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_scope('documents.manage');

CREATE TRIGGER _060_in_scope
  BEFORE INSERT OR DELETE OR UPDATE ON app.document_part
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_scope('documents.manage');

CREATE TRIGGER _060_in_scope
  BEFORE INSERT OR DELETE OR UPDATE ON app.kb_grant
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_scope('documents.manage');

CREATE TRIGGER _060_in_scope
  BEFORE INSERT OR DELETE OR UPDATE ON app.knowledge_base
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_scope('documents.manage');

COMMENT ON FUNCTION "authz"."tg_in_scope"() IS 'Trigger, once a statement: an API token changes what its owner may change without a permission, their own things, only with the permission named (F08).';

REVOKE ALL ON FUNCTION "authz"."tg_in_scope"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_in_scope"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_in_scope"() TO "postgres";

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
