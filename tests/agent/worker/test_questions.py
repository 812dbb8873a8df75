"""Questions in words through the real client and the real worker: a scripted model writes the SQL, the guard and the database decide (F48, F49, F50)."""

from __future__ import annotations

import asyncio
import re
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from tests.agent.scripted_model import ScriptedModel, Turn, calls, fails
from tests.agent.worker.dying import QUESTION_STEPS
from tests.agent.worker.workers import Workers

REPLY = {"can_answer": True, "refusal": "", "sql": "select count(*) as n from orders", "chart": {"mark": "none", "x": "", "y": "", "color": ""}}


def writes(**changes: Any) -> Turn:
    return calls(("reply", REPLY | changes))


@pytest.fixture
def model() -> Iterator[tuple[ScriptedModel, dict[str, str]]]:
    """A scripted endpoint in a thread, and the settings of a worker that asks it."""
    scripted, loop, ready = ScriptedModel(), asyncio.new_event_loop(), threading.Event()
    address: list[str] = []

    async def serve() -> web.AppRunner:
        runner = web.AppRunner(scripted.application(), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address.append(f"http://127.0.0.1:{runner.addresses[0][1]}/v1")
        ready.set()
        return runner

    def run() -> None:
        runner = loop.run_until_complete(serve())
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert ready.wait(10)
        yield scripted, {"RINGFENCE_MODEL_BASE_URL": address[0], "RINGFENCE_MODEL_NAME": "scripted", "RINGFENCE_MODEL_API_KEY": "key"}
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def asked(workers: Workers, person: str, question: str = "How many orders are there?") -> str:
    jobs = workers.jobs
    with jobs.world.as_(jobs.world.acme.people[person], keep=True) as db:
        return str(db.rpc("submit_analytics_job", org_id=jobs.world.acme.id, source="shop", question=question)["job_id"])


def told(workers: Workers, person: str, job: str) -> dict[str, Any]:
    jobs = workers.jobs
    with jobs.world.as_(jobs.world.acme.people[person]) as db:
        return dict(db.rpc("get_analytics_job", org_id=jobs.world.acme.id, job_id=job))


def rows(workers: Workers, person: str, job: str) -> Any:
    jobs = workers.jobs
    with jobs.world.as_(jobs.world.acme.people[person]) as db:
        return db.rpc("read_analytics_result", org_id=jobs.world.acme.id, job_id=job)


def test_the_same_question_and_sql_give_each_their_own_rows_and_the_model_sees_none_F50(
        workers: Workers, model: tuple[ScriptedModel, dict[str, str]]) -> None:
    scripted, settings = model
    scripted.turns = [writes()]
    workers.ready(**settings)
    mine, theirs = asked(workers, "customer"), asked(workers, "owner")
    assert workers.ended(mine, theirs) == [("succeeded", None)] * 2
    assert (rows(workers, "customer", mine)["rows"], rows(workers, "owner", theirs)["rows"]) == ([[1]], [[2]])
    assert told(workers, "customer", mine)["sql"] == told(workers, "owner", theirs)["sql"]
    assert all(body["store"] is False for body in scripted.bodies)
    sent = b"".join(scripted.received).decode()
    assert "Relation orders" in sent and workers.jobs.world.acme.people["customer"].email not in sent and "ORD-" not in sent.replace("like ORD-1042", "")


def test_a_draft_that_is_refused_is_repaired_once_and_only_once_F48(workers: Workers, model: tuple[ScriptedModel, dict[str, str]]) -> None:
    scripted, settings = model
    workers.ready(**settings)
    scripted.turns = [writes(sql="select count(*) from customers"), writes()]
    assert workers.ended(asked(workers, "customer")) == [("succeeded", None)]
    why = scripted.bodies[1]["messages"][-1]["content"]
    assert "unknown_relation" in why
    scripted.turns, scripted.bodies[:] = [writes(sql="select pg_sleep(1) as x from orders")], []
    [(status, code)] = workers.ended(asked(workers, "customer"))
    assert status == "refused" and code and len(scripted.bodies) == 2, "two drafts, never a third"


def test_an_error_of_the_database_is_repaired_too(workers: Workers, model: tuple[ScriptedModel, dict[str, str]]) -> None:
    scripted, settings = model
    workers.ready(**settings)
    scripted.turns = [writes(sql="select 1 / (count(*) - count(*)) as n from orders"), writes()]
    assert workers.ended(asked(workers, "customer")) == [("succeeded", None)]
    assert "22012" in scripted.bodies[1]["messages"][-1]["content"]


def test_a_refusal_of_the_model_and_its_failure_end_the_job_each_in_its_own_way_F48(workers: Workers, model: tuple[ScriptedModel, dict[str, str]]) -> None:
    scripted, settings = model
    workers.ready(**settings)
    scripted.turns = [writes(can_answer=False, refusal="There is no weather here.")]
    job = asked(workers, "customer", "How is the weather?")
    assert workers.ended(job) == [("refused", "model_refused")] and told(workers, "customer", job)["error_message"] == "There is no weather here."
    scripted.turns, scripted.bodies[:] = [fails(500)], []
    job = asked(workers, "customer")
    assert workers.ended(job) == [("failed", "model_unavailable")] and "canary" not in str(told(workers, "customer", job))


def calls_of(workers: Workers) -> list[tuple[Any, ...]]:
    with workers.jobs.world.operator() as db:
        return db.all("select purpose, provider, model, refused_by, redacted, ended_at is not null from app.model_call where purpose = 'analytics' order by started_at")


def test_the_data_policy_decides_before_anything_is_sent_and_every_call_is_on_record_F70(
        workers: Workers, model: tuple[ScriptedModel, dict[str, str]]) -> None:
    scripted, settings = model
    scripted.turns = [writes()]
    workers.ready(**settings)
    with workers.jobs.world.operator(keep=True) as db:
        db.run("update app.organization set zero_retention = true where id = %s", workers.jobs.world.acme.id)
    assert workers.ended(asked(workers, "customer")) == [("refused", "provider_refused")] and scripted.bodies == []
    with workers.jobs.world.operator(keep=True) as db:
        db.run("update app.organization set zero_retention = false where id = %s", workers.jobs.world.acme.id)
    assert workers.ended(asked(workers, "customer")) == [("succeeded", None)]
    (refused, allowed) = calls_of(workers)
    assert refused[0] == allowed[0] == "analytics" and (refused[3], allowed[3]) == ("retention", None) and refused[5] is allowed[5] is True


def test_personal_data_in_a_question_is_replaced_where_the_organization_wants_it_and_back_in_the_sql_F71(
        workers: Workers, model: tuple[ScriptedModel, dict[str, str]]) -> None:
    scripted, settings = model
    workers.ready(**settings)
    with workers.jobs.world.operator(keep=True) as db:
        db.run("update app.organization set redact = true where id = %s", workers.jobs.world.acme.id)

    async def echo(request: web.Request, body: Any) -> web.StreamResponse:
        [name] = re.findall("EMAIL_[0-9a-f]{10}", body["messages"][1]["content"])
        return await writes(sql=f"select count(*) as n from orders where order_number = '{name}'")(request, body)

    scripted.turns = [echo]
    job = asked(workers, "customer", "How many orders has canary.person@example.com?")
    assert workers.ended(job) == [("succeeded", None)]
    assert b"canary.person" not in b"".join(scripted.received) and "'canary.person@example.com'" in told(workers, "customer", job)["sql"]
    assert calls_of(workers)[-1][4] is True


def test_the_models_wish_for_a_chart_is_stored_as_ours_and_without_a_model_questions_are_refused_F48(
        workers: Workers, model: tuple[ScriptedModel, dict[str, str]]) -> None:
    scripted, settings = model
    plain = workers.ready()
    job = asked(workers, "owner")
    assert workers.ended(job) == [("refused", "no_model")]
    plain.terminate()
    plain.wait(30)
    workers.ready(**settings)
    scripted.turns = [writes(sql="select order_number, total_cents from orders", chart={"mark": "arc", "x": "order_number", "y": "total_cents", "color": ""})]
    job = asked(workers, "owner")
    assert workers.ended(job) == [("succeeded", None)]
    chart = rows(workers, "owner", job)["chart"]
    assert chart["mark"] == {"type": "arc"} and chart["encoding"]["theta"]["field"] == "c1" and "data" not in chart


def test_an_accepted_answer_is_shown_to_the_model_at_the_next_question_of_the_same_source_and_no_other_organization_F48(
        workers: Workers, model: tuple[ScriptedModel, dict[str, str]]) -> None:
    scripted, settings = model
    scripted.turns = [writes(sql="select count(*) as canary_draft from orders")]
    workers.ready(**settings)
    world = workers.jobs.world
    first = asked(workers, "owner", "How many orders, canary?")
    assert workers.ended(first) == [("succeeded", None)] and b"canary_draft" not in scripted.received[-1]
    with world.as_(world.acme.people["owner"], keep=True) as db:
        made = db.rpc("accept_analytics_query", org_id=world.acme.id, job_id=first)
        # As the model wrote it: what ran names what the guard put there.
        assert (made["question"], made["sql"]) == ("How many orders, canary?", "select count(*) as canary_draft from orders")

    def seen() -> bool:
        return "canary_draft" in scripted.bodies[-1]["messages"][0]["content"]

    assert workers.ended(asked(workers, "customer", "And mine?")) == [("succeeded", None)] and seen()
    with world.as_(world.globex.people["owner"], keep=True) as db:
        theirs = str(db.rpc("submit_analytics_job", org_id=world.globex.id, source="shop", question="How many?")["job_id"])
    assert workers.ended(theirs) == [("succeeded", None)] and not seen() and world.globex.canary in scripted.bodies[-1]["messages"][0]["content"]
    with world.as_(world.acme.people["owner"], keep=True) as db:
        db.rpc("withdraw_accepted_query", org_id=world.acme.id, query_id=made["id"])
    assert workers.ended(asked(workers, "customer", "And now?")) == [("succeeded", None)] and not seen()


@pytest.mark.parametrize("step", QUESTION_STEPS)
def test_a_worker_killed_around_its_model_leaves_a_question_that_ends_exactly_once_F53(
        workers: Workers, model: tuple[ScriptedModel, dict[str, str]], step: str) -> None:
    scripted, settings = model
    scripted.turns = [writes()]
    dying = workers.start("tests.agent.worker.dying", step, **settings)
    job = asked(workers, "customer")
    assert dying.wait(timeout=60) == -signal.SIGKILL
    workers.ready(**settings)
    assert workers.ended(job) == [("succeeded", None)] and rows(workers, "customer", job)["rows"] == [[1]]
    with workers.jobs.world.operator() as db:
        assert db.all("select attempts, (select count(*) from app.audit_event where object_id = j.id::text and action = 'analytics_job.update')"
                      " from app.analytics_job j where j.id = %s", job) == [(2, 1)]
    # Each attempt's call of the model is on record.
    assert len(calls_of(workers)) == 2
