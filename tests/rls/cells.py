"""What was seen in each cell of the matrix: an object, a command and a persona, with one of a few verdicts."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from tests.rls.acting import Outcome

NO_GRANT, REFUSED, NOTHING, OWN, LEAK, ERROR = "no grant", "refused", "nothing", "own", "leak", "error"
VERDICTS = (LEAK, OWN, NOTHING, REFUSED, NO_GRANT, ERROR)
"""The strongest first: of several tries of one cell the strongest stays."""


@dataclass(frozen=True)
class Cell:
    """One measured cell."""

    object: str
    command: str
    """select, insert, update, delete, move or execute."""
    persona: str
    verdict: str
    """leak: something of somebody else; own: something, and nothing of others; nothing: no row; refused: by a policy, or by the function itself;
    no grant: by the missing privilege; error: anything else."""
    said: str
    """The outcome in a few words."""

    def public(self) -> dict[str, str]:
        return asdict(self)


def verdict(outcome: Outcome, leak: bool) -> str:
    """Return the verdict of one outcome."""
    if leak:
        return LEAK
    if outcome.ok:
        return OWN if outcome.count else NOTHING
    if outcome.refused_by_grant and "permission denied" in outcome.message:
        return NO_GRANT
    return REFUSED if outcome.sqlstate[:2] in ("42", "PT", "P0", "28") else ERROR


class Matrix:
    """The cells of a run."""

    def __init__(self) -> None:
        self._cells: dict[tuple[str, str, str], Cell] = {}

    def add(self, cell: Cell) -> None:
        """Keep the stronger of this and what is known of the cell."""
        key = (cell.object, cell.command, cell.persona)
        known = self._cells.get(key)
        if known is None or VERDICTS.index(cell.verdict) < VERDICTS.index(known.verdict):
            self._cells[key] = cell

    def cells(self) -> list[Cell]:
        """Return them by object, command and persona."""
        return [self._cells[key] for key in sorted(self._cells)]
