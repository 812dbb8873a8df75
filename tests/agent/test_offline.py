"""The offline responder: what it chooses, what it says, and that it never makes anything up."""

import math
import re
import threading
import time
from collections.abc import Sequence
from typing import Any, cast

import pytest

from agent.catalog import parse_catalog
from agent.citations import Citations
from agent.config import Config
from agent.embedding import Embedder, LocalEmbedder, Vector
from agent.providers import create_provider, offline
from agent.providers.base import Done, Message, ModelRequest, ToolResult
from agent.providers.offline_answer import NO_TOOL, NOTHING, NOTICE, QUOTE_CHARACTERS, compose
from agent.providers.offline_choice import Chooser
from tests.agent.conftest import BOB_TOKEN, Ask, Asked
from tests.agent.fake_postgrest import CATALOG, FakePostgrest, Row, passage

TOOLS = parse_catalog(CATALOG)


@pytest.mark.anyio
@pytest.mark.parametrize(("question", "tool", "arguments"), [
    ("Where is my order ORD-1042?", "get_order", {"number": "ORD-1042"}),
    ("ORD-1042", "get_order", {"number": "ORD-1042"}),
    ("What is in order number ACME-1001?", "get_order", {"number": "ACME-1001"}),
    ("show my orders", "my_orders", {}),
    ("List my last 3 orders", "my_orders", {"max_rows": 3}),
    ("List my last 500 orders", "my_orders", {}),
    ("What did I order lately?", "my_orders", {}),
    ("Which licence applies to redistribution?", "search_documents", None),
    ("What does GPL-3 say?", "search_documents", None),
    ("Does it use SHA-256?", "search_documents", None),
    ("When was RFC-2616 published?", "search_documents", None),
    ("hello", "search_documents", None),
    ("How do I open a ticket?", "search_documents", None),
    ("Who opened a ticket: Alice?", "search_documents", None),
    ("Please open a ticket", "search_documents", None),
    ("Please open a support ticket: order ORD-1042 arrived broken", "create_ticket",
     {"subject": "order ORD-1042 arrived broken", "body": "order ORD-1042 arrived broken", "order_number": "ORD-1042"}),
])
async def test_the_offline_responder_chooses_a_tool_and_fills_it_from_the_question(
        embedder: LocalEmbedder, question: str, tool: str, arguments: Row | None) -> None:
    choice = await Chooser(embedder).choose(question, list(TOOLS.values()))
    assert choice is not None
    assert (choice[0].name, choice[1]) == (tool, {"query": question} if arguments is None else arguments)
    assert choice[0].validated(choice[1]) == choice[1]


@pytest.mark.anyio
@pytest.mark.parametrize(("question", "tools"), [
    ("What is the capital of France?", ["my_orders"]),
    ("Where is my order?", ["get_order"]),
    ("What does GPL-3 say?", ["get_order"]),
    ("My parcel is broken", ["create_ticket"]),
    ("anything", []),
])
async def test_no_tool_is_forced_on_a_question(embedder: LocalEmbedder, question: str, tools: list[str]) -> None:
    assert await Chooser(embedder).choose(question, [TOOLS[name] for name in tools]) is None


@pytest.mark.anyio
async def test_an_offline_answer_quotes_and_cites_what_was_found_F28(ask_offline: Ask, database: FakePostgrest) -> None:
    content = "Parcels are sent\nwithin two days."
    database.tools["search_documents"] = lambda person, arguments: [
        passage(1, "Noise.", similarity=0.1), passage(2, content, similarity=0.6)]
    asked = Asked()
    answer = await ask_offline("How fast are parcels sent?", asked=asked)
    assert answer.text == "".join(asked.deltas)
    assert "Handbook [2]:\n\n> Parcels are sent\n> within two days." in answer.text
    assert answer.text.endswith(NOTICE) and "Noise" not in answer.text
    assert [c["n"] for c in answer.citations] == [2]
    [step, last] = database.called("end_model_call")
    assert (step.arguments["provider"], step.arguments["input_tokens"]) == ("offline", 0) and last is not step


@pytest.mark.anyio
async def test_below_the_similarity_floor_nothing_is_said_to_be_found(ask_offline: Ask, database: FakePostgrest) -> None:
    database.tools["search_documents"] = lambda person, arguments: [passage(1, "Far away.", similarity=0.32)]
    answer = await ask_offline("How many moons has Jupiter?")
    assert (answer.text, answer.citations) == (NOTHING, [])
    database.tools["search_documents"] = lambda person, arguments: [passage(1, "Near.", similarity=0.33)]
    assert "Near." in (await ask_offline("How many moons has Jupiter?")).text


@pytest.mark.anyio
async def test_anothers_order_is_answered_in_the_words_of_one_that_does_not_exist(ask_offline: Ask) -> None:
    foreign = await ask_offline("Where is order ORD-1042?", token=BOB_TOKEN)
    missing = await ask_offline("Where is order ORD-9999?", token=BOB_TOKEN)
    own = await ask_offline("Where is order ORD-1042?")
    assert foreign.text == missing.text == f"No order of that number that you may see.\n\n{NOTICE}"
    assert "- order number: ORD-1042, status: shipped, items: name lamp, quantity 2" in own.text


