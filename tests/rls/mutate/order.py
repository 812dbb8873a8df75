"""Which cells a mutant is put to, the likeliest killer first."""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from types import ModuleType

from tests.db.registry import RECIPES, TABLES
from tests.rls.mutate.cells import Cell
from tests.rls.mutate.mutant import Mutant

_NAMED = re.compile(r"\b(app|api|authz|auth)\.([a-z_]\w*)")
_WORD = re.compile(r"[a-z_]\w+")


# No request can see these: the rights around an object changed, and a second wall still stands. The catalog is asked first.
SEEN_BY_POSTURE = {"policy-to-public", "rls-no-force", "search-path-unpinned", "definer-owner", "grant-schema", "grant-database", "grant-system", "role-attribute",
                   "role-membership", "default-privileges", "setting", "publication", "new-table", "view", "table-copy", "grant-table", "grant-column", "grant-function", "grant-auth",
                   "invoker-to-definer", "key-drop", "key-without-org", "function", "foreign-key", "unique"}


# Written for one object at a time, so that they are quick and name it: tried first.
_FIRST = ("test_policies_alone", "test_restrictions_alone", "test_rights", "test_access_matrix", "test_floor", "test_access_matrix_walls")


# Of the personas of the matrix, those whose rows differ from their neighbours'.
_PERSONAS = ("builder", "customer", "agent", "owner of the other organization", "admin", "api token of owner", "analyst", "owner", "oauth client of owner")


def _place(cell: Cell) -> tuple[int, int]:
    name = cell.module.__name__.split(".")[-1]
    who = cell.parameters.get("name")
    return (_FIRST.index(name) if name in _FIRST else len(_FIRST), _PERSONAS.index(who) if who in _PERSONAS else len(_PERSONAS))


# Which tests were written for which mutants: pattern over the mutant's id, and a part of the test's name.
_WRITTEN_FOR = [(re.compile(pattern), test) for pattern, test in (
    (r"policy-.*_nobody", "test_what_is_not_granted"),
    (r"policy-\S+ app\.(\w+)\.\1_floor", "test_floor::"),
    (r"policy-.*_(?:denied|classification|expired|loading|scope)_floor", "test_a_restrictive_policy_alone"),
    (r"policy-(?:check|drop|swap|both)-?\S* \S+_insert_", "test_each_condition_of_an_insert_policy"),
    (r"policy-(?:check|both)-\S+ \S+_update_", "out_of_reach"),
    (r"policy-\S+ \S+_owner(?::|$)", "test_the_owner_of_the_definers"),
    (r"policy-for-all", "test_what_is_not_granted"),
    (r"grant-(?:table|column|function|auth|schema)", "test_everybody_holds_exactly"),
)]


class Order:
    """The cells by what they are about, and what killed whom so far."""

    def __init__(self, cells: Iterable[Cell]) -> None:
        self.cells = list(cells)
        self.by_object: defaultdict[str, list[Cell]] = defaultdict(list)
        self.by_id = {cell.id: cell for cell in self.cells}
        self.posture = [c for c in self.cells if c.posture]
        self.lately: defaultdict[str, list[Cell]] = defaultdict(list)
        for cell in self.cells:
            for name in mentions(cell):
                self.by_object[name].append(cell)
        for cells_of in self.by_object.values():
            cells_of.sort(key=_place)

    def cells_for(self, mutant: Mutant) -> Iterator[Cell]:
        """Yield each cell that may notice the mutant once."""
        seen: set[str] = set()
        for source in self._sources(mutant):
            for cell in source:
                if cell.id not in seen:
                    seen.add(cell.id)
                    yield cell

    def _sources(self, mutant: Mutant) -> Iterator[Iterable[Cell]]:
        keys = self._keys(mutant)
        for pattern, test in _WRITTEN_FOR:
            if pattern.match(mutant.id):
                yield [c for c in (self.posture if not mutant.about else [c for n in sorted(mutant.about) for c in self.by_object[n]] + self.posture) if test in c.id]
        for key in keys:
            yield list(reversed(self.lately[key]))[:3]
        if mutant.kind in SEEN_BY_POSTURE:
            yield self.posture
        for name in sorted(mutant.about):
            yield (c for c in self.by_object[name] if not c.posture)
        yield self.posture

    def killed(self, mutant: Mutant, cell: Cell) -> None:
        """Remember: the next one like it is put to this cell first."""
        for key in self._keys(mutant):
            recent = self.lately[key]
            if cell in recent:
                recent.remove(cell)
            recent.append(cell)

    @staticmethod
    def _keys(mutant: Mutant) -> list[str]:
        place = mutant.id.split(" ", 1)[1].split(":")[0]
        return [place, *sorted(mutant.about), mutant.kind]


def mentions(cell: Cell) -> set[str]:
    """The tables and functions a cell is about: those in its parameters, or else those in its own text."""
    words = {w for v in cell.parameters.values() for w in ([v.table] if hasattr(v, "table") else _WORD.findall(str(v)))}
    given = {f"app.{w}" for w in words & TABLES.keys()} | {f"api.{w}" for w in words & RECIPES.keys()} | {
        f"{a}.{b}" for v in cell.parameters.values() if not hasattr(v, "table") for a, b in _NAMED.findall(str(v))}
    return given or {f"api.{w}" for w in _words(cell.module, cell.function.__name__)} | _named(cell.module, cell.function.__name__)


@cache
def _words(module: ModuleType, function: str) -> frozenset[str]:
    return frozenset(_WORD.findall(inspect.getsource(getattr(module, function)))) & (RECIPES.keys())


@cache
def _named(module: ModuleType, function: str) -> frozenset[str]:
    return frozenset(f"{a}.{b}" for a, b in _NAMED.findall(inspect.getsource(getattr(module, function))))
