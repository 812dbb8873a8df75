"""What a model endpoint may do wrong: each ends the run with a typed error that quotes nothing."""

import pytest

from agent.errors import AgentError, ModelBusy, ModelMalformed, ModelTimedOut, ModelUnavailable
from tests.agent.conftest import Ask
from tests.agent.fake_postgrest import FakePostgrest
from tests.agent.scripted_model import ScriptedModel, Turn, calls, chunk, fails, hangs, raw, says, streams

pytestmark = pytest.mark.anyio

# Well-formed, but not an answer.
EMPTY = says("")


@pytest.mark.parametrize(("turn", "error", "code"), [
    (fails(401), ModelUnavailable, "model_unavailable"),
    (fails(404), ModelUnavailable, "model_unavailable"),
    (fails(429), ModelBusy, "model_busy"),
    (fails(500), ModelUnavailable, "model_unavailable"),
    (raw("data: {not json\n\n"), ModelMalformed, "model_malformed"),
    (raw('data: {"choices": "no"}\n\n'), ModelMalformed, "model_malformed"),
    (raw('data: {"error": {"message": "canary-provider-words"}}\n\n'), ModelUnavailable, "model_unavailable"),
    (raw(""), ModelMalformed, "model_malformed"),
    (streams(chunk({"content": "cut off"})), ModelMalformed, "model_malformed"),
    (EMPTY, ModelMalformed, "model_malformed"),
    (calls(("", {})), ModelMalformed, "model_malformed"),
])
async def test_a_failing_model_fails_the_run_with_a_typed_error(
        ask: Ask, database: FakePostgrest, model: ScriptedModel, turn: Turn, error: type[AgentError], code: str) -> None:
    model.turns = [turn]
    with pytest.raises(error) as raised:
        await ask("?")
    assert "canary" not in raised.value.message
    [finished] = database.finished
    assert (finished["outcome"], finished["error_code"]) == ("failed", code)
    assert [s.arguments["outcome"] for s in database.called("end_model_call")][-1:] == ["ok" if turn is EMPTY else "failed"]


@pytest.mark.parametrize("read_s", [0.5])
@pytest.mark.parametrize("turn", [hangs(), hangs("Half an ans")])
async def test_a_hanging_model_fails_the_run_in_time(ask: Ask, database: FakePostgrest, model: ScriptedModel, turn: Turn) -> None:
    model.turns = [turn]
    with pytest.raises(ModelTimedOut):
        await ask("?")
    assert [(f["outcome"], f["error_code"]) for f in database.finished] == [("failed", "model_timeout")]


async def test_a_redirect_of_the_model_endpoint_is_not_followed(ask: Ask, model: ScriptedModel) -> None:
    model.turns = [fails(307, {"location": "/v1/chat/completions"}), says("from somewhere else")]
    with pytest.raises(ModelUnavailable):
        await ask("?")
    assert len(model.bodies) == 1


async def test_a_busy_model_is_asked_once_more(ask: Ask, model: ScriptedModel) -> None:
    model.turns = [fails(429), says("Here.")]
    assert (await ask("?")).text == "Here."
    assert len(model.bodies) == 2
