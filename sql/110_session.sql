-- Whether the session behind a token still lives. The tables are Supabase Auth's; it enables row security on them without
-- a policy, so the owner role is given one each, bound to the person asking.
grant select on auth.users, auth.sessions to ringfence_owner;
create policy ringfence_users_select_owner on auth.users for select to ringfence_owner
  using (id = (select authz.uid()));
create policy ringfence_sessions_select_owner on auth.sessions for select to ringfence_owner
  using (user_id = (select authz.uid()));

create function authz.session_is_live() returns boolean
language sql stable security definer
set search_path = pg_catalog, pg_temp
begin atomic
  -- Parsed now, by the migration role: hosted Supabase lets that role pass on SELECT on these tables but not USAGE on their
  -- schema, which the owner therefore neither has nor needs.
  select exists (
    select from auth.sessions s join auth.users u on u.id = s.user_id
    where s.id = (
        select case when pg_catalog.pg_input_is_valid(claim.session_id, 'uuid') then claim.session_id::uuid end
        from (select authz.claims() ->> 'session_id' as session_id) claim)
      and u.id = (select authz.uid())
      and (s.not_after is null or s.not_after > now())
      and u.deleted_at is null
      and (u.banned_until is null or u.banned_until <= now())
      and not coalesce(u.is_anonymous, false));
end;
comment on function authz.session_is_live() is 'Whether the session of this token exists, is not over, and belongs to a person who is neither deleted, banned nor anonymous (R41).';
revoke all on function authz.session_is_live() from public;
grant execute on function authz.session_is_live() to authenticated;
alter function authz.session_is_live() owner to ringfence_owner;

create function authz.verified_email() returns text
language sql stable security definer
set search_path = pg_catalog, pg_temp
begin atomic
  -- Not the claim email: Supabase Auth puts an address into a token before its owner has confirmed it. Parsed now, as in
  -- authz.session_is_live(): the owner needs no USAGE on Supabase Auth's schema.
  select lower(u.email) from auth.users u where u.id = (select authz.uid()) and u.email_confirmed_at is not null;
end;
comment on function authz.verified_email() is 'The confirmed e-mail address of the signed-in person in lower case, or null.';
revoke all on function authz.verified_email() from public;
grant execute on function authz.verified_email() to authenticated;
alter function authz.verified_email() owner to ringfence_owner;

create function authz.pre_request() returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_reason text := case
    when authz.claims() ->> 'role' is distinct from 'authenticated' then 'sign in to continue'
    when coalesce(current_setting('request.jwt.claim.sub', true), '') <> '' then 'a legacy identity setting is present'
    when authz.claims() -> 'is_anonymous' = 'true'::jsonb then 'create an account to continue'
    when not authz.session_is_live() then 'the session has ended: sign in again'
    when authz.api_token_is_over() then 'this API token was revoked or has expired'
  end;
begin
  if v_reason is not null then
    -- PostgREST's own form for an error with a status: PT401 is kept for "a stronger login is needed".
    raise sqlstate 'PGRST' using
      message = json_build_object('code', '28000', 'message', v_reason)::text,
      detail = json_build_object('status', 401,
        'headers', json_build_object('WWW-Authenticate', 'Bearer error="invalid_token"'))::text;
  end if;
end
$$;
comment on function authz.pre_request() is 'PostgREST calls this before every request: refuses ended sessions, API tokens revoked or expired, banned, deleted and anonymous users, and any role but authenticated (code 28000, status 401).';
revoke all on function authz.pre_request() from public;
grant execute on function authz.pre_request() to authenticated;
