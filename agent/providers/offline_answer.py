"""Word the offline responder's answers: quoted passages with citations, rows as they are, or the database's own message."""

import re
from collections.abc import Sequence
from typing import Any

from agent.citations import Passage
from agent.providers.base import ToolResult

NOTICE = "No language model is configured: this answer only quotes what was found."
NOTHING = f"I found nothing about this in what you may read.\n\n{NOTICE}"
NO_TOOL = f"None of the tools this bot may use fits this question.\n\n{NOTICE}"

# Cosine of question and passage. Measured on READMEs and licence texts (511 passages): the best passage scores .40 to .72
# for questions they answer, and at most .25 (a bare greeting: .32) for questions they do not.
SIMILARITY_FLOOR = 0.33
MAX_QUOTES = 3
QUOTE_CHARACTERS = 700

_WORD = re.compile(r"\w{3,}")


def compose(question: str, result: ToolResult) -> str:
    """Return the answer to `question` from one tool result."""
    if result.outcome != "ok":
        return f"{_sentence(result.message)}\n\n{NOTICE}"
    if result.passages:
        near = [p for p in result.passages if (p.row.get("similarity") or 0.0) >= SIMILARITY_FLOOR]
        return _quotes(question, near[:MAX_QUOTES]) if near else NOTHING
    if not result.rows:
        return NOTHING
    return "\n".join(["Found:", "", *map(_item, result.rows), "", NOTICE])


def _sentence(message: str) -> str:
    text = message.strip() or "The database refused this."
    return text[0].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _quotes(question: str, passages: Sequence[Passage]) -> str:
    parts = ["These passages are the closest to the question:"]
    for passage in passages:
        quote = _excerpt(question, passage.row["content"])
        quoted = "\n".join(f"> {line}".rstrip() for line in quote.splitlines())
        parts.append(f"{passage.row['title']} [{passage.n}]:\n\n{quoted}")
    return "\n\n".join([*parts, NOTICE])


def _excerpt(question: str, content: str) -> str:
    """Return the passage, or of a long one the run of whole lines that shares most words with the question."""
    if len(content) <= QUOTE_CHARACTERS:
        return content
    words = set(_WORD.findall(question.lower()))
    lines = content.splitlines(keepends=True)
    best, best_hits = content[:QUOTE_CHARACTERS], -1
    for first in range(len(lines)):
        excerpt = ""
        for line in lines[first:]:
            if excerpt and len(excerpt) + len(line) > QUOTE_CHARACTERS:
                break
            excerpt += line
        hits = len(words & set(_WORD.findall(excerpt.lower())))
        if hits > best_hits:
            best, best_hits = excerpt[:QUOTE_CHARACTERS], hits
    return best.strip("\n")


def _item(row: dict[str, Any]) -> str:
    """Return a row as one line of a list, every value as the database gave it."""
    fields = ", ".join(f"{name.replace('_', ' ')}: {_plain(value)}" for name, value in row.items() if value is not None)
    return f"- {fields}"


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(map(_plain, value))
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {_plain(inner)}" for name, inner in value.items())
    return " ".join(str(value).split())
