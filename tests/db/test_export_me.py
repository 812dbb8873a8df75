"""A person takes along what names them, and nothing of anybody else (F67)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import psycopg
import pytest

from tests.db.racing import said
from tests.db.session import Person, second_factor
from tests.db.test_erasure import fill_up
from tests.db.world import World


def exported(world: World, person: Person) -> dict[str, list[dict[str, Any]]]:
    """Every row of the export, by table, fetched in pages of two."""
    with world.as_(person, **second_factor()) as db:
        told = db.rpc("export_me", org_id=world.acme.id)
        found: dict[str, list[dict[str, Any]]] = {}
        for table, count in told["tables"].items():
            found[table], after = [], None
            while True:
                page = db.rpc("export_me", org_id=world.acme.id, table_name=table, after=after, max_rows=2)
                assert page["sha256"] == hashlib.sha256("\n".join(page["rows"]).encode()).hexdigest()
                found[table] += [json.loads(row) for row in page["rows"]]
                if page["next"] is None:
                    break
                after = page["next"]
            assert len(found[table]) == count, table
    assert told["email"] == person.email
    return found


@pytest.mark.parametrize("role", ["builder", "customer", "owner"])
def test_what_names_a_person_is_in_their_export_and_nobody_elses_F67(own_world: World, role: str) -> None:
    world, person = own_world, own_world.acme.people[role]
    if role == "builder":
        fill_up(world, person)
    found = exported(world, person)
    for table, rows in found.items():
        for row in rows:
            assert str(person.user_id) in json.dumps(row), (table, "no row of others")
            assert not row.keys() & {"token_sha256", "session_id", "embedding", "terms"}
            assert row.get("org_id", row.get("id")) == str(world.acme.id)
    # Their own, counted as the superuser sees it.
    for table, column in (("conversation", "user_id"), ("message", "user_id"), ("run", "user_id"), ("run_step", "user_id"), ("support_ticket", "user_id"),
                          ("customer_order", "user_id"), ("document", "owner_id"), ("audit_event", "actor_id"), ("membership", "user_id"), ("api_token", "user_id")):
        assert len([r for r in found[table] if r[column] == str(person.user_id)]) == world.rows(table, f"org_id = '{world.acme.id}' and {column} = '{person.user_id}'"), table
    assert found["membership"][0]["email"] == person.email


def test_it_takes_a_fresh_second_factor_in_person_and_an_organization_of_ones_own_F67_F07(world: World) -> None:
    def asked(person: Person, **more: Any) -> Any:
        claims = more.pop("claims", second_factor())
        with world.as_(person, **claims) as db:
            try:
                return db.rpc("export_me", org_id=more.get("org", world.acme.id), table_name=more.get("table"))
            except psycopg.Error as error:
                return said(error)

    customer = world.acme.people["customer"]
    assert asked(customer)["tables"]
    assert asked(customer, claims={})[0] == asked(customer, claims=second_factor(3600))[0] == "PT401"
    assert asked(customer, claims=second_factor() | {"client_id": "an app"})[0] == "42501"
    assert asked(customer, org=world.globex.id) == asked(world.nobody) == ("PT404", "no such organization of yours")
    for table in ("nothing", "pg_authid", "organization; drop table app.run", "chunk\""):
        assert asked(customer, table=table)[0] == "22023"


def test_what_others_did_to_ones_membership_is_in_it_without_who_they_were_F67(own_world: World) -> None:
    world, customer = own_world, own_world.acme.people["customer"]
    org, owner = own_world.acme.id, own_world.acme.people["owner"]

    def told(person: Person) -> list[dict[str, Any]]:
        with world.as_(person, **second_factor()) as db:
            return list(db.rpc("export_me", org_id=org)["by_others"])

    before = len(told(customer))
    with world.as_(owner, keep=True, **second_factor()) as db:
        db.rpc("suspend_member", org_id=org, user_id=customer.user_id)
        db.rpc("resume_member", org_id=org, user_id=customer.user_id)
        db.rpc("set_legal_hold", org_id=org, reason="a case", user_id=customer.user_id)
    found = told(customer)
    assert [(e["action"], e["by_role"], e["outcome"]) for e in found[before:]] == [("membership.update", "owner", "ok")] * 2
    assert all(e.keys() == {"at", "action", "by_role", "changed", "outcome"} for e in found) and str(owner.user_id) not in json.dumps(found)
    assert not [e for e in told(world.acme.people["builder"]) if e["at"] >= found[before]["at"]], "nothing of what was done to somebody else"