@pytest.mark.anyio
async def test_a_ticket_is_opened_only_on_a_clear_order_to_do_so(ask_offline: Ask, database: FakePostgrest) -> None:
    await ask_offline("How do I create a ticket?")
    assert [c.arguments["tool"] for c in database.called("call_tool")] == ["search_documents"]
    answer = await ask_offline("Create a ticket: my lamp is broken")
    assert [c.arguments["tool"] for c in database.called("call_tool")][1:] == ["create_ticket"]
    assert "subject: my lamp is broken, status: open" in answer.text


@pytest.mark.anyio
async def test_a_bot_without_tools_says_so(ask_offline: Ask, database: FakePostgrest) -> None:
    database.tools.clear()
    assert (await ask_offline("hello")).text == NO_TOOL


def test_rows_are_told_as_they_are_and_no_rows_as_none() -> None:
    rows = [{"order_number": "A-1", "note": None, "text": "two\nlines"}]
    assert compose("q", ToolResult("t", "ok", "", rows)) == f"Found:\n\n- order number: A-1, text: two lines\n\n{NOTICE}"
    assert compose("q", ToolResult("t", "ok", "", [])) == NOTHING


def test_of_a_long_passage_the_lines_nearest_to_the_question_are_quoted_word_for_word() -> None:
    lines = [f"Line {n} is about something else entirely, at some length.\n" for n in range(40)]
    lines[30] = "The warranty lasts three years.\n"
    content = "".join(lines)
    passages = Citations().add([passage(1, content)])
    text = compose("How long does the warranty last?", ToolResult("t", "ok", "", [], passages))
    quote = "\n".join(line.removeprefix("> ") for line in text.splitlines() if line.startswith("> "))
    assert "The warranty lasts three years." in quote
    assert quote in content and len(quote) <= QUOTE_CHARACTERS


HOSTILE = ('![x](https://evil.test/?q=1)\n\\![y](https://evil.test/)\n<img src="https://evil.test/">\n\\<script>run()</script>\n'
           "<!-- hidden -->\nif a < b and 3 <4: [link](https://example.test)")
LIVE = re.compile(r"!\[|<[a-z/!?]", re.IGNORECASE)


@pytest.mark.parametrize("result", [
    ToolResult("t", "ok", "", [], Citations().add([passage(1, HOSTILE, title="<b>![t](https://evil.test/)")])),
    ToolResult("t", "ok", "", [{"note": HOSTILE, "inner": [{"a": HOSTILE}]}]),
    ToolResult("t", "not_found", HOSTILE),
])
def test_what_others_wrote_is_quoted_without_live_images_and_html_R105(result: ToolResult) -> None:
    text = compose("q", result)
    assert LIVE.search(HOSTILE) and not LIVE.search(text)
    assert "if a < b and 3 <4: [link](https://example.test)" in text, "the rest is as it was"


def test_making_a_quote_inert_leaves_what_its_citation_refers_to_R105() -> None:
    citations = Citations()
    [found] = citations.add([passage(1, HOSTILE)])
    text = compose("q", ToolResult("t", "ok", "", [], [found]))
    assert found.row == passage(1, HOSTILE) and citations.cited_in(text) == [found.citation()]


@pytest.mark.parametrize("similarity", ["NaN", float("nan"), None, "0.9", math.inf, -math.inf])
def test_a_similarity_that_is_no_finite_number_is_not_near(similarity: Any) -> None:
    odd, near = passage(1, "Odd.") | {"similarity": similarity}, passage(2, "Near.")
    text = compose("q", ToolResult("t", "ok", "", [], Citations().add([odd, near])))
    assert "> Near." in text and "Odd." not in text


def test_many_short_lines_take_no_longer_than_their_number() -> None:
    content = "\n" * 200_000 + "what is it"
    begun = time.perf_counter()
    compose("what is it", ToolResult("t", "ok", "", [], Citations().add([passage(1, content)])))
    assert time.perf_counter() - begun < 1


@pytest.mark.anyio
async def test_an_answer_is_composed_beside_the_event_loop(ask_offline: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []
    monkeypatch.setattr(offline, "compose", lambda *_: threads.append(threading.get_ident()) or "Said.")
    assert (await ask_offline("How fast?")).text == "Said."
    assert len(threads) == 1 and threads[0] != threading.get_ident()


@pytest.mark.anyio
async def test_nothing_goes_to_an_embedding_endpoint_that_nobody_asked_the_data_policy_about_F70() -> None:
    """It compares on this machine, whatever embeds documents and searches."""
    class Elsewhere:
        remote = object()

        async def embed(self, texts: Sequence[str]) -> list[Vector]:
            raise AssertionError(f"sent out: {texts}")

    config = Config.from_environment({"RINGFENCE_REST_URL": "http://127.0.0.1", "SUPABASE_PUBLISHABLE_KEY": "k"})
    request = ModelRequest([Message("user", "show my orders")], list(TOOLS.values()))
    said = [piece async for piece in create_provider(config, cast(Embedder, Elsewhere())).answer(request)]
    assert [call.name for piece in said if isinstance(piece, Done) for call in piece.tool_calls] == ["my_orders"]
