"""The cells a mutant is put to: the tests of tests/db themselves, each with its parameters, run inside the mutant's transaction.

There is one suite and not two: what kills a mutant here is what fails in `make test` when the mutant is real. A test is a cell when its
fixtures are known here; tests that need a second connection at the same time, the clock or a server of their own are not.
"""

from __future__ import annotations

import importlib
import inspect
import itertools
import pickle
import pkgutil
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import pytest

import tests.db
from tests.db import matrix
from tests.db.session import Request
from tests.db.world import World
from tests.rls.mutate.line import Trunk


_AT_ONCE = re.compile(r"\b(?:threading|held_up)\b")
_CONTROLS = re.compile(r"would_be_seen|_is_seen|_sees_a|_notices_|_is_named|_are_seen|_search_for_what_is_left|_attacks_succeed_on")
"""Tests that break something themselves to see a test fail: of a mutant they would only say that it is broken twice."""
NOT_CELLS = {
    # They try the checks themselves on something bad: of a mutant they would only say that there is one more bad thing.
    "test_a_bad_object_is_found_by_its_name_and_nothing_else_is", "test_what_only_looks_bad_is_left_alone",
    # They load too much to be repeated for every mutant.
    "test_among_a_hundred_thousand_chunks_a_member_is_answered_by_an_index_R21",
    # Of calls made one after the other it asks for the latest first: in one transaction all are made at one time.
    "test_the_decision_is_kept_with_what_was_known_then_and_a_refusal_is_a_step_of_the_run_F70",
    # It counts rows that a plan looks at: which plan is made depends on when the tables were last analyzed.
    "test_anothers_and_absent_are_the_same_work_R58",
    # It opens a pool of connections, and waits minutes for them.
    "test_under_load_nobody_gets_anything_of_another_organization_R48",
}
UNRELATED = {"a10", "a13"}
"""Checks of comments and of indexes: whatever is planted lacks a comment, and that it does says nothing about protection."""


NOT_MODULES = {
    # Statements prepared in the session outlive the transaction.
    "tests.db.test_plan_reuse", "tests.db.catalog.test_comments",
    # It reads the files of sql/ and no database.
    "tests.db.catalog.test_sources",
}
POSTURE = (".catalog.test_checks", ".catalog.test_settings", ".catalog.test_privileges", ".catalog.test_keys", ".test_names")
_LISTED = ("test_every_function_has_a_right", "test_every_table_of_every_schema")
"""What asks whether every object was decided about: something new is seen by them, whatever it is."""


@dataclass(frozen=True)
class Cell:
    """One test with one set of parameters."""

    id: str
    module: ModuleType = field(compare=False, repr=False)
    function: Callable[..., None] = field(compare=False, repr=False)
    parameters: dict[str, Any] = field(compare=False, repr=False)

    @property
    def posture(self) -> bool:
        """Whether the cell reads the catalog instead of trying."""
        return self.module.__name__.endswith(POSTURE) or "ledger" in self.function.__name__ or self.function.__name__.startswith(_LISTED)


def collect() -> list[Cell]:
    """Return every cell, in the order of the files."""
    found: dict[str, Cell] = {}
    for module in _modules():
        for name, function in vars(module).items():
            if name.startswith("test_") and inspect.isfunction(function) and function.__module__ == module.__name__ and name not in NOT_CELLS and not _CONTROLS.search(name):
                marks = getattr(function, "pytestmark", [])
                if any(m.name in ("xfail", "skip", "docker") for m in marks) or not _known(function, module, marks) or _AT_ONCE.search(inspect.getsource(function)):
                    continue
                short = module.__name__.removeprefix("tests.db.").replace(".", "/")
                for number, (label, parameters) in enumerate(_cases(marks)):
                    if parameters.get("check") in UNRELATED:
                        continue
                    id_ = f"{short}::{name}{label}"
                    id_ = id_ if id_ not in found else f"{id_} {number}"
                    found[id_] = Cell(id_, module, function, parameters)
    return list(found.values())


def _modules() -> Iterator[ModuleType]:
    for info in pkgutil.walk_packages(tests.db.__path__, "tests.db."):
        if info.name.split(".")[-1].startswith("test_") and info.name not in NOT_MODULES:
            yield importlib.import_module(info.name)


