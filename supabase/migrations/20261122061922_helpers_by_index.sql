-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

CREATE OR REPLACE FUNCTION authz.org_ids()
  RETURNS SETOF uuid
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  ROWS 10
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  SET enable_seqscan TO 'off'
  AS $function$
declare
  v_claims jsonb := authz.claims();
  v_me uuid := authz.uid();
  v_session uuid := authz.session_id();
  v_token uuid;
  v_only uuid;
  v_since timestamptz;
begin
  -- Somebody anonymous belongs nowhere (R43).
  if v_me is null or v_claims -> 'is_anonymous' = 'true' then
    return;
  end if;
  select t.id, case when t.revoked_at is null and t.expires_at > now() then t.org_id end, t.created_at into v_token, v_only, v_since
  from app.api_token t where t.session_id = v_session and t.user_id = v_me;
  return query
    select m.org_id from app.membership m
    where m.user_id = v_me and m.status = 'active'
      -- A token made for one organization sees that one only; a claim can narrow, never widen. Malformed narrows to nothing.
      and (not v_claims ? 'org_id' or m.org_id::text = v_claims ->> 'org_id')
      -- A suspended organization does not exist; nor, to a token without a second factor, one that requires it (F06, R42): here, so
      -- everywhere. The first condition is that of organization_out_of_sight_idx, which holds few.
      and not exists (select from app.organization o
        where o.id = m.org_id and (o.suspended_at is not null or o.require_mfa)
          and (o.suspended_at is not null or not (select authz.is_aal2())))
      -- A service account goes with its owner (F03).
      and m.service_owner_status is distinct from 'suspended'
      -- The session of an API token reaches one organization, while the token lives and by the membership it was made in (F08).
      and (v_token is null or m.org_id = v_only and m.created_at <= v_since);
end
$function$;

CREATE OR REPLACE FUNCTION authz.orgs_with (
  permission text
)
  RETURNS SETOF uuid
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  ROWS 10
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  SET enable_seqscan TO 'off'
  AS $function$
declare
  v_claims jsonb := authz.claims();
  v_me uuid := authz.uid();
  v_session uuid := authz.session_id();
  v_token uuid;
  v_only uuid;
  v_since timestamptz;
  v_allowed text[];
  v_bit bigint := authz.permission_bit(orgs_with.permission);
  v_personal boolean := authz.is_personal(orgs_with.permission);
begin
  -- Somebody anonymous belongs nowhere (R43).
  if v_me is null or v_claims -> 'is_anonymous' = 'true' then
    return;
  end if;
  select t.id, case when t.revoked_at is null and t.expires_at > now() then t.org_id end, t.created_at, t.permissions
  into v_token, v_only, v_since, v_allowed
  from app.api_token t where t.session_id = v_session and t.user_id = v_me;
  -- What acts for a person gets less than the person: an OAuth client nothing personal, an API token what it was made for (F08, R44).
  if v_personal and v_claims ? 'client_id' or v_token is not null and (orgs_with.permission = any (v_allowed)) is not true then
    return;
  end if;
  return query
    select m.org_id from app.membership m
    where m.user_id = v_me and m.status = 'active'
      -- A token made for one organization sees that one only; a claim can narrow, never widen. Malformed narrows to nothing.
      and (not v_claims ? 'org_id' or m.org_id::text = v_claims ->> 'org_id')
      -- A suspended organization does not exist; nor, to a token without a second factor, one that requires it (F06, R42): here, so
      -- everywhere. The first condition is that of organization_out_of_sight_idx, which holds few.
      and not exists (select from app.organization o
        where o.id = m.org_id and (o.suspended_at is not null or o.require_mfa)
          and (o.suspended_at is not null or not (select authz.is_aal2())))
      -- A service account goes with its owner (F03).
      and m.service_owner_status is distinct from 'suspended'
      -- The session of an API token reaches one organization, while the token lives and by the membership it was made in (F08).
      and (v_token is null or m.org_id = v_only and m.created_at <= v_since)
      and m.permissions & v_bit <> 0
      -- A service account may what its owner may too, and nothing personal: who lost a role would take it back through theirs (F03, F12).
      and (m.service_owner_id is null or not v_personal and authz.role_carries(m.org_id, m.service_owner_role_id, v_bit));
end
$function$;

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
