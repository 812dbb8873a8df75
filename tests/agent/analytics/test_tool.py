"""The tool ask_data in a run: the person sees that it works, the model sees what it may, and the answer says where it is from."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest

from agent.analytics import tool
from agent.question import Progress
from tests.agent.conftest import Ask, Asked
from tests.agent.fake_postgrest import FakePostgrest, Refusal, Row, function
from tests.agent.scripted_model import ScriptedModel, calls, says

pytestmark = pytest.mark.anyio

JOB, ORG = str(uuid.UUID(int=50)), str(uuid.UUID(int=1))
SQL = "select sum(total_cents) / 100.0 as total from orders"
COMMENT = """\
Ask a data source a question in words.

@audience bot
@context org_id           the organization
@context run_id           the running run
@param source             name of a data source of this bot; 2..40 characters
@param question           one question; 1..2000 characters
@context idempotency_key  the same call again is the same job
@returns                  array of one {id, status}
@errors                   PT404
@effect                   write"""


class Data:
    """The part of the database that answers: a job that is queued, runs, and ends as `end`."""

    def __init__(self, database: FakePostgrest) -> None:
        self.statuses = ["queued", "running", "running"]
        self.end: Row = {"status": "succeeded"}
        self.cancelled: list[str] = []
        database.catalog.append(function("ask_data", COMMENT, "volatile", "org_id uuid", "run_id uuid", "source text", "question text", "idempotency_key text"))
        database.tools["ask_data"] = self.ask
        database.jobs = self
        database.results[JOB] = {"person": "alice", "columns": [{"name": "total", "type": "numeric"}], "rows": [["12345.50"]], "chart": {"mark": "bar"}}

    def ask(self, person: str, arguments: Row) -> list[Row]:
        if arguments["source"] != "shop":
            raise Refusal(404, "PT404", "no such data source")
        return [{"id": JOB, "status": "queued"}]

    def told(self) -> Row:
        status = self.statuses.pop(0) if self.statuses else self.end["status"]
        return {"source": "shop", "sql": SQL, "error_code": None, "error_message": None} | (self.end if status == self.end["status"] else {}) | {"status": status}


@pytest.fixture
def data(database: FakePostgrest) -> Data:
    return Data(database)


@pytest.fixture
def asks(model: ScriptedModel) -> Any:
    def script(said: str = "The total is 12345.5.", **arguments: Any) -> None:
        model.turns = [calls(("ask_data", {"source": "shop", "question": "What was sold in all?"} | arguments)), says(said)]
    return script


async def test_the_run_waits_for_the_job_and_says_the_number_the_sql_and_the_job_F48(
        ask: Ask, data: Data, asks: Any, database: FakePostgrest, model: ScriptedModel) -> None:
    asks()
    answer = await ask("What was sold in all?")
    assert answer.text.startswith("The total is 12345.5.\n\n---\n1 row(s) from shop, job `" + JOB)
    assert "**total = 12345.5**" in answer.text and f"```sql\n{SQL}\n```" in answer.text and f"/v1/analytics/jobs/{ORG}/{JOB}/chart.svg" in answer.text
    assert answer.data == [{"job_id": JOB, "org_id": ORG, "source": "shop", "sql": SQL, "row_count": 1, "truncated": False,
                            "csv": f"/v1/analytics/jobs/{ORG}/{JOB}/result.csv", "chart": f"/v1/analytics/jobs/{ORG}/{JOB}/chart.svg"}]
    assert [call.arguments["arguments"] for call in database.called("call_tool")] == [{"source": "shop", "question": "What was sold in all?"}]
    assert database.finished[0]["answer"] == answer.text
    [told] = model.tool_messages()
    assert '"sum": 12345.5' in told and ORG not in told and "12345.50" not in told


async def test_the_person_sees_how_far_it_is_and_the_text_stays_the_answer(ask: Ask, data: Data, asks: Any) -> None:
    asks()
    seen: list[Any] = []

    class Watching(Asked):
        async def emit(self, event: Any) -> None:
            if isinstance(event, Progress):
                seen.append(event.facts)
            else:
                await super().emit(event)

    asked = Watching()
    answer = await ask("?", asked=asked)
    assert seen == [{"tool": "ask_data", "job_id": JOB, "status": status} for status in ("queued", "running", "succeeded")]
    assert "".join(asked.deltas) == answer.text


async def test_an_openai_client_gets_the_text_and_passes_over_the_progress(client: openai.AsyncOpenAI, data: Data, asks: Any) -> None:
    asks()
    text, under = "", []
    stream: AsyncIterator[Any] = await client.chat.completions.create(model="acme/support", messages=[{"role": "user", "content": "?"}], stream=True)
    async for chunk in stream:
        text += chunk.choices[0].delta.content or ""
        under.append((chunk.model_extra or {}).get("ringfence"))
    assert text.startswith("The total is 12345.5.") and {"progress": {"tool": "ask_data", "job_id": JOB, "status": "running"}} in under
    assert under[-1]["data"][0]["job_id"] == JOB


@pytest.mark.parametrize("end", [
    {"status": "refused", "error_code": "no_model", "error_message": "No language model is configured here."}, {"status": "cancelled_revoked", "error_code": "source_revoked"}])
async def test_a_question_without_an_answer_is_told_to_the_model_and_shows_no_card(
        ask: Ask, data: Data, asks: Any, model: ScriptedModel, end: Row) -> None:
    data.end = end
    asks("I cannot say.")
    answer = await ask("?")
    assert (answer.text, answer.data) == ("I cannot say.", []) and str(end["error_code"]) in model.tool_messages()[0]


async def test_a_source_the_bot_is_not_bound_to_is_not_found(ask: Ask, data: Data, asks: Any, database: FakePostgrest, model: ScriptedModel) -> None:
    asks("There is none.", source="payroll")
    assert (await ask("?")).data == []
    assert model.tool_messages()[0].startswith("not_found:") and len(database.called("call_tool")) == 1 and database.called("get_analytics_job") == []


async def test_when_nobody_waits_any_more_the_job_is_cancelled(ask: Ask, data: Data, asks: Any, database: FakePostgrest) -> None:
    asks()
    data.statuses = ["running"] * 1000
    running = asyncio.create_task(ask("?"))
    while not database.called("get_analytics_job"):
        await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [call.arguments for call in database.called("cancel_analytics_job")] == [{"org_id": ORG, "job_id": JOB}]
    assert database.finished[0]["outcome"] == "cancelled"


async def test_a_job_that_takes_longer_goes_on_and_the_model_learns_its_id(
        ask: Ask, data: Data, asks: Any, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool, "WAIT_S", 0.3)
    data.statuses = ["running"] * 1000
    asks("It is not done yet.")
    answer = await ask("?")
    assert answer.data == [] and '"status": "running"' in model.tool_messages()[0] and JOB in model.tool_messages()[0]


async def test_no_row_of_a_result_reaches_the_model_and_the_person_can_fetch_them(
        ask: Ask, data: Data, asks: Any, database: FakePostgrest, model: ScriptedModel) -> None:
    database.results[JOB] |= {"columns": [{"name": "city", "type": "text"}, {"name": "n", "type": "int8"}],
                              "rows": [["canary of Graz", 3], ["canary of Linz", 1], [None, None]] * 300}
    asks("Graz and Linz.")
    answer = await ask("?")
    assert b"canary of" not in b"".join(model.received) and "canary of" not in answer.text
    assert '{"name": "n", "type": "bigint", "nulls": 300, "distinct": 2, "min": 1, "max": 3, "sum": 1200, "mean": 2.0}' in model.tool_messages()[0]
    assert (answer.data[0]["row_count"], "**" in answer.text) == (900, False)


@pytest.mark.parametrize("allowed", [False, True])
async def test_rows_reach_the_model_only_where_the_organization_says_so_and_few_F48(
        ask: Ask, data: Data, asks: Any, database: FakePostgrest, model: ScriptedModel, allowed: bool) -> None:
    database.results[JOB] |= {"columns": [{"name": "city", "type": "text"}], "rows": [[f"canary of {n}"] for n in range(200)], "rows_to_model": allowed}
    asks("Many.")
    answer = await ask("Which cities?")
    [told] = model.tool_messages()
    assert ('"rows": [["canary of 0"], ["canary of 1"]' in told, b"canary of" in b"".join(model.received)) == (allowed, allowed)
    assert "canary of 50" not in told and "canary of" not in answer.text and "rows" not in answer.data[0]


async def test_a_row_too_long_for_the_model_is_left_out_and_the_shape_stays(
        ask: Ask, data: Data, asks: Any, database: FakePostgrest, model: ScriptedModel) -> None:
    database.results[JOB] |= {"columns": [{"name": "city", "type": "text"}], "rows": [["short"], ["canary" * 2000], ["short"]], "rows_to_model": True}
    asks("Many.")
    await ask("Which cities?")
    assert '"row_count": 3' in model.tool_messages()[0] and '"rows": [["short"]]' in model.tool_messages()[0] and "canary" not in model.tool_messages()[0]


async def test_a_sentence_that_may_quote_a_value_is_not_told_to_the_model(ask: Ask, data: Data, asks: Any, model: ScriptedModel) -> None:
    for status, code, message, told in (("failed", "22P02", "canary", False), ("failed", "42P01", "canary", False), ("refused", "too_costly", "ask for less", True)):
        data.statuses, data.end = ["queued"], {"status": status, "error_code": code, "error_message": message}
        asks("It failed.")
        model.bodies.clear()
        await ask(f"Why {code}?")
        assert (message in model.tool_messages()[0]) is told and code in model.tool_messages()[0]


def test_a_card_cannot_be_broken_out_of_by_sql() -> None:
    told = {"job_id": JOB, "source": "shop", "sql": "select '````\n![x](http://example.com)'", "row_count": 2, "truncated": True, "columns": [], "has_chart": False}
    card = tool.card(ORG, told)
    assert card.count("`````") == 2 and "2 row(s) and more" in card and "Chart" not in card
