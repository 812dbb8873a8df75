"""Word the offline responder's answers: quoted passages with citations, rows as they are, or the database's own message.

Who shows the answer as Markdown shows what others wrote: `inert` takes from it what would load or run something by itself
(R105). A citation's range and hash are those of the stored passage, not of the quote.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from agent.citations import Passage
from agent.providers.base import ToolResult
from agent.providers.names import unmentioned

NOTICE = "No language model is configured: this answer only quotes what was found."
NOTHING = f"I found nothing about this in what you may read.\n\n{NOTICE}"
NO_TOOL = f"None of the tools this bot may use fits this question.\n\n{NOTICE}"

# Cosine of question and passage. Measured on READMEs and licence texts (511 passages): the best passage scores .40 to .72
# for questions they answer, and at most .25 (a bare greeting: .32) for questions they do not.
SIMILARITY_FLOOR = 0.33
MAX_QUOTES = 3
QUOTE_CHARACTERS = 700
MAX_LINES = 2000
"""How many lines of one passage are looked at."""

_WORD = re.compile(r"\w{3,}")
_HTML = re.compile(r"<(?=[a-z/!?])", re.IGNORECASE)
_ESCAPED = re.compile(r"&(?=(?:amp;)*lt;)")
_ESCAPED_AGAIN = re.compile(r"&amp;(?=(?:amp;)*lt;)")


def compose(question: str, result: ToolResult) -> str:
    """Return the answer to `question` from one tool result."""
    if result.outcome != "ok":
        return f"{inert(sentence(result.message))}\n\n{NOTICE}"
    if result.passages:
        near = about(question, result.passages)
        return _quotes(question, near[:MAX_QUOTES]) if near else NOTHING
    if not result.rows:
        return NOTHING
    return "\n".join(["Found:", "", *map(item, result.rows), "", NOTICE])


def about(question: str, passages: Sequence[Passage]) -> list[Passage]:
    """Return the passages near the question; none when it names something that none of those mentions."""
    near = [p for p in passages if _is_near(p.row.get("similarity"))]
    return [] if near and unmentioned(question, (f"{p.row['title']} {p.row['content']}" for p in near)) else near


def _is_near(similarity: Any) -> bool:
    # A stored vector may make it null, or NaN, which arrives as text.
    return isinstance(similarity, int | float) and SIMILARITY_FLOOR <= similarity < math.inf


def inert(text: str) -> str:
    """Return `text` without live Markdown images and HTML tags; unlike a backslash, neither form can be escaped away."""
    return _HTML.sub("&lt;", _ESCAPED.sub("&amp;", text).replace("![", "!\\["))


def plain(text: str) -> str:
    """Return what `inert` was given, for a reader that shows characters and runs nothing, such as a terminal."""
    return _ESCAPED_AGAIN.sub("&", text.replace("!\\[", "![").replace("&lt;", "<"))


def sentence(message: str) -> str:
    text = message.strip() or "The database refused this."
    return text[0].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _quotes(question: str, passages: Sequence[Passage]) -> str:
    parts = ["These passages are the closest to the question:"]
    for passage in passages:
        quote = excerpt(question, passage.row["content"])
        quoted = "\n".join(f"> {line}".rstrip() for line in inert(quote).splitlines())
        parts.append(f"{inert(_plain(passage.row['title']))} [{passage.n}]:\n\n{quoted}")
    return "\n\n".join([*parts, NOTICE])


def excerpt(question: str, content: str, characters: int = QUOTE_CHARACTERS) -> str:
    """Return the passage, or of a long one the run of whole lines that shares most words with the question."""
    if len(content) <= characters:
        return content
    words = set(_WORD.findall(question.lower()))
    lines = content.splitlines(keepends=True)[:MAX_LINES]
    found = [words.intersection(_WORD.findall(line.lower())) for line in lines]
    best, best_hits = range(0), -1
    # Every line enters the window once and leaves it once.
    window: Counter[str] = Counter()
    size = end = 0
    for first, line in enumerate(lines):
        while end < len(lines) and (end == first or size + len(lines[end]) <= characters):
            window.update(found[end])
            size += len(lines[end])
            end += 1
        hits = sum(count > 0 for count in window.values())
        if hits > best_hits:
            best, best_hits = range(first, end), hits
        window.subtract(found[first])
        size -= len(line)
    return "".join(lines[n] for n in best)[:characters].strip("\n")


def item(row: dict[str, Any]) -> str:
    """Return a row as one line of a list, every value as the database gave it."""
    fields = ", ".join(f"{name.replace('_', ' ')}: {_plain(value)}" for name, value in row.items() if value is not None)
    return f"- {inert(fields)}"


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(map(_plain, value))
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {_plain(inner)}" for name, inner in value.items())
    return " ".join(str(value).split())
