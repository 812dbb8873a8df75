"""Founding and handing out roles: nobody grants beyond themselves, and an organization keeps an owner (F12, R45)."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.db.registry import ROLES
from tests.db.matrix import become, planted
from tests.db.racing import held_up, said
from tests.db.session import Person, Request
from tests.db.world import World, make_person

NEEDS = ("42501", "giving and taking roles needs members.manage")
BEYOND = ("42501", "you can give or take only roles whose permissions you hold yourself")
NOT_YOURS = ("PT404", "no such member, or not yours to change")
NO_ROLE = ("PT404", "no such role in this organization")
LAST = ("PT409", "an organization keeps at least one owner")


def roles(db: Request, world: World) -> dict[Any, str]:
    """Who holds which role in acme, as the superuser sees it."""
    return dict(db.all("select m.user_id, r.name from app.membership m join app.role r on r.org_id = m.org_id and r.id = m.role_id"
                       " where m.org_id = %s", world.acme.id))


ESCALATIONS = [
    # who, what, on whom, to which role, how it is refused
    ("admin", "invite", "nobody", "owner", BEYOND), ("builder", "invite", "nobody", "owner", NEEDS), ("builder", "invite", "nobody", "member", NEEDS),
    ("builder", "invite", "nobody", "admin", NEEDS), ("auditor", "invite", "nobody", "auditor", NEEDS), ("member", "invite", "nobody", "member", NEEDS),
    ("admin", "change", "admin", "owner", BEYOND), ("builder", "change", "builder", "admin", NOT_YOURS),
    ("member", "change", "member", "owner", NOT_YOURS), ("admin", "change", "owner", "member", BEYOND), ("admin", "remove", "owner", None, BEYOND),
    ("builder", "remove", "member", None, NOT_YOURS), ("analyst", "remove", "owner", None, NOT_YOURS),
    ("owner", "remove", "owner", None, LAST), ("owner", "change", "owner", "member", LAST), ("owner", "change", "owner", "admin", LAST),
    ("other owner", "invite", "other owner", "owner", NO_ROLE), ("other owner", "invite", "nobody", "member", NO_ROLE),
    ("other owner", "remove", "member", None, NOT_YOURS), ("other owner", "change", "member", "owner", NOT_YOURS),
    ("nobody", "invite", "nobody", "member", NO_ROLE), ("removed", "invite", "removed", "member", NO_ROLE), ("both", "change", "both", "owner", NOT_YOURS),
]


def person(world: World, name: str) -> Person:
    others = {"other owner": world.globex.people["owner"], "nobody": world.nobody, "removed": world.removed, "both": world.both}
    return others.get(name) or world.acme.people[name]


def given(world: World, act: str, whom: str, role: str | None) -> tuple[str, dict[str, Any]]:
    """The call by which somebody is invited, changed or removed."""
    target = person(world, whom)
    named = {"email": target.email} if act == "invite" else {"user_id": target.user_id}
    return "create_invitation" if act == "invite" else f"{act}_member", {"org_id": world.acme.id} | named | ({"role": role} if role else {})


@pytest.mark.parametrize(("who", "act", "whom", "role", "refusal"), ESCALATIONS)
def test_nobody_gives_or_takes_a_role_beyond_their_own_F12(world: World, who: str, act: str, whom: str, role: str | None, refusal: tuple[str, str]) -> None:
    name, arguments = given(world, act, whom, role)
    with world.operator() as db:
        before = roles(db, world)
    with planted(world) as db:
        become(db, person(world, who))
        assert said(db.rpc_error(name, **arguments)) == refusal
        db.run("reset role")
        assert roles(db, world) == before


ALLOWED = [
    ("owner", "invite", "nobody", "owner"), ("owner", "invite", "nobody", "auditor"), ("admin", "invite", "nobody", "admin"), ("admin", "invite", "nobody", "member"),
    ("owner", "change", "member", "owner"), ("admin", "change", "member", "builder"), ("admin", "change", "admin", "member"),
    ("owner", "remove", "admin", None), ("admin", "remove", "member", None), ("admin", "remove", "admin", None),
    ("member", "remove", "member", None), ("auditor", "remove", "auditor", None),
]


@pytest.mark.parametrize(("who", "act", "whom", "role"), ALLOWED)
def test_a_manager_gives_and_takes_what_they_hold_and_anyone_may_leave_F12(world: World, who: str, act: str, whom: str, role: str | None) -> None:
    target = person(world, whom).user_id
    with planted(world) as db:
        become(db, person(world, who))
        name, arguments = given(world, act, whom, role)
        answer = db.rpc(name, **arguments)
        if act == "invite":
            become(db, person(world, whom))
            assert db.rpc("accept_invitation", token=answer["token"])["role"] == role
        else:
            assert answer == {"user_id": str(target), "role": role}
        db.run("reset role")
        assert roles(db, world).get(target) == role


@pytest.mark.parametrize("form", [
    "update app.membership set role_id = {owner_role} where user_id = {me}",
    "update app.membership set role_id = {owner_role}",
    "insert into app.membership (org_id, user_id, role_id) values ({org}, {me}, {owner_role}) on conflict (org_id, user_id) do update set role_id = {owner_role}",
    "merge into app.membership t using (select 1) s on t.user_id = {me} when matched then update set role_id = {owner_role}",
    "update app.membership set org_id = org_id, role_id = {owner_role}", "update app.membership set user_id = {me} where role_id = {owner_role}",
    "insert into app.role_permission (org_id, role_id, permission) select {org}, m.role_id, 'organization.manage' from app.membership m where user_id = {me}",
    "update app.role set name = 'probe' where built_in",
    "insert into app.role_permission (org_id, role_id, permission) select {org}, r.id, 'organization.manage' from app.role r where not r.built_in",
])
@pytest.mark.parametrize("who", ["admin", "builder", "member", "both"])
def test_no_form_of_statement_raises_ones_own_role_F12(world: World, form: str, who: str) -> None:
    me = person(world, who)
    with world.operator() as db:
        owner_role = db.one("select id from app.role where org_id = %s and name = 'owner'", world.acme.id)
    statement = form.format(org=f"'{world.acme.id}'::uuid", me=f"'{me.user_id}'::uuid", owner_role=f"'{owner_role}'::uuid")
    with planted(world) as db:
        before = roles(db, world)
        become(db, me)
        try:
            with db.connection.transaction():
                assert db.run(statement) == 0
        except psycopg.Error as error:
            assert error.sqlstate == "42501", error
        db.run("reset role")
        assert roles(db, world) == before


def test_founding_makes_the_founder_owner_of_an_organization_with_the_seven_roles(world: World) -> None:
    with planted(world) as db:
        become(db, world.nobody)
        made = db.rpc("create_organization", slug="third", name="Third")
        (mine,) = db.rpc("whoami")["organizations"]
        assert (mine["id"], mine["slug"], mine["role"], set(mine["permissions"])) == (made["id"], "third", "owner", ROLES["owner"])
        found = {name: set(permissions) for name, permissions in db.all(
            "select r.name, array_agg(p.permission) from app.role r join app.role_permission p on p.org_id = r.org_id and p.role_id = r.id"
            " where r.built_in group by r.name")}
        assert found == ROLES
        assert [m["user_id"] for m in db.rpc("list_members", org_id=made["id"])] == [world.nobody.user_id]


def test_a_taken_slug_is_only_a_conflict_among_ones_own_organizations_R51(world: World) -> None:
    with world.as_(world.nobody) as db:
        assert db.rpc("create_organization", slug="acme", name="Another")["slug"] == "acme"
    with world.as_(world.acme.people["member"]) as db:
        assert said(db.rpc_error("create_organization", slug="acme", name="Another")) == ("PT409", "you already belong to an organization of that slug")
        assert db.rpc("create_organization", slug="globex", name="Another")["slug"] == "globex"


def test_one_of_two_owners_can_leave(world: World) -> None:
    with world.as_(world.acme.people["owner"]) as db:
        db.rpc("change_member", org_id=world.acme.id, user_id=world.acme.people["admin"].user_id, role="owner")
        assert db.rpc("remove_member", org_id=world.acme.id, user_id=world.acme.people["owner"].user_id)["role"] is None


@pytest.mark.parametrize("crosswise", [False, True], ids=["each leaves", "each removes the other"])
def test_two_owners_leaving_at_the_same_moment_leave_one_behind_R45(own_world: World, crosswise: bool) -> None:
    world = own_world
    first, second = world.acme.people["owner"], make_person(world.superuser_url, "second@acme.test")
    world.join(world.acme, second, "owner")
    with world.as_(first, keep=True) as leaving:
        leaving.rpc("remove_member", org_id=world.acme.id, user_id=(second if crosswise else first).user_id)
        other = held_up(world, second, lambda db: db.rpc("remove_member", org_id=world.acme.id, user_id=(first if crosswise else second).user_id))
    # Whoever was removed while waiting is no longer one who may remove.
    assert other.result(10) == (NOT_YOURS if crosswise else LAST)
    with world.operator() as db:
        assert [r for r in roles(db, world).values()].count("owner") == 1
