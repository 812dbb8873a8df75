"""Every statement the emulator runs. Times come from its clock, never from now(), so tests can move it."""

from __future__ import annotations

from typing import Final, LiteralString

_USER: Final[LiteralString] = """
select u.id, u.aud, u.role, u.email, u.phone, u.encrypted_password, u.email_confirmed_at, u.phone_confirmed_at, u.confirmed_at,
       u.last_sign_in_at, u.raw_app_meta_data as app_metadata, u.raw_user_meta_data as user_metadata,
       u.created_at, u.updated_at, u.banned_until, u.is_anonymous,
       array(select to_jsonb(i) from auth.identities i where i.user_id = u.id order by i.created_at, i.id) as identities,
       array(select to_jsonb(f) - 'secret' from auth.mfa_factors f where f.user_id = u.id order by f.created_at, f.id) as factors
  from auth.users u
 where u.deleted_at is null
"""

USER_BY_EMAIL: Final[LiteralString] = _USER + "and u.email = %(email)s and not u.is_sso_user"
USER_BY_ID: Final[LiteralString] = _USER + "and u.id = %(user_id)s"
# As strong as the update that opening a session makes: two sign-ins with a share each would wait for one another for ever.
LOCK_USER: Final[LiteralString] = USER_BY_ID + " for no key update of u"

ADD_USER: Final[LiteralString] = """
insert into auth.users (instance_id, id, aud, role, email, encrypted_password, email_confirmed_at, confirmation_token,
                        recovery_token, email_change_token_new, email_change, raw_app_meta_data, raw_user_meta_data,
                        created_at, updated_at)
values ('00000000-0000-0000-0000-000000000000', %(user_id)s, %(audience)s, 'authenticated', %(email)s, %(hash)s, %(now)s, '',
        '', '', '', %(app_metadata)s, %(user_metadata)s, %(now)s, %(now)s)
on conflict (email) where is_sso_user = false do nothing
returning id
"""

ADD_IDENTITY: Final[LiteralString] = """
insert into auth.identities (provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
values (%(user_id)s::text, %(user_id)s, %(identity)s, 'email', %(now)s, %(now)s, %(now)s)
"""

UPDATE_SSO_IDENTITY: Final[LiteralString] = """
update auth.identities set identity_data = %(identity)s, last_sign_in_at = %(now)s, updated_at = %(now)s
 where provider = %(provider)s and provider_id = %(subject)s
returning user_id
"""
ADD_SSO_USER: Final[LiteralString] = """
insert into auth.users (instance_id, id, aud, role, email, email_confirmed_at, confirmation_token, recovery_token, email_change_token_new,
                        email_change, raw_app_meta_data, is_sso_user, created_at, updated_at)
values ('00000000-0000-0000-0000-000000000000', %(user_id)s, %(audience)s, 'authenticated', %(email)s, %(now)s, '', '', '', '',
        %(app_metadata)s, true, %(now)s, %(now)s)
"""
ADD_SSO_IDENTITY: Final[LiteralString] = """
insert into auth.identities (provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
values (%(subject)s, %(user_id)s, %(identity)s, %(provider)s, %(now)s, %(now)s, %(now)s)
"""
# As Supabase Auth does: the copy is the person's to change from then on, and so worth nothing.
COPY_SSO_METADATA: Final[LiteralString] = """
update auth.users set raw_user_meta_data = coalesce(raw_user_meta_data, '{}') || %(identity)s, updated_at = %(now)s where id = %(user_id)s
"""

SET_METADATA: Final[LiteralString] = """
update auth.users
   set raw_user_meta_data = (coalesce(raw_user_meta_data, '{}') || %(changes)s)
         - array(select c.key from jsonb_each(%(changes)s) c where c.value = 'null'),
       updated_at = %(now)s
 where id = %(user_id)s
"""

SET_PASSWORD: Final[LiteralString] = """
update auth.users set encrypted_password = %(hash)s, updated_at = %(now)s where id = %(user_id)s
"""

