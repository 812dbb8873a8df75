"""The loop: what a model may make it do, and what is recorded."""

import json

import pytest

from agent.errors import (
    AgentError,
    Misconfigured,
    NotVisible,
    TimedOut,
    Unauthenticated,
    UpstreamFailed,
)
from tests.agent.conftest import BOB_TOKEN, Ask, Asked
from tests.agent.fake_postgrest import FakePostgrest, Refusal, Row, passage
from tests.agent.scripted_model import ScriptedModel, calls, says

pytestmark = pytest.mark.anyio


async def test_a_question_is_answered_with_the_passages_it_cites_F28(
        ask: Ask, database: FakePostgrest, model: ScriptedModel) -> None:
    model.turns = [calls(("search_documents", {"query": "How fast?"})), says("Within two days ", "[1].")]
    answer = await ask("How fast do you send?")
    assert answer.text == "Within two days [1]."
    assert [(c["n"], c["chunk_id"]) for c in answer.citations] == [(1, passage(1, "")["chunk_id"])]
    assert answer.citations[0].keys() == {
        "n", "title", "uri", "document_id", "chunk_id", "start_char", "end_char", "chunk_sha256", "score", "retrieved_at", "trust"}
    assert (answer.input_tokens, answer.output_tokens) == (50, 15)
    [finished] = database.finished
    assert (finished["outcome"], finished["answer"], finished["error_code"]) == ("succeeded", answer.text, None)
    assert finished["citations"] == answer.citations
    assert [(s.arguments["model"], s.arguments["provider"], s.arguments["input_tokens"], s.arguments["outcome"])
            for s in database.called("end_model_call")] == [
        ("scripted", "the-endpoint", 30, "ok"), ("scripted", "the-endpoint", 20, "ok")]


async def test_a_number_that_was_never_retrieved_cites_nothing_F28(ask: Ask, model: ScriptedModel) -> None:
    model.turns = [calls(("search_documents", {"query": "q"})), says("See [2], [9] and [1](http://x.test).")]
    assert [c["n"] for c in (await ask("?")).citations] == [2]


async def test_a_passage_found_twice_keeps_its_number_F28(ask: Ask, database: FakePostgrest, model: ScriptedModel) -> None:
    found = iter([[passage(1, "one"), passage(2, "two")], [passage(2, "two"), passage(3, "three")]])
    database.tools["search_documents"] = lambda person, arguments: next(found)
    model.turns = [calls(("search_documents", {"query": "a"})), calls(("search_documents", {"query": "b"})), says("[2][3]")]
    answer = await ask("?")
    assert [c["chunk_id"] for c in answer.citations] == [passage(n, "")["chunk_id"] for n in (2, 3)]
    assert '"n": 2' in model.tool_messages()[1] and '"n": 3' in model.tool_messages()[1]


async def test_every_call_to_the_database_carries_the_askers_token_F34(
        ask: Ask, database: FakePostgrest, model: ScriptedModel) -> None:
    model.turns = [calls(("get_order", {"number": "ORD-1042"})), says("Shipped.")]
    await ask("Where is ORD-1042?")
    model.turns = [calls(("get_order", {"number": "ORD-1042"})), says("Not found.")]
    model.bodies.clear()
    await ask("Where is ORD-1042?", token=BOB_TOKEN)
    assert [call.person for call in database.calls] == ["alice"] * 8 + ["bob"] * 8
    assert "no order of that number that you may see" in model.tool_messages()[0]
    assert {call.headers["apikey"] for call in database.calls} == {"sb_publishable_test"}
    assert {call.headers["x-request-id"] for call in database.calls} == {"request-1"}


async def test_a_model_is_offered_only_the_bots_tools_and_no_context_arguments_F35(
        ask: Ask, database: FakePostgrest, model: ScriptedModel) -> None:
    del database.tools["create_ticket"], database.tools["my_orders"]
    model.turns = [says("Hello.")]
    await ask("hi")
    offered = {t["function"]["name"]: t["function"]["parameters"] for t in model.bodies[0]["tools"]}
    assert offered.keys() == {"search_documents", "get_order"}
    assert offered["search_documents"]["properties"].keys() == {"query", "max_rows"}
    assert all(p["additionalProperties"] is False for p in offered.values())


@pytest.mark.parametrize(("name", "arguments"), [
    ("my_orders", {"max_rows": 5}),
    ("delete_all", {}),
    ("place_order", {"items": []}),
    ("get_order", {"number": 7}),
    ("get_order", {"number": ""}),
    ("get_order", {"number": "X" * 21}),
    ("get_order", {"number": "ORD-1042", "org_id": "00000000-0000-0000-0000-000000000001"}),
    ("get_order", {}),
    ("get_order", "{not json"),
    ("get_order", "[]"),
    ("search_documents", {"query": "x", "max_rows": 51}),
    ("search_documents", {"query": "x", "max_rows": True}),
    ("search_documents", {"query": "x", "query_embedding": [0.0]}),
    ("create_ticket", {"subject": "a", "body": "b\x00"}),
    ("create_ticket", {"subject": "a", "body": "b", "idempotency_key": "00000000-0000-0000-0000-000000000001"}),
])
async def test_a_call_outside_the_catalog_is_refused_before_any_network_call_R98_F40(
        ask: Ask, database: FakePostgrest, model: ScriptedModel, name: str, arguments: object) -> None:
    del database.tools["my_orders"]
    model.turns = [calls((name, arguments)), says("Sorry.")]
    await ask("?")
    assert database.called("call_tool") == []
    [refusal] = model.tool_messages()
    assert refusal.startswith("invalid: ")
    assert [s.arguments["outcome"] for s in database.called("end_model_call")] == ["invalid", "ok"]
    json.loads(model.bodies[1]["messages"][-2]["tool_calls"][0]["function"]["arguments"])


