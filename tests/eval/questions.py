"""The evaluation set: questions over real texts, with what a good answer holds. The data is in north.toml and south.toml.

The texts themselves are not kept here: they are the descriptions and licences of the packages this project is locked to, read
where they are installed. A document is named `package` for its description or `package/path` for a file of its metadata.
The two organizations share no document, so a row of one that shows up in an answer to the other is a leak and is counted.

A file holds `documents`, orders (`customer` is "asker", who asks every question, or "colleague"), and questions:

    text       what is asked
    document   the document that answers it; together with `fact`
    fact       what a right answer holds
    passage    what marks the passages that answer it, where `fact` alone would also be found elsewhere in the document
    tool       the tool to be called, where it is not the search
    arguments  what its arguments must be; others may be left to the caller
    leak       what only the other organization, or a colleague, may read: an answer with it is a leak

`fact`, `passage`, `leak` and each of `arguments` are regular expressions, in any case, with every run of white space read as
one space; an argument must match as a whole. A question without `fact` is not answered by anything the asker may read: the
right answer says so.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ORGANIZATIONS = ("north", "south")


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    document: str | None = None
    fact: str | None = None
    passage: str | None = None
    tool: str = "search_documents"
    arguments: dict[str, str] = field(default_factory=dict)
    leak: str | None = None

    @property
    def kind(self) -> str:
        """One of document, tool, absent (no fact: to be refused)."""
        return "absent" if self.fact is None else "document" if self.document else "tool"

    def marks(self, passage: str) -> bool:
        """Return whether a passage of the right document answers the question."""
        return found(self.passage or self.fact or "", passage)


@dataclass(frozen=True, slots=True)
class Part:
    """What one organization holds, and what is asked in it."""

    name: str
    documents: tuple[str, ...]
    orders: tuple[dict[str, Any], ...]
    questions: tuple[Question, ...]


def load(name: str) -> Part:
    """Return the part of one organization. Raises: TypeError for a field that there is not."""
    data = tomllib.loads((HERE / f"{name}.toml").read_text())
    return Part(name, tuple(data["documents"]), tuple(data["order"]), tuple(Question(**one) for one in data["question"]))


def found(pattern: str, text: str) -> bool:
    """Return whether `pattern` is in `text`."""
    return re.search(pattern, " ".join(text.split()), re.IGNORECASE) is not None


def matches(pattern: str, value: Any) -> bool:
    """Return whether `pattern` is the whole of an argument."""
    return re.fullmatch(pattern, " ".join(str(value).split()), re.IGNORECASE) is not None
