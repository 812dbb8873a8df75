"""What groups give and take, one condition at a time, where no policy says whose rows these are and other organizations have rows with the same ids (F05, R45)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.db.matrix import become, fill, planted
from tests.db.planting import REPLICA
from tests.db.registry.sso import signed_in_through
from tests.db.session import Request
from tests.db.world import World

_TABLES = ("sso_connection", "sso_group", "sso_member", "membership", "role", "organization")
_IDS = {"first": "00000000-0000-4000-8000-00000000000a", "second": "00000000-0000-4000-8000-00000000000b", "third": "00000000-0000-4000-8000-00000000000c"}
_CONNECTION = "insert into app.sso_connection (org_id, id, provider) values (:{org}, :{id}, '{provider}')"
_GROUP = ("insert into app.sso_group (org_id, connection_id, name, role_id, position, created_by)"
          " values (:{org}, :{connection}, '{name}', :{role}, {position}, :owner)")
_SEAT = "insert into app.membership (org_id, user_id, role_id, permissions) values (:{org}, :me, :{role}, 0)"
_FOLLOWS = "insert into app.sso_member (org_id, user_id, connection_id) values (:org, :{user}, :first)"


def connection(id_: str, provider: str, org: str = "org") -> str:
    return _CONNECTION.format(org=org, id=id_, provider=provider)


def group(role: str, at: str = "first", name: str = "Staff", org: str = "org", position: int = 5) -> str:
    return _GROUP.format(org=org, connection=at, name=name, role=role, position=position)


def seat(role: str, org: str = "org") -> str:
    return _SEAT.format(org=org, role=role)


def follows(user: str = "me") -> str:
    return _FOLLOWS.format(user=user)


@pytest.fixture
def groups(world: World) -> Iterator[tuple[Request, dict[str, Any]]]:
    """Nobody follows groups and no group gives a role; somebody who is nowhere a member has identities of two providers, and is in the group Staff of both."""
    me = world.nobody
    with planted(world, *(f"create policy opened on app.{t} for all to ringfence_owner using (true) with check (true)" for t in _TABLES),
                 REPLICA, *(f"delete from app.{t}" for t in _TABLES[:3])) as db:
        for provider in ("custom:one", "custom:two"):
            signed_in_through(db.connection, me, provider, ["Staff"])
        roles = {f"{org}_{name}" if org == "globex" else name: id_ for org, name, id_ in db.all(
            "select o.slug, r.name || '_role', r.id from app.role r join app.organization o on o.id = r.org_id")}
        yield db, {**_IDS, **roles, "org": world.acme.id, "globex": world.globex.id, "me": me.user_id, "owner": world.acme.people["owner"].user_id,
                   "member": world.acme.people["member"].user_id}


def set_up(groups: tuple[Request, dict[str, Any]], *changes: str) -> None:
    db, ids = groups
    for change in changes:
        db.run(fill(change, ids))


_OF_GLOBEX_ONLY = "update app.role set org_id = :globex, name = 'twin' where id = :analyst_role"
OFFERS: dict[str, tuple[tuple[str, ...], list[tuple[str, str]]]] = {
    # what there is, and what is offered: a connection and a role
    "a group gives one": ((connection("first", "custom:one"), group("analyst_role")), [("first", "analyst_role")]),
    "one of another name gives none": ((connection("first", "custom:one"), group("analyst_role", name="Others")), []),
    "nor one that another asserts": ((connection("first", "custom:one"), connection("third", "custom:other"), group("analyst_role"), group("admin_role", at="third")),
                                    [("first", "analyst_role")]),
    "nor one of elsewhere": ((connection("first", "custom:one"), group("analyst_role"), group("analyst_role", org="globex")), [("first", "analyst_role")]),
    "nor where they signed in too long ago": ((connection("first", "custom:one"), group("analyst_role"), "update app.sso_connection set groups_max_age_hours = 1",
                                               "update auth.identities set last_sign_in_at = now() - interval '2 hours' where user_id = :me"), []),
}
_TWO = (connection("first", "custom:one"), connection("second", "custom:two"), group("member_role", position=5), group("analyst_role", at="second", position=7))
OPEN: dict[str, tuple[tuple[str, ...], list[str]]] = {
    # what there is besides, and as what one may join
    "the first by position counts": (_TWO, ["member"]),
    "elsewhere stays closed": (_TWO[:1] + _TWO[2:3], ["member"]),
    "a group of elsewhere has no say in it": ((*_TWO, group("analyst_role", at="second", org="globex", position=1)), ["member"]),
    "nor one that another asserts": ((*_TWO, connection("third", "custom:other"), group("analyst_role", at="third", position=1)), ["member"]),
    "nor one that gives something else": ((*_TWO, group("admin_role", at="second", name="Others", position=1)), ["member"]),
    "what is only elsewhere gives nothing here": ((connection("first", "custom:one"), group("analyst_role"), _OF_GLOBEX_ONLY), []),
    "who is a member joins no more": ((*_TWO, seat("agent_role")), []),
    "who is a member elsewhere does": ((*_TWO, seat("globex_agent_role", org="globex")), ["member"]),
    "not where it is suspended": ((*_TWO, "update app.organization set suspended_at = now() where id = :org"), []),
    "but where another is": ((*_TWO, "update app.organization set suspended_at = now() where id <> :org"), ["member"]),
}
_ACME = (connection("first", "custom:one"),)
FOLLOWED: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    # what there is besides, and what one is then, by organization
    "a group gives something else": ((*_ACME, group("analyst_role"), seat("agent_role"), follows()), {"org": "analyst_role"}),
    "or none": ((*_ACME, seat("agent_role"), follows()), {}),
    "who does not follow stays": ((*_ACME, group("analyst_role"), seat("agent_role")), {"org": "agent_role"}),
    "though others follow": ((*_ACME, group("analyst_role"), seat("agent_role"), follows("member")), {"org": "agent_role"}),
    "a lost group takes nothing elsewhere": ((*_ACME, seat("agent_role"), seat("globex_agent_role", org="globex"), follows()), {"globex": "globex_agent_role"}),
    "a changed one changes nothing elsewhere": ((*_ACME, group("analyst_role"), seat("agent_role"), seat("globex_agent_role", org="globex"), follows()),
                                                {"org": "analyst_role", "globex": "globex_agent_role"}),
    "an owner stays one": ((*_ACME, group("analyst_role"), seat("owner_role"), follows()), {"org": "owner_role"}),
    "whatever that id is called elsewhere": (
        (*_ACME, group("analyst_role"), seat("owner_role"), follows(), "insert into app.role (org_id, id, name) values (:globex, :owner_role, 'twin')"), {"org": "owner_role"}),
    "who is only called so does not": ((*_ACME, group("analyst_role"), seat("owner_role"), follows(), "update app.role set built_in = false where id = :owner_role"),
                                       {"org": "analyst_role"}),
    "what another asserts gives nothing": ((*_ACME, connection("second", "custom:two"), group("analyst_role", at="second"), seat("agent_role"), follows()), {}),
    "nor does a group of elsewhere": ((*_ACME, connection("first", "custom:two", org="globex"), group("analyst_role", org="globex"), seat("agent_role"), follows()), {}),
}


@pytest.mark.parametrize("what", OFFERS)
def test_a_group_gives_its_role_at_its_provider_in_its_organization_F05(world: World, groups: tuple[Request, dict[str, Any]], what: str) -> None:
    db, ids = groups
    there, offered = OFFERS[what]
    set_up(groups, *there)
    become(db, world.nobody, role="ringfence_owner")
    assert [(org, str(c), r) for org, c, r in db.all("select * from authz.sso_offers()")] == [(ids["org"], ids[c], ids[r]) for c, r in offered]


@pytest.mark.parametrize("what", OPEN)
def test_an_organization_is_open_to_whom_its_groups_give_a_role_and_who_is_not_in_F05(world: World, groups: tuple[Request, dict[str, Any]], what: str) -> None:
    db, ids = groups
    there, roles = OPEN[what]
    set_up(groups, *there)
    become(db, world.nobody)
    assert db.all("select org_id, role from authz.sso_organizations()") == [(ids["org"], r) for r in roles]


@pytest.mark.parametrize(("claims", "is_open"), [
    ({}, True), ({"client_id": "an app"}, False), ({"is_anonymous": True}, False), ({"org_id": "{globex}"}, False), ({"org_id": "{org}"}, True)])
def test_it_is_open_in_person_and_with_a_token_that_is_not_of_another_R44(world: World, groups: tuple[Request, dict[str, Any]], claims: dict[str, Any], is_open: bool) -> None:
    db, ids = groups
    set_up(groups, *_TWO)
    become(db, world.nobody, **{k: v.format(**ids) if isinstance(v, str) else v for k, v in claims.items()})
    assert db.all("select org_id from authz.sso_organizations()") == ([(ids["org"],)] if is_open else [])


def seats(db: Request) -> dict[tuple[Any, Any], Any]:
    return {row[:2]: row[2] for row in db.all("select org_id, user_id, role_id from app.membership")}


@pytest.mark.parametrize("what", FOLLOWED)
def test_a_role_follows_the_groups_of_its_person_where_they_follow_and_nowhere_else_F05(world: World, groups: tuple[Request, dict[str, Any]], what: str) -> None:
    db, ids = groups
    there, then = FOLLOWED[what]
    others = seats(db)
    set_up(groups, *there)
    become(db, world.nobody, role="ringfence_owner")
    db.run("select authz.sync_sso()")
    db.run("select set_config('role', 'none', true)")
    assert seats(db) == others | {(ids[org], ids["me"]): ids[role] for org, role in then.items()}
