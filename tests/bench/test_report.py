"""The benchmark's verdict: a missed target fails a strict run, a known gap does not, and one that closed does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.report import Gap, Report, percentile

GAP = Gap("fast everywhere", "Physics.")


def report(*values: tuple[float, Gap | None]) -> Report:
    made = Report()
    made.begin("speed")
    for number, (value, gap) in enumerate(values):
        made.add(f"row {number}", value, "times", at_most=1.15, gap=gap)
    return made


@pytest.mark.parametrize(("values", "status", "said"), [
    ([(1.0, None)], 0, []),
    ([(1.2, None)], 1, ["MISSED  speed: row 0"]),
    ([(1.4, GAP), (1.0, None)], 0, ["KNOWN   fast everywhere: 1 of 1 values missed. Physics."]),
    ([(1.4, GAP), (1.1, GAP)], 0, ["KNOWN   fast everywhere: 1 of 2 values missed. Physics."]),
    ([(1.1, GAP), (1.0, GAP)], 1, ["KNOWN   fast everywhere: 0 of 2 values missed. Physics.",
                                   "CLOSED  fast everywhere: every value is met, so it is no known gap any more: take it out"]),
    ([(1.4, GAP), (1.2, None)], 1, ["KNOWN   fast everywhere: 1 of 1 values missed. Physics.", "MISSED  speed: row 1"]),
])
def test_a_known_gap_is_a_strict_expected_failure(
        values: list[tuple[float, Gap | None]], status: int, said: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    made = report(*values)
    printed = capsys.readouterr().out
    assert printed.count("MISSED, as known") == sum(value > 1.15 and gap is not None for value, gap in values)
    assert made.conclude(strict=True) == status
    assert capsys.readouterr().out.splitlines() == said
    assert made.conclude(strict=False) == 0


def test_the_reason_of_a_known_gap_stands_in_the_json(tmp_path: Path) -> None:
    made = report((1.4, GAP), (1.4, None))
    made.write(tmp_path / "bench.json", {})
    kept = json.loads((tmp_path / "bench.json").read_text())
    assert [row["gap"] for row in kept["rows"]] == ["Physics.", None]
    assert (kept["missed"], kept["closed_gaps"]) == (["speed: row 1"], [])


@pytest.mark.parametrize(("values", "percent", "expected"), [(range(1, 101), 99, 99), (range(1, 101), 95, 95), ([3, 1, 2], 99, 3), ([1.0], 99, 1.0), ([1, 2], 50, 1)])
def test_a_percentile_is_a_value_that_was_measured(values: list[float], percent: int, expected: float) -> None:
    assert percentile(list(values), percent) == expected
