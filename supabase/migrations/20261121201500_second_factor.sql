-- A second factor: what may be asked of a session, organizations that require one, and the claims of a token (issue 3).
-- From sql/ by hand, because two things cannot be said by a difference: authz.org_ids() belongs to ringfence_owner, so that role
-- replaces it, and making or taking over a function there needs CREATE on the schema for the time of this file.
grant create on schema authz to ringfence_owner;


-- ==== 115_second_factor.sql ====
-- How strongly the person proved who they are. What wants more than a password asks one of these; none takes an answer from a caller.
grant select (user_id, status) on auth.mfa_factors to ringfence_owner;
create policy ringfence_mfa_factors_select_owner on auth.mfa_factors for select to ringfence_owner
  using (user_id = (select authz.uid()));

create function authz.has_second_factor() returns boolean
language sql stable security definer
set search_path = pg_catalog, pg_temp
begin atomic
  -- Parsed now, as in authz.session_is_live(): the owner needs no USAGE on Supabase Auth's schema.
  select exists (select from auth.mfa_factors f where f.user_id = (select authz.uid()) and f.status = 'verified');
end;
comment on function authz.has_second_factor() is 'Whether the signed-in person has a verified second factor, used in this session or not.';
revoke all on function authz.has_second_factor() from public;
grant execute on function authz.has_second_factor() to authenticated;
alter function authz.has_second_factor() owner to ringfence_owner;

create function authz.is_aal2() returns boolean
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(authz.claims() ->> 'aal' = 'aal2', false)
$$;
comment on function authz.is_aal2() is 'Whether a second factor was used in this session, however long ago.';
revoke all on function authz.is_aal2() from public;
grant execute on function authz.is_aal2() to authenticated, ringfence_owner;

create function authz.step_up_lasts() returns interval
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
return interval '15 minutes';
comment on function authz.step_up_lasts() is 'How long after a second factor was used the sensitive functions take it. The one place that says so.';
revoke all on function authz.step_up_lasts() from public;
grant execute on function authz.step_up_lasts() to authenticated;

create function authz.has_recent_second_factor() returns boolean
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  -- A time ahead of ours by more than clocks differ is no time; an entry that is not as Supabase Auth writes it does not count.
  select authz.is_aal2() and exists (
    select from jsonb_array_elements(case when jsonb_typeof(claim.amr) = 'array' then claim.amr else '[]' end) entry
    where entry.value ->> 'method' in ('totp', 'mfa/phone', 'mfa/webauthn')
      and case when jsonb_typeof(entry.value -> 'timestamp') = 'number'
        then extract(epoch from now()) - (entry.value ->> 'timestamp')::numeric between -60 and extract(epoch from authz.step_up_lasts())
        else false end)
  from (select authz.claims() -> 'amr' as amr) claim
$$;
comment on function authz.has_recent_second_factor() is 'Whether a second factor was used in this session within authz.step_up_lasts(): level aal2 and a time in the claim amr.';
revoke all on function authz.has_recent_second_factor() from public;
grant execute on function authz.has_recent_second_factor() to authenticated;

create function authz.require_step_up() returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if authz.has_recent_second_factor() is not true then
    raise sqlstate 'PT401' using
      message = 'confirm your second factor and try again: verify a code of your authenticator app, or enrol one first';
  end if;
end
$$;
comment on function authz.require_step_up() is 'Raise PT401, which says what to do, unless a second factor was used within authz.step_up_lasts() (F07).';
revoke all on function authz.require_step_up() from public;
grant execute on function authz.require_step_up() to authenticated;

-- ==== 120_permission_helpers.sql ====
create function authz.joined_org_ids() returns setof uuid
language sql stable rows 10
set search_path = pg_catalog, pg_temp
as $$
  select m.org_id from app.membership m where m.user_id = (select authz.uid())
$$;
comment on function authz.joined_org_ids() is 'The organizations the signed-in person belongs to, whatever their token lets them see; for the policy by which authz.org_ids() reads those.';
revoke all on function authz.joined_org_ids() from public;
grant execute on function authz.joined_org_ids() to ringfence_owner;

-- ==== 200_organization.sql ====
alter table app.organization add column require_mfa boolean not null default false;
comment on column app.organization.require_mfa is 'True: to a token without a second factor this organization does not exist (F06); authz.org_ids() sees to it.';
create policy organization_select_joined_owner on app.organization for select to ringfence_owner
  using (id in (select authz.joined_org_ids()));
comment on policy organization_select_joined_owner on app.organization is 'authz.org_ids() sees which of the person''s organizations require a second factor.';
comment on policy organization_update_manager on app.organization is 'organization.manage may rename it and, after a step-up, change whether it requires a second factor.';
grant update (require_mfa) on app.organization to authenticated;

