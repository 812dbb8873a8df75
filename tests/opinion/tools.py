"""The tools of other people, each run over a database, and what they say in one shape."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / ".make" / "opinion-venv" / "bin"
SUPABASE = ROOT / "supabase" / "node_modules" / ".bin" / "supabase"
SCHEMAS = "api,app,authz"
_QUIET = {"SUPABASE_TELEMETRY_DISABLED": "1", "DO_NOT_TRACK": "1", "NO_COLOR": "1"}

# Version 0.1.0 reads the first 50 rows of each question it asks of the catalog, and says nothing of the tables beyond.
_WHOLE_AUDIT = ("import sys; from rls_kit import cli, db; made = db.Session.__init__;"
                " db.Session.__init__ = lambda self, *a, **k: made(self, *a, **{'row_limit': 100_000, **k}); sys.exit(cli.main())")


@dataclass(frozen=True)
class Remark:
    """One thing one tool says."""

    tool: str
    rule: str
    object: str
    said: str


def advisors(url: str) -> list[Remark]:
    """Return what the Supabase advisors say about security and speed."""
    remarks = []
    for kind in ("security", "performance"):
        answer = json.loads(_run(SUPABASE, "db", "advisors", "--type", kind, f"--remote={url}", "--output-format", "json"))
        for one in answer["results"]:
            table = re.search(r"`([^`]+)`", one["detail"])
            remarks.append(Remark("advisors", one["name"], table[1] if table else "", one["detail"]))
    return remarks


def pgrls_lint(url: str) -> list[Remark]:
    """Return what pgrls says about schemas api, app and authz; it exits with 1 when it says anything."""
    answer = json.loads(_run(BIN / "pgrls", "lint", "--database-url", url, "--schemas", SCHEMAS, "--format", "json", may_fail=True))
    return [Remark("pgrls", one["rule_id"], one["location"] or "", one["message"]) for one in answer["violations"]]


def pgrls_snapshot(url: str, file: Path) -> Path:
    """Write the state of row security as pgrls sees it."""
    _run(BIN / "pgrls", "snapshot", "--database-url", url, "--schemas", SCHEMAS, "-o", file)
    return file


def pgrls_diff(one: Path, other: Path) -> tuple[int, str]:
    """Return (exit status, report) of the comparison of two snapshots; anything that needs a review is not 0."""
    done = _done(BIN / "pgrls", "diff", one, other, "--fail-on", "requires-review")
    return done.returncode, done.stdout


def policy_tester(url: str) -> tuple[int, str]:
    """Return (objects looked at, report) of rls-policy-tester's audit of schema app. Never with --include-controls: that drops schema public."""
    report = _run(BIN / "python", "-c", _WHOLE_AUDIT, "--dsn", url, "--audit-schema", "app")
    found = re.search(r"(\d+) object\(s\) inspected, (\d+) problem\(s\) found", report)
    assert found is not None, report
    return int(found[1]) if found[2] == "0" else 0, report


def _run(*command: Any, may_fail: bool = False) -> str:
    done = _done(*command)
    assert done.returncode == 0 or (may_fail and done.returncode == 1 and done.stdout), done.stderr or done.stdout
    return done.stdout


def _done(*command: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=300, check=False, env={**os.environ, **_QUIET})
