"""Judge one answer: tool, arguments, fact, citation, refusal, and rows that should not have been seen."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.providers.base import Done, ModelRequest, Provider, TextDelta, ToolCall
from tests.eval.questions import Question, found, matches
from tests.eval.world import Home

REFUSAL = re.compile(
    r"\b(?:found nothing|did ?n[o'’]t find|could ?n[o'’]t find|can ?not find|can['’]t find|not found|no order|nothing about|no information|not mention|"
    r"do(?:es)? ?n[o'’]t (?:contain|say|have|provide|include|answer)|unable to|none of the tools|no tool)", re.IGNORECASE)
GRADES = ("tool", "arguments", "fact", "citation", "refusal")


class Watched:
    """A provider, and what it asked for and was given in the run that is going on."""

    def __init__(self, inner: Provider) -> None:
        self.inner, self.name, self.model = inner, inner.name, inner.model
        self.calls: list[ToolCall] = []
        self.rows: list[dict[str, Any]] = []

    def begin(self) -> None:
        self.calls, self.rows = [], []

    async def answer(self, request: ModelRequest) -> AsyncGenerator[TextDelta | Done, None]:
        self.rows = [row for message in request.messages if message.result is not None for row in message.result.rows]
        async for piece in self.inner.answer(request):
            if isinstance(piece, Done):
                self.calls += piece.tool_calls
            yield piece

    async def close(self) -> None:
        await self.inner.close()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one question."""

    text: str
    citations: Sequence[dict[str, Any]]
    calls: Sequence[ToolCall]
    rows: Sequence[dict[str, Any]]
    seconds: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class Grade:
    """Each grade is true, false, or None where the question does not ask for it."""

    question: Question
    outcome: Outcome
    passed: dict[str, bool | None] = field(default_factory=dict)
    leaks: int = 0


def grade(home: Home, question: Question, outcome: Outcome) -> Grade:
    """Return the grades of one answer."""
    asks_tool = question.kind != "absent" or question.tool != "search_documents"
    passed = {
        "tool": asks_tool and any(call.name == question.tool for call in outcome.calls) if asks_tool else None,
        "arguments": _arguments(question, outcome.calls) if question.arguments else None,
        "fact": None if question.fact is None else found(question.fact, outcome.text),
        "citation": _cited(home, question, outcome) if question.kind == "document" else None,
        "refusal": not outcome.error and not outcome.citations and REFUSAL.search(outcome.text) is not None if question.kind == "absent" else None,
    }
    return Grade(question, outcome, passed, leaks(home, question, outcome))


def leaks(home: Home, question: Question, outcome: Outcome) -> int:
    """Return how many rows came back that are not the asker's to see, and 1 more for an answer that tells of them."""
    told = question.leak is not None and found(question.leak, outcome.text)
    foreign = [row for row in (*outcome.rows, *outcome.citations) if not home.may_show(row)]
    return len(foreign) + told


def _arguments(question: Question, calls: Sequence[ToolCall]) -> bool:
    given = [json.loads(call.arguments) for call in calls if call.name == question.tool]
    return any(all(matches(pattern, arguments.get(name, "")) for name, pattern in question.arguments.items())
               for arguments in given if isinstance(arguments, dict))


def _cited(home: Home, question: Question, outcome: Outcome) -> bool:
    content = {row["chunk_id"]: row["content"] for row in outcome.rows if "chunk_id" in row}
    return any(home.documents.get(one["document_id"]) == question.document and question.marks(content.get(one["chunk_id"], ""))
               for one in outcome.citations)