def _cases(marks: list[pytest.Mark]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every combination of the parametrize marks: a label, and the parameters."""
    axes = []
    for mark in marks:
        if mark.name == "parametrize":
            names, values = mark.args[:2]
            names = [n.strip() for n in names.split(",")] if isinstance(names, str) else list(names)
            rows = [v.values if hasattr(v, "values") and hasattr(v, "marks") else (v if len(names) > 1 else (v,)) for v in values]
            axes.append([dict(zip(names, row, strict=True)) for row in rows])
    for combination in itertools.product(*axes):
        parameters = {k: v for part in combination for k, v in part.items()}
        label = ", ".join(v if isinstance(v, str) else getattr(v, "id", None) or repr(v)[:40] for v in parameters.values())
        yield (f"[{label}]" if parameters else ""), parameters


FIXTURES = ("world", "own_world", "strict_world", "catalog", "cluster", "monkeypatch")


def _fixture(name: str, module: ModuleType) -> Callable[..., Any] | None:
    made = getattr(module, name, None)
    return made._get_wrapped_function() if hasattr(made, "_get_wrapped_function") else None


def _known(function: Callable[..., Any], module: ModuleType, marks: list[pytest.Mark]) -> bool:
    given = {n.strip() for m in marks if m.name == "parametrize" for n in (m.args[0].split(",") if isinstance(m.args[0], str) else m.args[0])}
    return all(name in given or name in FIXTURES or (made := _fixture(name, module)) is not None and _known(made, module, [])
               for name in inspect.signature(function).parameters)


class Stage:
    """A world on one connection, in which cells run."""

    def __init__(self, trunk: Trunk, described: bytes, database: str) -> None:
        self.trunk, self.database = trunk, database
        # Both ask the superuser alone, and no mutant changes a row: once is enough.
        matrix.expected, matrix.statements = _remembered(matrix.expected), _remembered(matrix.statements)
        self.described = described
        self.world = self._described_world()

    def url(self, role: str, _: str = "") -> str:
        return f"postgresql://{role}@one-connection/{self.database}"

    def _described_world(self) -> World:
        return replace(pickle.loads(self.described), superuser_url=self.url(self.trunk.superuser), authenticator_url=self.url("authenticator"))

    def run(self, cell: Cell) -> None:
        """Run the cell and take back what it did. Raises what the test raises."""
        # A test may write down in its world what it made there: the next is given one as it was.
        self.world = self._described_world()
        self.trunk.real.execute("savepoint cell")
        try:
            with self.trunk.patched(), ExitStack() as stack:
                known: dict[str, Any] = {}
                cell.function(**cell.parameters | {
                    name: self._provide(name, cell.module, stack, known)
                    for name in inspect.signature(cell.function).parameters if name not in cell.parameters})
        finally:
            self.trunk.open.clear()
            # A lock of the session outlives what it was taken in: the next cell would stand in a line already.
            self.trunk.real.execute("rollback to savepoint cell; release savepoint cell; reset session authorization; select pg_advisory_unlock_all()")

    def _provide(self, name: str, module: ModuleType, stack: ExitStack, known: dict[str, Any]) -> Any:
        if name not in known:
            known[name] = self._make(name, module, stack, known)
        return known[name]

    def _make(self, name: str, module: ModuleType, stack: ExitStack, known: dict[str, Any]) -> Any:
        if (made := _fixture(name, module)) is not None:
            arguments = {n: self._provide(n, module, stack, known) for n in inspect.signature(made).parameters}
            return stack.enter_context(contextmanager(made)(**arguments)) if inspect.isgeneratorfunction(made) else made(**arguments)
        if name == "strict_world":
            with self.world.operator(keep=True) as db:
                db.run("update app.organization set require_mfa = true where id = %s", self.world.acme.id)
        if name == "catalog":
            return _Database(self)
        if name == "monkeypatch":
            return stack.enter_context(pytest.MonkeyPatch.context())
        return self if name == "cluster" else self.world


def _remembered(function: Callable[..., Any]) -> Callable[..., Any]:
    known: dict[str, Any] = {}

    def remembering(world: World, table: str, persona: matrix.Persona, db: Request) -> Any:
        key = f"{table} {persona}"
        if key not in known:
            known[key] = function(world, table, persona, db)
        return known[key]

    return function if function.__name__ == remembering.__name__ else remembering


@dataclass(frozen=True)
class _Database:
    """tests.conftest.Database over the one connection."""

    stage: Stage

    @property
    def name(self) -> str:
        return self.stage.database

    def url(self, role: str = "postgres") -> str:
        return self.stage.url(role)

    def connect(self, role: str = "postgres", *, autocommit: bool = False) -> Any:
        return self.stage.trunk.connect(self.url(role), autocommit=autocommit)
