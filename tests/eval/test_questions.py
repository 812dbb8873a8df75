"""The evaluation set cannot rot: its documents are there, its facts stand in them, and nowhere they should not."""

from __future__ import annotations

import dataclasses
import functools

import pytest

from agent.chunking import chunk
from tests.eval import texts
from tests.eval.questions import ORGANIZATIONS, Part, Question, found, load

PARTS = {name: load(name) for name in ORGANIZATIONS}
ASKED = [pytest.param(part, question, id=f"{part.name}: {question.text}") for part in PARTS.values() for question in part.questions]
TOOLS = {"search_documents", "get_order", "my_orders", "create_ticket"}


@functools.cache
def passages(document: str) -> tuple[str, ...]:
    return tuple(one.content for one in chunk(texts.read(document).text))


def problems(part: Part, question: Question) -> list[str]:
    """Say what is wrong with a question."""
    wrong = []
    if question.document is not None:
        if question.document not in part.documents:
            wrong.append("its document is not the organization's")
        elif question.fact is None:
            wrong.append("a document without a fact")
        elif not any(question.marks(one) and found(question.fact, one) for one in passages(question.document)):
            wrong.append("no passage of its document answers it")
    if question.tool not in TOOLS or (question.arguments and question.tool == "search_documents"):
        wrong.append("it has no such tool, or arguments for the search")
    if question.kind == "tool" and question.tool == "search_documents":
        wrong.append("a fact, and neither a document nor a tool to find it with")
    if question.leak is not None:
        if found(question.leak, question.text):
            wrong.append("an answer that repeats the question would count as a leak")
        if any(found(question.leak, one) for name in part.documents for one in passages(name)):
            wrong.append("what counts as a leak stands in its own documents")
        foreign = [order for other in PARTS.values() for order in other.orders if (other.name, order["customer"]) != (part.name, "asker")]
        others = [one for other in PARTS.values() if other.name != part.name for name in other.documents for one in passages(name)]
        if not any(found(question.leak, one) for one in [*others, *map(str, foreign)]):
            wrong.append("what counts as a leak is nowhere, so it could never be counted")
    return wrong


@pytest.mark.parametrize(("part", "question"), ASKED)
def test_every_question_can_be_answered_from_what_it_names(part: Part, question: Question) -> None:
    assert problems(part, question) == []


@pytest.mark.parametrize(("change", "said"), [
    ({"document": "h11"}, "its document is not the organization's"),
    ({"document": "click"}, "no passage of its document answers it"),
    ({"fact": "RFC 9999"}, "no passage of its document answers it"),
    ({"fact": None}, "a document without a fact"),
    ({"document": None}, "a fact, and neither a document nor a tool to find it with"),
    ({"tool": "drop_table"}, "it has no such tool, or arguments for the search"),
    ({"leak": "RFC"}, "an answer that repeats the question would count as a leak"),
    ({"leak": "7519"}, "what counts as a leak stands in its own documents"),
    ({"leak": "there is no such text"}, "what counts as a leak is nowhere, so it could never be counted"),
])
def test_a_question_that_rots_is_noticed(change: dict[str, str | None], said: str) -> None:
    first = PARTS["north"].questions[0]
    assert problems(PARTS["north"], first) == []
    assert said in problems(PARTS["north"], dataclasses.replace(first, **change))  # type: ignore[arg-type]


def test_a_document_that_is_not_installed_is_noticed() -> None:
    for name in ("there-is-no-such-package", "click/there/is/no/such.file"):
        with pytest.raises(LookupError):
            texts.read(name)


def test_the_set_is_large_enough_and_has_every_kind() -> None:
    questions = [question for part in PARTS.values() for question in part.questions]
    kinds = {kind: sum(question.kind == kind for question in questions) for kind in ("document", "tool", "absent")}
    assert kinds["document"] >= 60 and kinds["tool"] >= 8 and kinds["absent"] >= 15
    assert all(document in {question.document for question in part.questions} for part in PARTS.values() for document in part.documents)


def test_the_organizations_share_no_document() -> None:
    north, south = (PARTS[name] for name in ORGANIZATIONS)
    assert not set(north.documents) & set(south.documents)
    assert not {one for name in north.documents for one in passages(name)} & {one for name in south.documents for one in passages(name)}
