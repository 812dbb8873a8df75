"""What joining by a group of single sign-on asks, one condition at a time, where the policies of the definers' owner say nothing (F05, R46)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.db.matrix import become, planted
from tests.db.planting import ORIGIN, REPLICA
from tests.db.registry.sso import signed_in_through
from tests.db.session import Request
from tests.db.test_sso import ANALYSTS, CLOSED, MEMBER_ALREADY, SENT_AWAY, STAFF
from tests.db.world import World

OPENED = ("membership", "departure", "invitation", "sso_group", "sso_member", "role", "organization")
_AWAY = "insert into app.departure (org_id, user_id, how, ended_by, ended_at) values ('{%s}', '{me}', 'removed', '{owner}', now() - interval '1 hour')"
_INVITED = ("insert into app.invitation (org_id, email, role_id, token_sha256, created_by, created_at, expires_at, inviter_role_id, inviter_status, accepted_by, accepted_at)"
            " select i.org_id, '{email}', i.role_id, repeat('0', 64), i.created_by, now() - interval '1 day', i.expires_at, i.inviter_role_id, i.inviter_status, '{%s}', now() - interval '%s'"
            " from app.invitation i where i.id = '{%s_invitation}'")
_ELSEWHERE = ("insert into app.membership (org_id, user_id, role_id, permissions) select org_id, '{me}', role_id, permissions from app.membership"
              " where org_id = '{globex}' and user_id = '{their_owner}'")
# Who asks, the groups they are in, what is so besides, and the role they have then or how they are refused.
CASES: dict[str, tuple[str, list[str], tuple[str, ...], str | tuple[str, str]]] = {
    "somebody new": ("guest", [STAFF], (), "member"),
    "the organization is suspended": ("guest", [STAFF], ("update app.organization set suspended_at = now() where id = '{acme}'",), CLOSED),
    "another is suspended": ("guest", [STAFF], ("update app.organization set suspended_at = now() where id <> '{acme}'",), "member"),
    "a member elsewhere": ("guest", [STAFF], (_ELSEWHERE,), "member"),
    "sent away": ("guest", [STAFF], (_AWAY % "acme",), SENT_AWAY),
    "sent away elsewhere": ("guest", [STAFF], (_AWAY % "globex",), "member"),
    "sent away and invited since": ("guest", [STAFF], (_AWAY % "acme", _INVITED % ("me", "1 minute", "acme")), "member"),
    "sent away and invited before": ("guest", [STAFF], (_AWAY % "acme", _INVITED % ("me", "2 hours", "acme")), SENT_AWAY),
    "sent away and invited elsewhere since": ("guest", [STAFF], (_AWAY % "acme", _INVITED % ("me", "1 minute", "globex")), SENT_AWAY),
    "sent away and somebody else invited since": ("guest", [STAFF], (_AWAY % "acme", _INVITED % ("owner", "1 minute", "acme")), SENT_AWAY),
    "a member": ("customer", [ANALYSTS], (), "analyst"),
    "a member here and elsewhere": ("customer", [ANALYSTS], (_ELSEWHERE,), "analyst"),
    "a member who follows a group": ("customer", [ANALYSTS], ("insert into app.sso_member (org_id, user_id, connection_id) values ('{acme}', '{me}', '{connection}')",), MEMBER_ALREADY),
    "a member who follows a group elsewhere": (
        "customer", [ANALYSTS], (_ELSEWHERE, "insert into app.sso_member (org_id, user_id, connection_id) values ('{globex}', '{me}', '{their_connection}')"), "analyst"),
    "an owner": ("owner", [STAFF], (), MEMBER_ALREADY),
    "somebody whose role is only called owner": ("owner", [STAFF], ("update app.role set built_in = false where org_id = '{acme}' and name = 'owner'",), "member"),
}


def names(world: World, who: str) -> dict[str, Any]:
    acme, globex = world.acme, world.globex
    person = acme.guest if who == "guest" else acme.people[who]
    return {"acme": acme.id, "globex": globex.id, "me": person.user_id, "email": person.email, "owner": acme.people["owner"].user_id, "their_owner": globex.people["owner"].user_id,
            "connection": acme.ids["sso_connection"], "their_connection": globex.ids["sso_connection"], "acme_invitation": acme.ids["invitation"],
            "globex_invitation": globex.ids["invitation"]}


@pytest.fixture
def opened(world: World) -> Iterator[Request]:
    """A session of the superuser in which the policies of the definers' owner say nothing of who joins."""
    with planted(world, *(f"create policy opened on app.{t} for all to ringfence_owner using (true) with check (true)" for t in OPENED)) as db:
        yield db


def plant(db: Request, *statements: str) -> None:
    db.run(REPLICA)
    for statement in statements:
        db.run(statement)
    db.run(ORIGIN)


