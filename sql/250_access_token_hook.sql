-- Supabase Auth's custom access token hook: organizations in the token, for apps to show, and the choice of one of them.
-- It also applies what identity providers told: a sign-in or a refresh is when roles follow groups.
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
  -- Groups that changed at the identity provider change or end memberships before anything is said about them (F05). It is the person who
  -- signs in or stays signed in, with whatever session.
  perform set_config('request.jwt.claims', jsonb_build_object('sub', v_person)::text, true);
  perform authz.sync_sso();
  -- What the holder of this token would see is what it says: the policies for ringfence_owner answer as for their request.
  perform set_config('request.jwt.claims', v_claims::text, true);
  -- The operator's choice comes first; then what the session was made for; then what the person chose for it.
  v_chosen := coalesce(
    v_chosen,
    (select t.org_id::text from app.api_token t where t.user_id = v_person and t.session_id = authz.session_id()),
    (select c.org_id::text from app.session_choice c where c.user_id = v_person and c.session_id = authz.session_id()
      order by c.chosen_at desc limit 1));
  if v_chosen is not null then
    -- A choice that is no organization of theirs, or no identifier at all, stays in the token: it narrows to nothing.
    if pg_input_is_valid(v_chosen, 'uuid') then
      v_chosen := v_chosen::uuid::text;
    end if;
    v_claims := v_claims || jsonb_build_object('org_id', v_chosen);
    perform set_config('request.jwt.claims', v_claims::text, true);
  end if;
  -- Each organization that the token opens has the sign-in in its trail (F61); an hourly refresh is none. In one order, so that nobody
  -- who signs in waits for somebody who waits for them.
  if access_token_hook.event ->> 'authentication_method' is distinct from 'token_refresh' then
    perform authz.record_event(
      org_id => o.id, action => 'session.start', object_id => v_claims ->> 'session_id',
      target => case when access_token_hook.event ->> 'authentication_method' ~ '^[A-Za-z0-9._:/@?-]{1,200}$'
        then access_token_hook.event ->> 'authentication_method' end)
    from (select i.id from authz.org_ids() i (id) order by i.id) o;
  end if;
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
comment on function authz.access_token_hook(jsonb) is 'Add to the claims of a token: org_roles {organization id: role name} of what it lets its holder see, left out when that is nothing or more than 32 organizations; org_id when app_metadata.org_id names one, the session is an API token''s or the person chose one for it, which narrows the token to it.';
revoke all on function authz.access_token_hook(jsonb) from public;
grant execute on function authz.access_token_hook(jsonb) to supabase_auth_admin;
alter function authz.access_token_hook(jsonb) owner to ringfence_owner;
