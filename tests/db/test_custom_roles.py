"""Roles of an organization's own: made of registry names, within what their maker holds, and in line with every other change (F10, R46)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest

from tests.db.matrix import become, planted
from tests.db.racing import held_up, said
from tests.db.registry import ROLES
from tests.db.session import Request, second_factor
from tests.db.test_step_up import enrol
from tests.db.world import World

LEAD = ["bots.run", "documents.read", "members.manage", "members.read", "roles.manage"]
"""What somebody may do who looks after a part of the members."""
BEYOND = ("42501", "you can change only roles whose permissions you hold yourself, and add only those")
BEYOND_GIVING = ("42501", "you can give or take only roles whose permissions you hold yourself")
NEEDS = ("42501", "changing roles needs roles.manage")
NEEDS_GIVING = ("42501", "giving and taking roles needs members.manage")
BUILT_IN = ("42501", "built-in roles stay as they are: make a role of your own")
ABSENT = ("PT404", "no such role in this organization")
APP = ("42501", "an app acting for you cannot do this: sign in yourself")


def make_lead(world: World, db: Request) -> UUID:
    """As the owner, make the role and give it to the analyst."""
    made = db.rpc("create_role", org_id=world.acme.id, name="lead", permissions=LEAD)["id"]
    db.rpc("change_member", org_id=world.acme.id, user_id=world.acme.people["analyst"].user_id, role="lead")
    return UUID(made)


@contextmanager
def with_lead(world: World) -> Iterator[tuple[Request, UUID]]:
    """A session in which the analyst, who is the lead, asks; all of it is undone."""
    with planted(world) as db:
        become(db, world.acme.people["owner"])
        lead = make_lead(world, db)
        become(db, world.acme.people["analyst"])
        yield db, lead


def carried(world: World, name: str) -> set[str]:
    with world.operator() as db:
        return {p for (p,) in db.all("select p.permission from app.role r join app.role_permission p on p.org_id = r.org_id and p.role_id = r.id"
                                     " where r.org_id = %s and r.name = %s", world.acme.id, name)}


def test_a_role_is_made_changed_and_deleted_by_who_holds_what_it_carries_F10(world: World) -> None:
    org = world.acme.id
    with with_lead(world) as (db, _):
        role = db.rpc("create_role", org_id=org, name="reader", permissions=["documents.read", "documents.read"])["id"]
        changed = db.rpc("update_role", org_id=org, role_id=role, name="runner", permissions=["bots.run", "members.read"])
        assert changed == {"id": role, "name": "runner", "permissions": ["bots.run", "members.read"]}
        assert db.rpc("update_role", org_id=org, role_id=role, name="idle")["permissions"] == ["bots.run", "members.read"]
        assert db.rpc("update_role", org_id=org, role_id=role, permissions=[]) == {"id": role, "name": "idle", "permissions": []}
        listed = {r["name"]: (r["built_in"], set(r["permissions"])) for r in db.rpc("list_roles", org_id=org)}
        assert listed == {n: (True, p) for n, p in ROLES.items()} | {
            "helper": (False, {"documents.read", "bots.run"}), "lead": (False, set(LEAD)), "idle": (False, set())}
        assert {p["name"] for p in db.rpc("list_permissions", org_id=org) if p["held"]} == set(LEAD)
        assert db.rpc("delete_role", org_id=org, role_id=role) == {"id": role}
        assert said(db.rpc_error("delete_role", org_id=org, role_id=role)) == ABSENT


@pytest.mark.parametrize("names", [["documents.burn"], ["documents.read", "*"], [None], [""], ["Documents.Read"], ["documents.read "]])
def test_a_permission_that_is_not_in_the_registry_is_stored_nowhere_F10(world: World, names: list[Any]) -> None:
    told = ("22023", "permissions: names that list_permissions tells")
    with world.as_(world.acme.people["owner"]) as db:
        role = next(r["id"] for r in db.rpc("list_roles", org_id=world.acme.id) if r["name"] == "helper")
        assert said(db.rpc_error("create_role", org_id=world.acme.id, name="probe", permissions=names)) == told
        assert said(db.rpc_error("update_role", org_id=world.acme.id, role_id=role, permissions=names)) == told
    with planted(world) as db:  # nor past the functions, whoever writes
        error = db.error("insert into app.role_permission (org_id, role_id, permission) values (%s, %s, %s)", world.acme.id, role, "documents.burn")
        assert (error.sqlstate, error.diag.constraint_name) == ("23503", "role_permission_permission_fkey")


def test_a_role_that_is_held_is_not_deleted_and_a_name_is_taken_once(world: World) -> None:
    org = world.acme.id
    with with_lead(world) as (db, lead):
        assert said(db.rpc_error("delete_role", org_id=org, role_id=lead)) == ("PT409", "the role is held or a deny rule names it: give its members another one, delete the rule")
        for name in ("lead", "owner", "helper"):
            assert said(db.rpc_error("create_role", org_id=org, name=name, permissions=[])) == ("PT409", "a role of that name exists")
        assert said(db.rpc_error("update_role", org_id=org, role_id=lead, name="owner")) == ("PT409", "a role of that name exists")
        become(db, world.acme.people["owner"])
        db.rpc("change_member", org_id=org, user_id=world.acme.people["analyst"].user_id, role="analyst")
        assert db.rpc("delete_role", org_id=org, role_id=lead) == {"id": str(lead)}


@pytest.mark.parametrize("who", ["builder", "analyst", "agent", "member", "auditor"])
def test_without_roles_manage_every_role_stays_F10(world: World, who: str) -> None:
    with world.as_(world.acme.people[who], **second_factor()) as db:
        roles = {r["name"]: r["id"] for r in db.rpc("list_roles", org_id=world.acme.id)}
        assert said(db.rpc_error("create_role", org_id=world.acme.id, name="probe", permissions=[])) == NEEDS
        for act, given in (("update_role", {"permissions": []}), ("update_role", {"name": "probe"}), ("delete_role", {})):
            assert said(db.rpc_error(act, org_id=world.acme.id, role_id=roles["helper"], **given)) == NEEDS
            assert said(db.rpc_error(act, org_id=world.acme.id, role_id=roles["member"], **given)) == BUILT_IN


def test_an_organization_has_at_most_a_hundred_roles_of_its_own(world: World) -> None:
    with planted(world) as db:
        db.run("insert into app.role (org_id, name) select %s, 'r' || i from generate_series(1, 98) i", world.acme.id)
        become(db, world.acme.people["owner"])
        db.rpc("create_role", org_id=world.acme.id, name="last", permissions=[])
        assert db.rpc_error("create_role", org_id=world.acme.id, name="onemore", permissions=[]).sqlstate == "PT429"


def test_role_and_permission_writes_ask_for_the_second_factor_of_who_has_one_F07_R42(own_world: World) -> None:
    world, owner = own_world, own_world.acme.people["owner"]

    def acts(db: Request) -> list[Any]:
        org, helper = world.acme.id, db.one("select id from app.role where name = 'helper'")
        tries = [
            ("insert into app.role (org_id, name) values (%s, 'probe')", (org,)),
            ("update app.role set name = 'probe' where id = %s", (helper,)),
            ("insert into app.role_permission (org_id, role_id, permission) values (%s, %s, 'orders.place')", (org, helper)),
            ("delete from app.role_permission where role_id = %s", (helper,)),
            ("delete from app.role where id = %s", (helper,)),
        ]
        seen: list[Any] = []
        for query, arguments in tries:
            try:
                with db.connection.transaction(force_rollback=True):
                    seen.append(db.run(query, *arguments))
            except Exception as error:  # noqa: BLE001  every refusal is looked at
                seen.append(getattr(error, "sqlstate", repr(error)))
        return seen

    with world.as_(owner) as db:
        assert acts(db) == [1, 1, 1, 2, 1]
    enrol(world, owner)
    with world.as_(owner) as db:
        assert acts(db) == ["PT401"] * 5
    with world.as_(owner, **second_factor()) as db:
        assert acts(db) == [1, 1, 1, 2, 1]
    with world.as_(owner, **second_factor(), client_id="app") as db:
        assert set(acts(db)) == {"42501"}


# Two at once. Whoever comes second decides on what the first has committed, and not on what was so when they began.

@pytest.fixture
def leads_world(own_world: World) -> World:
    """A world in which the analyst of acme holds the role lead, and the customer one within it."""
    with own_world.as_(own_world.acme.people["owner"], keep=True) as db:
        own_world.acme.ids["lead_role"] = make_lead(own_world, db)
        own_world.acme.ids["helper_role"] = db.one("select id from app.role where name = 'helper'")
        db.rpc("create_role", org_id=own_world.acme.id, name="reader", permissions=["documents.read"])
        db.rpc("change_member", org_id=own_world.acme.id, user_id=own_world.acme.people["customer"].user_id, role="reader")
    return own_world


def test_a_granter_demoted_while_granting_gives_nothing_R46(leads_world: World) -> None:
    """Every permission of what is given is still held after the demotion; the right to give is not."""
    world, org, people = leads_world, leads_world.acme.id, leads_world.acme.people
    for form in ("rpc", "statement"):
        with world.as_(people["owner"], keep=True) as db:
            db.rpc("change_member", org_id=org, user_id=people["analyst"].user_id, role="lead")
        with world.as_(people["owner"], keep=True) as db:
            db.rpc("change_member", org_id=org, user_id=people["analyst"].user_id, role="analyst")
            if form == "rpc":
                late = held_up(world, people["analyst"], lambda db: db.rpc(
                    "change_member", org_id=org, user_id=people["customer"].user_id, role="helper"))
            else:
                late = held_up(world, people["analyst"], lambda db: db.run(
                    "update app.membership set role_id = (select id from app.role where name = 'helper') where user_id = %s", people["customer"].user_id))
        # Through the function nothing is theirs to change any more; the bare statement passed its policy before it had to wait.
        assert late.result(10) == (("PT404", "no such member, or not yours to change") if form == "rpc" else NEEDS_GIVING)
        with world.operator() as db:
            assert db.one("select r.name from app.membership m join app.role r on r.id = m.role_id where m.org_id = %s and m.user_id = %s",
                          org, people["customer"].user_id) == "reader"


def test_a_role_widened_while_somebody_gives_it_is_given_by_nobody_who_holds_less_R46(leads_world: World) -> None:
    world, org, people = leads_world, leads_world.acme.id, leads_world.acme.people
    helper = {"org_id": org, "role_id": world.acme.ids["helper_role"]}
    give = {"org_id": org, "user_id": people["customer"].user_id, "role": "helper"}
    with world.as_(people["owner"], keep=True) as db:
        db.rpc("update_role", **helper, permissions=["documents.read", "organization.manage"])
        late = held_up(world, people["analyst"], lambda db: db.rpc("change_member", **give))
    assert late.result(10) == BEYOND_GIVING
    with world.as_(people["owner"], keep=True) as db:  # the twin: what the change leaves is within what the lead holds
        db.rpc("update_role", **helper, permissions=["documents.read"])
        late = held_up(world, people["analyst"], lambda db: db.rpc("change_member", **give))
    assert late.result(10)["role"] == "helper"


def test_who_loses_a_permission_while_adding_it_to_a_role_adds_nothing_R46(leads_world: World) -> None:
    """The role that is edited is the one the granter holds."""
    world, org, people = leads_world, leads_world.acme.id, leads_world.acme.people
    helper = {"org_id": org, "role_id": world.acme.ids["helper_role"]}
    lead = {"org_id": org, "role_id": world.acme.ids["lead_role"]}
    add = [*LEAD[:2], "members.read"]
    for left, outcome in (([p for p in LEAD if p != "members.read"], BEYOND), ([p for p in LEAD if p != "roles.manage"], NEEDS)):
        with world.as_(people["owner"], keep=True) as db:
            db.rpc("update_role", **lead, permissions=left)
            late = held_up(world, people["analyst"], lambda db: db.rpc("update_role", **helper, permissions=add))
        assert late.result(10) == outcome
        assert carried(world, "helper") == {"documents.read", "bots.run"}
    with world.as_(people["owner"], keep=True) as db:
        db.rpc("update_role", **lead, permissions=LEAD)
        late = held_up(world, people["analyst"], lambda db: db.rpc("update_role", **helper, permissions=add))
    assert late.result(10)["permissions"] == sorted(add)


def test_a_permission_added_in_a_bare_statement_that_had_to_wait_is_judged_by_what_is_held_then_R46(leads_world: World) -> None:
    world, org, people = leads_world, leads_world.acme.id, leads_world.acme.people
    add = "insert into app.role_permission (org_id, role_id, permission) values (%s, %s, 'members.read')"
    for role, outcome in (("analyst", NEEDS), ("lead", 1)):
        with world.as_(people["owner"], keep=True) as db:
            db.rpc("change_member", org_id=org, user_id=people["analyst"].user_id, role="lead")
        with world.as_(people["owner"], keep=True) as db:
            db.rpc("change_member", org_id=org, user_id=people["analyst"].user_id, role=role)
            late = held_up(world, people["analyst"], lambda db: db.run(add, org, world.acme.ids["helper_role"]))
        assert late.result(10) == outcome


def test_roles_are_not_changed_on_an_old_snapshot_R46(world: World) -> None:
    with world.as_(world.acme.people["owner"]) as db:
        db.connection.rollback()
        db.run("set transaction isolation level repeatable read")
        become(db, world.acme.people["owner"])
        assert db.rpc_error("create_role", org_id=world.acme.id, name="probe", permissions=[]).sqlstate == "25001"
