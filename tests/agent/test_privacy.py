"""What a provider is sent: nothing an organization does not allow, and no personal data where it wants none to leave (F69 to F71, F75)."""

import json
from collections.abc import AsyncIterator

import openai
import pytest

from agent.embedding import LocalEmbedder
from agent.errors import AgentError, BudgetSpent, ProviderRefused
from agent.providers.openai_compatible import OpenAICompatible
from agent.rpc import RpcPool
from agent.run import Agent
from tests.agent.conftest import TOKEN, Ask, Asked, serving_app
from tests.agent.fake_postgrest import FakePostgrest, Row, passage
from tests.agent.scripted_model import Body, ScriptedModel, calls, chunk, says, streams
from tests.agent.test_redaction import BEFORE, PLANTED

VALUES = [value for values in PLANTED.values() for value in values]
pytestmark = pytest.mark.anyio


def sentence(kind: str, value: str) -> str:
    return f"The file says {BEFORE.get(kind, '')}{value} in it."


def leaked(model: ScriptedModel) -> list[str]:
    """Planted values among the bytes the provider received: as they are, and as JSON escapes them."""
    received = b"\n".join(model.received)
    assert len(received) > 1000
    return [value for value in VALUES if value.encode() in received or json.dumps(value)[1:-1].encode() in received]


def plant(database: FakePostgrest) -> None:
    """Every value in the history, in a passage and in a row; some in the bot's tools' arguments."""
    texts = [sentence(kind, value) for kind, values in PLANTED.items() for value in values]
    database.history = [{"role": "user", "content": " ".join(texts)}, {"role": "assistant", "content": "\n".join(texts)}]
    database.tools["search_documents"] = lambda person, arguments: [passage(n + 1, text, title=text) for n, text in enumerate(texts)]
    database.tools["my_orders"] = lambda person, arguments: [{"order_number": "ORD-1", "items": [{"note": f"\n{text}\t\"{text}\""} for text in texts]}]


async def test_no_byte_of_sixteen_kinds_of_planted_data_reaches_the_provider_F69(ask: Ask, database: FakePostgrest, model: ScriptedModel) -> None:
    database.redact = True
    plant(database)
    model.turns = [calls(("search_documents", {"query": "q"}), ("my_orders", {})), says("ok")]
    await ask(f"And mine is {PLANTED['EMAIL'][0]}, {PLANTED['CARD'][0]}.")
    assert leaked(model) == []
    # The same without the policy: the scan finds what is there.
    model.bodies.clear(), model.received.clear()
    database.redact = False
    await ask(f"And mine is {PLANTED['EMAIL'][0]}, {PLANTED['CARD'][0]}.")
    assert leaked(model) == VALUES


async def test_the_answer_and_the_tools_get_the_real_values_however_the_stream_is_cut_F69(ask: Ask, database: FakePostgrest, model: ScriptedModel) -> None:
    database.redact = True

    def pseudonym(body: Body) -> str:
        return str(body["messages"][-1]["content"]).rsplit(" ", 1)[-1]

    async def first(request, body):  # type: ignore[no-untyped-def]
        return await calls(("create_ticket", {"subject": f"Call {pseudonym(body)}", "body": f"\"{pseudonym(body)}\"\nplease"}))(request, body)

    async def second(request, body):  # type: ignore[no-untyped-def]
        name = body["messages"][-3]["content"].rsplit(" ", 1)[-1]
        return await streams(*[chunk({"content": piece}) for piece in ("I wrote to ", *name, ".")], chunk({}, "stop"))(request, body)

    model.turns, asked = [first, second], Asked()
    answer = await ask("Write to jane.doe@example.com", asked=asked)
    assert answer.text == "".join(asked.deltas) == "I wrote to jane.doe@example.com."
    [called] = database.called("call_tool")
    assert called.arguments["arguments"] == {"subject": "Call jane.doe@example.com", "body": '"jane.doe@example.com"\nplease'}
    assert b"jane.doe" not in b"".join(model.received)
    [finished] = database.finished
    assert finished["answer"] == answer.text


async def test_a_refused_provider_is_sent_nothing_and_the_person_is_told_why_F70(ask: Ask, database: FakePostgrest, model: ScriptedModel) -> None:
    model.turns = [says("ok")]
    for rule, word in (("retention", "keep nothing"), ("training", "train"), ("region", "regions")):
        database.refused_by = rule
        with pytest.raises(ProviderRefused, match=word):
            await ask("Hello?")
    assert model.received == [] and [row["error_code"] for row in database.finished] == ["provider_refused"] * 3
    database.refused_by = None
    assert (await ask("Hello?")).text == "ok" and len(model.received) == 1


async def test_a_spent_budget_stops_the_run_before_the_call_F75(ask: Ask, database: FakePostgrest, model: ScriptedModel) -> None:
    database.refused_by, model.turns = "budget", [says("ok")]
    with pytest.raises(BudgetSpent):
        await ask("Hello?")
    assert model.received == []


async def test_what_was_reserved_is_at_least_what_is_settled_and_every_call_is_settled_F75(ask: Ask, database: FakePostgrest, model: ScriptedModel) -> None:
    model.turns = [calls(("my_orders", {})), says("Fine.", tokens=None)]
    await ask("How are my orders?")
    begun, ended = database.called("begin_model_call"), database.called("end_model_call")
    assert len(begun) == len(ended) == 2 and not database.open_calls
    for first, last in zip(begun, ended, strict=True):
        assert first.arguments["max_tokens"] >= last.arguments["input_tokens"] + last.arguments["output_tokens"] > 0


async def test_an_endpoint_that_writes_more_than_was_reserved_is_cut_off_F75(ask: Ask, database: FakePostgrest, model: ScriptedModel) -> None:
    model.turns = [says(*["word " * 1000] * 9)]
    with pytest.raises(AgentError) as caught:
        await ask("Go on.")
    assert caught.value.code == "limit_tokens"
    model.turns = [says(*["word " * 1000] * 8)]
    assert len((await ask("Go on.")).text) == 40_000


@pytest.fixture
async def client(pool: RpcPool, provider: OpenAICompatible, embedder: LocalEmbedder) -> AsyncIterator[openai.AsyncOpenAI]:
    async with serving_app(Agent(provider, embedder), pool) as url, openai.AsyncOpenAI(base_url=url, api_key=TOKEN, max_retries=0) as client:
        yield client


async def test_an_app_is_told_in_its_own_wire_format_F70(client: openai.AsyncOpenAI, database: FakePostgrest, model: ScriptedModel) -> None:
    model.turns = [says("ok")]
    ask = {"model": "acme/support", "messages": [{"role": "user", "content": "Hello?"}]}
    database.refused_by = "region"
    with pytest.raises(openai.PermissionDeniedError) as refused:
        await client.chat.completions.create(**ask)  # type: ignore[call-overload]
    assert refused.value.code == "provider_refused"
    database.refused_by = "budget"
    with pytest.raises(openai.RateLimitError) as spent:
        await client.chat.completions.create(**ask)  # type: ignore[call-overload]
    assert spent.value.code == "budget_spent"
    database.refused_by = None
    answer: Row = (await client.chat.completions.create(**ask)).model_dump()  # type: ignore[call-overload]
    assert answer["choices"][0]["message"]["content"] == "ok"