async def test_a_valid_call_reaches_the_database_R98(ask: Ask, database: FakePostgrest, model: ScriptedModel) -> None:
    model.turns = [calls(("search_documents", {"query": "x", "max_rows": 50}), ("my_orders", {"max_rows": None})), says("ok")]
    await ask("?")
    first, second = (call.arguments for call in database.called("call_tool"))
    assert (first["arguments"], len(first["query_embedding"])) == ({"query": "x", "max_rows": 50}, 384)
    assert (second["arguments"], "query_embedding" in second) == ({}, False)


async def test_a_denial_is_told_to_the_model_and_the_run_goes_on_F34(
        ask: Ask, database: FakePostgrest, model: ScriptedModel) -> None:
    def denied(person: str, arguments: Row) -> list[Row]:
        raise Refusal(403, "42501", "not allowed")
    database.tools["my_orders"] = denied
    model.turns = [calls(("my_orders", {})), says("You may not.")]
    assert (await ask("?")).text == "You may not."
    assert model.tool_messages() == ["denied: not allowed"]


async def test_history_comes_from_the_database_and_the_question_last(
        ask: Ask, database: FakePostgrest, model: ScriptedModel) -> None:
    database.history = [{"role": "user", "content": "Earlier?"}, {"role": "assistant", "content": "Yes."}]
    model.turns = [says("ok")]
    conversation = "00000000-0000-0000-0000-0000000000c0"
    assert (await ask("Now?", conversation_id=conversation)).conversation_id == conversation
    assert [m["content"] for m in model.bodies[0]["messages"][1:]] == ["Earlier?", "Yes.", "Now?"]
    assert database.called("start_run")[0].arguments["conversation_id"] == conversation


async def test_text_before_a_tool_call_is_part_of_the_answer(ask: Ask, model: ScriptedModel) -> None:
    asked = Asked()
    model.turns = [calls(("my_orders", {}), text="Let me look."), says("One ", "order.")]
    answer = await ask("?", asked=asked)
    assert answer.text == "Let me look.\n\nOne order." == "".join(asked.deltas)


async def test_what_a_database_cannot_store_is_taken_out_of_the_answer(ask: Ask, model: ScriptedModel) -> None:
    model.turns = [says("a\x00b\ud83dc")]
    assert (await ask("?")).text == "ab?c"


@pytest.mark.parametrize(("refusal", "error"), [
    (Refusal(404, "PT404", "no such running run of yours"), NotVisible),
    (Refusal(401, "PGRST303", "JWT expired"), Unauthenticated),
    (Refusal(500, "XX000", "internal relation app.secret"), UpstreamFailed),
])
async def test_a_failing_database_fails_the_run_with_a_typed_error(
        ask: Ask, database: FakePostgrest, model: ScriptedModel, refusal: Refusal, error: type[AgentError]) -> None:
    async def before(name: str, arguments: Row) -> None:
        if name == "call_tool":
            raise refusal
    database.before = before
    model.turns = [calls(("my_orders", {})), says("never said")]
    with pytest.raises(error) as raised:
        await ask("?")
    assert "secret" not in raised.value.message and "JWT" not in raised.value.message
    assert [f["outcome"] for f in database.finished] == ["failed"]


async def test_an_answer_that_cannot_be_stored_is_not_given(ask: Ask, database: FakePostgrest, model: ScriptedModel) -> None:
    async def before(name: str, arguments: Row) -> None:
        if name == "finish_run" and arguments["outcome"] == "succeeded":
            raise Refusal(500, "53100", "disk full")
    database.before = before
    model.turns = [says("Lost.")]
    with pytest.raises(UpstreamFailed):
        await ask("?")
    assert [f["outcome"] for f in database.finished] == ["succeeded", "failed"]


@pytest.mark.parametrize(("tool", "arguments", "attempts"), [
    ("my_orders", {}, 2),
    ("create_ticket", {"subject": "a", "body": "b"}, 2),
    ("touch", {}, 1),
])
async def test_after_a_timeout_only_what_cannot_happen_twice_is_called_again_R103(
        ask: Ask, database: FakePostgrest, model: ScriptedModel, tool: str, arguments: Row, attempts: int) -> None:
    async def before(name: str, _: Row) -> None:
        if name == "call_tool":
            raise Refusal(500, "57014", "canceling statement due to statement timeout")
    database.before = before
    database.catalog.append({"name": "touch", "comment": "Touch it.\n\n@audience bot\n@effect write",
                             "volatility": "volatile", "arguments": []})
    database.tools["touch"] = lambda person, arguments: []
    model.turns = [calls((tool, arguments)), says("never said")]
    with pytest.raises(TimedOut):
        await ask("?")
    assert len(database.called("call_tool")) == attempts


async def test_a_broken_tool_spoils_only_the_bots_that_are_bound_to_it(
        ask: Ask, database: FakePostgrest, model: ScriptedModel) -> None:
    database.catalog.append({"name": "broken", "comment": None, "volatility": "stable", "arguments": []})
    model.turns = [says("fine")]
    assert (await ask("?")).text == "fine"
    database.tools["broken"] = lambda person, arguments: []
    with pytest.raises(Misconfigured):
        await ask("?")
    assert database.finished[-1]["error_code"] == "misconfigured"
