"""`make bench`: everything measured in one run. Ratios between rows mean something; absolute numbers are this machine's.

SIZE=small is a quick run over a tenth of the data, PART=guard, PART=stack, PART=jobs, PART=data or PART=audit is one part. A missed target is printed as MISSED; with STRICT=1 it fails the run.
One that is known to be out of reach is printed as KNOWN with its reason; with STRICT=1 it fails the run the day it is met.
BENCH_JSON names a file for the results as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench import audit_speed, edge, edge_speed, foreign_ids, growth, guard_speed, ingestion, jobs, permissions, recall, redaction_speed, retrieval_quality, revocation, row_security, server
from tests.bench.report import Report
from tests.stack.support import ringfence


@dataclass(frozen=True)
class Size:
    """How much is loaded and how often is measured."""

    main: tuple[int, int]
    """Organizations and passages of the data set on which the targets are."""
    others: tuple[tuple[int, int], ...]
    """Those beside which growth is read."""
    calls: int
    rounds: int


SIZES = {
    "full": Size((200, 200_000), ((20, 20_000), (200, 20_000), (2_000, 20_000)), calls=300, rounds=60),
    "small": Size((200, 20_000), ((20, 2_000), (2_000, 2_000)), calls=80, rounds=24),
}


UNLIMITED = {f"RINGFENCE_RATE_{name}": "100000/1000000" for name in ("USER", "ADDRESS", "AUTH", "CHAT", "TOKEN", "ORG", "ORG_CHAT")} | {
    f"RINGFENCE_RATE_{name}": "64" for name in ("USER_IN_FLIGHT", "USER_DATABASE_CALLS")} | {
    f"RINGFENCE_RATE_{name}": "1000000000/1000000000" for name in ("USER_BYTES", "ORG_BYTES")}


def main() -> int:
    size = SIZES.get(os.environ.get("SIZE") or "full")
    if size is None:
        raise SystemExit(f"SIZE is one of: {', '.join(SIZES)}")
    report, began = Report(), time.perf_counter()
    conditions = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count(), "python": platform.python_version(),
                  "size": os.environ.get("SIZE") or "full", "load_at_start": round(os.getloadavg()[0], 1)}
    print(", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in conditions.items()))
    parts = {"guard": of_the_guard, "stack": of_a_stack, "jobs": of_jobs, "data": of_much_data, "audit": lambda report, size: audit_speed.measure(report)}
    chosen = os.environ.get("PART") or ""
    if chosen and chosen not in parts:
        raise SystemExit(f"PART is one of: {', '.join(parts)}")
    for name, measure in parts.items():
        if chosen in ("", name):
            measure(report, size)
    report.begin("")
    conditions |= {"load_at_end": round(os.getloadavg()[0], 1), "seconds": round(time.perf_counter() - began)}
    if path := os.environ.get("BENCH_JSON"):
        report.write(Path(path), conditions)
    print("\nwhere the time went")
    for section, seconds in report.took.items():
        print(f"  {section:<110}{seconds:>6.0f} s")
    print(f"{conditions['seconds']} s in all, load at the end: {conditions['load_at_end']}")
    return report.conclude(strict=os.environ.get("STRICT") == "1")


def of_the_guard(report: Report, size: Size) -> None:
    """Measure what needs nothing but this process."""
    report.begin("SQL that a model wrote")
    guard_speed.measure(report, size.calls)
    report.begin("text before it goes to a provider of models")
    redaction_speed.measure(report)


def of_a_stack(report: Report, size: Size) -> None:
    """Measure a stack of its own with the example data."""
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as folder:
        report.begin("a stack with the example data")
        try:
            _start(report, "first start", Path(folder), "--port", "0")
            ringfence("down", "--state-dir", Path(folder))
            asyncio.run(_doors(report, _start(report, "second start", Path(folder), at_most=10), size))
        finally:
            ringfence("down", "--state-dir", Path(folder))


def _start(report: Report, name: str, folder: Path, *options: str, at_most: float | None = None) -> dict[str, Any]:
    """Start the stack in a folder, add how long that took, and return where it is."""
    began = time.perf_counter()
    up = ringfence("up", "--detach", "--json", *options, "--state-dir", folder, environment=UNLIMITED, timeout_s=300)
    if up.returncode != 0:
        raise SystemExit(up.stderr)
    report.add(name, time.perf_counter() - began, "s", at_most=at_most)
    return dict(json.loads(up.stdout))


async def _doors(report: Report, stack: dict[str, Any], size: Size) -> None:
    await edge.measure(report, stack, size.calls)
    report.begin("what the edge costs")
    await edge_speed.measure(report, stack, *((12, 20_000) if size is SIZES["small"] else (40, 100_000)))
    report.begin("another organization's id against one of nothing: medians of probes in turn")
    await foreign_ids.measure(report, stack, 60 if size is SIZES["small"] else 200)
    report.begin("a right that ends")
    for row in await revocation.measure(stack, 2 if size is SIZES["small"] else 3):
        name = f"{row['way']}: {row['door']}"
        report.add(name, row["median_ms"] / 1000, "s", note=f"max {row['max_ms']:.0f} ms, {row['still_allowed']} still allowed")
        report.more.setdefault("revocation", []).append(row)
    report.begin("ingestion")
    for what, value in await ingestion.measure(stack):
        print(f"  {what:<66}{value}")
        report.more.setdefault("ingestion", []).append({"what": what, "value": value})
    report.begin("how well questions are answered (evaluation set)")
    report.more["retrieval_quality"] = await retrieval_quality.measure(stack)


def of_jobs(report: Report, size: Size) -> None:
    """Measure workers on a server of their own."""
    with server.running() as started:
        report.begin("jobs")
        jobs.measure(report, started, 10 if size is SIZES["small"] else 40)


def of_much_data(report: Report, size: Size) -> None:
    """Measure data sets of many organizations on a server of their own."""
    with server.running() as started:
        report.begin("growth: more organizations, more passages")
        for organizations, chunks in size.others:
            name, data = growth.load(report, started, organizations, chunks)
            growth.measure(report, started, name, data, size.rounds)
            if organizations > permissions.MEMBERSHIPS:
                report.begin("helpers of the policies")
                permissions.measure(report, started, name, size.calls)
                report.begin("growth: more organizations, more passages")
            started.drop(name)
        report.begin(f"loading {size.main[0]:,} organizations, {size.main[1]:,} passages, and growth")
        name, data = growth.load(report, started, *size.main)
        growth.measure(report, started, name, data, size.rounds)
        report.begin(f"row security against the owner with a filter by hand: {data.organizations:,} organizations, {data.chunks:,} passages")
        row_security.measure(report, started, name, data, size.rounds)
        report.begin("nearest passages found by a search")
        recall.measure(report, started, name, data, 40)


if __name__ == "__main__":
    sys.exit(main())
