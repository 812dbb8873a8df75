"""Choose one tool for a question, and its arguments, without a model.

A tool's score is the similarity of the question to its name and summary. Required arguments are filled by type and name:
- an identifier (`number`, `…_code`, `…_reference`): a token of the question with digits in it, such as ORD-1042, and of
  the shape of the example when the argument's prose gives one ("like ORD-1042");
- a uuid, a whole number: the first one in the question that fits the bounds;
- other text: the whole question, shortened to the bounds.
A tool whose required arguments cannot be filled is out. A filled identifier weighs so much that the tool made for it wins,
provided the question is about such things at all, or the token begins with the very letters of the example. A tool that
takes the whole question scores at least FREE_TEXT: search is where a question goes when it is not clearly for another tool.

A tool that writes is chosen only when the question asks for exactly that, in the words of its name (`create_ticket`: a
verb of making, then "ticket") followed by ": " and the text; a question *about* tickets stays a question.
"""

import re
import string
from collections.abc import Sequence
from typing import Any

from agent.catalog import Tool
from agent.embedding import Embedder, Vector
from agent.schema import Schema

# Measured with all-MiniLM-L6-v2 on the tools of the example domain: questions for a list of orders score .42 to .66 on its
# tool, questions for documents at most .37 (and those that use "order" in another sense up to .48, wrongly).
FREE_TEXT = 0.39
IDENTIFIER_BONUS = 0.5
# Questions with an order number score .18 to .42 on the tool for it; with RFC-2616, SHA-256 or GPL-3 at most .12.
MINIMUM = 0.17

_IDENTIFIER_NAME = re.compile(r"(^|_)(number|code|reference)$")
_EXAMPLE = re.compile(r"\blike (\S*\w)")
_IDENTIFIER = re.compile(r"(?<![\w.-])(?=[\w-]*\d)[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)+(?![\w-])|(?<![\w.-])\d{3,}(?![\w.-])")
_UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.-])\d{1,9}(?![\w.-])")
_COUNT = re.compile(r"\b(?:last|latest|newest|first|top)\s+(\d{1,3})\b", re.IGNORECASE)
_MAKING = "create|open|file|raise|submit|make"


class Chooser:
    """Chooses among the tools a person has; embeds each tool's text once."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._vectors: dict[str, Vector] = {}

    async def choose(self, question: str, tools: Sequence[Tool]) -> tuple[Tool, dict[str, Any]] | None:
        """Return the tool that fits best and its arguments; None when none does. Ties go to the first."""
        for tool in tools:
            if tool.effect == "write" and (written := _fill_write(tool, question)) is not None:
                return tool, written
        filled = [(tool, arguments) for tool in tools
                  if tool.effect == "read" and (arguments := _fill(tool, question)) is not None]
        scores = [_score(tool, arguments, similarity) for (tool, arguments), similarity
                  in zip(filled, await self._similarities(question, [tool for tool, _ in filled]), strict=True)]
        best = max(range(len(filled)), key=scores.__getitem__, default=None)
        return None if best is None or scores[best] < MINIMUM else filled[best]

    async def _similarities(self, question: str, tools: Sequence[Tool]) -> list[float]:
        # Keyed by the text, which is public to every signed-in person: nothing of a tenant is kept here.
        texts = [f"{tool.name.replace('_', ' ')}: {tool.summary}" for tool in tools]
        missing = sorted({text for text in texts if text not in self._vectors})
        asked, *vectors = await self._embedder.embed([question, *missing])
        self._vectors.update(zip(missing, vectors, strict=True))
        return [sum(a * b for a, b in zip(asked, self._vectors[text], strict=True)) for text in texts]


def _score(tool: Tool, arguments: dict[str, Any], similarity: float) -> float:
    for name in filter(_IDENTIFIER_NAME.search, arguments):
        example = _EXAMPLE.search(tool.parameters["properties"][name]["description"])
        same = example is not None and _letters(example[1]) == _letters(arguments[name])
        return similarity + IDENTIFIER_BONUS if same or similarity >= MINIMUM else similarity
    takes_question = any(rule["type"] == "string" for rule in tool.parameters["properties"].values())
    return max(similarity, FREE_TEXT) if takes_question else similarity


def _letters(token: str) -> str:
    return token[:len(token) - len(token.lstrip(string.ascii_letters))].upper()


def _fill(tool: Tool, question: str) -> dict[str, Any] | None:
    """Return arguments for a reading tool; None when a required one cannot be filled."""
    arguments: dict[str, Any] = {}
    for name, rule in tool.parameters["properties"].items():
        required = name in tool.parameters["required"]
        value = _value(name, rule, question) if required else _count(rule, question)
        if value is not None:
            arguments[name] = value
        elif required:
            return None
    return arguments


def _value(name: str, rule: Schema, question: str) -> str | int | None:
    if rule["type"] == "integer":
        return next((n for n in map(int, _NUMBER.findall(question)) if rule["minimum"] <= n <= rule["maximum"]), None)
    if rule["type"] != "string":
        return None
    if rule.get("format") == "uuid":
        found = _UUID.search(question)
        return found[0] if found else None
    if _IDENTIFIER_NAME.search(name):
        return next((token for token in _IDENTIFIER.findall(question)
                     if len(token) <= rule["maxLength"] and _has_shape(token, rule["description"])), None)
    text = question[:rule["maxLength"]].strip()
    return text if len(text) >= rule["minLength"] else None


def _has_shape(token: str, prose: str) -> bool:
    example = _EXAMPLE.search(prose)
    if example is None:
        return True
    shape = re.sub(r"[A-Za-z]+", "[A-Za-z]+", re.escape(example[1]))
    return re.fullmatch(re.sub(r"\d+", r"\\d+", shape), token) is not None


def _count(rule: Schema, question: str) -> int | None:
    """Return "the last 3" for an optional number; other optional arguments keep their defaults."""
    found = _COUNT.search(question) if rule["type"] == "integer" else None
    return int(found[1]) if found and rule["minimum"] <= int(found[1]) <= rule["maximum"] else None


def _fill_write(tool: Tool, question: str) -> dict[str, Any] | None:
    """Return arguments when the question orders exactly what the tool does and gives the text for it."""
    verb, _, noun = tool.name.partition("_")
    asked = re.match(rf"(?:please\s+)?(?:{_MAKING}|{verb})\s+(?:an?\s+|the\s+)?(?:\w+\s+)?{noun}\s*:\s+(\S.*)",
                     question.strip(), re.IGNORECASE | re.DOTALL)
    if asked is None:
        return None
    text = asked[1].strip()
    arguments: dict[str, Any] = {}
    for name, rule in tool.parameters["properties"].items():
        identifier = _IDENTIFIER_NAME.search(name)
        if name not in tool.parameters["required"] and not identifier:
            continue
        # Several texts, such as subject and body, each get as much of the text as they hold: nothing is made up.
        value = _value(name, rule, text)
        if value is not None:
            arguments[name] = value
        elif name in tool.parameters["required"]:
            return None
    return arguments
