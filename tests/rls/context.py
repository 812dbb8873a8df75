"""What every probe and every rule is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import psycopg

from tests.rls.acting import Outcome
from tests.rls.catalog import Catalog
from tests.rls.cells import NO_GRANT, Cell, Matrix, verdict
from tests.rls.config import Config
from tests.rls.tenancy import Tenancy


@dataclass
class Context:
    """One run. The connection is inside the transaction that is rolled back; a check that changes something does it in a savepoint and rolls back to it."""

    conn: psycopg.Connection[Any]
    catalog: Catalog
    tenancy: Tenancy
    config: Config
    personas: Any = None
    """`personas.Personas`: who is acting, and the statements to act with. None when only rules run."""
    world: Any = None
    """`seeding.World`: the two tenants and their canary rows. None when only rules run."""
    leaking: set[int] = field(default_factory=set)
    """Oids of relations that somebody read foreign rows of; what only passes those on is not told again."""
    matrix: Matrix = field(default_factory=Matrix)
    """What was seen, cell by cell, for the reports."""
    checked: dict[str, int] = field(default_factory=dict)
    """How often each kind of check was made: cells, calls, rules."""

    def count(self, kind: str, number: int = 1) -> None:
        self.checked[kind] = self.checked.get(kind, 0) + number

    def saw(self, label: str, command: str, persona: str, outcome: Outcome, leak: bool = False) -> None:
        """Put what a persona met into the matrix."""
        self.matrix.add(Cell(label, command, persona, verdict(outcome, leak), outcome.said()[:300]))

    def shut(self, label: str, command: str, persona: str, verdict: str = NO_GRANT, reason: str = "no privilege") -> None:
        """Put into the matrix what needs no try: a persona has no privilege for a command at all, or no policy is for it."""
        self.matrix.add(Cell(label, command, persona, verdict, reason))