-- ==== 245_step_up.sql ====
-- Which acts need a fresh second factor (F07), said by triggers: the table refuses, whatever function the write comes through.
--   always      organization policy: whether a second factor is required
--   if_enrolled who belongs, with which role: asked of everybody who has a second factor, and where the organization requires one.
--               Asking it of those who have none would stop no thief of a session: with no factor yet, whoever holds it can enrol one.

create function authz.tg_step_up() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_row jsonb := case when tg_op = 'INSERT' then to_jsonb(new) else to_jsonb(old) end;
begin
  -- Where policies do not apply there is no token to look at (an operator, a restore); a founder takes the first seat as ringfence_owner.
  if row_security_active(tg_relid) and current_user <> 'ringfence_owner' then
    if authz.claims() ? 'client_id' then
      raise sqlstate '42501' using message = 'an app acting for you cannot do this: sign in yourself';  -- R44
    end if;
    if tg_argv[0] = 'always'
      or authz.has_second_factor()
      or exists (select from app.organization o where o.id = (v_row ->> 'org_id')::uuid and o.require_mfa)
    then
      -- Leaving takes nothing from anybody else.
      if not coalesce(tg_op = 'DELETE' and (v_row ->> 'user_id')::uuid = authz.uid(), false) then
        perform authz.require_step_up();
      end if;
    end if;
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end
$$;
comment on function authz.tg_step_up() is 'Trigger: PT401 without a fresh second factor, where one is asked for (argument always or if_enrolled); 42501 for an OAuth client.';
revoke all on function authz.tg_step_up() from public;
create trigger _110_step_up before insert or update or delete on app.membership
  for each row execute function authz.tg_step_up('if_enrolled');
create trigger _110_step_up before update of require_mfa on app.organization
  for each row when (old.require_mfa is distinct from new.require_mfa)
  execute function authz.tg_step_up('always');

create function authz.second_factor_missing() returns boolean
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select not authz.is_aal2() and exists (
    select from app.membership m join app.organization o on o.id = m.org_id
    where m.user_id = (select authz.uid()) and o.require_mfa
      and (not (select authz.claims() ? 'org_id') or m.org_id::text = (select authz.claims() ->> 'org_id')))
$$;
comment on function authz.second_factor_missing() is 'Whether an organization of the person is out of sight only because this session used no second factor. Says that, not which.';
revoke all on function authz.second_factor_missing() from public;
grant execute on function authz.second_factor_missing() to authenticated;
alter function authz.second_factor_missing() owner to ringfence_owner;

-- ==== 120_permission_helpers.sql ====
set role ringfence_owner;
create or replace function authz.org_ids() returns setof uuid
language sql stable security definer rows 10
set search_path = pg_catalog, pg_temp
as $$
  select m.org_id from app.membership m
  where m.user_id = (select authz.uid())
    -- A token made for one organization sees that one only; a claim can narrow, never widen. Malformed narrows to nothing.
    and (not (select authz.claims() ? 'org_id') or m.org_id::text = (select authz.claims() ->> 'org_id'))
    -- To a token without a second factor an organization that requires one does not exist (F06, R42): here, so everywhere.
    and ((select authz.is_aal2()) or not exists (select from app.organization o where o.id = m.org_id and o.require_mfa))
$$;
comment on function authz.org_ids() is 'The organizations the signed-in person belongs to now: narrowed by the token''s org_id claim when it has one, and without those that require a second factor the token lacks.';
reset role;

-- ==== 250_access_token_hook.sql ====
-- Supabase Auth's custom access token hook: organizations in the token, for apps to show, and the choice of one of them.
-- Nothing is allowed because of these claims. org_roles is information, as old as the token; org_id narrows (authz.org_ids()).
grant usage on schema authz to supabase_auth_admin;

create function authz.access_token_hook(event jsonb) returns jsonb
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_person uuid := (access_token_hook.event ->> 'user_id')::uuid;
  -- app_metadata is the operator's: Supabase Auth lets nobody write their own. user_metadata is never read.
  v_chosen text := access_token_hook.event #>> '{claims,app_metadata,org_id}';
  v_claims jsonb := access_token_hook.event -> 'claims';
  v_roles jsonb;
  v_before text := coalesce(current_setting('request.jwt.claims', true), '');
