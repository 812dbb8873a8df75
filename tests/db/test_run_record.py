"""What a run leaves behind: a step for every attempt, one ticket for one wish, citations of what was read, and nothing for colleagues (F28, F40, F56, R103)."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.db.matrix import become, planted
from tests.db.session import Request
from tests.db.test_run_reach import start, tool
from tests.db.world import World


@pytest.mark.parametrize(("name", "arguments", "says"), [
    ("get_order", {}, "number: required"), ("get_order", {"number": None}, "number: required"),
    ("get_order", {"number": "ORD-2000", "org_id": "x"}, "a name this tool does not have"), ("my_orders", {"user_id": "x"}, "a name this tool does not have"),
    ("my_orders", {"max_rows": 0}, "max_rows: 1..100"), ("my_orders", {"max_rows": "many"}, "invalid input syntax"), ("my_orders", {"max_rows": 10**30}, ""),
    ("search_documents", {"query": ""}, "query: 1..2000 characters"), ("search_documents", {"query": "x" * 2001}, "query: 1..2000 characters"),
    ("search_documents", {"query": "x", "max_rows": 51}, "max_rows: 1..50"), ("create_ticket", {"subject": "s"}, "body: required"),
    ("create_ticket", {"subject": "s", "body": "b", "idempotency_key": str(UUID(int=1))}, "a name this tool does not have"),
])
def test_an_unknown_missing_or_impossible_argument_is_refused_and_recorded_F40(world: World, name: str, arguments: dict[str, Any], says: str) -> None:
    with world.as_(world.acme.people["customer"]) as db:
        run = start(db)
        answer = tool(db, run, name, **arguments)
        assert (answer["outcome"], answer["rows"]) == ("invalid", [])
        assert says in answer["message"]
        ((outcome, state, digest),) = db.all("select outcome, sqlstate, arguments_sha256 from app.run_step where run_id = %s", run)
        assert (outcome, state[:2], len(digest)) == ("invalid", "22", 64)


@pytest.mark.parametrize("arguments", ["[]", "[1]", '"x"', "1", "null"])
def test_arguments_that_are_no_object_are_refused_and_recorded_F40(world: World, arguments: str) -> None:
    with world.as_(world.acme.people["customer"]) as db:
        run = start(db)
        answer = db.one("select api.call_tool(%s, 'my_orders', %s::jsonb)", run, arguments)
        assert (answer["outcome"], answer["message"]) == ("invalid", "arguments: an object")
        assert db.all("select outcome from app.run_step where run_id = %s", run) == [("invalid",)]


def test_the_same_ticket_asked_for_twice_in_a_run_is_one_ticket_R103(world: World) -> None:
    with world.as_(world.acme.people["customer"]) as db:
        before = db.one("select count(*) from app.support_ticket")
        run, other = start(db), start(db)
        first = tool(db, run, "create_ticket", subject="Lost", body="Where is it?", order_number="ORD-2000")
        again = db.rpc("call_tool", run_id=run, tool="create_ticket", arguments={"order_number": "ORD-2000", "body": "Where is it?", "subject": "Lost"})
        assert first["outcome"] == again["outcome"] == "ok"
        assert first["rows"] == again["rows"] and first["step_id"] != again["step_id"]
        assert db.one("select count(*) from app.support_ticket") == before + 1
        assert tool(db, run, "create_ticket", subject="Lost", body="Something else")["rows"] != first["rows"]
        assert tool(db, other, "create_ticket", subject="Lost", body="Where is it?", order_number="ORD-2000")["rows"] != first["rows"]
        assert db.one("select count(*) from app.support_ticket") == before + 3


def cited(row: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"document_id": row["document_id"], "chunk_id": row["chunk_id"]} | more


def test_an_answer_cites_only_what_its_run_retrieved_F28(world: World) -> None:
    with world.as_(world.acme.people["owner"]) as db:
        run, other = start(db), start(db)
        (mine, *_), (private, *_) = (tool(db, run, "search_documents", query="delivery", max_rows=1)["rows"],
                                     db.rpc("search_documents", org_id=world.acme.id, query="unbound"))
        foreign = world.globex.ids
        refused: tuple[list[Any], ...] = (
            [cited(private)], [cited(mine), cited(private)], [cited(mine) | {"document_id": str(private["document_id"])}],
            [{"chunk_id": mine["chunk_id"]}], [{"document_id": mine["document_id"]}], [{}], [None], ["x"], [[]], [1],
            [{"chunk_id": str(foreign["chunk"]), "document_id": str(foreign["document"])}], [{"id": mine["chunk_id"]}],
        )
        for citations in refused:
            text = json.loads(json.dumps(citations, default=str))
            error = db.rpc_error("finish_run", run_id=run, outcome="succeeded", answer="So.", citations=text)
            assert (error.sqlstate, error.diag.message_primary) == ("22023", "citations: one names a passage this run did not retrieve"), citations
        assert db.rpc_error("finish_run", run_id=other, outcome="succeeded", answer="So.", citations=[cited(mine)]).sqlstate == "22023"
        assert db.one("select status from app.run where id = %s", run) == "running"  # refused as a whole
        assert db.rpc("finish_run", run_id=run, outcome="succeeded", answer="So.", citations=[cited(mine, similarity=1)])["message_id"]
        assert db.rpc_error("finish_run", run_id=run, outcome="succeeded", answer="Again.").sqlstate == "PT404"


@pytest.mark.parametrize("how", ["made private", "deleted", "permission taken"])
def test_a_citation_its_reader_may_no_longer_read_is_redacted_F28(world: World, how: str) -> None:
    customer, ids = world.acme.people["customer"], world.acme.ids

    def citations(db: Request) -> list[Any]:
        messages = db.rpc("list_messages", org_id=world.acme.id, conversation_id=ids["conversation"])
        return list(next(m["citations"] for m in messages if m["role"] == "assistant"))

    with planted(world) as db:
        become(db, customer)
        assert [c["chunk_id"] for c in citations(db)] == [str(ids["chunk"])]
        db.run("reset role")
        assert db.run({"made private": "update app.document set visibility = 'private' where id = %s", "deleted": "delete from app.document where id = %s",
                       "permission taken": "delete from app.role_permission where permission = 'documents.read' and org_id = "
                                           "(select org_id from app.document where id = %s)"}[how], ids["document"]) > 0
        become(db, customer)
        assert citations(db) == [{"redacted": True}]


@pytest.mark.parametrize("who", ["owner", "admin", "auditor", "member", "analyst"])
def test_conversations_and_messages_of_a_colleague_are_invisible_and_runs_only_a_record_F56(world: World, who: str) -> None:
    ids, reads_runs = world.acme.ids, who in ("owner", "admin", "auditor")
    with world.as_(world.acme.people[who]) as db:
        assert db.all("select count(*) from app.conversation union all select count(*) from app.message") == [(0,), (0,)]
        assert db.rpc("list_conversations", org_id=world.acme.id) == []
        error = db.rpc_error("list_messages", org_id=world.acme.id, conversation_id=ids["conversation"])
        nothing = db.rpc_error("list_messages", org_id=world.acme.id, conversation_id=uuid4())
        assert (error.sqlstate, error.diag.message_primary) == (nothing.sqlstate, nothing.diag.message_primary) == ("PT404", "no such conversation")
        assert db.one("select count(*) from app.run") == (3 if reads_runs else 0)
        steps = db.rpc("list_run_steps", org_id=world.acme.id, run_id=ids["run"])
        assert len(steps) == (2 if reads_runs else 0)
        assert world.acme.canary not in str(steps)  # names, digests and identifiers, no text
        for name, more in (("call_tool", {"tool": "my_orders"}), ("finish_run", {"outcome": "cancelled", "answer": ""})):
            assert db.rpc_error(name, run_id=ids["running_run"], **more).sqlstate == "PT404"
        assert db.rpc_error("start_run", bot="acme/helpdesk", question="Go on", conversation_id=ids["conversation"]).sqlstate == "PT404"
    with world.as_(world.acme.people["customer"]) as db:
        assert len(db.rpc("list_conversations", org_id=world.acme.id)) == 2
        assert len(db.rpc("list_messages", org_id=world.acme.id, conversation_id=ids["conversation"])) == 3
        assert db.rpc("start_run", bot="acme/helpdesk", question="Go on", conversation_id=ids["conversation"])["history"]


def test_a_run_that_was_never_finished_is_closed_by_its_persons_next_start_and_takes_no_more_calls_F63(world: World) -> None:
    """Its first answer was lost, or its agent died: nothing else would ever end it."""
    customer, ids = world.acme.people["customer"], world.acme.ids
    with planted(world) as db:
        become(db, customer)
        fresh, other = start(db), start(db)
        become(db, world.acme.people["member"])
        colleagues = start(db)
        db.run("reset role")
        db.run("update app.run set started_at = now() - authz.run_lasts() - interval '1 second' where id in (%s, %s)", other, colleagues)
        become(db, customer)
        assert tool(db, fresh, "my_orders")["outcome"] == "ok"
        assert db.rpc_error("call_tool", run_id=other, tool="my_orders").sqlstate == "PT404"
        start(db)
        db.run("reset role")
        assert dict((i, (s, e, f)) for i, s, e, f in db.all(
            "select id, status, error_code, finished_at is not null from app.run where id in (%s, %s, %s, %s)", fresh, other, colleagues, ids["running_run"])) == {
            fresh: ("running", None, False), ids["running_run"]: ("running", None, False), colleagues: ("running", None, False),
            other: ("failed", "abandoned", True)}
        become(db, customer)
        assert db.rpc_error("finish_run", run_id=other, outcome="succeeded", answer="Late.").sqlstate == "PT404"


def test_an_answer_that_took_long_is_still_kept_while_nobody_began_another_F63(world: World) -> None:
    with planted(world) as db:
        become(db, world.acme.people["customer"])
        run = start(db)
        db.run("reset role")
        db.run("update app.run set started_at = now() - interval '1 day' where id = %s", run)
        become(db, world.acme.people["customer"])
        assert db.rpc("finish_run", run_id=run, outcome="succeeded", answer="Late.")["message_id"]
