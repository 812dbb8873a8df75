"""Single sign-on: groups give roles to who asks to join, roles follow groups at the next sign-in or refresh, and only what Supabase Auth wrote counts (F05)."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.db.racing import held_up, said
from tests.db.registry.sso import signed_in_through
from tests.db.session import Person, request, second_factor
from tests.db.test_access_token_hook import event, hook
from tests.db.world import World, make_person

CLOSED = ("PT404", "no group of yours opens this organization: sign in through its identity provider")
SENT_AWAY = ("42501", "this organization ended your membership: ask it to invite you")
MEMBER_ALREADY = ("PT409", "already a member")
STAFF, ANALYSTS = "Staff aardvark", "Analysts aardvark"


def provider(world: World, slug: str = "acme") -> str:
    with world.operator() as db:
        return str(db.one("select provider from app.sso_connection where org_id = %s", getattr(world, slug).id))


def sign_in(world: World, person: Person, groups: Any, *, hours_ago: float = 0, through: str = "") -> dict[str, Any]:
    """Sign in through the identity provider of acme, and return the claims of the token that Supabase Auth makes."""
    with psycopg.connect(world.superuser_url) as connection:
        signed_in_through(connection, person, through or provider(world), groups, hours_ago=hours_ago)
    return refresh(world, person)


def refresh(world: World, person: Person, **claims: Any) -> dict[str, Any]:
    given = event(person)
    given["claims"] |= claims
    return dict(hook(world, given)["claims"])


def join(world: World, person: Person, **claims: Any) -> Any:
    with world.as_(person, keep=True, **claims) as db:
        try:
            return db.rpc("join_by_sso", org_id=world.acme.id)["role"]
        except psycopg.Error as error:
            return said(error)


def role(world: World, person: Person) -> str | None:
    with world.as_(person) as db:
        return next((o["role"] for o in db.rpc("whoami")["organizations"] if o["slug"] == "acme"), None)


def employee(world: World, groups: Any = (STAFF,), joined: bool = True) -> Person:
    person = make_person(world.superuser_url, f"{uuid4()}@acme.test")
    sign_in(world, person, list(groups) if isinstance(groups, tuple) else groups)
    if joined:
        assert join(world, person) == ("analyst" if groups == (ANALYSTS,) else "member")
    return person


def test_who_is_in_a_group_joins_by_saying_so_and_nobody_is_added_F05(own_world: World) -> None:
    world, person = own_world, employee(own_world, joined=False)
    assert role(world, person) is None  # signing in alone makes nobody a member
    with world.as_(person) as db:
        (offer,) = db.rpc("list_sso_organizations")
    assert offer == {"org_id": world.acme.id, "slug": "acme", "name": "acme aardvark", "role": "member"}
    assert join(world, person) == "member" == role(world, person)
    with world.as_(person) as db:
        assert db.rpc("list_sso_organizations") == [] and db.rpc("search_documents", org_id=world.acme.id, query="delivery")
    assert join(world, person) == MEMBER_ALREADY
    with world.operator() as db:
        assert db.all("select action, actor_role from app.audit_event where actor_id = %s", person.user_id) == [("membership.insert", "member")]


def test_a_changed_group_changes_the_role_and_a_lost_one_ends_the_membership_at_the_next_sign_in_F05_F04(own_world: World) -> None:
    world, person = own_world, employee(own_world)
    assert sign_in(world, person, [STAFF, "Everyone"])["org_roles"] == {str(world.acme.id): "member"}
    assert sign_in(world, person, ["Everyone", ANALYSTS])["org_roles"] == {str(world.acme.id): "analyst"}
    assert role(world, person) == "analyst"
    assert "org_roles" not in sign_in(world, person, ["Everyone"])
    assert role(world, person) is None
    with world.as_(person) as db:
        assert db.rpc("search_documents", org_id=world.acme.id, query="delivery") == []
    with world.operator() as db:
        told = db.all("select action, changed from app.audit_event where actor_id = %s and action <> 'session.start' order by at", person.user_id)
    assert told == [("membership.insert", []), ("membership.update", ["permissions", "role_id"]), ("membership.delete", [])]
    # Nobody sent them away: with the group they may come back.
    sign_in(world, person, [STAFF])
    assert join(world, person) == "member"


def test_a_group_that_gives_another_role_or_none_works_at_the_next_refresh_F05(own_world: World) -> None:
    world, person = own_world, employee(own_world)
    org, connection = world.acme.id, world.acme.ids["sso_connection"]
    with world.as_(world.acme.people["owner"], keep=True, **second_factor()) as db:
        made = db.rpc("set_sso_group", org_id=org, connection_id=connection, group_name=STAFF, role="agent")
        assert made["group_id"] == str(world.acme.ids["sso_group"])
    assert role(world, person) == "member"
    refresh(world, person)
    assert role(world, person) == "agent"
    with world.as_(world.acme.people["owner"], keep=True, **second_factor()) as db:
        db.rpc("delete_sso_group", org_id=org, group_id=made["group_id"])
    refresh(world, person)
    assert role(world, person) is None and role(world, world.acme.people["analyst"]) == "analyst"


@pytest.mark.parametrize(("staff", "analysts", "wins"), [(1, 2, "member"), (2, 1, "analyst"), (7, 7, "analyst")])
def test_of_several_groups_the_first_by_position_then_by_name_counts_F05(own_world: World, staff: int, analysts: int, wins: str) -> None:
    world = own_world
    with world.as_(world.acme.people["owner"], keep=True, **second_factor()) as db:
        for name, given, position in ((STAFF, "member", staff), (ANALYSTS, "analyst", analysts)):
            db.rpc("set_sso_group", org_id=world.acme.id, connection_id=world.acme.ids["sso_connection"], group_name=name, role=given, position=position)
    person = employee(world, [STAFF, ANALYSTS], joined=False)
    with world.as_(person) as db:
        assert [o["role"] for o in db.rpc("list_sso_organizations")] == [wins]
    assert join(world, person) == wins
    refresh(world, person)
    assert role(world, person) == wins


def test_what_the_provider_told_too_long_ago_is_as_if_not_told_F05(own_world: World) -> None:
    world, person = own_world, employee(own_world)
    assert "org_roles" in sign_in(world, person, [STAFF], hours_ago=719)
    assert "org_roles" not in sign_in(world, person, [STAFF], hours_ago=721)
    assert role(world, person) is None and join(world, person) == CLOSED
    with world.operator(keep=True) as db:
        db.run("update auth.identities set last_sign_in_at = null where user_id = %s", person.user_id)
    assert join(world, person) == CLOSED


@pytest.mark.parametrize("groups", [
    None, [], {}, "", 0, True, [None, 5, True, {"name": STAFF}, [STAFF]], {STAFF: True}, {"0": STAFF}, f"{STAFF} ", f" {STAFF}", STAFF.lower(), STAFF.upper(),
    f'["{STAFF}"]', f"{STAFF},Everyone", f"Everyone,{STAFF}", "*", "%", "Staff%", "Staff_aardvark", "Staff\u00a0aardvark", "St\u0430ff aardvark", f"{STAFF}\u200b",
    "'; drop table app.bot; --", "x" * 100_000, ["x"] * 20_000, "\u202e\u0001", "{Staff aardvark}", "\\", "Staff gazelle",
])
def test_a_group_is_its_name_letter_by_letter_and_anything_else_opens_nothing_F05_F09(world: World, groups: Any) -> None:
    person = Person("hostile@acme.test")
    with world.operator() as db:
        db.run("insert into auth.users (id, email) values (%s, 'hostile@acme.test')", person.user_id)
        signed_in_through(db.connection, person, provider(world), groups)
        offers = "select count(*) from authz.sso_offers()"
        db.run("select set_config('request.jwt.claims', %s, true), set_config('role', 'ringfence_owner', true)", json.dumps({"sub": str(person.user_id)}))
        assert db.one(offers) == 0
        db.run("reset role")
        for right in (STAFF, [STAFF], ["Everyone", STAFF, None]):
            signed_in_through(db.connection, person, provider(world), right)
            db.run("set local role ringfence_owner")
            assert db.one(offers) == 1
            db.run("reset role")


def test_what_a_person_or_a_token_says_of_groups_is_never_read_F05(own_world: World) -> None:
    world, person = own_world, employee(own_world, ["Everyone"], joined=False)
    said_so = {"groups": [STAFF], "custom_claims": {"groups": [STAFF]}, "provider": provider(world)}
    with world.operator(keep=True) as db:
        db.run("update auth.users set raw_user_meta_data = %s, raw_app_meta_data = %s where id = %s", said_so, said_so, person.user_id)
        db.run("update auth.identities set identity_data = identity_data || %s where user_id = %s", {"groups": [STAFF]}, person.user_id)
    claims = {"user_metadata": said_so, "app_metadata": said_so, **said_so}
    assert join(world, person, **claims) == CLOSED
    assert "org_roles" not in refresh(world, person, **claims)


def test_the_provider_of_another_organization_opens_nothing_here_F05(own_world: World) -> None:
    """Whoever runs another provider may name groups as ours are named."""
    world = own_world
    person = make_person(world.superuser_url, "stranger@globex.test")
    for through in (provider(world, "globex"), f"sso:{uuid4()}", "google", "azure", "email", "custom:acme"):
        sign_in(world, person, [STAFF, ANALYSTS], through=through)
        assert join(world, person) == CLOSED, through
        with world.as_(person) as db:
            assert db.rpc("list_sso_organizations") == []
    sign_in(world, person, [STAFF])
    assert join(world, person) == "member"


@pytest.mark.parametrize("name", ["google", "azure", "email", "sso:acme", "sso:%", "custom:", "SSO:6ba7b810-9dad-41d1-80b4-00c04fd430c8", ""])
def test_a_provider_people_of_anywhere_sign_in_with_is_nobodys_F05(world: World, name: str) -> None:
    with world.operator() as db:
        assert "sso_connection_provider_check" in str(db.error("insert into app.sso_connection (org_id, provider) values (%s, %s)", world.acme.id, name))
        assert db.run("insert into app.sso_connection (org_id, provider) values (%s, 'custom:acme-okta')", world.acme.id) == 1


def test_an_identity_taken_away_ends_what_it_opened_F05(own_world: World) -> None:
    world, person = own_world, employee(own_world)
    with world.operator(keep=True) as db:
        db.run("delete from auth.identities where user_id = %s", person.user_id)
    refresh(world, person)
    assert role(world, person) is None


def test_members_who_did_not_join_that_way_are_left_alone_and_may_choose_to_F05(own_world: World) -> None:
    world, person = own_world, own_world.acme.people["customer"]
    sign_in(world, person, ["Everyone"])
    assert role(world, person) == "member"
    sign_in(world, person, [ANALYSTS])
    assert role(world, person) == "member"
    assert join(world, person) == "analyst" == role(world, person)
    assert join(world, world.acme.people["owner"]) == CLOSED
    sign_in(world, world.acme.people["owner"], [ANALYSTS])
    assert join(world, world.acme.people["owner"]) == MEMBER_ALREADY
    with world.as_(world.acme.people["owner"], keep=True) as db:
        db.rpc("suspend_member", org_id=world.acme.id, user_id=world.acme.people["agent"].user_id)
    sign_in(world, world.acme.people["agent"], [STAFF])
    assert join(world, world.acme.people["agent"]) == MEMBER_ALREADY


def test_an_owner_stays_one_and_signs_in_whatever_their_groups_F05_R45(own_world: World) -> None:
    world, person = own_world, employee(own_world)
    with world.as_(world.acme.people["owner"], keep=True, **second_factor()) as db:
        db.rpc("transfer_ownership", org_id=world.acme.id, user_id=person.user_id)
    assert sign_in(world, person, [])["org_roles"] == {str(world.acme.id): "owner"}


def test_who_was_sent_away_comes_back_only_when_invited_F05(own_world: World) -> None:
    world, person = own_world, employee(own_world)
    for act in ("remove_member", "deprovision_member"):
        with world.as_(world.acme.people["admin"], keep=True) as db:
            db.rpc(act, org_id=world.acme.id, user_id=person.user_id)
        assert join(world, person) == SENT_AWAY
        world.join(world.acme, person, "member")
        with world.as_(person, keep=True) as db:
            db.rpc("leave_organization", org_id=world.acme.id)
        assert join(world, person) == "member"


def test_an_organization_that_wants_a_second_factor_or_is_suspended_is_joined_accordingly_F05_F06(own_world: World) -> None:
    world, person = own_world, employee(own_world, joined=False)
    with world.operator(keep=True) as db:
        db.run("update app.organization set require_mfa = true where id = %s", world.acme.id)
    assert join(world, person)[0] == "PT401"
    with world.operator(keep=True) as db:
        db.run("update app.organization set suspended_at = now() where id = %s", world.acme.id)
    assert join(world, person, **second_factor()) == CLOSED
    with world.as_(person, **second_factor()) as db:
        assert db.rpc("list_sso_organizations") == []
    with world.operator(keep=True) as db:
        db.run("update app.organization set suspended_at = null where id = %s", world.acme.id)
    assert join(world, person, **second_factor()) == "member"


def test_what_acts_for_a_person_or_is_narrowed_joins_nothing_F05_R44(own_world: World) -> None:
    world, person = own_world, employee(own_world, joined=False)
    assert join(world, person, client_id="an app")[0] == "42501"
    with request(world.authenticator_url, person.claims(is_anonymous=True), pre_request=False) as db:
        assert db.rpc_error("join_by_sso", org_id=world.acme.id).sqlstate == "42501"
    assert join(world, person, org_id=str(world.globex.id)) == CLOSED
    assert join(world, person, org_id=str(world.acme.id)) == "member"


def test_the_role_falls_also_when_an_api_token_is_refreshed_F05_F08(own_world: World) -> None:
    world, person = own_world, employee(own_world, (ANALYSTS,))
    with world.as_(person, keep=True) as db:
        db.rpc("create_api_token", org_id=world.acme.id, name="x", permissions=["documents.read"], expires_in=3600,
               session_id=person.token_session_id, token_sha256="0" * 64, prefix="rft_AbCdEfGh")
    with psycopg.connect(world.superuser_url) as connection:
        signed_in_through(connection, person, provider(world), [STAFF])
    refresh(world, person, session_id=str(person.token_session_id))
    assert role(world, person) == "member"
    with psycopg.connect(world.superuser_url) as connection:
        signed_in_through(connection, person, provider(world), [])
    refresh(world, person, session_id=str(person.token_session_id))
    assert role(world, person) is None


def test_a_group_taken_while_somebody_joins_by_it_gives_nothing_R46(own_world: World) -> None:
    world, person = own_world, employee(own_world, joined=False)
    with world.as_(world.acme.people["owner"], keep=True, **second_factor()) as db:
        db.rpc("delete_sso_group", org_id=world.acme.id, group_id=world.acme.ids["sso_group"])
        late = held_up(world, person, lambda db: db.rpc("join_by_sso", org_id=world.acme.id))
    assert late.result(10) == CLOSED


def test_somebody_sent_away_while_they_join_is_not_in_R46(own_world: World) -> None:
    """Their membership ends while they ask to follow groups: they end outside."""
    world, person = own_world, own_world.acme.people["customer"]
    sign_in(world, person, [STAFF])
    with world.as_(world.acme.people["admin"], keep=True) as db:
        db.rpc("deprovision_member", org_id=world.acme.id, user_id=person.user_id)
        late = held_up(world, person, lambda db: db.rpc("join_by_sso", org_id=world.acme.id))
    assert late.result(10) == SENT_AWAY and role(world, person) is None
