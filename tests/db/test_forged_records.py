"""What a person can write into the record of their own run with SQL of their own: nothing that the functions could not have left (F28, F34)."""

from __future__ import annotations

from typing import Any

from psycopg.types.json import Jsonb

from tests.db.matrix import become, planted
from tests.db.registry.document import add_with_file
from tests.db.session import Request
from tests.db.test_document_publishing import begin
from tests.db.test_run_reach import start, tool
from tests.db.world import World

STEP = ("insert into app.run_step (org_id, run_id, position, kind, name, arguments_sha256, sources, row_count, outcome)"
        " values (%s, %s, %s, 'tool', %s, repeat('0', 64), %s, %s, %s)")
MESSAGE = "insert into app.message (org_id, conversation_id, run_id, role, content, citations) values (%s, %s, %s, %s, %s, %s)"
REFUSED = 'row-level security policy "{}"'


def test_a_step_names_a_tool_of_the_bot_and_passages_its_person_reads_F28_F34(world: World) -> None:
    acme = world.acme
    with world.as_(acme.people["customer"]) as db:
        run = start(db)
        mine = {"document_id": str(acme.ids["document"]), "chunk_id": str(db.one("select id from app.chunk where document_id = %s limit 1", acme.ids["document"]))}
        with world.operator() as superuser:
            hidden = {"document_id": str(acme.ids["private_document"]),
                      "chunk_id": str(superuser.one("select id from app.chunk where document_id = %s limit 1", acme.ids["private_document"]))}
        forged: list[tuple[Any, ...]] = [
            ("search_documents", [hidden], 1, "ok"), ("search_documents", [mine, hidden], 2, "ok"), ("search_documents", [mine | {"chunk_id": "x"}], 1, "ok"),
            ("search_documents", [mine | {"document_id": hidden["document_id"]}], 1, "ok"),
            ("delete_document", [], 1, "ok"), ("refund_everything", [], 1, "ok"), ("?", [], 0, "ok"),
            ("search_documents", [mine], 1, "denied"), ("search_documents", [], 3, "failed"),
        ]
        for position, (name, sources, rows, outcome) in enumerate(forged, 2):
            error = db.error(STEP, acme.id, run, position, name, Jsonb(sources), rows, outcome)
            assert (error.sqlstate, REFUSED.format("run_step_record_floor") in str(error)) == ("42501", True), (name, sources, str(error))
        assert db.run(STEP, acme.id, run, 1, "search_documents", Jsonb([mine]), 1, "ok") == 1  # what a call could have left
        assert db.run(STEP, acme.id, run, 2, "refund_everything", Jsonb([]), 0, "denied") == 1


def test_a_model_call_is_no_tool_call_F34(world: World) -> None:
    with world.as_(world.acme.people["customer"]) as db:
        run, statement = start(db), "insert into app.run_step (org_id, run_id, position, kind, name, outcome{}) values (%s, %s, 1, '{}', 'm', 'ok'{})"
        for kind, column, value in (("model", ", row_count", ", 1"), ("model", ", sources", """, '[{"id": 1}]'"""), ("tool", ", provider, row_count", ", 'p', 0")):
            assert "run_step_record_floor" in str(db.error(statement.format(column, kind, value), world.acme.id, run)), (kind, column)
        assert db.run(statement.format(", input_tokens", "model", ", 5"), world.acme.id, run) == 1


def test_no_step_is_added_to_a_run_whose_time_is_up_F63(world: World) -> None:
    with planted(world) as db:
        become(db, world.acme.people["customer"])
        run = start(db)
        statement = "insert into app.run_step (org_id, run_id, position, kind, name, outcome) values (%s, %s, %s, 'model', 'm', 'ok')"
        assert db.run(statement, world.acme.id, run, 1) == 1
        db.run("reset role")
        db.run("update app.run set started_at = now() - authz.run_lasts() where id = %s", run)
        become(db, world.acme.people["customer"])
        assert "row-level security policy" in str(db.error(statement, world.acme.id, run, 2))


