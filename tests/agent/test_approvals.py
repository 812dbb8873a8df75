"""A run stops where a call waits for an approval, says so in a way programs understand, and goes on after the decision (F36, R101)."""

import json
from typing import Any

import openai
import pytest

from agent.approvals import Approval
from agent.errors import Conflict, NotVisible
from agent.question import Answer
from tests.agent.conftest import BOB_TOKEN, QUESTION, Ask, Asked
from tests.agent.fake_postgrest import FakePostgrest
from tests.agent.scripted_model import ScriptedModel, calls, says

pytestmark = pytest.mark.anyio

TICKET = {"subject": "Lamp", "body": "It is broken."}


async def stopped(ask: Ask, database: FakePostgrest, model: ScriptedModel) -> Answer:
    """Ask for something that waits."""
    database.guarded = {"create_ticket"}
    model.turns = [calls(("search_documents", {"query": "q"}), text="Looking."), calls(("create_ticket", TICKET), ("my_orders", {})), says("Done [1].")]
    return await ask("Please help")


async def test_a_run_stops_at_a_call_that_waits_says_so_and_stays_open_F36(ask: Ask, database: FakePostgrest, model: ScriptedModel) -> None:
    answer = await stopped(ask, database, model)
    [waiting] = database.approvals.values()
    assert answer.approval == Approval(waiting["id"], "create_ticket", "tainted", "2026-11-22T12:30:00+00:00")
    assert answer.text == "Looking.\n\n" + answer.approval.notice and waiting["id"] in answer.text
    # The model is told nothing of it, no later call of its turn is made, and nothing is kept as an answer.
    assert len(model.bodies) == 2 and [c.arguments["tool"] for c in database.called("call_tool")] == ["search_documents", "create_ticket"]
    assert database.finished == [] and database.runs[answer.run_id]["status"] == "running" and not database.open_calls


async def test_it_goes_on_after_the_approval_with_the_same_arguments_F36_R101(ask: Ask, database: FakePostgrest, model: ScriptedModel) -> None:
    answer = await stopped(ask, database, model)
    assert answer.approval
    database.approvals[answer.approval.id]["state"] = "approved"
    asked = Asked()
    done = await ask("Not looked at", approval_id=answer.approval.id, asked=asked)
    assert (done.run_id, done.text, done.approval) == (answer.run_id, "Done [1].", None)
    assert asked.started and asked.started.run_id == answer.run_id
    assert database.called("call_tool")[-1].arguments == {"run_id": answer.run_id, "tool": "create_ticket", "arguments": TICKET}
    # What the model is shown: the question it was asked, the call and what it returned.
    shown = model.bodies[-1]["messages"]
    assert [m["role"] for m in shown] == ["system", "user", "assistant", "tool"] and shown[1]["content"] == "Please help"
    assert json.loads(shown[2]["tool_calls"][0]["function"]["arguments"]) == TICKET and shown[3]["content"].startswith("ok: 1 rows")
    assert [f["outcome"] for f in database.finished] == ["succeeded"]
    with pytest.raises(Conflict):
        await ask("Again", approval_id=answer.approval.id)


async def test_after_a_denial_the_model_is_told_and_answers_F36(ask: Ask, database: FakePostgrest, model: ScriptedModel) -> None:
    answer = await stopped(ask, database, model)
    assert answer.approval
    with pytest.raises(Conflict):
        await ask("Too early", approval_id=answer.approval.id)
    with pytest.raises(NotVisible):
        await ask("Not mine", approval_id=answer.approval.id, token=BOB_TOKEN)
    database.approvals[answer.approval.id]["state"] = "denied"
    model.turns = [says("I may not.")]
    assert (await ask("So?", approval_id=answer.approval.id)).text == "I may not."
    assert model.tool_messages() == ["denied: not allowed: this call was asked for and denied"]
    assert len(database.called("call_tool")) == 2 and database.called("start_run")[1:] == []


async def test_another_call_that_waits_stops_it_again_F36(ask: Ask, database: FakePostgrest, model: ScriptedModel) -> None:
    answer = await stopped(ask, database, model)
    assert answer.approval
    database.approvals[answer.approval.id]["state"] = "approved"
    model.turns = [calls(("create_ticket", TICKET | {"body": "Another."}))]
    again = await ask("", approval_id=answer.approval.id)
    assert again.approval and again.approval.id != answer.approval.id and again.run_id == answer.run_id


async def test_a_tool_that_destroys_is_offered_and_the_database_says_that_it_waits_R101(ask: Ask, database: FakePostgrest, model: ScriptedModel) -> None:
    database.catalog.append({"name": "purge", "comment": "Purge.\n\n@audience bot\n@effect destructive", "volatility": "volatile", "arguments": []})
    database.tools["purge"], database.guarded = lambda person, arguments: [], {"purge"}
    model.turns = [calls(("purge", {}))]
    answer = await ask("?")
    assert answer.approval and answer.approval.tool == "purge" and "purge" in {t["function"]["name"] for t in model.bodies[0]["tools"]}


@pytest.mark.parametrize("stream", [False, True])
async def test_over_http_the_approval_is_a_part_of_the_answer_F36(
        client: openai.AsyncOpenAI, database: FakePostgrest, model: ScriptedModel, stream: bool) -> None:
    async def told(**more: Any) -> tuple[str, dict[str, Any]]:
        answer: Any = await client.chat.completions.create(**QUESTION, stream=stream, extra_body=more)
        if not stream:
            return answer.choices[0].message.content, answer.model_extra["ringfence"]
        chunks = [chunk async for chunk in answer]
        return "".join(c.choices[0].delta.content or "" for c in chunks), chunks[-1].model_extra["ringfence"]

    database.guarded = {"create_ticket"}
    model.turns = [calls(("create_ticket", TICKET))]
    text, extra = await told()
    [waiting] = database.approvals.values()
    assert extra["approval"] == {"id": waiting["id"], "tool": "create_ticket", "reason": "tainted", "expires_at": "2026-11-22T12:30:00+00:00"}
    assert text.startswith("`create_ticket` was not called")
    with pytest.raises(openai.ConflictError):
        await told(ringfence={"approval_id": waiting["id"]})
    waiting["state"] = "approved"
    model.turns = [says("Opened.")]
    text, done = await told(ringfence={"approval_id": waiting["id"]})
    assert text == "Opened." and "approval" not in done and done["run_id"] == extra["run_id"]
    with pytest.raises(openai.BadRequestError):
        await told(ringfence={"approval_id": "x"})
