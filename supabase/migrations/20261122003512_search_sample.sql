-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

CREATE OR REPLACE FUNCTION authz.is_small_search (
  org_id uuid,
  wanted authz.search_filter
)
  RETURNS boolean
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET enable_seqscan TO 'off'
  SET enable_bitmapscan TO 'off'
  SET enable_sort TO 'off'
  AS $function$
declare
  v_most integer := authz.exact_search_limit() / 256;
begin
  -- Ids are random: one in 256 begins with 00, and counting those tells the size well enough.
  return (
    select count(*) <= v_most
    from (select from app.chunk c
      where c.org_id = is_small_search.org_id and c.id < '01000000-0000-0000-0000-000000000000'
        and (wanted.bases is null or c.knowledge_base_id = any (wanted.bases))
      order by c.id limit v_most + 1) sample);
end
$function$;

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
