"""Invitations: for one address, once, within what the inviter may still give; everything else is one answer (F12, R45)."""

from __future__ import annotations

import hashlib
import re
from typing import Any
from uuid import uuid4

import pytest

from tests.db.matrix import become, planted
from tests.db.racing import said
from tests.db.session import Person, Request, second_factor
from tests.db.test_step_up import enrol
from tests.db.world import World

OVER = ("PT404", "no such invitation to you, or it is over")
BEYOND = ("42501", "you can give or take only roles whose permissions you hold yourself")
APP = ("42501", "an app acting for you cannot do this: sign in yourself")
MEMBER = ("PT409", "already a member")


def invite(db: Request, world: World, person: Person, role: str = "member", **more: Any) -> str:
    """As the owner of acme; return the token."""
    become(db, world.acme.people["owner"])
    return str(db.rpc("create_invitation", org_id=world.acme.id, email=person.email, role=role, **more)["token"])


def accepted(db: Request, person: Person, token: str, **claims: Any) -> Any:
    """What the person gets: the answer, or the refusal."""
    become(db, person, **claims)
    try:
        with db.connection.transaction():
            return db.rpc("accept_invitation", token=token)
    except Exception as error:  # noqa: BLE001  every refusal is looked at
        return said(error)  # type: ignore[arg-type]


def test_an_invitation_is_accepted_by_whom_it_is_for_and_gives_its_role(world: World) -> None:
    with planted(world) as db:
        token = invite(db, world, world.nobody, "analyst")
        assert accepted(db, world.nobody, token) == {
            "org_id": str(world.acme.id), "slug": "acme", "name": "acme aardvark", "role": "analyst"}
        (mine,) = db.rpc("whoami")["organizations"]
        assert (mine["slug"], mine["role"]) == ("acme", "analyst")
        assert accepted(db, world.nobody, token) == OVER, "once"


def test_the_token_is_32_random_bytes_and_only_its_digest_is_kept(world: World) -> None:
    with planted(world) as db:
        tokens = [invite(db, world, world.nobody) for _ in range(8)]
        assert len(set(tokens)) == 8 and all(re.fullmatch(r"rfi_[A-Za-z0-9_-]{43}", t) for t in tokens)
        db.run("reset role")
        stored = db.one("select string_agg(i::text, ' ') from app.invitation i")
        assert all(hashlib.sha256(t.encode()).hexdigest() in stored and t not in stored for t in tokens)


def test_the_address_is_compared_without_case_and_spaces(world: World) -> None:
    with planted(world) as db:
        become(db, world.acme.people["owner"])
        made = db.rpc("create_invitation", org_id=world.acme.id, email="  NoBody@Example.TEST ", role="member")
        assert made["email"] == "nobody@example.test"
        assert accepted(db, world.nobody, made["token"])["role"] == "member"


@pytest.mark.parametrize("email", ["", "a", "@", "a@", "@b", "a b@c", "a@b@c", "a@b\n", "x" * 250 + "@b.co"])
def test_what_is_no_address_is_not_invited(world: World, email: str) -> None:
    with world.as_(world.acme.people["owner"]) as db:
        assert db.rpc_error("create_invitation", org_id=world.acme.id, email=email, role="member").sqlstate == "22023"


OVERS = {
    "expired": "update app.invitation set created_at = now() - interval '2 days', expires_at = now() - interval '1 second' where id = '{id}'",
    "revoked": "update app.invitation set revoked_at = now() where id = '{id}'",
    "of a suspended organization": "update app.organization set suspended_at = now() where id = '{org}'",
    "of a removed inviter": "delete from app.membership where user_id = '{admin}'",
    "of a suspended inviter": "update app.membership set status = 'suspended' where user_id = '{admin}'",
    "of an inviter who gives roles no more":
        "update app.membership set role_id = (select id from app.role where org_id = '{org}' and name = 'builder') where user_id = '{admin}'",
    "into a role grown beyond the inviter":
        "insert into app.role_permission (org_id, role_id, permission) select '{org}', id, 'organization.manage' from app.role where org_id = '{org}' and name = 'helper'",
    "of an inviter whose role shrank below it":
        "delete from app.role_permission p using app.role r where r.id = p.role_id and r.org_id = '{org}' and r.name = 'admin' and p.permission = 'bots.run'",
    "into a role that is gone": "delete from app.role where org_id = '{org}' and name = 'helper'",
}