def test_a_message_is_the_question_or_the_answer_of_its_run_and_cites_what_it_retrieved_F28_F56(world: World) -> None:
    acme = world.acme
    with world.as_(acme.people["customer"]) as db:
        started = db.rpc("start_run", bot="acme/helpdesk", question="What?")
        run, conversation = started["run_id"], started["conversation_id"]
        row = tool(db, run, "search_documents", query="delivery", max_rows=1)["rows"][0]
        mine = {"document_id": row["document_id"], "chunk_id": row["chunk_id"]}
        other = {"document_id": str(acme.ids["unbound_document"]), "chunk_id": str(db.one("select id from app.chunk where document_id = %s limit 1", acme.ids["unbound_document"]))}
        before = [("user", "Another question", []), ("assistant", "Approved.", []), ("assistant", "What?", [])]
        for role, content, citations in before:
            assert REFUSED.format("message_record_floor") in str(db.error(MESSAGE, acme.id, conversation, run, role, content, Jsonb(citations)))
        assert db.error(MESSAGE, acme.id, conversation, run, "user", "What?", Jsonb([])).sqlstate == "23505"  # it is there
        # Ended with a digest and without its message, as a person with SQL of their own could.
        db.run("update app.run set status = 'succeeded', finished_at = now(), answer_sha256 = authz.digest(org_id, conversation_id, 'So.') where id = %s", run)
        for content, citations, where in (("Approved.", [], conversation), ("So.", [other], conversation), ("So.", [mine, {}], conversation), ("So.", [], acme.ids["conversation"])):
            assert REFUSED.format("message_record_floor") in str(db.error(MESSAGE, acme.id, where, run, "assistant", content, Jsonb(citations)))
        assert db.run(MESSAGE, acme.id, conversation, run, "assistant", "So.", Jsonb([mine])) == 1
        assert db.error(MESSAGE, acme.id, conversation, run, "assistant", "So.", Jsonb([mine])).sqlstate == "23505"


def test_the_file_of_a_document_that_is_loading_is_seen_by_its_loader_alone_F15_F33(world: World) -> None:
    count = "select count(*) from app.document_part where document_id = %s"
    with planted(world) as db:
        become(db, world.acme.people["builder"])
        named = begin(db, world, "knowledge_base", "late")
        assert db.one(count, named["document_id"]) == 1
        for who, after in (("member", False), ("admin", False), ("member", True)):
            if after:
                become(db, world.acme.people["builder"])
                db.rpc("finish_document", **named)
            become(db, world.acme.people[who])
            assert db.one(count, named["document_id"]) == after, who


def test_whom_a_rule_denies_a_document_reads_no_passage_of_its_next_version_while_it_loads_F15(world: World) -> None:
    """Also with SQL of their own; whom no rule concerns may see a passage early with it: the same that they read when it is there."""
    acme, people = world.acme, world.acme.people
    with planted(world) as db:
        become(db, people["builder"])
        old = add_with_file(db, acme, "knowledge_base", "ruled", 1)
        db.run("reset role")
        member = db.one("select id from app.role where org_id = %s and name = 'member'", acme.id)
        become(db, people["owner"])
        db.run("insert into app.deny_rule (org_id, role_id, document_id, reason) values (%s, %s, %s, 'Probe')", acme.id, member, old)
        become(db, people["builder"])
        new = begin(db, world, "knowledge_base", "ruled")["document_id"]
        for who, sees in (("member", 0), ("customer", 0), ("builder", 1)):
            become(db, people[who])
            assert db.one("select count(*) from app.chunk where document_id = %s", new) == sees, who


def test_nobody_puts_rules_onto_what_somebody_else_loads_F15(world: World) -> None:
    with planted(world) as db:
        become(db, world.acme.people["owner"])
        db.run("insert into app.deny_rule (org_id, user_id, document_id, reason) values (%s, %s, %s, 'Probe')",
               world.acme.id, world.acme.people["agent"].user_id, world.acme.ids["document"])
        mine = db.rpc("begin_document", org_id=world.acme.id, knowledge_base_id=world.acme.ids["knowledge_base"], title="t", uri="test:x", sha256="7" * 64)["document_id"]
        become(db, world.acme.people["builder"])
        assert db.error("select authz.inherit_rules(%s, %s, %s)", world.acme.id, world.acme.ids["document"], mine).sqlstate == "42501"
        assert db.error("select authz.inherit_rules(%s, %s, %s)", world.acme.id, world.acme.ids["document"], world.acme.ids["unbound_document"]).sqlstate == "42501"
        own = begin(db, world, "knowledge_base", "own")["document_id"]
        db.run("select authz.inherit_rules(%s, %s, %s)", world.acme.id, world.acme.ids["document"], own)
        db.run("reset role")
        assert db.one("select count(*) from app.deny_rule where document_id = %s", own) == 1


def listed(db: Request, world: World, run: Any) -> tuple[Any, ...]:
    (found,) = [r for r in db.rpc("list_runs", org_id=world.acme.id) if r["id"] == run]
    return found["status"], found["error_code"], found["finished_at"] is not None


def test_a_run_that_nobody_ends_reads_as_abandoned_though_its_person_never_comes_back_F63(world: World) -> None:
    with planted(world) as db:
        become(db, world.acme.people["customer"])
        run = db.one("select (api.start_run('acme/helpdesk', 'Hello?') ->> 'run_id')::uuid")
        assert listed(db, world, run) == ("running", None, False)
        db.run("reset role")
        db.run("update app.run set started_at = now() - authz.run_lasts() - interval '1 second' where id = %s", run)
        become(db, world.acme.people["auditor"])
        assert listed(db, world, run) == ("failed", "abandoned", True)
        become(db, world.acme.people["member"])
        assert db.rpc("list_runs", org_id=world.acme.id) == []
