"""Usage: true totals for who may read usage, whatever of it they may see; a ledger written with what it counts."""

from __future__ import annotations

import pytest

from tests.db.matrix import become, planted
from tests.db.racing import said
from tests.db.session import Request, second_factor
from tests.db.world import World, add_document

TABLES = {"members": "membership", "teams": "team", "bots": "bot", "knowledge_bases": "knowledge_base", "documents": "document", "passages": "chunk",
          "runs": "run"}
REFUSED = ("PT404", "no such organization, or its usage is not yours to read")


def counted(db: Request, world: World) -> dict[str, int]:
    """What the superuser counts in acme."""
    db.run("reset role")
    org = world.acme.id
    found = {measure: db.one(f"select count(*) from app.{table} where org_id = %s", org) for measure, table in TABLES.items()}
    ((calls, given, taken),) = db.all("select count(*), sum(input_tokens), sum(output_tokens) from app.run_step where org_id = %s and kind = 'model'", org)
    characters = db.one("select sum(char_length(content)) from app.chunk where org_id = %s", org)
    return found | {"characters": characters, "model_calls": calls, "input_tokens": given, "output_tokens": taken}


@pytest.mark.parametrize("who", ["owner", "analyst", "auditor"])
def test_usage_is_what_there_is_and_not_what_its_reader_sees(world: World, who: str) -> None:
    with planted(world) as db:
        expected = counted(db, world)
        assert all(expected.values())
        become(db, world.acme.people[who])
        assert db.rpc("organization_usage", org_id=world.acme.id) == expected
        assert who != "auditor" or db.one("select count(*) from app.document") == 0, "of the documents they see none"


def test_usage_follows_what_is_added_and_taken_away_in_the_same_transaction(world: World) -> None:
    with planted(world) as db:
        become(db, world.acme.people["owner"], **second_factor())
        document = add_document(db, world.acme, "knowledge_base", "usage", 3)
        db.rpc("remove_member", org_id=world.acme.id, user_id=world.acme.people["member"].user_id)
        more = counted(db, world)
        become(db, world.acme.people["owner"], **second_factor())
        assert db.rpc("organization_usage", org_id=world.acme.id) == more
        db.rpc("delete_document", org_id=world.acme.id, document_id=document)
        less = counted(db, world)
        assert less["passages"] == more["passages"] - 3 and less["characters"] < more["characters"]
        become(db, world.acme.people["analyst"])
        assert db.rpc("organization_usage", org_id=world.acme.id) == less


def test_runs_and_tokens_count_for_the_days_asked_for(world: World) -> None:
    with planted(world) as db:
        db.run("update app.usage_entry set on_day = current_date - 7 where measure in ('runs', 'documents')")
        become(db, world.acme.people["analyst"])
        week, longer = (db.rpc("organization_usage", org_id=world.acme.id, days=days) for days in (7, 8))
        assert (week["runs"], longer["runs"]) == (0, 3)
        assert week["documents"] == longer["documents"] > 0


def test_usage_is_told_to_nobody_else(world: World) -> None:
    for person in (world.acme.people["member"], world.acme.people["builder"], world.globex.people["owner"], world.nobody):
        with world.as_(person) as db:
            assert said(db.rpc_error("organization_usage", org_id=world.acme.id)) == REFUSED
            assert db.one("select count(*) from app.usage_entry where org_id = %s", world.acme.id) == 0
