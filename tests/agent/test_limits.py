"""A run stops at its limits with a typed error (R102)."""

import time

import pytest

from agent.errors import LimitExceeded, OutOfTime, OutOfTokens, RepeatedCall, TooManyModelCalls, TooManyToolCalls
from agent.limits import Limits
from tests.agent.conftest import Ask
from tests.agent.fake_postgrest import FakePostgrest, passage
from tests.agent.scripted_model import ScriptedModel, Turn, calls, hangs, says

pytestmark = pytest.mark.anyio


def search(n: int, tokens: tuple[int, int] = (30, 10)) -> Turn:
    return calls(("search_documents", {"query": f"question {n}"}), tokens=tokens)


@pytest.mark.parametrize(("limits", "turns", "error", "model_calls", "tool_calls"), [
    (Limits(model_calls=3), [search(n) for n in range(9)], TooManyModelCalls, 3, 3),
    (Limits(tool_calls=2), [search(n) for n in range(9)], TooManyToolCalls, 3, 2),
    (Limits(tool_calls=2), [calls(*[("my_orders", {"max_rows": n}) for n in range(1, 9)])], TooManyToolCalls, 1, 2),
    (Limits(tool_calls=2), [calls(("no_such_tool", {"n": n})) for n in range(9)], TooManyToolCalls, 3, 0),
    (Limits(), [search(1)], RepeatedCall, 3, 2),
    (Limits(), [calls(("get_order", '{"number": "A-1"}')), calls(("get_order", '{ "number":"A-1" }'))] * 2, RepeatedCall, 3, 2),
    (Limits(total_tokens=5000), [search(n, (1200, 800)) for n in range(9)], OutOfTokens, 3, 2),
    (Limits(total_tokens=300), [says("too late")], OutOfTokens, 0, 0),
    (Limits(answer_characters=10), [says("0123456789", "x")], OutOfTokens, 1, 0),
])
async def test_a_run_over_a_limit_is_stopped_with_a_typed_error_R102(
        ask: Ask, database: FakePostgrest, model: ScriptedModel, limits: Limits, turns: list[Turn],
        error: type[LimitExceeded], model_calls: int, tool_calls: int) -> None:
    model.turns = turns
    with pytest.raises(error) as raised:
        await ask("?", limits=limits)
    assert (len(model.bodies), len(database.called("call_tool"))) == (model_calls, tool_calls)
    [finished] = database.finished
    assert (finished["outcome"], finished["error_code"]) == ("failed", raised.value.code)


async def test_a_run_within_its_limits_succeeds_R102(ask: Ask, model: ScriptedModel) -> None:
    model.turns = [search(1), search(1), search(2), says("done", tokens=(1875, 5))]
    answer = await ask("?", limits=Limits(model_calls=4, tool_calls=3, total_tokens=2000))
    assert answer.text == "done"


async def test_a_run_out_of_time_is_stopped_R102(ask: Ask, database: FakePostgrest, model: ScriptedModel) -> None:
    model.turns = [hangs("Well, ")]
    begun = time.monotonic()
    with pytest.raises(OutOfTime):
        await ask("?", limits=Limits(wall_s=1.5))
    assert time.monotonic() - begun < 5, "before the model's own time limit"
    [finished] = database.finished
    assert (finished["outcome"], finished["error_code"], finished["answer"]) == ("failed", "limit_wall_time", "Well, ")


async def test_tokens_are_counted_when_the_endpoint_does_not_say_R102(
        ask: Ask, database: FakePostgrest, model: ScriptedModel) -> None:
    model.turns = [says("one two three", tokens=None)]
    answer = await ask("?")
    assert answer.output_tokens == 3
    assert 300 < answer.input_tokens < 1200
    assert database.called("end_model_call")[0].arguments["input_tokens"] == answer.input_tokens


async def test_a_long_history_is_cut_oldest_first_before_the_first_model_call_R102(
        ask: Ask, database: FakePostgrest, model: ScriptedModel) -> None:
    turns = [("user", "oldest " * 90), ("assistant", "an answer " * 10), ("user", "latest " * 20), ("assistant", "short")]
    database.history = [{"role": role, "content": content} for role, content in turns]
    model.turns = [says("done")]
    for limit, kept in ((5000, 4), (100, 2), (4, 0), (0, 0)):
        await ask("?", limits=Limits(history_tokens=limit))
        sent = [(message["role"], message["content"]) for message in model.bodies[-1]["messages"][1:-1]]
        assert sent == turns[len(turns) - kept:], limit


async def test_no_model_call_sends_more_than_the_tokens_that_are_left_R102(
        ask: Ask, database: FakePostgrest, model: ScriptedModel) -> None:
    database.tools["search_documents"] = lambda person, arguments: [passage(1, "a lot of words " * 500)]
    model.turns = [search(1), says("done")]
    with pytest.raises(OutOfTokens):
        await ask("?", limits=Limits(total_tokens=1500))
    assert len(model.bodies) == 1
    model.bodies.clear()
    assert (await ask("?", limits=Limits(total_tokens=4000))).text == "done"
