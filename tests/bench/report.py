"""What was measured: a table as it comes in, JSON at the end, and which targets were missed.

A target that is known to be out of reach is a strict expected failure: its rows say `MISSED, as known`, its reason is printed at the end,
and it fails a run in which every one of its rows is met, so that the reason does not outlive the gap.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Gap:
    """A requirement that is known to be missed, and why."""

    requirement: str
    reason: str


@dataclass
class Report:
    """Measured values by section; a value may have a target."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)
    """What other benchmarks return, as it is."""
    section: str = ""
    took: dict[str, float] = field(default_factory=dict)
    """Seconds by section, preparations included."""
    _since: float = field(default_factory=time.perf_counter)

    def begin(self, section: str) -> None:
        """Begin a section, or with "" end the last one."""
        now = time.perf_counter()
        if self.section:
            self.took[self.section] = self.took.get(self.section, 0) + now - self._since
        self.section, self._since = section, now
        if not section:
            return
        print(f"\n{section}", flush=True)

    def add(self, name: str, value: float, unit: str, *, at_most: float | None = None, at_least: float | None = None, note: str = "", gap: Gap | None = None) -> None:
        """Keep and print one value with its target, if it has one; `gap` where it is known to be missed."""
        missed = at_most is not None and value > at_most or at_least is not None and value < at_least
        self.rows.append({"section": self.section, "name": name, "value": value, "unit": unit, "at_most": at_most, "at_least": at_least, "missed": missed,
                          "gap": gap})
        target = f"at most {at_most:g}" if at_most is not None else f"at least {at_least:g}" if at_least is not None else ""
        verdict = f"   {target}: {'met' if not missed else 'MISSED, as known' if gap else 'MISSED'}" if target else ""
        print(f"  {name:<66}{_shown(value, unit):>12}{verdict}{'   ' + note if note else ''}", flush=True)

    @property
    def missed(self) -> list[str]:
        """What was missed and is not known to be."""
        return [f"{row['section']}: {row['name']}" for row in self.rows if row["missed"] and not row["gap"]]

    @property
    def gaps(self) -> dict[Gap, list[dict[str, Any]]]:
        """The known gaps that were looked at, each with its rows."""
        found: dict[Gap, list[dict[str, Any]]] = {}
        for row in self.rows:
            if row["gap"]:
                found.setdefault(row["gap"], []).append(row)
        return found

    @property
    def closed(self) -> list[str]:
        """Known gaps of which every row was met: there is nothing left to expect."""
        return [gap.requirement for gap, rows in self.gaps.items() if not any(row["missed"] for row in rows)]

    def conclude(self, strict: bool) -> int:
        """Print what was missed, known or not; return the exit status: 1 if strict and something is not as expected."""
        for gap, rows in self.gaps.items():
            print(f"KNOWN   {gap.requirement}: {sum(row['missed'] for row in rows)} of {len(rows)} values missed. {gap.reason}")
        for closed in self.closed:
            print(f"CLOSED  {closed}: every value is met, so it is no known gap any more: take it out")
        for missed in self.missed:
            print(f"MISSED  {missed}")
        return 1 if strict and (self.missed or self.closed) else 0

    def write(self, path: Path, conditions: dict[str, Any]) -> None:
        path.write_text(json.dumps({"conditions": conditions, "rows": [row | {"gap": row["gap"] and row["gap"].reason} for row in self.rows], "missed": self.missed,
                                    "closed_gaps": self.closed, "took_s": self.took} | self.more, indent=2, default=str) + "\n")


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest value that so many of a hundred do not exceed (nearest rank)."""
    return sorted(values)[max(0, -(-len(values) * percent // 100) - 1)]


def _shown(value: float, unit: str) -> str:
    if unit != "s":
        return f"{value:.3g} {unit}".strip() if value < 1000 else f"{value:,.0f} {unit}".strip()
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.2f} ms" if value >= 0.001 else f"{value * 1e6:.0f} us"
