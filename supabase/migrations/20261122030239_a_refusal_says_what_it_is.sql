-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

CREATE OR REPLACE FUNCTION authz.is_departing()
  RETURNS boolean
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  if current_user <> 'ringfence_owner' then
    return false;
  end if;
  -- A statement of its own: in one with the condition before it, everybody would need the right to call it.
  return exists (select authz.departing_user_ids());
end
$function$;

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
