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
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce(authz.claims() ->> 'aal' = 'aal2', false);
end
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
grant execute on function authz.step_up_lasts() to authenticated, ringfence_owner;

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
grant execute on function authz.has_recent_second_factor() to authenticated, ringfence_owner;

create function authz.require_step_up() returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  -- A factor used when an API token was made says nothing about who uses it now (F08, R44).
  perform authz.require_person();
  if authz.has_recent_second_factor() is not true then
    raise sqlstate 'PT401' using
      message = 'confirm your second factor and try again: verify a code of your authenticator app, or enrol one first';
  end if;
end
$$;
comment on function authz.require_step_up() is 'Raise PT401, which says what to do, unless a second factor was used within authz.step_up_lasts() (F07); 42501 for an OAuth client or API token.';
revoke all on function authz.require_step_up() from public;
grant execute on function authz.require_step_up() to authenticated, ringfence_owner;
