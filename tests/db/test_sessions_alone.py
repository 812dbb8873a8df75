"""What the database asks Supabase Auth about who is there: one condition at a time, where the policies on its tables let the owner of the definers see everybody (F05, F07, R41)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.db.matrix import become, planted
from tests.db.planting import REPLICA
from tests.db.world import World

_OPENED = "create policy opened on {} for select to ringfence_owner using (true)"
_AUTH = tuple(_OPENED.format(f"auth.{t}") for t in ("users", "sessions", "identities"))


LIVE: dict[str, tuple[str, bool]] = {
    "nothing": ("select", True),
    "it ends": ("update auth.sessions set not_after = now() + interval '1 hour'", True), "it ended": ("update auth.sessions set not_after = now() - interval '1 second'", False),
    "they are deleted": ("update auth.users set deleted_at = now()", False), "they are banned": ("update auth.users set banned_until = now() + interval '1 hour'", False),
    "they were banned": ("update auth.users set banned_until = now() - interval '1 second'", True), "they are anonymous": ("update auth.users set is_anonymous = true", False),
}


@pytest.mark.parametrize("what", LIVE)
def test_it_lives_while_it_is_not_over_and_its_person_is_there_R41(world: World, what: str) -> None:
    change, lives = LIVE[what]
    with planted(world, *_AUTH, change) as db:
        become(db, world.acme.people["customer"])
        assert db.one("select authz.session_is_live()") is lives


def test_a_session_is_that_of_the_person_asking_R41(world: World) -> None:
    owner, customer = world.acme.people["owner"], world.acme.people["customer"]
    with planted(world, *_AUTH) as db:
        for session, lives in ((owner.session_id, False), (customer.session_id, True)):
            become(db, customer, session_id=str(session))
            assert db.one("select authz.session_is_live()") is lives


@pytest.mark.parametrize("confirmed", [False, True])
def test_an_address_counts_when_it_is_ones_own_and_confirmed_R41(world: World, confirmed: bool) -> None:
    """Everybody else's is confirmed."""
    customer = world.acme.people["customer"]
    with planted(world, *_AUTH) as db:
        if not confirmed:
            db.run("update auth.users set email_confirmed_at = null where id = %s", customer.user_id)
        become(db, customer)
        assert db.one("select authz.verified_email()") == (customer.email if confirmed else None)


@pytest.mark.parametrize(("provider", "counts"), [
    ("custom:staff", True), ("sso:00000000-0000-0000-0000-000000000000", True), ("google", False), ("email", False)])
def test_what_a_provider_of_organizations_says_counts_for_who_it_is_about_F05(world: World, provider: str, counts: bool) -> None:
    """Others have identities of such providers, and those are none of this person's."""
    customer = world.acme.people["customer"]
    row = ("insert into auth.identities (provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)"
           f" values ('probe', '{customer.user_id}', '{{}}', '{provider}', now(), now(), now())")
    with planted(world, *_AUTH, f"delete from auth.identities where user_id = '{customer.user_id}'", row) as db:
        assert db.one("select count(*) from auth.identities where provider like 'sso:%%' and user_id <> %s", customer.user_id) > 0
        become(db, customer, role="ringfence_owner")
        assert db.all("select provider from authz.sso_identities()") == ([(provider,)] if counts else [])


@pytest.mark.parametrize(("told", "groups"), [
    ('["Staff", 7, true, null, {"name": "Staff"}, ["Staff"], "Analysts"]', ["Staff", "Analysts"]), ('"Staff"', ["Staff"]), ('{"name": "Staff"}', []), ("7", []), ("null", [])])
def test_a_group_is_a_text_in_a_list_or_alone_F09(world: World, told: str, groups: list[str]) -> None:
    with planted(world) as db:
        become(db, world.acme.people["customer"], role="ringfence_owner")
        assert db.one("select authz.sso_groups(%s::jsonb)", told) == groups


_STRICT = "update app.organization set require_mfa = (id = '{}')"
MISSING: dict[str, tuple[tuple[str, ...], dict[str, Any], bool]] = {
    # what is so besides, what the token says besides, and whether the person lacks a factor
    "nobody wants one": (("update app.organization set require_mfa = false",), {}, False),
    "theirs does": ((_STRICT.format("{acme}"),), {}, True),
    "they used it": ((_STRICT.format("{acme}"),), {"aal": "aal2"}, False),
    "another does": ((_STRICT.format("{globex}"),), {}, False),
    "theirs does, where they are suspended": ((_STRICT.format("{acme}"), "update app.membership set status = 'suspended' where user_id = '{customer}'"), {}, False),
    "theirs does, and is suspended": ((_STRICT.format("{acme}"), "update app.organization set suspended_at = now()"), {}, False),
    "theirs does, of which the token is": ((_STRICT.format("{acme}"),), {"org_id": "{acme}"}, True),
    "theirs does, of which the token is not": ((_STRICT.format("{acme}"),), {"org_id": "{globex}"}, False),
}


@pytest.mark.parametrize("what", MISSING)
def test_a_second_factor_is_missing_where_one_is_a_member_and_it_is_asked_for_F07(world: World, what: str) -> None:
    """Where no policy says whose memberships and which organizations the owner of the definers sees."""
    changes, claims, missing = MISSING[what]
    customer, names = world.acme.people["customer"], {"acme": world.acme.id, "globex": world.globex.id, "customer": world.acme.people["customer"].user_id}
    with planted(world, *(_OPENED.format(f"app.{t}") for t in ("membership", "organization")), REPLICA,
                 *(change.format(**names) for change in changes)) as db:
        become(db, customer, **{k: v.format(**names) if isinstance(v, str) else v for k, v in claims.items()})
        assert db.one("select authz.second_factor_missing()") is missing
