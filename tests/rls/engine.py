"""One run over one database: read the catalogs, guess the tenancy, seed two tenants, act, judge, roll everything back."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Any

import psycopg

from tests.rls import discover, personas, probes, rules, seeding, snapshot, told
from tests.rls.acting import Acting
from tests.rls.cells import Cell
from tests.rls.config import SKIPPED, Allowance, Config
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered

Check = Callable[[Context], Iterator[Finding | NotCovered]]


@dataclass(frozen=True)
class Result:
    findings: list[Finding]
    not_covered: list[NotCovered]
    guesses: tuple[str, ...]
    checked: dict[str, int]
    allowed: list[tuple[Finding | NotCovered, str]]
    """What a reviewed entry of the configuration allows, with its reason."""
    cells: list[Cell]
    """What was seen, by object, command and persona."""
    needless: tuple[Allowance, ...] = ()
    """Entries of the configuration that allow something which was not found."""

    @property
    def exit_code(self) -> int:
        """0 clean, 1 something leaks, 3 nothing was seen to leak but not everything could be checked."""
        return 1 if self.findings else 3 if self.not_covered else 0

    def listed(self) -> list[dict[str, str]]:
        """Return the findings and, under the id `not_covered`, what could not be checked: one list of one shape."""
        return [one.public() for one in self.findings] + [one.as_finding() for one in self.not_covered]

    def to_json(self) -> dict[str, Any]:
        return {
            "exit_code": self.exit_code,
            "findings": [finding.public() for finding in self.findings],
            "not_covered": [one.public() for one in self.not_covered],
            "guesses": list(self.guesses), "checked": self.checked,
            "allowed": [{**found.public(), "reason_allowed": reason} for found, reason in self.allowed],
            "cells": [cell.public() for cell in self.cells],
            "needless": [asdict(allowance) for allowance in self.needless],
        }


def run(database_url: str, config: Config | None = None) -> Result:
    """Check a database and return what was found. Nothing is committed.

    Raises: psycopg.OperationalError when it cannot be reached; config.ConfigError when the configuration is about something it does not have.
    """
    with psycopg.connect(database_url, connect_timeout=10, application_name="ringfence rls test") as connection:
        try:
            return run_on(connection, config or Config())
        finally:
            connection.rollback()


def run_on(connection: psycopg.Connection[Any], config: Config, checks: Iterable[Check] | None = None) -> Result:
    """The same on an open connection, in its transaction, which the caller rolls back."""
    connection.execute("select set_config('search_path', 'pg_catalog', true)")
    catalog = snapshot.read(
        connection, anon_role=config.roles.get("anonymous"), user_role=config.roles.get("signed_in"), exposed=tuple(config.schemas.get("exposed", ())))
    told.check(config, catalog)
    context = Context(connection, catalog, discover.tenancy(catalog, config), config)
    found: list[Finding | NotCovered] = []
    acting = Acting(connection, catalog, config.statement_timeout_ms)
    if config.setup:
        connection.execute(config.setup)  # type: ignore[arg-type]
    context.world = seeding.seed(acting, catalog, context.tenancy, str(config.tenancy.get("after_tenant", "")))
    context.personas = personas.build(acting, catalog, context.tenancy, context.world)
    acting.settle()
    for check in checks if checks is not None else discovered():
        found += _guarded(check, context)
    return _judged(found, context)


def discovered() -> list[Check]:
    """Return the `check` of every module of probes/ and rules/, probes first; `ORDER` of a module moves it forward (0) or back (100)."""
    return [module.check for package in (probes, rules) for module in sorted(_modules(package), key=lambda module: getattr(module, "ORDER", 50))]


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name):
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        if hasattr(module, "check"):
            yield module


def _guarded(check: Check, context: Context) -> list[Finding | NotCovered]:
    """Run one check in a savepoint. One that fails is something not covered, never something safe."""
    found: list[Finding | NotCovered] = []
    name = check.__module__.rpartition(".")[2]
    context.conn.execute("savepoint one_check")
    try:
        found.extend(check(context))
    except (psycopg.Error, LookupError, ValueError, TypeError, AttributeError) as err:
        found.append(NotCovered(f"check {name}", "any", f"{type(err).__name__}: {str(err).strip().splitlines()[0] if str(err).strip() else ''}"))
    finally:
        if context.personas is not None:
            context.personas.acting.settle()
        context.conn.execute("rollback to savepoint one_check; release savepoint one_check")
    context.count("checks")
    return found


def _judged(found: Iterable[Finding | NotCovered], context: Context) -> Result:
    """Merge what is the same, and set aside what was reviewed."""
    findings: dict[tuple[str, str], Finding] = {}
    not_covered: dict[tuple[str, str], NotCovered] = {}
    config, used = context.config, set[Allowance]()
    allowed: list[tuple[Finding | NotCovered, str]] = [(one, SKIPPED) for one in _left_out(context)]
    for one in (*found, *_nothing(context)):
        allowance = next((a for a in (config.allow if isinstance(one, Finding) else config.allow_not_covered) if a.covers(one)), None)
        if allowance is not None:
            allowed.append((one, allowance.reason))
            used.add(allowance)
        elif config.leaves_out(one.object):
            allowed.append((one, SKIPPED))
        elif isinstance(one, NotCovered):
            not_covered.setdefault((one.object, one.command), one)
        elif (known := findings.get((one.id, one.object))) is None or (one.proven and not known.proven):
            findings[one.id, one.object] = one
    ordered = sorted(findings.values(), key=lambda finding: (not finding.proven, finding.object, finding.id))
    needless = tuple(a for a in (*config.allow, *config.allow_not_covered) if a not in used)
    return Result(ordered, list(not_covered.values()), context.tenancy.guesses, context.checked, allowed, context.matrix.cells(), needless)


def _left_out(context: Context) -> Iterator[NotCovered]:
    """What the configuration keeps from being looked at, whether something would have been found or not."""
    config = context.config
    names = [schema for schema in sorted(context.catalog.schemas) if config.skips(schema)] + [label for label, entry in config.tables.items() if entry.get("kind") == "skip"]
    yield from (NotCovered(name, "any", SKIPPED) for name in names)
    yield from (NotCovered(pattern, "execute", SKIPPED) for pattern in config.personas.get("functions_skip", ()))


def _nothing(context: Context) -> Iterator[NotCovered]:
    """A database with nothing in it would pass every check."""
    catalog = context.catalog
    if not any((*catalog.own_tables(), *catalog.own_views(), *catalog.own_functions())):
        yield NotCovered(f"database {catalog.database}", "any", "it has no table, view or function but the platform's: is the URL right, and were the migrations applied?")
