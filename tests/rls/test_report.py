"""The reports, made from a real run over a schema with a hole in it, and the page in a real browser."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.conftest import _copy
from tests.rls import engine, report
from tests.rls.config import Config
from tests.rls.small import CORRECT

BROWSER = Path(__file__).parents[1] / "browser"
NASTY = "</script><img src=x onerror=globalThis.ran=true>"
HOLE = "create policy note_leak on public.note for select to authenticated using (true);"


@pytest.fixture(scope="module")
def told(cluster: Any) -> dict[str, Any]:
    """A run over a schema in which every signed-in person reads every note, and whose data is hostile to pages."""
    for database in _copy(cluster, "template1"):
        with database.connect() as connection:
            connection.execute(CORRECT)
            connection.execute(HOLE)
            found = engine.run_on(connection, Config()).to_json()
            connection.rollback()
    assert any(finding["object"] == "public.note" for finding in found["findings"])
    # As a table of that name would look: the engine itself was not to be asked to make one.
    hostile = {**found["cells"][0], "object": f"public.{NASTY}", "said": NASTY}
    planted = {**found["findings"][0], "object": f"public.{NASTY}", "evidence": f"{NASTY}\x00"}
    return {**found, "cells": [*found["cells"], hostile], "findings": [*found["findings"], planted],
            "not_covered": [{"object": "public.x", "command": "insert", "reason": NASTY}]}


def test_the_matrix_says_of_every_cell_what_was_seen_F80(told: dict[str, Any]) -> None:
    cells = {(cell["object"], cell["command"], cell["persona"]): cell["verdict"] for cell in told["cells"]}
    assert cells["public.note", "select", "signed in, no membership"] == "leak"
    assert cells["public.diary", "select", "signed in, no membership"] == "nothing"
    assert cells["public.diary", "select", "owner"] == "own"
    assert cells["public.diary", "select", "anonymous"] == "no grant"
    assert cells["public.note", "insert", "signed in, no membership"] == "refused"


def test_junit_fails_the_cells_that_leak_and_counts_what_was_not_covered_as_an_error(told: dict[str, Any]) -> None:
    suites = {suite.get("name"): suite for suite in ElementTree.fromstring(report.junit.render(told))}
    leaks = sum(cell["verdict"] == "leak" for cell in told["cells"])
    assert len(suites["matrix"]) == len(told["cells"]) and suites["matrix"].get("failures") == str(leaks) and leaks
    assert suites["findings"].get("failures") == str(len(told["findings"]))
    assert suites["not covered"].get("errors") == "1"


def test_sarif_places_each_finding_in_the_file_that_makes_its_object(told: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "1_tables.sql").write_text(f"-- tables\n{CORRECT}")
    [run] = report.sarif.render(told, tmp_path)["runs"]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in run["results"]} == rules and len(run["results"]) == len(told["findings"]) + 1
    note = next(result for result in run["results"] if result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "public.note")
    place = note["locations"][0]["physicalLocation"]
    line = (tmp_path / "1_tables.sql").read_text().splitlines()[place["region"]["startLine"] - 1]
    assert place["artifactLocation"]["uri"].endswith("1_tables.sql") and line.startswith("create table public.note ")
    fingerprints = [result["partialFingerprints"]["ringfence/v1"] for result in run["results"] if "partialFingerprints" in result]
    assert len(set(fingerprints)) == len(fingerprints)


def test_the_page_shows_the_matrix_filters_it_and_opens_the_evidence_in_a_browser_F80(told: dict[str, Any], tmp_path: Path) -> None:
    files = {file.name: file for file in report.write(told, tmp_path / "out", "database postgres")}
    assert json.loads(files["report.json"].read_text()) == told
    picture = tmp_path / "page.png"
    done = subprocess.run(["node", BROWSER / "report.mjs", files["report.html"], picture], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    leaks = sum(cell["verdict"] == "leak" for cell in told["cells"])
    assert seen["title"] == "Isolation of database postgres" and seen["cells"] == len(told["cells"])
    assert seen["leaks"] == leaks and seen["shown"] == f"{len(told['cells'])} of {len(told['cells'])} cells, {leaks} of them leak"
    assert seen["findings"] == len(told["findings"])
    assert seen["open"] and seen["closed"] and "set local role" in seen["evidence"]
    assert (seen["leaksHidden"], seen["cellsOfNothing"], seen["people"]) == (0, 0, 1)
    assert seen["markup"] == {"images": 0, "ran": False}, "what a database says is text"
    assert seen["problems"] == [] and seen["requests"] == [], "the page asks for nothing"
    assert picture.stat().st_size > 10_000
