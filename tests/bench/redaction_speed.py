"""What it takes to find personal data before a text goes to a provider of models, in plain and in hostile text."""

from __future__ import annotations

import time

from agent.redaction.kinds import find
from tests.agent.hostile_texts import HOSTILE
from tests.bench.report import Report, median

PLAIN = "The parcel for Jane Doe, jane.doe@example.com, +49 30 901820, left on 2026-03-12 and went to 221B Baker Street. Nothing else was in it. "
TIMES = 3
AT_MOST_GROWTH = 3.0


def measure(report: Report) -> None:
    """Add seconds of the processor for 100,000 characters of plain text, of the slowest hostile one, and how the time grows with twice the text: 2 is linear, 4 is not."""
    plain = PLAIN * (100_000 // len(PLAIN))
    report.add("personal data looked for in 100,000 characters", _seconds(plain), "s")
    slowest = max(HOSTILE, key=_seconds)
    report.add("the same in the slowest hostile text", _seconds(slowest) * 100_000 / len(slowest), "s", note=f"{slowest[:12]!r}…")
    growth = max(_seconds(text * 2) / _seconds(text) for text in (plain, *HOSTILE))
    report.add("twice the text takes, at most", growth, "times", at_most=AT_MOST_GROWTH)


def _seconds(text: str) -> float:
    found = []
    for _ in range(TIMES):
        began = time.process_time()
        find(text)
        found.append(time.process_time() - began)
    return median(found)
