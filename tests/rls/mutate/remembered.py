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
    found: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    cell = ""
    for line in FILE.read_text().splitlines() if FILE.exists() else []:
        if line.startswith("  "):
            name, _, count = line.strip().rpartition(" ")
            found[name].append((-int(count), cell))
        elif not line.startswith("#"):
            cell = line
    return {name: [cell for _, cell in sorted(cells)] for name, cells in found.items()}


def save(verdicts: Iterable[Verdict]) -> None:
    """Write the file anew from the kills by behaviour of a whole run."""
    kills: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for v in verdicts:
        if v.killed and not v.posture and not v.killer.startswith("the world"):
            kills[v.killer][place(v.mutant)] += 1
    lines = [line for cell in sorted(kills) for line in (cell, *(f"  {name} {count}" for name, count in sorted(kills[cell].items())))]
    FILE.write_text("\n".join([_HEAD, *lines]) + "\n")
