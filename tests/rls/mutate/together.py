"""Mutants that only the catalog can show, many in one transaction: each of another object, and each seen by a line that names it.

Asking the catalog about the whole database costs the same for one mutant as for two hundred. A mutant that no line names is put to the
cells alone, as every other.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import psycopg

from tests.db.catalog.checks import CHECKS, findings, unreviewed
from tests.db.catalog.privileges import held, reviewed
from tests.rls.mutate.cells import UNRELATED
from tests.rls.mutate.generate import shards
from tests.rls.mutate.mutant import Mutant

_PRIVILEGES = "catalog/test_privileges::test_everybody_holds_exactly_the_privileges_that_were_reviewed_R7_R14"
_CHECK = "catalog/test_checks::test_nothing_in_the_database_that_sql_makes_is_found_wrong"
_CREATED = re.compile(r"\bcreate (?:materialized )?(?:view|table|function) ([a-z_]+\.\w+)")
_MOST = 400


def _privileges(db: psycopg.Connection[Any]) -> Iterator[tuple[str, str]]:
    for line in set(held(db)) ^ set(reviewed()):
        yield _PRIVILEGES, line


def _checks(db: psycopg.Connection[Any], names: Iterable[str] = sorted(CHECKS.keys() - UNRELATED)) -> Iterator[tuple[str, str]]:
    for name in names:
        for finding in unreviewed(findings(db, CHECKS[name])):
            yield f"{_CHECK}[{name}]", f"{finding.object} | {finding.finding}"


def _of_policies(db: psycopg.Connection[Any]) -> Iterator[tuple[str, str]]:
    return _checks(db, ("a18", "a6", "r17", "r19"))


GROUPS: dict[str, tuple[re.Pattern[str], Callable[[psycopg.Connection[Any]], Iterator[tuple[str, str]]]]] = {
    "privileges": (re.compile(r"grant-(?:table|column|function) "), _privileges),
    "checks": (re.compile(r"(?:search-path-unpinned|invoker-to-definer|definer-owner|rls-no-force|view|function|table-copy) "), _checks),
    # One policy too many, or the one too few that says `false`: beside the floor and without a grant no request can tell.
    "policies": (re.compile(r"(?:extra-policy|policy-to-public) |policy-(?:drop|swap|check-true) \S+_nobody$"), _of_policies),
}
"""By name: whose mutants, and the cells and lines that show them."""


def together(mutants: Iterable[Mutant], group: str) -> list[list[Mutant]]:
    """Return the mutants of a group in batches in which no two touch one object."""
    batches: list[tuple[set[str], list[Mutant]]] = []
    for mutant in mutants:
        if GROUPS[group][0].match(mutant.id) and len(mutant.about) == 1:
            names = _names(mutant)
            batch = next((b for b in batches if not b[0] & names and len(b[1]) < _MOST), None)
            if batch is None:
                batches.append(batch := (set(), []))
            batch[0].update(names)
            batch[1].append(mutant)
    return [b for _, b in batches]


def divided(mutants: list[Mutant], parts: int) -> tuple[list[tuple[str, list[Mutant]]], list[list[Mutant]]]:
    """Return those that are judged together, in batches each with its group, and the others in parts: the long ones first, so that nobody waits for the last."""
    batches = [(group, batch) for group in GROUPS for batch in together(mutants, group)]
    taken = {m.id for _, batch in batches for m in batch}
    return batches, sorted(shards([m for m in mutants if m.id not in taken], parts), key=len, reverse=True)


def seen(db: psycopg.Connection[Any], batch: list[Mutant], group: str, make: Callable[[psycopg.Connection[Any], Mutant], None],
         ) -> dict[Mutant, tuple[str, str, float]]:
    """Make all of them and return, for each that a line names: the cell that has the line, the line, and its share of the time in seconds."""
    began = time.monotonic()
    made = []
    for mutant in batch:
        try:
            with db.transaction():
                make(db, mutant)
            made.append((mutant, re.compile("|".join(rf"(?<![\w.]){re.escape(n)}(?!\w)" for n in _names(mutant)))))
        except psycopg.Error:
            continue
    lines = list(GROUPS[group][1](db))
    found = {mutant: next(((cell, line) for cell, line in lines if names.match(line)), None) for mutant, names in made}
    share = (time.monotonic() - began) / max(len(batch), 1)
    return {mutant: (*line, share) for mutant, line in found.items() if line}


def _names(mutant: Mutant) -> set[str]:
    return set(mutant.about) | {name for statement in mutant.sql for name in _CREATED.findall(statement)}
