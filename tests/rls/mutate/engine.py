"""Put mutants to cells: each is made in a transaction, its cells run until one fails, and everything is rolled back."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.rls.mutate.cells import Cell, Stage
from tests.rls.mutate.equivalent import reason
from tests.rls.mutate.mutant import Mutant
from tests.rls.mutate.order import Order
from tests.rls.mutate.together import seen
from tests.rls.mutate.uses import Uses


EQUIVALENT_TRIES = 5
"""To how many cells a mutant is put that is known to change nothing: enough to see that the reason has gone."""
SLOW_S = 0.5
"""A cell that took longer the last time waits until the quick ones have been tried: most mutants are noticed by one of those."""


@dataclass(frozen=True)
class Verdict:
    """What became of one mutant."""

    mutant: Mutant
    killer: str
    """The cell that failed; empty for a survivor."""
    posture: bool
    """Whether the killer reads the catalog instead of trying."""
    said: str
    """The first line of what the killer said."""
    seconds: float
    tried: int

    @property
    def killed(self) -> bool:
        return bool(self.killer)


class Engine:
    """One stage, its cells in order, and what was found out about them on the way."""

    def __init__(self, stage: Stage, cells: Iterable[Cell]) -> None:
        self.stage, self.order = stage, Order(cells, Uses(stage.trunk.real))
        self.sound: dict[str, bool] = {}
        self.seconds: dict[str, float] = {}

    def judge(self, mutant: Mutant) -> Verdict:
        """Return whether a cell notices the mutant, and which."""
        began, tried = time.monotonic(), 0
        few = EQUIVALENT_TRIES if reason(mutant) else None
        for cell in self._quick_first(mutant):
            if few is not None and tried >= few:
                break
            if self.sound.get(cell.id) is False:
                continue
            tried += 1
            if (said := self.fails(cell, mutant)) and self.is_sound(cell):
                self.order.killed(mutant, cell)
                return Verdict(mutant, cell.id, cell.posture, said, time.monotonic() - began, tried)
        return Verdict(mutant, "", False, "", time.monotonic() - began, tried)

    def _quick_first(self, mutant: Mutant) -> Iterator[Cell]:
        """Yield the cells for it in their order, those that were seen to be slow last; what killed one like it waits for nobody."""
        known, waiting = {c.id for c in self.order.killers(mutant)}, []
        for cell in self.order.cells_for(mutant):
            if self.seconds.get(cell.id, 0.0) > SLOW_S and cell.id not in known:
                waiting.append(cell)
            else:
                yield cell
        yield from waiting

    def judge_together(self, group: str, mutants: list[Mutant]) -> list[Verdict]:
        """Judge mutants of which no two touch one object by what the catalog says of all at once; alone where it says nothing of one."""
        with self.stage.trunk.transaction() as db:
            found = seen(db, mutants, group, make)
        return [Verdict(m, found[m][0], True, found[m][1][:200], found[m][2], 1)
                if m in found and not reason(m) and self.is_sound(self.order.by_id[found[m][0]]) else self.judge(m) for m in mutants]

    def judge_all(self, mutants: Iterable[Mutant]) -> list[Verdict]:
        """Judge each, and look again at what killed them."""
        return self.confirmed([self.judge(m) for m in mutants])

    def confirmed(self, verdicts: list[Verdict]) -> list[Verdict]:
        """Believe no cell that no longer passes without a mutant when all is done: something was left in the session."""
        self.sound.clear()
        if spoilt := {v.killer for v in verdicts if v.killed and not self.is_sound(self.order.by_id[v.killer])}:
            verdicts = [self.judge(v.mutant) if v.killer in spoilt else v for v in verdicts]
            assert not {v.killer for v in verdicts} & spoilt
        return verdicts

    def is_sound(self, cell: Cell) -> bool:
        """Whether the cell passes without a mutant, in one transaction as here; found out when it first fails with one."""
        if cell.id not in self.sound:
            self.sound[cell.id] = not self.fails(cell, None)
        return self.sound[cell.id]

    def fails(self, cell: Cell, mutant: Mutant | None) -> str:
        """Run the cell in a transaction with the mutant: empty when it passes, else the first line of what it said."""
        with self.stage.trunk.transaction() as db:
            try:
                if mutant:
                    make(db, mutant)
            except psycopg.errors.IntegrityError as error:
                # The rows of two organizations cannot stand beside each other in such a database: no test of the world would begin.
                return f"the world itself: {error}".split("\n")[0][:200]
            began = time.monotonic()
            try:
                self.stage.run(cell)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # pytest's own outcomes are not Exceptions
                return f"{type(error).__name__}: {error}".split("\n")[0][:200]
            finally:
                self.seconds[cell.id] = time.monotonic() - began
        return ""


def make(db: psycopg.Connection[Any], mutant: Mutant) -> None:
    """Apply the SQL of the mutant, with names as the catalog prints them."""
    db.execute("set local search_path = pg_catalog")
    for statement in mutant.sql:
        db.execute(statement.encode())
    db.execute("set local search_path to default")