SET_EMAIL: Final[LiteralString] = """
update auth.users
   set email = %(email)s::text, email_confirmed_at = %(now)s, updated_at = %(now)s,
       raw_user_meta_data = coalesce(raw_user_meta_data, '{}') || jsonb_build_object('email', %(email)s::text)
 where id = %(user_id)s
"""

SET_IDENTITY_EMAIL: Final[LiteralString] = """
update auth.identities
   set identity_data = identity_data || jsonb_build_object('email', %(email)s::text), updated_at = %(now)s
 where user_id = %(user_id)s and provider = 'email'
"""

NOTE_SIGN_IN: Final[LiteralString] = """
update auth.users set last_sign_in_at = %(now)s, updated_at = %(now)s where id = %(user_id)s
"""

ADD_SESSION: Final[LiteralString] = """
insert into auth.sessions (id, user_id, created_at, updated_at, aal, user_agent, ip)
values (%(session_id)s, %(user_id)s, %(now)s, %(now)s, 'aal1', %(user_agent)s, %(ip)s)
"""

ADD_AMR_CLAIM: Final[LiteralString] = """
insert into auth.mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method)
values (gen_random_uuid(), %(session_id)s, %(now)s, %(now)s, %(method)s)
on conflict (session_id, authentication_method) do update set updated_at = excluded.updated_at
"""

SESSION: Final[LiteralString] = """
select s.id, s.user_id, coalesce(s.aal, 'aal1')::text as aal, s.not_after,
       array(select jsonb_strip_nulls(jsonb_build_object('method', c.authentication_method,
                                       'timestamp', floor(extract(epoch from c.updated_at))::bigint,
                                       'provider', case when c.authentication_method = 'sso/saml' then (
                                         select substr(i.provider, 5) from auth.identities i
                                          where i.user_id = s.user_id and i.provider like 'sso:%%' limit 1) end))
               from auth.mfa_amr_claims c where c.session_id = s.id order by c.updated_at desc, c.authentication_method) as amr
  from auth.sessions s
 where s.id = %(session_id)s and s.user_id = %(user_id)s
"""

NOTE_REFRESH: Final[LiteralString] = """
update auth.sessions
   set refreshed_at = %(now)s at time zone 'utc', updated_at = %(now)s, user_agent = %(user_agent)s, ip = %(ip)s
 where id = %(session_id)s
"""

ADD_REFRESH_TOKEN: Final[LiteralString] = """
insert into auth.refresh_tokens (instance_id, token, user_id, revoked, created_at, updated_at, parent, session_id)
values ('00000000-0000-0000-0000-000000000000', %(token)s, %(user_id)s, false, %(now)s, %(now)s, %(parent)s, %(session_id)s)
"""

# The session row is locked too, so refreshes of one session happen one after the other.
LOCK_REFRESH_TOKEN: Final[LiteralString] = """
select t.token, t.parent, t.revoked, t.updated_at, s.id as session_id, s.user_id
  from auth.refresh_tokens t join auth.sessions s on s.id = t.session_id
 where t.token = %(token)s
   for update of s, t
"""

LIVE_REFRESH_TOKEN: Final[LiteralString] = """
select t.token, t.parent, t.revoked, t.updated_at, t.session_id, t.user_id::uuid
  from auth.refresh_tokens t
 where t.session_id = %(session_id)s and not t.revoked
 order by t.id desc
 limit 1
"""

REVOKE_REFRESH_TOKEN: Final[LiteralString] = """
update auth.refresh_tokens set revoked = true, updated_at = %(now)s where token = %(token)s
"""

END_SESSION: Final[LiteralString] = "delete from auth.sessions where id = %(session_id)s"
END_SESSIONS: Final[LiteralString] = "delete from auth.sessions where user_id = %(user_id)s"
END_OTHER_SESSIONS: Final[LiteralString] = (
    "delete from auth.sessions where user_id = %(user_id)s and id <> %(session_id)s"
)

