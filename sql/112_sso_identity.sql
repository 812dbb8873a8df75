-- What identity providers say about a person. Supabase Auth alone writes auth.identities, from the provider's signed assertion at each
-- sign-in through it; the copy of it in raw_user_meta_data is the person's to change and is never read.
grant select (user_id, provider, identity_data, last_sign_in_at) on auth.identities to ringfence_owner;
create policy ringfence_identities_select_owner on auth.identities for select to ringfence_owner
  using (user_id = (select authz.uid()));

create function authz.sso_identities() returns table (provider text, told jsonb, signed_in_at timestamptz)
language sql stable rows 2
set search_path = pg_catalog, pg_temp
begin atomic
  -- Parsed now, as in authz.session_is_live(): the owner role needs no USAGE on Supabase Auth's schema.
  select i.provider,
    case when jsonb_typeof(i.identity_data -> 'custom_claims') = 'object' then i.identity_data -> 'custom_claims' else '{}' end,
    coalesce(i.last_sign_in_at, '-infinity')
  from auth.identities i
  where i.user_id = (select authz.uid()) and (i.provider like 'sso:%' or i.provider like 'custom:%');
end;
comment on function authz.sso_identities() is 'The identities of the signed-in person at identity providers of organizations, with what each told when they last signed in through it. For definer functions.';
revoke all on function authz.sso_identities() from public;
grant execute on function authz.sso_identities() to ringfence_owner;

create function authz.sso_groups(told jsonb) returns text[]
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case jsonb_typeof(sso_groups.told)
    when 'array' then array(select e.value #>> '{}' from jsonb_array_elements(sso_groups.told) e where jsonb_typeof(e.value) = 'string')
    when 'string' then array[sso_groups.told #>> '{}']
    else '{}' end
$$;
comment on function authz.sso_groups(jsonb) is 'The names of groups in what a provider told: a list of texts or one text; none in anything else (F09).';
revoke all on function authz.sso_groups(jsonb) from public;
grant execute on function authz.sso_groups(jsonb) to ringfence_owner;

create function authz.sso_providers() returns setof text
language sql stable rows 2
set search_path = pg_catalog, pg_temp
as $$
  select i.provider from authz.sso_identities() i
$$;
comment on function authz.sso_providers() is 'The identity providers of organizations that the signed-in person has an identity of. For policies of the owner role.';
revoke all on function authz.sso_providers() from public;
grant execute on function authz.sso_providers() to ringfence_owner;

-- The body names a table of a later file, so it is checked when first called instead of now.
set check_function_bodies = off;
create function authz.sso_org_ids() returns setof uuid
language sql stable rows 2
set search_path = pg_catalog, pg_temp
as $$
  select c.org_id from app.sso_connection c
$$;
comment on function authz.sso_org_ids() is 'The organizations whose identity provider the signed-in person has an identity of: those whose connection the owner role sees for them.';
revoke all on function authz.sso_org_ids() from public;
grant execute on function authz.sso_org_ids() to ringfence_owner;
reset check_function_bodies;
