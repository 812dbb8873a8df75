"""Number the passages a run has retrieved, and tell which of them an answer cites (F28)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

# What a row must have, besides its content, to be a passage that can be cited; and what a citation says of it.
CITED = ("title", "uri", "document_id", "chunk_id", "start_char", "end_char", "chunk_sha256", "score", "retrieved_at", "trust")

# [3] or [1, 2]; not [3](link), which is Markdown for something else.
_MARK = re.compile(r"\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\](?!\()")


@dataclass(frozen=True, slots=True)
class Passage:
    """One retrieved passage under the number it has in this run."""

    n: int
    row: dict[str, Any]

    def citation(self) -> dict[str, Any]:
        """Return the public record of it: n and the fields of CITED."""
        return {"n": self.n} | {name: self.row[name] for name in CITED}


class Citations:
    """The passages of one run; a passage found twice keeps its first number."""

    def __init__(self) -> None:
        self._passages: dict[str, Passage] = {}

    def add(self, rows: Iterable[dict[str, Any]]) -> Sequence[Passage]:
        """Return the passages among `rows`, numbered; other rows are not passages and are left out."""
        found = []
        for row in rows:
            if all(name in row for name in (*CITED, "content")):
                found.append(self._passages.setdefault(row["chunk_id"], Passage(len(self._passages) + 1, row)))
        return found

    def cited_in(self, answer: str) -> list[dict[str, Any]]:
        """Return the citations the answer makes, by number; a number that was never retrieved cites nothing."""
        numbers = {int(n) for mark in _MARK.finditer(answer) for n in mark[1].split(",")}
        return [passage.citation() for passage in self._passages.values() if passage.n in numbers]
