"""Copies that make the helpers fast are never wrong: what a role carries, beside its members; how many passages, beside the document (F17)."""

from __future__ import annotations

import re

import pytest

from tests.db.matrix import become, planted
from tests.db.session import Request
from tests.db.world import World

OF_ROLE = ("coalesce((select bit_or(authz.permission_bit(c.permission)) from app.role_permission c where c.org_id = t.org_id and c.role_id = {}), 0)")
WRONG = {
    "roles": f"select count(*) from app.role t where t.permissions <> {OF_ROLE.format('t.id')}",
    "members": f"select count(*) from app.membership t where t.permissions <> {OF_ROLE.format('t.role_id')}",
    "documents": "select count(*) from app.document t where t.state = 'ready' and t.passages <> (select count(*) from app.chunk c"
                 " where c.org_id = t.org_id and c.document_id = t.id)",
}
ROLE = "(select m.role_id from app.membership m where m.org_id = '{org}' and m.user_id = '{member}')"
CHANGES = {
    "a permission given": "insert into app.role_permission (org_id, role_id, permission) values ('{org}', " + ROLE + ", 'runs.read')",
    "a permission taken": "delete from app.role_permission where org_id = '{org}' and role_id = " + ROLE + " and permission = 'documents.read'",
    "one turned into another": "update app.role_permission set permission = 'audit.read' where org_id = '{org}' and role_id = " + ROLE
                               + " and permission = 'documents.read'",
    "all taken": "delete from app.role_permission where org_id = '{org}'",
    "another role": "update app.membership set role_id = (select id from app.role where org_id = '{org}' and name = 'auditor')"
                    " where org_id = '{org}' and user_id = '{member}'",
    "the copy of the role written": "update app.role set permissions = -1 where org_id = '{org}'",
    "the copy of the member written": "update app.membership set permissions = -1 where org_id = '{org}'",
}


def wrong(db: Request) -> dict[str, int]:
    return {what: count for what, query in WRONG.items() if (count := db.one(query))}


def held(db: Request, world: World) -> set[str]:
    """What the member may do by the helper, as policies ask it."""
    become(db, world.acme.people["member"])
    found = {p for (p,) in db.all("select p.name from app.permission p where %s in (select authz.orgs_with(p.name))", world.acme.id)}
    db.run("reset role")
    return found


def test_every_copy_in_the_world_is_right_F17(world: World) -> None:
    with world.operator() as db:
        assert wrong(db) == {}
        assert db.one("select count(*) from app.membership where permissions <> 0") > 10
        assert db.one("select count(*) from app.document where passages > 0") > 3


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_in_a_role_is_its_members_at_once_F17(world: World, change: str) -> None:
    org, member = world.acme.id, world.acme.people["member"].user_id
    with world.operator() as db:
        before = held(db, world)
        db.run(CHANGES[change].format(org=org, member=member).replace("%", "%%"))
        assert wrong(db) == {}
        rows = {p for (p,) in db.all("select p.permission from app.role_permission p join app.membership m on m.org_id = p.org_id and m.role_id = p.role_id"
                                     " where m.org_id = %s and m.user_id = %s", org, member)}
        assert held(db, world) == rows
        assert (rows == before) is ("written" in change)


@pytest.mark.parametrize("table", ["role", "membership"])
def test_a_copy_that_no_trigger_counts_is_refused_or_seen_F17(world: World, table: str) -> None:
    """The negative control: without its trigger a role is found wrong, and a member's copy is refused by the foreign key."""
    with world.operator() as db:
        db.run(f"drop trigger _200_permissions on app.{table}")
        update = f"update app.{table} set permissions = 0 where org_id = '{world.acme.id}'"
        if table == "membership":
            assert db.error(update).sqlstate == "23503"
        else:
            db.run(update)
            assert wrong(db)["roles"] > 1


def test_a_new_role_gives_what_it_carries_and_changing_it_is_recorded_once_F17(world: World) -> None:
    member = world.acme.people["member"]
    with planted(world) as db:
        become(db, world.acme.people["owner"])
        role = db.rpc("create_role", org_id=world.acme.id, name="reader", permissions=["documents.read"])["id"]
        db.rpc("change_member", org_id=world.acme.id, user_id=member.user_id, role="reader")
        assert held(db, world) == {"documents.read"}
        count = "select count(*) from app.audit_event where action in ('role.update', 'membership.update')"
        before = db.one(count)
        become(db, world.acme.people["owner"])
        db.rpc("update_role", org_id=world.acme.id, role_id=role, permissions=["usage.read", "runs.read"])
        assert held(db, world) == {"usage.read", "runs.read"}
        assert (db.one(count), wrong(db)) == (before, {})


def test_every_permission_of_the_registry_has_a_bit_of_its_own_F10(world: World) -> None:
    with world.operator() as db:
        bits = dict(db.all("select name, authz.permission_bit(name) from app.permission"))
        assert len(set(bits.values())) == len(bits) and all(bit.bit_count() == 1 and bit > 0 for bit in bits.values()), bits
        assert [db.one("select authz.permission_bit(%s)", name) for name in ("documents.burn", "", "%", None)] == [None] * 4


def test_both_helpers_ask_the_same_of_a_membership_F17(world: World) -> None:
    with world.operator() as db:
        bodies = {name: db.one("select prosrc from pg_proc where oid = %s::regproc", f"authz.{name}") for name in ("org_ids", "orgs_with")}
    conditions = {name: re.sub(r"\s*--[^\n]*|\s+", " ", body[body.index("where m.user_id"):body.rindex(";\nend")]).strip() for name, body in bodies.items()}
    assert len(conditions["org_ids"]) > 400
    assert conditions["orgs_with"].startswith(conditions["org_ids"] + " and m.permissions & v_bit <> 0")
    assert "is_anonymous" in bodies["org_ids"] and "is_anonymous" in bodies["orgs_with"]
