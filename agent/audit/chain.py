"""The chains of an organization's audit trail, computed again from its rows (F62).

A database that was changed by hand may answer with functions that were changed too, so nothing of it is believed but the rows. What an
anchor kept elsewhere says is believed: without one, a chain whose end was cut off is a shorter chain that is whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Link:
    """One link, with its event as JSON; `event` is None when there is none."""

    lane: int
    sequence: int
    event_id: str
    event_sha256: str
    prev_hash: str
    hash: str
    event: dict[str, Any] | None


@dataclass(frozen=True)
class Anchor:
    """The end of one chain at some moment, kept where the database's operator cannot reach it."""

    org_id: str
    taken_at: str
    lane: int
    sequence: int
    hash: str


def read_anchors(lines: Iterable[str]) -> list[Anchor]:
    """Return the anchors of lines as `api.audit_anchor` answers them. Raises: ValueError, KeyError, TypeError."""
    told = [json.loads(line) for line in lines if line.strip()]
    return [Anchor(t["org_id"], t["taken_at"], int(h["lane"]), int(h["sequence"]), h["hash"]) for t in told for h in t["heads"]]


@dataclass(frozen=True)
class Finding:
    """Something that no act of the running system leaves."""

    org_id: str
    kind: str
    """edited, deleted, reordered, gap, cut, rewritten, unlinked, unrecorded or changed."""
    place: str
    """Where: lane and sequence, or what the finding names."""
    text: str

    def __str__(self) -> str:
        return f"{self.org_id} {self.place}: {self.kind}: {self.text}"


def row_digest(row: dict[str, Any]) -> str:
    """Return what `authz.row_digest` does: SHA-256 of PostgreSQL's text of the row as jsonb, without nulls."""
    return _sha256(_jsonb_text(_without_nulls(row)))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    return [_without_nulls(v) for v in value] if isinstance(value, list) else value


def _jsonb_text(value: Any) -> str:
    """Return the text PostgreSQL gives of a jsonb value: keys by length and then bytes, a space after each comma and colon."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda k: (len(k.encode()), k.encode()))
        return "{" + ", ".join(f"{_jsonb_text(k)}: {_jsonb_text(value[k])}" for k in keys) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_jsonb_text, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def first_hash(org_id: str, lane: int) -> str:
    """Return what the first link of a chain holds as the hash before it."""
    return _sha256(f"{org_id} {lane}")


def link_hash(prev_hash: str, sequence: int, event_sha256: str) -> str:
    return _sha256(f"{prev_hash} {sequence} {event_sha256}")


def verify(org_id: str, lane: int, links: Iterable[Link], anchors: Iterable[Anchor] = ()) -> Iterator[Finding]:
    """Yield what is wrong with one chain whose links come by sequence; anchors of other chains are passed over."""
    def found(kind: str, sequence: int, text: str) -> Finding:
        return Finding(org_id, kind, f"{lane}.{sequence}", text)

    awaited = sorted((a for a in anchors if (a.org_id, a.lane) == (org_id, lane)), key=lambda a: a.sequence)
    last, last_hash = 0, first_hash(org_id, lane)
    for link in links:
        if link.sequence != last + 1:
            yield found("gap", last + 1, f"links {last + 1} to {link.sequence - 1} are missing")
        elif link.prev_hash != last_hash:
            yield found("reordered", link.sequence, "the link does not hold the hash of the one before it")
        if link.hash != link_hash(link.prev_hash, link.sequence, link.event_sha256):
            yield found("edited", link.sequence, "the link's hash is not that of its contents")
        if link.event is None:
            yield found("deleted", link.sequence, f"its event {link.event_id} is gone")
        elif row_digest(link.event) != link.event_sha256:
            yield found("edited", link.sequence, f"its event {link.event_id} is not the one that was linked")
        while awaited and awaited[0].sequence <= link.sequence:
            anchor = awaited.pop(0)
            if (anchor.sequence, anchor.hash) != (link.sequence, link.hash):
                yield found("rewritten", anchor.sequence, f"the anchor of {anchor.taken_at} has another hash")
        last, last_hash = link.sequence, link.hash
    for anchor in awaited:
        yield found("cut", anchor.sequence, f"the chain ends at {last}, before the anchor of {anchor.taken_at}")
