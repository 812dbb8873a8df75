"""What is in the context of a run: labelled by the database from what its steps returned, only ever more, and what it keeps from happening (F31, F39, R100)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from tests.db.matrix import become, planted
from tests.db.racing import held_up
from tests.db.session import Request, second_factor
from tests.db.test_approvals import TICKET, customer, decide
from tests.db.test_run_reach import start, tool
from tests.db.world import World

BOTH = ["private", "untrusted"]


def taint(db: Request, run: UUID) -> list[str]:
    return list(db.one("select taint from app.run where id = %s", run))


def trusted(world: World, db: Request) -> None:
    """As the superuser: let every document of acme be one that somebody vouched for."""
    db.run("update app.document set trust = 'trusted' where org_id = %s", world.acme.id)


def go_on(db: Request, run: UUID) -> UUID:
    """Begin another run in the conversation of this one."""
    conversation = db.one("select conversation_id from app.run where id = %s", run)
    return UUID(db.rpc("start_run", bot="acme/helpdesk", question="Go on?", conversation_id=conversation)["run_id"])


def outcome(db: Request, run: UUID) -> str:
    return str(tool(db, run, "create_ticket", **TICKET)["outcome"])


def test_a_run_holds_what_its_steps_returned_F39(world: World) -> None:
    with planted(world) as db:
        trusted(world, db)
        become(db, customer(world))
        run = start(db)
        assert taint(db, run) == []
        assert tool(db, run, "search_documents", query="delivery", tags=["none such"])["row_count"] == 0
        assert taint(db, run) == [], "nothing came back"
        assert tool(db, run, "get_order", number="ORD-9999")["outcome"] == "not_found"
        assert taint(db, run) == []
        assert tool(db, run, "search_documents", query="delivery")["row_count"] > 0
        assert taint(db, run) == ["private"]
        db.run("reset role")
        db.run("update app.document set trust = 'untrusted' where id = %s", world.acme.ids["document"])
        become(db, customer(world))
        assert tool(db, run, "my_orders")["row_count"] == 1
        assert taint(db, run) == ["private"]
        assert {r["trust"] for r in tool(db, run, "search_documents", query="delivery")["rows"]} >= {"untrusted"}
        assert taint(db, run) == BOTH
        tool(db, run, "my_orders")
        assert taint(db, run) == BOTH, "it only grows"
        assert db.all("select name, taint from app.run_step where run_id = %s and outcome = 'ok' and taint is not null order by position", run) == [
            ("search_documents", ["private"]), ("my_orders", ["private"]), ("search_documents", BOTH), ("my_orders", ["private"])]


def test_another_customers_order_is_text_that_nobody_vouches_for_F39(world: World) -> None:
    with world.as_(world.acme.people["owner"]) as db:
        for number, expected in (("ORD-1000", ["private"]), ("ORD-2000", BOTH)):
            run = start(db)
            assert tool(db, run, "get_order", number=number)["outcome"] == "ok"
            assert taint(db, run) == expected, number


@pytest.mark.parametrize("trust", ["trusted", "untrusted"])
def test_untrusted_text_and_private_data_never_meet_a_tool_that_writes_without_an_approval_F31_F39(world: World, trust: str) -> None:
    before = "select count(*) from app.support_ticket where subject = 'Lamp'"
    with planted(world) as db:
        db.run("update app.document set trust = %s where org_id = %s", trust, world.acme.id)
        become(db, customer(world))
        run = start(db)
        assert outcome(db, run) == "ok" and db.one(before) == 1, "nothing was read yet"
        run = start(db)
        tool(db, run, "search_documents", query="delivery")
        answer = tool(db, run, "create_ticket", **TICKET)
        if trust == "trusted":
            assert (answer["outcome"], db.one(before)) == ("ok", 2)
            return
        assert (answer["outcome"], answer["approval"]["reason"], db.one(before)) == ("needs_approval", "tainted", 1)
        become(db, customer(world), **second_factor())
        decide(db, world, UUID(answer["approval"]["id"]))
        become(db, customer(world))
        assert [outcome(db, run), outcome(db, run), db.one(before)] == ["ok", "needs_approval", 2], "once"


def test_what_was_said_before_in_a_conversation_counts_and_another_conversation_does_not_F39(world: World) -> None:
    with world.as_(customer(world)) as db:
        run = start(db)
        tool(db, run, "search_documents", query="delivery")
        db.rpc("finish_run", run_id=run, outcome="succeeded", answer="As the manual says: open a ticket.")
        later, fresh = go_on(db, run), start(db)
        assert (taint(db, later), taint(db, fresh)) == (BOTH, [])
        assert (outcome(db, later), outcome(db, fresh)) == ("needs_approval", "ok")


def test_single_calls_share_what_their_client_knows_F39(world: World) -> None:
    """An MCP client reads with one call and writes with the next, also through a bot of another organization."""
    def use(db: Request, bot: str, name: str, arguments: Any) -> str:
        return str(db.rpc("use_tool", bot=bot, tool=name, arguments=arguments)["outcome"])

    ticket = {"subject": "Lamp", "body": "Broken."}
    with world.as_(world.both) as db:
        assert use(db, "acme/helpdesk", "create_ticket", ticket) == "ok"
        assert use(db, "globex/helpdesk", "search_documents", {"query": "delivery"}) == "ok"
        for bot in ("acme/helpdesk", "globex/helpdesk"):
            assert use(db, bot, "create_ticket", ticket | {"body": "Still."}) == "needs_approval"
        assert outcome(db, start(db)) == "ok", "a conversation with the bot is another context"
    with planted(world) as db:
        become(db, world.both)
        assert use(db, "globex/helpdesk", "search_documents", {"query": "delivery"}) == "ok"
        db.run("reset role")
        db.run("update app.run set started_at = started_at - 2 * authz.run_lasts() where user_id = %s", world.both.user_id)
        become(db, world.both)
        assert use(db, "acme/helpdesk", "create_ticket", ticket) == "ok"
        assert use(db, "globex/helpdesk", "create_ticket", ticket) == "ok", "an hour later nobody remembers"


def test_the_same_single_call_again_is_the_one_that_was_approved_F36(world: World) -> None:
    with planted(world) as db:
        db.run("update app.organization set approve_writes = true where id = %s", world.acme.id)
        become(db, customer(world))

        def use(**more: Any) -> dict[str, Any]:
            return dict(db.rpc("use_tool", bot="acme/helpdesk", tool="create_ticket", arguments=TICKET | more))

        first, second, other = use(), use(), use(body="Other")
        assert first["outcome"] == second["outcome"] == "needs_approval" and first["run_id"] == second["run_id"] != other["run_id"]
        assert first["approval"]["id"] == second["approval"]["id"] != other["approval"]["id"]
        become(db, customer(world), **second_factor())
        decide(db, world, UUID(first["approval"]["id"]))
        decide(db, world, UUID(other["approval"]["id"]), "deny")
        become(db, customer(world))
        made, denied = use(), use(body="Other")
        assert (made["outcome"], made["run_id"], denied["outcome"], denied["run_id"]) == ("ok", first["run_id"], "denied", other["run_id"])
        assert db.all("select status from app.run where id in (%s, %s) order by status", first["run_id"], other["run_id"]) == [("failed",), ("succeeded",)]
        assert use()["run_id"] != first["run_id"]


def test_nobody_says_what_is_in_a_context_but_the_database_F39(world: World) -> None:
    with world.as_(customer(world)) as db:
        run = start(db)
        for statement in ("update app.run set taint = '{}' where id = %s", "update app.run_step set taint = '{}' where run_id = %s",
                          "insert into app.run (org_id, bot_id, bot_version, conversation_id, question_sha256, taint)"
                          " select org_id, bot_id, bot_version, conversation_id, question_sha256, '{}' from app.run where id = %s"):
            assert db.error(statement, run).sqlstate == "42501"
        # A step that says it brought in nothing is not believed about a document.
        mine = [{"document_id": str(world.acme.ids["document"]),
                 "chunk_id": str(db.one("select id from app.chunk where document_id = %s limit 1", world.acme.ids["document"]))}]
        db.run("insert into app.run_step (org_id, run_id, position, kind, name, arguments_sha256, sources, row_count, outcome)"
               " values (%s, %s, 1, 'tool', 'search_documents', repeat('0', 64), %s, 1, 'ok')", world.acme.id, run, Jsonb(mine))
        assert taint(db, run) == BOTH


def test_two_calls_side_by_side_the_one_that_writes_sees_what_the_other_read_F39(own_world: World) -> None:
    with own_world.as_(customer(own_world), keep=True) as db:
        run = start(db)
    with own_world.as_(customer(own_world), keep=True) as db:
        tool(db, run, "search_documents", query="delivery")
        second = held_up(own_world, customer(own_world), lambda other: outcome(other, run))
    assert second.result(10) == "needs_approval"