@pytest.mark.parametrize("what", OVERS)
def test_an_invitation_that_is_over_is_answered_like_one_that_never_was_F12(world: World, what: str) -> None:
    with planted(world) as db:
        become(db, world.acme.people["admin"])
        made = db.rpc("create_invitation", org_id=world.acme.id, email=world.nobody.email, role="helper")
        db.run("savepoint before")
        assert accepted(db, world.nobody, made["token"])["role"] == "helper", "the twin"
        db.run("rollback to savepoint before")
        db.run("reset role")
        assert db.run(OVERS[what].format(id=made["id"], org=world.acme.id, admin=world.acme.people["admin"].user_id)) == 1
        assert accepted(db, world.nobody, made["token"]) == OVER
        assert db.rpc("whoami")["organizations"] == []
    with planted(world) as db:
        for unknown in ("x", "rfi_" + "A" * 43, str(uuid4()), made["token"][:-1], made["token"] + "A"):
            assert accepted(db, world.nobody, unknown) == OVER


def test_somebody_elses_token_is_an_unknown_one_R53(world: World) -> None:
    with planted(world) as db:
        token = invite(db, world, world.nobody)
        for thief in (world.removed, world.globex.people["owner"], world.acme.guest):
            assert accepted(db, thief, token) == OVER
            assert accepted(db, thief, token, email=world.nobody.email) == OVER, "what the token says of an address counts for nothing"
        assert accepted(db, world.nobody, token)["role"] == "member"


@pytest.mark.parametrize("change", ["email_confirmed_at = null", "email = 'another@example.test'", "email = null"])
def test_only_a_confirmed_address_counts_and_it_is_the_one_of_now(world: World, change: str) -> None:
    with planted(world) as db:
        token = invite(db, world, world.nobody)
        db.run("reset role")
        db.run(f"update auth.users set {change} where id = %s", world.nobody.user_id)
        assert accepted(db, world.nobody, token) == OVER


def test_an_app_or_a_token_made_for_another_organization_accepts_nothing_R44(world: World) -> None:
    with planted(world) as db:
        token = invite(db, world, world.nobody)
        assert accepted(db, world.nobody, token, client_id="app") == APP
        assert accepted(db, world.nobody, token, org_id=str(world.globex.id)) == OVER
        assert accepted(db, world.nobody, token, org_id=str(world.acme.id))["role"] == "member"


def test_an_organization_that_requires_a_second_factor_is_joined_with_one_F06(strict_world: World) -> None:
    world = strict_world
    with planted(world) as db:
        become(db, world.acme.people["owner"], **second_factor())
        token = db.rpc("create_invitation", org_id=world.acme.id, email=world.nobody.email, role="member")["token"]
        assert accepted(db, world.nobody, token)[0] == "PT401"
        assert accepted(db, world.removed, token) == OVER, "told to nobody else"
        assert accepted(db, world.nobody, token, **second_factor())["role"] == "member"


def test_inviting_asks_for_the_second_factor_of_who_has_one_F07(own_world: World) -> None:
    owner, given = own_world.acme.people["owner"], {"org_id": own_world.acme.id, "email": "new@acme.test", "role": "member"}
    enrol(own_world, owner)
    with own_world.as_(owner) as db:
        assert db.rpc_error("create_invitation", **given).sqlstate == "PT401"
        assert db.rpc_error("revoke_invitation", org_id=own_world.acme.id, invitation_id=own_world.acme.ids["invitation"]).sqlstate == "PT401"
    with own_world.as_(owner, **second_factor()) as db:
        assert db.rpc("create_invitation", **given)["token"]
        assert db.rpc("revoke_invitation", org_id=own_world.acme.id, invitation_id=own_world.acme.ids["invitation"])