begin
  if v_person is null or jsonb_typeof(v_claims) is distinct from 'object' then
    raise sqlstate '22023' using message = 'the event has no person or no claims';
  end if;
  v_claims := v_claims - 'org_roles' || jsonb_build_object('sub', v_person);
  if v_chosen is not null then
    -- A choice that is no organization of theirs, or no identifier at all, stays in the token: it narrows to nothing.
    if pg_input_is_valid(v_chosen, 'uuid') then
      v_chosen := v_chosen::uuid::text;
    end if;
    v_claims := v_claims || jsonb_build_object('org_id', v_chosen);
  end if;
  -- What the holder of this token would see is what it says: the policies for ringfence_owner answer as for their request.
  perform set_config('request.jwt.claims', v_claims::text, true);
  select jsonb_object_agg(held.org_id, held.role) into v_roles
  from (
    select m.org_id, r.name as role, count(*) over () as organizations
    from app.membership m join app.role r on r.org_id = m.org_id and r.id = m.role_id
    where m.user_id = (select authz.uid()) and m.org_id = any (array(select authz.org_ids()))
  ) held
  where held.organizations <= 32;  -- a token travels with every request
  -- An error undoes the setting with everything else; this is for the call that succeeds.
  perform set_config('request.jwt.claims', v_before, true);
  if v_roles is not null then
    v_claims := v_claims || jsonb_build_object('org_roles', v_roles);
  end if;
  return jsonb_set(access_token_hook.event, '{claims}', v_claims);
end
$$;
comment on function authz.access_token_hook(jsonb) is 'Add to the claims of a token: org_roles {organization id: role name} of what it lets its holder see, left out when that is nothing or more than 32 organizations; org_id when app_metadata.org_id names one, which narrows the token to it.';
revoke all on function authz.access_token_hook(jsonb) from public;
grant execute on function authz.access_token_hook(jsonb) to supabase_auth_admin;
alter function authz.access_token_hook(jsonb) owner to ringfence_owner;

-- ==== 600_api_catalog.sql ====
create or replace function api.whoami() returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object(
    'user_id', authz.uid(),
    'email', authz.claims() ->> 'email',
    'aal', case when authz.is_aal2() then 'aal2' else 'aal1' end,
    'second_factor_missing', authz.second_factor_missing(),
    'organizations', coalesce((
      select jsonb_agg(jsonb_build_object('id', o.id, 'slug', o.slug, 'name', o.name, 'role', r.name,
        'permissions', (select coalesce(jsonb_agg(p.permission order by p.permission), '[]') from app.role_permission p
          where p.org_id = m.org_id and p.role_id = m.role_id)) order by o.slug, o.id)
      from app.membership m
      join app.organization o on o.id = m.org_id
      join app.role r on r.org_id = m.org_id and r.id = m.role_id
      where m.user_id = authz.uid()), '[]'))
$$;
comment on function api.whoami() is $c$Tell who you are, and your organizations with your role and permissions in each.

@audience app
@returns  {user_id, email, aal, second_factor_missing (true: sign in with it to see more), organizations: [{id, slug, name, role, permissions}]}
@effect   read$c$;

-- ==== 610_api_organization.sql ====
comment on function api.add_member(uuid, uuid, text) is $c$Add a person to an organization with a role whose permissions you hold yourself.

@audience app
@param org_id   the organization
@param user_id  the person, as known to Supabase Auth
@param role     name of a role of the organization
@returns        {user_id, role}
@errors         22004, 22023, 42501, PT401, PT404, PT409
@effect         write$c$;
comment on function api.change_member(uuid, uuid, text) is $c$Give a member another role; you must hold every permission of both roles.

@audience app
@param org_id   the organization
@param user_id  the member
@param role     name of a role of the organization
@returns        {user_id, role}
@errors         22004, 42501, PT401, PT404, PT409
@effect         write$c$;
comment on function api.remove_member(uuid, uuid) is $c$Remove a member; it takes effect on their next request, whatever their token says.

@audience app
@param org_id   the organization
@param user_id  the member
@returns        {user_id, role: null}
@errors         22004, 42501, PT401, PT404, PT409
@effect         destructive$c$;

-- ==== 615_api_security.sql ====
-- What an organization asks of its members' sign-in.

create function api.set_mfa_policy(org_id uuid, required boolean) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(set_mfa_policy.org_id);
  perform authz.require(set_mfa_policy.required is not null, 'required: true or false');
  -- Asked before anything is looked up, so the answer is the same for every organization there is or is not.
  perform authz.require_step_up();
  update app.organization o set require_mfa = set_mfa_policy.required where o.id = set_mfa_policy.org_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such organization, or not yours to manage';
  end if;
  return jsonb_build_object('org_id', set_mfa_policy.org_id, 'require_mfa', set_mfa_policy.required);
end
$$;
comment on function api.set_mfa_policy(uuid, boolean) is $c$Say whether an organization can be seen only by members who signed in with a second factor; works on their next request.

@audience app
@param org_id    the organization; needs organization.manage and a recent second factor of your own
@param required  true or false
@returns         {org_id, require_mfa}
@errors          22004, 22023, 42501, PT401, PT404
@effect          write$c$;
revoke all on function api.set_mfa_policy(uuid, boolean) from public;
grant execute on function api.set_mfa_policy(uuid, boolean) to authenticated;

-- ==== 900_close.sql ====
revoke create on schema authz from ringfence_owner;
notify pgrst, 'reload schema';
