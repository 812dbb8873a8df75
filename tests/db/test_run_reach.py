"""What a run may reach: what its person may read, of that what the bot is bound to; a denial is recorded (F13, F34, F35)."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID

import pytest

from tests.db.matrix import become, planted
from tests.db.session import Request
from tests.db.world import World, embedding

VECTOR = json.dumps(embedding(0))


def start(db: Request, bot: str = "acme/helpdesk") -> UUID:
    return UUID(db.rpc("start_run", bot=bot, question="Probe?")["run_id"])


def tool(db: Request, run: UUID, name: str, **arguments: Any) -> dict[str, Any]:
    return dict(db.rpc("call_tool", run_id=run, tool=name, arguments=arguments, query_embedding=VECTOR if name == "search_documents" else None))


def reached(db: Request, run: UUID) -> set[UUID]:
    """The chunks a run finds when it may have as many as there are."""
    answer = tool(db, run, "search_documents", query="delivery", max_rows=50)
    assert answer["outcome"] == "ok", answer
    return {UUID(r["chunk_id"]) for r in answer["rows"]}


def readable(db: Request) -> set[UUID]:
    return {i for (i,) in db.all("select id from app.chunk")}


def bound(world: World, bot: str = "bot") -> set[UUID]:
    with world.operator() as db:
        return {i for (i,) in db.all("select c.id from app.chunk c join app.bot_binding b on b.org_id = c.org_id and b.knowledge_base_id = c.knowledge_base_id"
                                     " where b.bot_id = %s", world.acme.ids[bot])}


@pytest.mark.parametrize(("who", "reads", "reaches"), [
    ("owner", 7, 5), ("admin", 7, 4), ("builder", 5, 3), ("analyst", 6, 4), ("agent", 6, 3), ("member", 5, 3), ("customer", 5, 3), ("auditor", 0, 0),
])
def test_a_run_reaches_what_its_person_reads_and_the_bot_is_bound_to_F13(world: World, who: str, reads: int, reaches: int) -> None:
    """May run, may read: the intersection. A private document is its owner's and whose it is shared with; two knowledge bases are not bound."""
    with world.as_(world.acme.people[who]) as db:
        mine = readable(db)
        assert len(mine) == reads
        found = reached(db, start(db))
    assert found == mine & bound(world)
    assert len(found) == reaches


@pytest.mark.parametrize("who", ["builder", "analyst", "member", "customer", "auditor"])
def test_who_is_no_runner_cannot_run_whatever_they_may_read_F13(world: World, who: str) -> None:
    """May not run: managing a bot, or reading all it is bound to, is not running it."""
    with world.as_(world.acme.people[who]) as db:
        error = db.rpc_error("start_run", bot="acme/hidden", question="Probe?")
        assert (error.sqlstate, error.diag.message_primary) == ("PT404", "no such bot, or not yours to run")
        assert "hidden" not in [b["bot"] for b in db.rpc("list_bots")]
    with world.as_(world.acme.people["admin"]) as db:
        assert reached(db, start(db, "acme/helpdesk"))
        run = start(db, "acme/hidden")
        assert tool(db, run, "search_documents", query="delivery")["outcome"] == "denied"  # bound to nothing


def test_without_the_permission_to_run_being_a_runner_is_not_enough_F13(world: World) -> None:
    with planted(world, "delete from app.role_permission p using app.role r where r.id = p.role_id and r.name = 'member' and p.permission = 'bots.run'") as db:
        become(db, world.acme.people["customer"])
        assert len(readable(db)) == 5
        assert db.rpc_error("start_run", bot="acme/helpdesk", question="Probe?").sqlstate == "PT404"
        assert db.rpc("list_bots") == []


def test_binding_more_widens_runs_only_up_to_what_the_person_reads_F13(world: World) -> None:
    with planted(world) as db:
        become(db, world.acme.people["owner"])
        db.rpc("bind_bot", org_id=world.acme.id, bot_id=world.acme.ids["bot"], knowledge_base_id=world.acme.ids["other_base"])
        for who, count in (("owner", 7), ("customer", 5), ("auditor", 0)):
            become(db, world.acme.people[who])
            assert len(reached(db, start(db))) == count


@pytest.mark.parametrize(("who", "name", "arguments"), [
    ("owner", "list_members", {}), ("owner", "remove_member", {}), ("owner", "tool_catalog", {}), ("owner", "call_tool", {}), ("customer", "no_such_tool", {}),
    ("customer", "pg_sleep", {"seconds": 9}), ("customer", "my_orders; drop table app.bot", {}), ("customer", "", {}), ("customer", "MY_ORDERS", {}),
])
def test_a_tool_the_bot_is_not_bound_to_is_denied_and_recorded_F35(world: World, who: str, name: str, arguments: dict[str, Any]) -> None:
    with world.as_(world.acme.people[who]) as db:
        run = start(db)
        answer = tool(db, run, name, **arguments)
        assert (answer["outcome"], answer["code"], answer["rows"], answer["row_count"]) == ("denied", "42501", [], 0)
        assert db.all("select id::text, kind, name, outcome, sqlstate, row_count, sources from app.run_step where run_id = %s", run) == [
            (answer["step_id"], "tool", name if re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name) else "?", "denied", "42501", 0, [])]
        assert tool(db, run, "my_orders")["outcome"] == "ok"


@pytest.mark.parametrize(("who", "name", "arguments"), [
    ("auditor", "create_ticket", {"subject": "s", "body": "b"}), ("analyst", "create_ticket", {"subject": "s", "body": "b"}),
])
def test_a_bot_lends_its_runner_no_permission_and_the_attempt_is_recorded_F34(world: World, who: str, name: str, arguments: dict[str, Any]) -> None:
    """The confused deputy: a bot made and bound by the owner, run by somebody whose role lacks what the tool needs."""
    with world.as_(world.acme.people[who]) as db:
        before = db.one("select count(*) from app.support_ticket")
        run = start(db)
        answer = tool(db, run, name, **arguments)
        assert (answer["outcome"], answer["code"]) == ("denied", "42501")
        assert "policy" not in answer["message"] and "support_ticket" not in answer["message"]
        assert db.all("select name, outcome, sqlstate from app.run_step where run_id = %s", run) == [(name, "denied", "42501")]
        assert db.one("select count(*) from app.support_ticket") == before
    with world.as_(world.acme.people["customer"]) as db:
        assert tool(db, start(db), name, **arguments)["outcome"] == "ok"


def test_a_bot_run_by_a_customer_finds_the_customers_orders_and_run_by_staff_the_organizations_F34(world: World) -> None:
    for who, own, other in (("customer", "ok", "not_found"), ("member", "not_found", "not_found"), ("analyst", "ok", "ok")):
        with world.as_(world.acme.people[who]) as db:
            run = start(db)
            assert [tool(db, run, "get_order", number=n)["outcome"] for n in ("ORD-2000", "ORD-1000")] == [own, other]
            assert tool(db, run, "my_orders")["row_count"] == (1 if who == "customer" else 0)
