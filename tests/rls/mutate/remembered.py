"""Which cells killed the mutants of an object last time: an order to try cells in, and never a verdict.

`killers.txt` is written by `ringfence rls mutate --remember`. A wrong or missing line costs time and nothing else: each kill is made anew.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.rls.mutate.engine import Verdict
    from tests.rls.mutate.mutant import Mutant

FILE = Path(__file__).with_name("killers.txt")
_HEAD = "# Which tests noticed the mutants of which object last time: a test, and below it the objects. Written by `ringfence rls mutate --remember`."


def place(mutant: Mutant) -> str:
    """What the mutant changes: a policy, a function, a trigger, a key."""
    return mutant.id.split(" ", 1)[1].split(":")[0]


def load() -> dict[str, list[str]]:
    """Return the ids of cells by place, the most frequent killer first."""
    return {name: [cell for cell, _ in sorted(kills.items(), key=lambda k: (-k[1], k[0]))] for name, kills in _read().items()}


def save(verdicts: Iterable[Verdict]) -> None:
    """Write down the kills by behaviour of a run. Of a place where it judged nothing stays what is known."""
    verdicts = list(verdicts)
    judged = {place(v.mutant) for v in verdicts}
    kills = defaultdict(Counter, {name: cells for name, cells in _read().items() if name not in judged})
    for v in verdicts:
        if v.killed and not v.posture and not v.said.startswith("the world") and "\n" not in v.killer:
            kills[place(v.mutant)][v.killer] += 1
    by_cell: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(kills):
        for cell, count in kills[name].items():
            by_cell[cell].append(f"  {name} {count}")
    FILE.write_text("\n".join([_HEAD, *(line for cell in sorted(by_cell) for line in (cell, *by_cell[cell]))]) + "\n")


def _read() -> dict[str, Counter[str]]:
    """The file: how many mutants of each place each cell killed."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    cell = ""
    for line in FILE.read_text().splitlines() if FILE.exists() else []:
        if line.startswith("  "):
            name, _, count = line.strip().rpartition(" ")
            found[name][cell] = int(count)
        elif not line.startswith("#"):
            cell = line
    return found
