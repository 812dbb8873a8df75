"""What was measured: a table as it comes in, JSON at the end, and which targets were missed."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


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

    def add(self, name: str, value: float, unit: str, *, at_most: float | None = None, at_least: float | None = None, note: str = "") -> None:
        """Keep and print one value with its target, if it has one."""
        missed = at_most is not None and value > at_most or at_least is not None and value < at_least
        self.rows.append({"section": self.section, "name": name, "value": value, "unit": unit, "at_most": at_most, "at_least": at_least, "missed": missed})
        target = f"at most {at_most:g}" if at_most is not None else f"at least {at_least:g}" if at_least is not None else ""
        verdict = f"   {target}: {'MISSED' if missed else 'met'}" if target else ""
        print(f"  {name:<66}{_shown(value, unit):>12}{verdict}{'   ' + note if note else ''}", flush=True)

    @property
    def missed(self) -> list[str]:
        return [f"{row['section']}: {row['name']}" for row in self.rows if row["missed"]]

    def write(self, path: Path, conditions: dict[str, Any]) -> None:
        path.write_text(json.dumps({"conditions": conditions, "rows": self.rows, "missed": self.missed, "took_s": self.took} | self.more, indent=2, default=str) + "\n")


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def _shown(value: float, unit: str) -> str:
    if unit != "s":
        return f"{value:.3g} {unit}".strip() if value < 1000 else f"{value:,.0f} {unit}".strip()
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.2f} ms" if value >= 0.001 else f"{value * 1e6:.0f} us"
