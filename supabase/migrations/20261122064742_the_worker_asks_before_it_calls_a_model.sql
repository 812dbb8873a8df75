-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

REVOKE ALL ON FUNCTION "authz"."reserve_model_call"(uuid, uuid, text, text, text, integer, text) FROM "ringfence_worker";

GRANT EXECUTE ON FUNCTION "authz"."reserve_model_call"(uuid, uuid, text, text, text, integer, text) TO "ringfence_worker";

REVOKE ALL ON FUNCTION "authz"."settle_model_call"(uuid, text, integer, integer) FROM "ringfence_worker";

GRANT EXECUTE ON FUNCTION "authz"."settle_model_call"(uuid, text, integer, integer) TO "ringfence_worker";

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