def signed_in(db: Request, world: World, who: str, groups: list[str], connection: Any = None) -> None:
    provider = db.one("select provider from app.sso_connection where id = %s", connection or world.acme.ids["sso_connection"])
    signed_in_through(db.connection, world.acme.guest if who == "guest" else world.acme.people[who], provider, groups)


def joined(db: Request, world: World, who: str) -> Any:
    """The id of the role that the person is told who asks to join acme."""
    become(db, world.acme.guest if who == "guest" else world.acme.people[who])
    told = db.one("select authz.join_by_group(%s)", world.acme.id)
    db.run("select set_config('role', 'none', true)")
    return told


def seats(db: Request) -> dict[Any, str]:
    return {tuple(row[:2]): row[2] for row in db.all("select m.org_id, m.user_id, r.name from app.membership m left join app.role r on r.org_id = m.org_id and r.id = m.role_id")}


@pytest.mark.parametrize("what", CASES)
def test_who_joins_by_a_group_takes_a_seat_of_their_own_and_changes_no_other_F05(world: World, opened: Request, what: str) -> None:
    who, groups, changes, expected = CASES[what]
    ids = names(world, who)
    signed_in(opened, world, who, groups)
    plant(opened, *(c.format(**ids) for c in changes))
    before = seats(opened)
    if isinstance(expected, tuple):
        become(opened, world.acme.guest if who == "guest" else world.acme.people[who])
        error = opened.error("select authz.join_by_group(%s)", world.acme.id)
        assert (error.sqlstate, error.diag.message_primary) == expected
        return
    told = joined(opened, world, who)
    assert opened.one("select name from app.role where org_id = %s and id = %s", world.acme.id, told) == expected
    assert seats(opened) == before | {(world.acme.id, ids["me"]): expected}


def test_who_has_the_role_already_keeps_it_and_nothing_is_noted_F05(world: World, opened: Request) -> None:
    noted = "select action from app.audit_event where actor_id = %s and action like 'membership.%%'"
    person = world.acme.people["customer"].user_id
    for groups, then in (([STAFF], []), ([ANALYSTS], [("membership.update",)])):
        with opened.connection.transaction(force_rollback=True):
            signed_in(opened, world, "customer", groups)
            before = opened.all(noted, person)
            joined(opened, world, "customer")
            assert opened.all(noted, person) == before + then


_GROUP = "insert into app.sso_group (org_id, connection_id, name, role_id, position, created_by) select '{%s}', '{%s}', '%s', r.id, %s, '{owner}' from app.role r where r.org_id = '{acme}' and r.name = '%s'"


@pytest.mark.parametrize(("org", "connection", "role"), [("acme", "connection", "agent"), ("acme", "second", "member"), ("globex", "connection", "member")])
def test_of_two_providers_that_of_the_first_of_ones_groups_counts_and_a_group_of_others_does_not_F05(
        world: World, opened: Request, org: str, connection: str, role: str) -> None:
    """Staff come tenth at the one, agents of the second provider fifth; who is in neither group before those is counted by neither."""
    second = opened.one("insert into app.sso_connection (org_id, provider) values (%s, 'custom:second') returning id", world.acme.id)
    ids = names(world, "guest") | {"second": second}
    plant(opened, (_GROUP % ("acme", "second", "Agents", 5, "agent")).format(**ids), (_GROUP % (org, connection, "Others", 1, role)).format(**ids))
    signed_in(opened, world, "guest", [STAFF])
    signed_in(opened, world, "guest", ["Agents"], second)
    joined(opened, world, "guest")
    assert seats(opened)[world.acme.id, ids["me"]] == "agent"


def test_the_role_is_one_that_this_organization_gives_F05(world: World, opened: Request) -> None:
    """Also for whom another gives one first."""
    plant(opened, f"update app.sso_group set position = 1 where org_id = '{world.globex.id}'")
    signed_in(opened, world, "guest", [STAFF])
    signed_in(opened, world, "guest", [STAFF.replace(world.acme.canary, world.globex.canary)], world.globex.ids["sso_connection"])
    joined(opened, world, "guest")
    assert seats(opened)[world.acme.id, world.acme.guest.user_id] == "member"


@pytest.mark.parametrize("open_to_me", [True, False])
def test_nobody_stands_in_the_line_of_an_organization_that_no_group_of_theirs_opens_R46(world: World, opened: Request, open_to_me: bool) -> None:
    """They would keep its people waiting. Looked at from the group, which is read again by then: the division fails once they stand there."""
    asked = world.acme.id if open_to_me else world.globex.id
    opened.run("create policy standing on app.sso_group as restrictive for select to ringfence_owner using (1 / (select case when exists (select from pg_locks"
               f" where locktype = 'advisory' and pid = pg_backend_pid() and (classid::bigint << 32 | objid::bigint) = hashtextextended('{asked}', 0)) then 0 else 1 end) = 1)")
    signed_in(opened, world, "guest", [STAFF])
    become(opened, world.acme.guest)
    assert opened.error("select authz.join_by_group(%s)", asked).sqlstate == ("22012" if open_to_me else "PT404")