def test_who_is_a_member_is_not_invited_again_and_accepts_nothing_more(world: World) -> None:
    with planted(world) as db:
        first, second = (invite(db, world, world.nobody, role) for role in ("member", "admin"))
        assert accepted(db, world.nobody, first)["role"] == "member"
        assert accepted(db, world.nobody, second) == OVER, "accepting one ends the others"
        become(db, world.acme.people["owner"])
        assert said(db.rpc_error("create_invitation", org_id=world.acme.id, email=world.nobody.email, role="admin")) == MEMBER
        assert accepted(db, world.acme.people["owner"], invite(db, world, world.acme.people["owner"])) == MEMBER


def test_whom_somebody_removed_comes_back_by_a_new_invitation_only_R45(world: World) -> None:
    with planted(world) as db:
        accepted(db, world.nobody, invite(db, world, world.nobody))
        db.run("reset role")
        db.run("insert into app.invitation (org_id, email, role_id, token_sha256, created_by, inviter_role_id, inviter_status, expires_at)"
               " select org_id, %s, role_id, encode(sha256('spare'), 'hex'), user_id, role_id, status, now() + interval '1 day'"
               " from app.membership where user_id = %s", world.nobody.email, world.acme.people["owner"].user_id)
        become(db, world.acme.people["owner"])
        db.rpc("remove_member", org_id=world.acme.id, user_id=world.nobody.user_id)
        assert accepted(db, world.nobody, "spare") == OVER
        assert accepted(db, world.nobody, invite(db, world, world.nobody))["role"] == "member"


def test_revoking_is_for_members_manage_once_and_seen_in_the_list(world: World) -> None:
    org, invitation = world.acme.id, world.acme.ids["invitation"]
    with planted(world) as db:
        for who in ("builder", "member", "auditor"):
            become(db, world.acme.people[who])
            assert db.rpc_error("revoke_invitation", org_id=org, invitation_id=invitation).sqlstate == "PT404"
            assert db.rpc("list_invitations", org_id=org) == []
        become(db, world.acme.people["admin"])
        open_now = {i["id"]: i for i in db.rpc("list_invitations", org_id=org) if i["state"] == "open"}
        assert (open_now[invitation]["email"], open_now[invitation]["role"]) == (world.acme.guest.email, "member")
        assert db.rpc("revoke_invitation", org_id=org, invitation_id=invitation) == {"id": str(invitation)}
        assert db.rpc_error("revoke_invitation", org_id=org, invitation_id=invitation).sqlstate == "PT404"
        assert "revoked" == next(i["state"] for i in db.rpc("list_invitations", org_id=org) if i["id"] == invitation)
        assert db.run("update app.invitation set revoked_at = null where id = %s", invitation) == 1
        assert db.one("select revoked_at is not null from app.invitation where id = %s", invitation) is True, "for good"


def test_it_lasts_a_week_unless_said_otherwise_and_a_month_at_most(world: World) -> None:
    with world.as_(world.acme.people["owner"]) as db:
        given = {"org_id": world.acme.id, "email": "new@acme.test", "role": "member"}
        assert db.one("select (r ->> 'expires_at')::timestamptz - now() = interval '7 days' from api.create_invitation(%s, %s, %s) r", *given.values())
        assert "expires_in_hours: 1..720" in str(db.error(
            "insert into app.invitation (org_id, email, role_id, token_sha256, expires_at)"
            " select org_id, 'new@acme.test', id, repeat('0', 64), now() + interval '31 days' from app.role where name = 'member'"))


# Two at once.
