"""`openai` for Python and the bots of the seeded stack: what a person is offered, answered, cited and refused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import openai
import pytest

from tests.e2e.conftest import SignedIn

People = Callable[[str], SignedIn]
QUESTION = "What does the licence allow me to do with the software?"


@pytest.fixture
def ask(stack: dict[str, Any], person: People) -> Iterator[Callable[[str], openai.OpenAI]]:
    """An OpenAI client whose API key is a person's access token."""
    opened: list[openai.OpenAI] = []

    def make(email: str) -> openai.OpenAI:
        opened.append(openai.OpenAI(base_url=f"{stack['url']}/v1", api_key=person(email).token, max_retries=0))
        return opened[-1]

    yield make
    for client in opened:
        client.close()


def test_openai_lists_the_bots_of_the_person_as_models(ask: Callable[[str], openai.OpenAI]) -> None:
    assert [m.id for m in ask("member@acme.test").models.list()] == ["acme/helpdesk"]
    assert [m.id for m in ask("both@example.test").models.list()] == ["acme/helpdesk", "globex/helpdesk"]
    assert [m.id for m in ask("nobody@example.test").models.list()] == []


def test_openai_gets_an_answer_with_citations_that_can_be_checked_F28(ask: Callable[[str], openai.OpenAI], person: People) -> None:
    answer = ask("owner@globex.test").chat.completions.create(model="globex/helpdesk", messages=[{"role": "user", "content": QUESTION}])
    extra: Any = answer.model_extra["ringfence"]  # type: ignore[index]
    assert extra["run_id"] and extra["citations"]
    owner = person("owner@globex.test")
    steps = owner.rpc("list_run_steps", org_id=owner.orgs["globex"], run_id=extra["run_id"]).json()
    returned = {source["chunk_id"] for step in steps for source in step["sources"] if "chunk_id" in source}
    assert {c["chunk_id"] for c in extra["citations"]} <= returned
    for citation in extra["citations"]:
        assert citation["title"] and citation["document_id"] and citation["end_char"] > citation["start_char"] and citation["score"] > 0
        assert citation["trust"] == "untrusted"
        # Its reader looks at the document at that place, and finds what was hashed when the answer was made.
        shown = owner.rpc("preview_document", org_id=owner.orgs["globex"], document_id=citation["document_id"], start_char=citation["start_char"],
                          max_chars=citation["end_char"] - citation["start_char"]).json()
        assert hashlib.sha256(shown["text"].encode()).hexdigest() == citation["chunk_sha256"] and citation["retrieved_at"]
    intruder = person("owner@acme.test")
    assert intruder.rpc("list_run_steps", org_id=owner.orgs["globex"], run_id=extra["run_id"]).json() == []


def test_openai_streams_the_same_text_it_answers_whole(ask: Callable[[str], openai.OpenAI]) -> None:
    client = ask("owner@acme.test")
    whole = client.chat.completions.create(model="acme/helpdesk", messages=[{"role": "user", "content": QUESTION}])
    chunks = list(client.chat.completions.create(model="acme/helpdesk", messages=[{"role": "user", "content": QUESTION}], stream=True))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == whole.choices[0].message.content
    cited = [extra["citations"] for c in chunks if (extra := (c.model_extra or {}).get("ringfence")) and "citations" in extra]
    expected: Any = whole.model_extra["ringfence"]["citations"]  # type: ignore[index]
    assert expected
    assert [[c["chunk_id"] for c in one] for one in cited] == [[c["chunk_id"] for c in expected]]


@pytest.mark.parametrize("model", ["globex/helpdesk", "acme/absent", "nowhere/helpdesk"])
def test_openai_hears_the_same_of_anothers_bot_and_of_none(ask: Callable[[str], openai.OpenAI], model: str) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        ask("owner@acme.test").chat.completions.create(model=model, messages=[{"role": "user", "content": "Hello?"}])
    assert caught.value.body["code"] == "not_found"  # type: ignore[index, call-overload]
    assert "no such bot" in caught.value.message


def test_a_conversation_goes_on_for_its_person_and_for_nobody_else_F56(ask: Callable[[str], openai.OpenAI], person: People) -> None:
    def turn(email: str, conversation: str | None) -> str:
        extra = {"ringfence": {"conversation_id": conversation}} if conversation else {}
        answer = ask(email).chat.completions.create(
            model="acme/helpdesk", messages=[{"role": "user", "content": "What are my orders?"}], extra_body=extra)
        return str(answer.model_extra["ringfence"]["conversation_id"])  # type: ignore[index]

    first = turn("member@acme.test", None)
    assert turn("member@acme.test", first) == first
    member = person("member@acme.test")
    messages = member.rpc("list_messages", org_id=member.orgs["acme"], conversation_id=first).json()
    assert [m["role"] for m in messages] == ["assistant", "user", "assistant", "user"]
    with pytest.raises(openai.NotFoundError):
        turn("owner@acme.test", first)
    owner = person("owner@acme.test")
    foreign = owner.rpc("list_messages", org_id=owner.orgs["acme"], conversation_id=first)
    absent = owner.rpc("list_messages", org_id=owner.orgs["acme"], conversation_id=str(uuid4()))
    assert foreign.status == 404 and foreign.anonymised() == absent.anonymised()
