-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

DROP FUNCTION "api"."record_denial"(text, text, text, uuid, uuid, text);

CREATE OR REPLACE FUNCTION api.record_denial (
  function_name text,
  code          text,
  message       text DEFAULT ''::text,
  named_org     uuid DEFAULT NULL::uuid,
  run_id        uuid DEFAULT NULL::uuid,
  bot           text DEFAULT NULL::text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require(code in ('42501', 'PT401'), 'code: 42501 or PT401');
  perform authz.require(char_length(message) between 0 and 500, 'message: 0..500 characters');
  perform authz.require(bot is null or char_length(bot) between 0 and 200, 'bot: 0..200 characters');
  perform authz.require(exists (select from pg_proc p where p.pronamespace = 'api'::regnamespace and p.proname = record_denial.function_name),
    'function_name: a function of this catalog');
  if not authz.note_denial(record_denial.function_name, code, message, named_org, run_id, bot) then
    raise sqlstate 'PT404' using message = 'none of your organizations is meant';
  end if;
  return jsonb_build_object('recorded', true);
end
$function$;

COMMENT ON FUNCTION "api"."record_denial"(text, text, text, uuid, uuid, text) IS 'Record that a call of yours was refused, in the audit trail of your organization that it was about. The edge does so by itself.

@audience app
@param function_name  name of a function, the one that refused
@param code           42501 or PT401
@param message        what the database said; 0..500 characters; only the policy or privilege it names is kept
@param named_org      the organization the call named, if it named one
@param run_id         the run the call named
@param bot            the bot the call named, as organization/bot; 0..200 characters
@returns              {recorded}
@errors               22023, PT404
@effect               write';

REVOKE ALL ON FUNCTION "api"."record_denial"(text, text, text, uuid, uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."record_denial"(text, text, text, uuid, uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."record_denial"(text, text, text, uuid, uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."record_denial"(text, text, text, uuid, uuid, text) TO "postgres";

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
