"""The catalog pack: every check is one query that must return no rows, in one file of `checks/`.

A file begins with a comment that says what holds and why it matters, and selects two columns: `object`, the name of what is wrong,
and `finding`, what is wrong with it. The check's id is the file's name up to the first underscore; a1 to a15 are FACTS.md's,
r2 and so on carry the number of their requirement, f07 that of its feature.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.db.catalog.exceptions import EXCEPTIONS


@dataclass(frozen=True)
class Check:
    """One named query."""

    id: str
    query: str


@dataclass(frozen=True, order=True)
class Finding:
    """One thing a check found wrong."""

    check: str
    object: str
    finding: str


def load() -> dict[str, Check]:
    """Return every check by its id."""
    files = sorted((Path(__file__).parent / "checks").glob("*.sql"))
    checks = {file.name.split("_")[0]: Check(file.name.split("_")[0], file.read_text()) for file in files}
    assert len(checks) == len(files), "two checks of one id"
    return checks


CHECKS = load()


def findings(connection: psycopg.Connection, check: Check) -> list[Finding]:
    """Return what the check finds, reviewed exceptions included."""
    # Names are printed qualified by whatever is not on the path.
    connection.execute("set local search_path = pg_catalog")
    cursor = connection.execute(check.query)  # type: ignore[call-overload]
    assert [c.name for c in cursor.description or ()] == ["object", "finding"], f"{check.id}: not the two columns of the contract"
    return sorted(Finding(check.id, *row) for row in cursor.fetchall())


def unreviewed(found: list[Finding]) -> list[Finding]:
    """Return the findings that no reviewed exception covers."""
    return [f for f in found if (f.check, f.object) not in EXCEPTIONS]
