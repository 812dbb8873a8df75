"""What the engine says of a batch of breaks, and whether it names them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tests.rls import engine
from tests.rls.corpus.batches import Batch
from tests.rls.corpus.copies import Copies
from tests.rls.corpus.entries import Entry
from tests.rls.finding import Finding


def judge(copies: Copies, batch: Batch) -> engine.Result:
    """Break a copy of the schema in all the ways of a batch, and run the engine on it as postgres, without a configuration."""
    with copies.broken(replace(batch.entries[0], patch=batch.patch)) as database:
        return engine.run(copies.url(database))


def about(entry: Entry, findings: Iterable[Finding]) -> list[Finding]:
    """The findings that name a culprit of the entry and, if the entry says which, are of a fitting kind."""
    objects = {_plain(culprit) for culprit in entry.culprits}
    return [one for one in findings if _plain(one.object) in objects and (not entry.named_by or one.id in entry.named_by)]


def _plain(name: str) -> str:
    return name.replace(" ", "").lower()
