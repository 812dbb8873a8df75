"""Exporting: every table there is, every row its owner may read and no other, page by page (F23)."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from uuid import uuid4

import pytest

from tests.db.racing import said
from tests.db.registry import OWNER_ALONE
from tests.db.session import Request, second_factor
from tests.db.test_purge import tables
from tests.db.world import World

OVER = ("PT404", "no such export of yours, or it is over: begin one with export_organization")


def all_rows(db: Request, begun: dict[str, Any], table: str, size: int = 1000) -> list[dict[str, Any]]:
    rows: list[str] = []
    after = None
    while True:
        page = db.rpc("export_rows", org_id=begun["org_id"], export_id=begun["export_id"], table_name=table, max_rows=size, **({"after": after} if after else {}))
        assert page["sha256"] == hashlib.sha256("\n".join(page["rows"]).encode()).hexdigest()
        rows += page["rows"]
        after = page["next"]
        if after is None:
            return [json.loads(row) for row in rows]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_every_row_the_owner_may_read_comes_once_and_none_of_another_organization_F23(world: World, size: int) -> None:
    with world.operator() as db:
        # What only functions of the queue read is no person's to take along.
        there = set(tables(db)) - {name.removeprefix("app.") for name in OWNER_ALONE}
    with world.as_(world.acme.people["owner"], **second_factor()) as db:
        begun = db.rpc("export_organization", org_id=world.acme.id)
        assert set(begun["tables"]) == there  # from the catalog: no table is forgotten
        for table, promised in begun["tables"].items():
            rows = all_rows(db, begun, table, size)
            column = "id" if table == "organization" else "org_id"
            assert {r[column] for r in rows} <= {str(world.acme.id)}
            own = db.one(f"select count(*) from app.{table} where {column} = %s", world.acme.id)
            assert len(rows) == own == len({json.dumps(r) for r in rows}), table
            assert promised == own - (1 if table in ("organization_export", "audit_event") else 0) - (
                0 if table != "usage_entry" else 0) or table == "member_activity", table
            assert world.globex.canary not in json.dumps(rows)


def test_an_export_is_what_its_owner_may_read_and_so_not_others_conversations_F23_F56(world: World) -> None:
    with world.as_(world.acme.people["owner"], **second_factor()) as db:
        begun = db.rpc("export_organization", org_id=world.acme.id)
        assert all_rows(db, begun, "conversation") == all_rows(db, begun, "message") == []
    assert world.rows("conversation", f"org_id = '{world.acme.id}'") > 0


def test_what_checks_a_secret_is_not_in_it_F23(world: World) -> None:
    with world.as_(world.acme.people["owner"], **second_factor()) as db:
        begun = db.rpc("export_organization", org_id=world.acme.id)
        for table in ("api_token", "invitation", "session_choice"):
            rows = all_rows(db, begun, table)
            assert rows and not any({"token_sha256", "session_id"} & row.keys() for row in rows)


def test_it_takes_a_fresh_second_factor_in_person_and_is_recorded_F07_F63_R44(own_world: World) -> None:
    world, owner = own_world, own_world.acme.people["owner"]
    for claims in ({}, {"aal": "aal2"}, second_factor(16 * 60)):
        with world.as_(owner, **claims) as db:
            assert db.rpc_error("export_organization", org_id=world.acme.id).sqlstate == "PT401"
    for claims in ({"client_id": "an app"}, {"session_id": str(owner.token_session_id)}):
        with world.as_(owner, **second_factor(), **claims) as db:
            assert db.rpc_error("export_organization", org_id=world.acme.id).sqlstate == "42501"
    with world.as_(owner, keep=True, **second_factor()) as db:
        begun = db.rpc("export_organization", org_id=world.acme.id)
    with world.operator() as db:
        assert db.one("select count(*) from app.audit_event where action = 'organization_export.insert' and object_id = %s", begun["export_id"]) == 1
    # The pages of an export last an hour, for who began it, in person.
    page = {"org_id": world.acme.id, "export_id": begun["export_id"], "table_name": "team"}
    with world.as_(owner) as db:
        assert db.rpc("export_rows", **page)["rows"]
    with world.as_(owner, client_id="an app") as db:
        assert db.rpc_error("export_rows", **page).sqlstate == "42501"
    with world.operator(keep=True) as db:
        db.run("update app.organization_export set requested_at = now() - interval '61 minutes' where id = %s", begun["export_id"])
    with world.as_(owner) as db:
        assert said(db.rpc_error("export_rows", **page)) == OVER


@pytest.mark.parametrize("who", ["admin", "auditor", "customer"])
def test_nobody_else_exports_or_reads_somebodys_export_F12(world: World, who: str) -> None:
    with world.as_(world.acme.people[who], **second_factor()) as db:
        assert said(db.rpc_error("export_organization", org_id=world.acme.id)) == ("PT404", "no such organization, or not yours to manage")
        assert said(db.rpc_error("export_rows", org_id=world.acme.id, export_id=world.acme.ids["export"], table_name="team")) == OVER


def test_another_owner_reads_only_exports_of_their_own_F23(own_world: World) -> None:
    world = own_world
    world.join(world.acme, world.nobody, "owner")
    with world.as_(world.nobody, **second_factor()) as db:
        assert said(db.rpc_error("export_rows", org_id=world.acme.id, export_id=world.acme.ids["export"], table_name="team")) == OVER
        begun = db.rpc("export_organization", org_id=world.acme.id)
        assert all_rows(db, begun, "team")
        assert said(db.rpc_error("export_rows", org_id=world.globex.id, export_id=begun["export_id"], table_name="team")) == OVER


@pytest.mark.parametrize("table", ["pg_class", "permission", "purge_receipt", "ended_session", "team; drop table app.bot", 'team" t --', "", "TEAM", "app.team", None])
def test_a_table_that_is_none_of_an_organization_is_refused_F09(world: World, table: str | None) -> None:
    with world.as_(world.acme.people["owner"], **second_factor()) as db:
        begun = db.rpc("export_organization", org_id=world.acme.id)
        assert db.rpc_error("export_rows", org_id=world.acme.id, export_id=begun["export_id"], table_name=table).sqlstate == "22023"


@pytest.mark.parametrize("after", [[], ["x"], ["x", "y"], ["'; drop table app.bot; --", "'"], [str(uuid4()), "x') or true --"], [None, None], [str(uuid4())] * 3])
def test_a_place_to_go_on_from_is_a_value_and_nothing_else_F09(world: World, after: list[Any]) -> None:
    with world.as_(world.acme.people["owner"], **second_factor()) as db:
        begun = db.rpc("export_organization", org_id=world.acme.id)
        assert str(db.rpc_error("export_rows", org_id=world.acme.id, export_id=begun["export_id"], table_name="team_member", after=after).sqlstate)[:2] == "22"
        assert db.rpc("export_rows", org_id=world.acme.id, export_id=begun["export_id"], table_name="team_member", after=[str(uuid4()), str(uuid4())])