FACTORS: Final[LiteralString] = """
select f.id, coalesce(f.friendly_name, '') as friendly_name, f.factor_type::text, f.status = 'verified' as verified,
       coalesce(f.secret, '') as secret
  from auth.mfa_factors f
 where f.user_id = %(user_id)s
"""

LOCK_FACTOR: Final[LiteralString] = FACTORS + "and f.id = %(factor_id)s for update"

ADD_FACTOR: Final[LiteralString] = """
insert into auth.mfa_factors (id, user_id, friendly_name, factor_type, status, created_at, updated_at, secret)
values (%(factor_id)s, %(user_id)s, %(name)s, 'totp', 'unverified', %(now)s, %(now)s, %(secret)s)
"""

DROP_UNFINISHED_FACTORS: Final[LiteralString] = """
delete from auth.mfa_factors f
 where f.user_id = %(user_id)s and f.status = 'unverified' and f.created_at < %(before)s
   and not exists (select from auth.mfa_challenges c where c.factor_id = f.id and c.created_at >= %(before)s)
"""

DROP_UNVERIFIED_FACTORS: Final[LiteralString] = """
delete from auth.mfa_factors where user_id = %(user_id)s and status = 'unverified' and factor_type = 'totp'
"""

VERIFY_FACTOR: Final[LiteralString] = """
update auth.mfa_factors set status = 'verified', updated_at = %(now)s where id = %(factor_id)s and status = 'unverified'
"""

# What the factor proved is taken back from the sessions it proved it for.
FORGET_PROOF: Final[LiteralString] = """
delete from auth.mfa_amr_claims c using auth.sessions s
 where s.id = c.session_id and s.user_id = %(user_id)s and s.factor_id = %(factor_id)s and c.authentication_method = 'totp'
"""
LOWER_SESSIONS: Final[LiteralString] = """
update auth.sessions set aal = 'aal1', factor_id = null, updated_at = %(now)s
 where user_id = %(user_id)s and factor_id = %(factor_id)s
"""
REMOVE_FACTOR: Final[LiteralString] = "delete from auth.mfa_factors where id = %(factor_id)s"

ADD_CHALLENGE: Final[LiteralString] = """
insert into auth.mfa_challenges (id, factor_id, created_at, ip_address)
values (%(challenge_id)s, %(factor_id)s, %(now)s, %(ip)s)
"""

NOTE_CHALLENGE: Final[LiteralString] = "update auth.mfa_factors set last_challenged_at = %(now)s where id = %(factor_id)s"

DROP_CHALLENGES: Final[LiteralString] = """
delete from auth.mfa_challenges where factor_id = %(factor_id)s and created_at < %(before)s
"""

CHALLENGE: Final[LiteralString] = """
select c.id, c.created_at, c.verified_at, host(c.ip_address) as ip
  from auth.mfa_challenges c
 where c.id = %(challenge_id)s and c.factor_id = %(factor_id)s
"""

# Supabase's table has no column for the time step of the code, and uses otp_code for telephones only: there it goes.
ANSWER_CHALLENGE: Final[LiteralString] = """
update auth.mfa_challenges set verified_at = %(now)s, otp_code = %(step)s where id = %(challenge_id)s
"""

LAST_STEP: Final[LiteralString] = """
select coalesce(max(c.otp_code::bigint), 0) as step
  from auth.mfa_challenges c
 where c.factor_id = %(factor_id)s and c.verified_at is not null
"""

RAISE_SESSION: Final[LiteralString] = """
update auth.sessions set aal = 'aal2', factor_id = %(factor_id)s, updated_at = %(now)s where id = %(session_id)s
"""

# A refresh token from before the second factor is worth nothing afterwards, not even within the reuse interval.
FORGET_REFRESH_TOKENS: Final[LiteralString] = "delete from auth.refresh_tokens where session_id = %(session_id)s"

END_WEAKER_SESSIONS: Final[LiteralString] = (
    "delete from auth.sessions where user_id = %(user_id)s and coalesce(aal, 'aal1') < 'aal2'"
)
