"""The story of an answer from its records, for whom it is, and a check that no step is missing from the trail (F47, F65)."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from agent.audit import story
from tests.db.matrix import become, planted
from tests.db.planting import ORIGIN, REPLICA
from tests.db.registry.recipe import embedding
from tests.db.session import Request
from tests.db.world import World

DIFFERS_FOR_AUDITOR = {"title", "lane", "sequence"}


def without(told: Any, names: set[str]) -> Any:
    if isinstance(told, dict):
        return {k: without(v, names) for k, v in told.items() if k not in names}
    return [without(v, names) for v in told] if isinstance(told, list) else told


def plain(told: Any) -> Any:
    return json.loads(json.dumps(told, default=str))


def test_it_tells_who_asked_which_bot_what_was_touched_and_what_it_cost_F65(world: World) -> None:
    customer, ids, org = world.acme.people["customer"], world.acme.ids, world.acme.id
    with planted(world) as db:
        become(db, customer, client_id="an app")
        run = db.rpc("start_run", bot="acme/helpdesk", question="When is delivery?", request_id="r-1")["run_id"]
        call = db.rpc("begin_model_call", org_id=org, run_id=run, model="m-1", provider="here", max_tokens=9)
        db.rpc("end_model_call", call_id=call["call_id"], key=call["key"], input_tokens=3, output_tokens=4, duration_ms=5)
        found = db.rpc("call_tool", run_id=run, tool="search_documents", arguments={"query": "delivery"}, query_embedding=str(embedding(0)))
        orders = db.rpc("call_tool", run_id=run, tool="my_orders", arguments={})
        db.rpc("call_tool", run_id=run, tool="place_order", arguments={})
        db.rpc("record_denial", function_name="finish_run", code="42501", run_id=run)
        db.rpc("finish_run", run_id=run, outcome="succeeded", answer="Tomorrow.")
        told = db.rpc("audit_narrative", run_id=run)
        assert (told["organization"], told["request_id"], told["status"]) == ({"id": str(org), "slug": "acme"}, "r-1", "succeeded")
        assert told["who"] == {"user_id": str(customer.user_id), "email": customer.email, "role": "member", "actor_kind": "user", "on_behalf_of": None,
                               "client_id": "an app", "api_token_id": None, "session_id": str(customer.session_id)}
        assert (told["bot"]["id"], told["bot"]["slug"], told["bot"]["version"]) == (str(ids["bot"]), "helpdesk", 1) and len(told["bot"]["sha256"]) == 64
        assert [(s["position"], s["kind"], s["name"], s["outcome"], s["rule"], s["recorded"]) for s in told["steps"]] == [
            (1, "model", "m-1", "ok", None, True), (2, "tool", "search_documents", "ok", None, True), (3, "tool", "my_orders", "ok", None, True),
            (4, "tool", "place_order", "denied", "binding_or_permission", True)]
        touched = {(d["document_id"], c) for d in told["steps"][1]["documents"] for c in d["chunk_ids"]}
        assert touched == {(r["document_id"], r["chunk_id"]) for r in found["rows"]} and touched
        assert set(told["steps"][2]["rows"]) == {r["id"] for r in orders["rows"]} and orders["rows"]
        assert (told["taint"], [s["taint"] for s in told["steps"]], told["approvals"]) == (
            ["private", "untrusted"], [None, ["private", "untrusted"], ["private"], None], [])
        assert told["totals"] == {"model_calls": 1, "tool_calls": 3, "denied": 1, "input_tokens": 3, "output_tokens": 4}
        assert [(e["action"], e["outcome"], e["rule"]) for e in told["events"]] == [
            ("run.insert", "ok", None), ("run.update", "ok", None), ("access.deny", "denied", "function:finish_run"), ("run.update", "ok", None)]
        assert [(c["provider"], c["model"], c["purpose"], c["region"], c["retention_days"], c["redacted"], c["refused_by"], c["cost"])
                for c in told["model_calls"]] == [("here", "m-1", "answer", None, None, False, None, None)]
        text = json.dumps(told, default=str)
        assert "delivery?" not in text and "Tomorrow" not in text and not any(r["content"] in text for r in found["rows"])
        shown = "\n".join(story.lines(plain(told)))
        for word in ("acme: succeeded", customer.email, "as member", "app an app", "bot helpdesk version 1", "served by here, 3 tokens in, 4 out",
                     "answer by m-1 of here: region not known, retention not known, training not known",
                     "place_order: denied 42501 by binding_or_permission", "access.deny finish_run: denied by function:finish_run", *(c for _, c in touched)):
            assert word in shown, word
        assert "NOT AS RECORDED" not in shown
        assert "in its context: private, untrusted" in shown


def test_a_member_is_told_their_own_and_an_auditor_the_organizations_F65(world: World) -> None:
    run = world.acme.ids["run"]
    with world.as_(world.acme.people["customer"]) as db:
        own = db.rpc("audit_narrative", run_id=run)
    with world.as_(world.acme.people["auditor"]) as db:
        audited = db.rpc("audit_narrative", run_id=run)
    assert plain(without(own, DIFFERS_FOR_AUDITOR)) == plain(without(audited, DIFFERS_FOR_AUDITOR))
    # The auditor reads no document, and the place in the chain is the auditor's to see.
    assert {d["title"] is None for s in audited["steps"] for d in s["documents"]} == {True} and any(d["title"] for s in own["steps"] for d in s["documents"])
    assert {s["sequence"] is None for s in own["steps"]} == {True} and all(s["sequence"] > 0 for s in audited["steps"])
    for who in (world.acme.people["builder"], world.acme.people["agent"], world.both, world.globex.people["auditor"], world.removed, world.nobody):
        with world.as_(who) as db:
            errors = [db.rpc_error("audit_narrative", run_id=r) for r in (run, uuid4())]
            assert {(e.sqlstate, str(e.diag.message_primary)) for e in errors} == {("PT404", "no such run that you may see")}


def gaps(db: Request, world: World) -> list[tuple[str, str]]:
    return db.all("select kind, object_id from authz.audit_gaps(%s) order by 1, 2", world.acme.id)


@pytest.mark.parametrize(("tampering", "kind"), [
    ("delete from app.audit_event e using app.run_step s where s.run_id = %s and s.position = 1 and e.object_id = s.id::text", "unrecorded"),
    ("update app.audit_event e set action = 'model.call' from app.run_step s where s.run_id = %s and s.position = 1 and e.object_id = s.id::text", "unrecorded"),
    ("update app.run_step s set sources = '[]' where s.run_id = %s and s.position = 1", "changed"),
    ("update app.run_step s set duration_ms = duration_ms + 1 where s.run_id = %s and s.position = 1", "changed"),
])
def test_a_step_without_its_event_or_not_as_recorded_is_found_F47(world: World, tampering: str, kind: str) -> None:
    run = world.acme.ids["run"]
    with planted(world, REPLICA) as db:
        assert gaps(db, world) == []
        assert db.run(tampering, run) == 1
        step = db.one("select id::text from app.run_step where run_id = %s and position = 1", run)
        assert gaps(db, world) == [(kind, step)]
        db.run(ORIGIN)
        become(db, world.acme.people["auditor"])
        assert [(g["kind"], g["object_id"]) for g in db.rpc("check_audit", org_id=world.acme.id)["findings"]] == [(kind, step)]
        told = db.rpc("audit_narrative", run_id=run)
        assert [s["recorded"] for s in told["steps"]].count(False) == 1
        assert "NOT AS RECORDED: steps 1" in "\n".join(story.lines(plain(told)))


def test_a_run_without_its_event_and_an_event_without_its_link_are_found_F47_F62(world: World) -> None:
    run = world.acme.ids["run"]
    with planted(world, REPLICA) as db:
        event = db.one("select id::text from app.audit_event where run_id = %s and action = 'run.insert'", run)
        db.run("insert into app.audit_event (org_id, actor_kind, action) values (%s, 'operator', 'bot.update')", world.acme.id)
        planted_event = db.one("select id::text from app.audit_event where org_id = %s and actor_kind = 'operator' order by at desc limit 1", world.acme.id)
        assert gaps(db, world) == [("unlinked", planted_event)]
        db.run("delete from app.audit_event where id::text in (%s, %s)", event, planted_event)
        assert gaps(db, world) == [("unrecorded", str(run))]
        assert db.all("select * from authz.audit_gaps(%s)", world.globex.id) == []


def test_half_a_view_is_no_check_F47(world: World) -> None:
    with planted(world) as db:
        db.run("delete from app.role_permission where permission = 'runs.read' and role_id = (select id from app.role where org_id = %s and name = 'auditor')",
               world.acme.id)
        become(db, world.acme.people["auditor"])
        assert db.rpc("audit_anchor", org_id=world.acme.id)["heads"]
        assert db.rpc_error("check_audit", org_id=world.acme.id).sqlstate == "42501"
    for name in ("check_audit", "audit_anchor", "list_audit_links", "export_audit_events"):
        with world.as_(world.acme.people["customer"]) as db:
            assert {db.rpc_error(name, org_id=org).sqlstate for org in (world.acme.id, world.globex.id, uuid4())} == {"PT404"}
