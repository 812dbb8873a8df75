"""The score of a run, and how it is said."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.rls.mutate.engine import Verdict
from tests.rls.mutate.equivalent import RULES, reason


@dataclass(frozen=True)
class Score:
    """What became of every mutant."""

    verdicts: tuple[Verdict, ...]

    @property
    def counted(self) -> list[Verdict]:
        return [v for v in self.verdicts if v.killed or not reason(v.mutant)]

    @property
    def survivors(self) -> list[Verdict]:
        return [v for v in self.counted if not v.killed]

    @property
    def needless(self) -> list[str]:
        """Patterns of reasons whose mutants were all killed: what such a reason says is not so, or no longer, and it must go. Of a whole run."""
        about = {pattern: [v.killed for v in self.verdicts if re.fullmatch(pattern, v.mutant.id, re.DOTALL)] for pattern, _ in RULES}
        return [pattern for pattern, killed in about.items() if killed and all(killed)]

    def __str__(self) -> str:
        counted, killed = len(self.counted), sum(v.killed for v in self.counted)
        posture = sum(v.posture for v in self.counted if v.killed)
        share = 100 * killed / counted if counted else 0.0
        # 100.0 is said of all, and of nothing less.
        shown = "100.0" if killed == counted and counted else f"{min(share, 99.9):.1f}"
        return (f"mutants: {counted}, killed: {killed} ({shown} %)\n"
                f"  by behaviour: {killed - posture}, by posture (the catalog says so; no request can see it): {posture};"
                f" equivalent, each with its reason: {len(self.verdicts) - counted}")

    def to_json(self) -> dict[str, Any]:
        """The score as an object: counts, and of each mutant what killed it or why it is equivalent."""
        return {
            "mutants": len(self.counted), "killed": sum(v.killed for v in self.counted), "by_posture": sum(v.posture for v in self.counted),
            "equivalent": len(self.verdicts) - len(self.counted),
            "verdicts": [{"mutant": v.mutant.id, "sql": list(v.mutant.sql), "killed_by": v.killer, "said": v.said,
                          "equivalent": "" if v.killed else reason(v.mutant)} for v in self.verdicts],
        }

    def by_kind(self) -> str:
        """One line a kind of mutant: how many, killed by what, how long."""
        total, posture, alive, seconds = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
        for v in self.verdicts:
            total[v.mutant.kind] += 1
            posture[v.mutant.kind] += v.posture
            alive[v.mutant.kind] += not v.killed
            seconds[v.mutant.kind] += v.seconds  # type: ignore[assignment]
        return "\n".join(f"  {kind:<24} {total[kind]:>5}  by behaviour {total[kind] - posture[kind] - alive[kind]:>5}  by posture {posture[kind]:>5}"
                         f"  alive or equivalent {alive[kind]:>4}  {seconds[kind]:6.1f} s" for kind in sorted(total))

    def said_of_equivalents(self) -> str:
        """Each reason of which a mutant was left alive, and how many."""
        reasons = Counter(reason(v.mutant) for v in self.verdicts if not v.killed)
        return "\n".join(f"equivalent: {count}, for: {why}" for why, count in sorted(reasons.items()) if why)

    def said_of_survivors(self) -> str:
        """Each survivor with the SQL that made it."""
        return "\n".join(f"survived: {v.mutant.id} ({v.tried} cells)\n" + "\n".join(f"    {s};" for s in v.mutant.sql) for v in self.survivors)


def merged(parts: Iterable[Iterable[Verdict]]) -> Score:
    return Score(tuple(v for part in parts for v in part))
