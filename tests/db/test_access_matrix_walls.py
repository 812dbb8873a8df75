"""Each wall alone: what holds when the walls beside it are gone (R19, R49).

Floor, permissive policies and grants say the same twice or three times, so that one mistake shows nothing. Here all but one are taken
away inside a transaction, and the one that is left must still keep the decision.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.db import matrix
from tests.db.catalog.breaking import broken
from tests.db.matrix import become, personas, planted
from tests.db.registry import GLOBAL, ROLES, TABLES
from tests.db.session import request
from tests.db.world import World

TENANT_TABLES = [table for table in TABLES if table not in GLOBAL]
# Who would see or write more if only the floor kept organizations apart. (What narrows a token to one of one's organizations is the floor alone.)
OUTSIDERS = ("owner of the other organization", "member of both", "nobody")
# What such a wall may say to them; a trigger may speak before a policy does.
REFUSED = {"refused by policy", "beyond own role", "built-in role", "no such parent of yours", "only in person", "last owner", "out of scope"}


@pytest.mark.parametrize("name", OUTSIDERS)
@pytest.mark.parametrize("table", TENANT_TABLES)
def test_without_the_floor_the_other_policies_keep_organizations_apart_R19(world: World, table: str, name: str) -> None:
    persona = personas(world)[name]
    with world.operator() as db:
        forms, decided = matrix.statements(world, table, persona, db), matrix.expected(world, table, persona, db)
        db.run(f"drop policy {table}_floor on app.{table}")
        db.run("set local session authorization authenticator")
        with request(world.superuser_url, persona.person.claims(**persona.claims) if persona.person else None, connection=db.connection) as made:
            found = matrix.observed(made, forms)
    assert _plain(found) == _plain(decided)


def _plain(outcomes: dict[str, Any]) -> dict[str, Any]:
    """The outcomes with every refusal as one: which wall speaks first does not matter here."""
    return {form: "refused" if isinstance(said, str) and said in REFUSED else said for form, said in outcomes.items()}


@pytest.mark.parametrize("table", [t for t in TENANT_TABLES if None in (TABLES[t].insert, TABLES[t].update, TABLES[t].delete)])
def test_what_is_not_granted_is_refused_by_policy_too_R19(world: World, table: str) -> None:
    """A grant too many opens nothing: for a command nobody may use, the policy says so as well."""
    closed = [c for c in ("insert", "update", "delete") if getattr(TABLES[table], c) is None]
    ddl = [f"grant {', '.join(closed)} on app.{table} to authenticated", f"alter table app.{table} disable trigger user"]
    org = TABLES[table].org
    blind = {"insert": f"insert into app.{table} ({org}) values ('{world.acme.id}')", "update": f"update app.{table} set {org} = '{world.acme.id}'", "delete": f"delete from app.{table}"}
    # The customer has rows of their own in the tables of one's own.
    for who in ("owner", "customer"):
        with broken(world, ddl, world.acme.people[who]) as db:
            found = matrix.observed(db, {command: blind[command] for command in closed})
        assert found == {command: "refused by policy" if command == "insert" else 0 for command in closed}, who


OF_NOBODY = {
    "permission": {"insert": "insert into app.permission (name, description) values ('probe.do', 'Probe')", "update": "update app.permission set description = 'Probe'",
                   "delete": "delete from app.permission"},
    "provider": {"insert": "insert into app.provider (name) values ('probe')", "update": "update app.provider set leaves = false", "delete": "delete from app.provider"},
}
"""What would change a table that belongs to no organization."""


@pytest.mark.parametrize("table", sorted(GLOBAL))
def test_what_belongs_to_no_organization_is_read_by_people_and_changed_by_nobody_though_all_is_granted_R19(world: World, table: str) -> None:
    with planted(world, f"grant insert, update, delete on app.{table} to authenticated", f"alter table app.{table} disable trigger user") as db:
        become(db, world.acme.people["owner"])
        assert db.one(f"select count(*) from app.{table}") > 0
        assert matrix.observed(db, OF_NOBODY[table]) == {"insert": "refused by policy", "update": 0, "delete": 0}
        become(db, None)
        assert db.one(f"select count(*) from app.{table}") == 0


# A trigger writes down who decided; without it the policy lets nobody decide, which is no more than was decided here.
COMPLETED = {"approval"}
INSIDERS = (*ROLES, "customer", "member of both", "owner of the other organization", "nobody")


@pytest.mark.parametrize("name", INSIDERS)
@pytest.mark.parametrize("table", [t for t, d in TABLES.items() if d.insert or d.update or d.delete])
def test_without_triggers_the_policies_give_no_more_than_was_decided_R19(world: World, table: str, name: str) -> None:
    persona = personas(world)[name]
    with world.operator() as db:
        forms = {k: v for k, v in matrix.statements(world, table, persona, db).items() if not k.startswith("select")}
        decided = matrix.expected(world, table, persona, db)
    with broken(world, [f"alter table app.{table} disable trigger user"], persona.person, **persona.claims) as db:
        found = matrix.observed(db, forms)
    # A column that a trigger would have filled: the policy let the row pass.
    found = {form: decided[form] if str(said).startswith("23502") and decided[form] in (1, "no such parent of yours") else said for form, said in found.items()}
    found, decided = _plain(found), _plain(decided)
    # Where a trigger is the wall (the last owner, roles beyond one's own), it stops what a policy lets pass.
    stopped = set(TABLES[table].every_row.values()) & REFUSED
    assert {form: (said, decided[form]) for form, said in found.items()
            if not (table in COMPLETED and said == "refused") and said != decided[form] and not (decided[form] == "refused" and stopped and form.split()[0] in ("update", "delete", "merge"))} == {}
