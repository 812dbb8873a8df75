"""Make one row: try values until types, checks, keys and triggers accept them, and say why when nothing does."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.rls.acting import Acting, Outcome, text
from tests.rls.catalog import Column, Table, quoted
from tests.rls.values import candidates, leave_empty, required

TRIES = 40


class CannotInsert(Exception):
    """No row could be made."""


class Inserting:
    """One insert and its attempts. `fixed` are values that say whose the row is: they never change."""

    def __init__(self, acting: Acting, table: Table, fixed: dict[str, str | None], tenant: str, optional: frozenset[str] = frozenset()) -> None:
        self.optional = set(optional)
        self.acting, self.table, self.fixed, self.tenant = acting, table, dict(fixed), tenant
        self.steps: dict[str, int] = {}
        self.turns: dict[str, int] = {}
        self.filled: dict[str, str] = {}
        self.sources: dict[str, Iterator[str | None]] = {}
        self.values: dict[str, str | None] = dict(fixed)
        for column in table.columns:
            if column.name in fixed or column.generated or leave_empty(column):
                continue
            if column.default is not None and not _wanted(column, table) or column.identity and column.name not in table.primary_key:
                continue
            self._next(column)

    def make(self) -> dict[str, str | None]:
        """Insert and return the row as text, as the database keeps it. Raises: CannotInsert."""
        outcome = Outcome()
        steps = iter((self._minimal, self.without_triggers))
        for _ in range(TRIES):
            outcome = self.acting.do(self.statement())
            if outcome.ok and outcome.rows:
                return dict(zip(outcome.columns, outcome.rows[0], strict=True))
            if outcome.ok or not self._adapt(outcome):
                step = next(steps, None)
                if step is None:
                    break
                done = step()
                if done is not None:
                    return done
        raise CannotInsert(outcome.said())

    def statement(self) -> str:
        """Return the insert as it stands."""
        return insert(self.table, self.values) + " returning *"

    def _relax(self, names: tuple[str, ...]) -> bool:
        """Let go of optional parents that a check about several columns speaks of: they are fixed because we found them, not because we must have them."""
        loose = [n for n in names if n in self.optional and n in self.fixed]
        if len(names) < 2 or not loose:
            return False
        for name in loose:
            self.filled.setdefault(name, self.fixed.pop(name) or "")
            self.optional.discard(name)
        return True

    def _alone(self, constraint: str, columns: list[Column]) -> bool:
        """Fill one of several optional columns and leave the others empty: exactly one principal, exactly one object."""
        turn = self.turns.get(constraint, 0)
        if turn > len(columns) or len(columns) < 2:
            return False
        self.turns[constraint] = turn + 1
        for place, column in enumerate(columns):
            if place == turn:
                self.values[column.name] = self.filled.get(column.name) or next((v for v in candidates(self.table, column, self.tenant) if v is not None), None)
            else:
                self.filled.setdefault(column.name, self.values.get(column.name) or "")
                self.values[column.name] = None
        return True

    def _next(self, column: Column) -> bool:
        self.steps[column.name] = self.steps.get(column.name, 0) + 1
        source = self.sources.setdefault(column.name, candidates(self.table, column, self.tenant))
        try:
            self.values[column.name] = next(source)
        except StopIteration:
            return False
        return True

    def _adapt(self, outcome: Outcome) -> bool:
        """Change what the error complains about; False when there is nothing to change."""
        if outcome.sqlstate == "23502" and outcome.column:
            column = self.table.column(outcome.column)
            return column is not None and column.name not in self.fixed and self._next(column)
        if outcome.sqlstate in ("23514", "23505", "23P01", "23503"):
            names = self._concerned(outcome)
            if outcome.sqlstate == "23514" and self._relax(names):
                return True
            free = [c for name in names if name not in self.fixed and (c := self.table.column(name)) is not None and not c.generated]
            if outcome.sqlstate == "23503":
                empty = [c for c in free if not c.not_null and self.values.get(c.name) is not None]
                self.values |= {c.name: None for c in empty}
                return bool(empty)
            if outcome.sqlstate == "23514" and len(names) > 1 and self._alone(outcome.constraint, [c for c in free if not c.not_null]):
                return True
            # One column at a time, the one tried least often first.
            return any(self._next(column) for column in sorted(free, key=lambda c: (self.steps.get(c.name, 0), -free.index(c))))
        if outcome.sqlstate.startswith("22"):
            odd = next((c for c in self.table.columns if c.name in self.values and c.name not in self.fixed and (self.values[c.name] or "?") in outcome.message), None)
            return odd is not None and self._next(odd)
        return False

    def _concerned(self, outcome: Outcome) -> tuple[str, ...]:
        known = next((k for k in self.table.constraints if k.name == outcome.constraint), None)
        if known is not None:
            return known.columns
        index = next((i for i in self.table.indexes if i.name == outcome.constraint), None)
        if index is not None:
            return tuple(c.name for c in self.table.columns if any(re.search(rf"\b{re.escape(c.name)}\b", key) for key in index.columns))
        domain = tuple(c.name for c in self.table.columns if c.domain_checks and self.values.get(c.name) is not None)
        return domain or tuple(c.name for c in self.table.columns if re.search(rf"\b{re.escape(c.name)}\b", outcome.message))

    def _minimal(self) -> None:
        """Leave only what must be there."""
        needed = {c.name for c in self.table.columns if required(c)} | set(self.table.primary_key) | set(self.fixed)
        self.values = {name: value for name, value in self.values.items() if name in needed}

    def without_triggers(self) -> dict[str, str | None] | None:
        """The last resort: triggers that refuse are set aside for this one row."""
        sql = self.table.sql
        outcome = self.acting.do(f"alter table {sql} disable trigger user;\n{self.statement()};\nset constraints all immediate;\nalter table {sql} enable trigger user")
        return dict(zip(outcome.columns, outcome.rows[0], strict=True)) if outcome.ok and outcome.rows else None


def insert(table: Table, values: dict[str, str | None], only: set[str] | None = None) -> str:
    """Return an insert of values as text; `only` limits it to what a client may give, which the value of a `generated always` identity is not."""
    always = {c.name for c in table.columns if c.identity == "a"}
    named = {name: value for name, value in values.items() if only is None or name in only - always}
    if not named:
        return f"insert into {table.sql} default values"
    given = ", ".join(text(value) for value in named.values())
    identity = "overriding system value " if always & set(named) else ""
    return f"insert into {table.sql} ({', '.join(map(quoted, named))}) {identity}values ({given})"


def _wanted(column: Column, table: Table) -> bool:
    """Return whether a column with a default gets a value of ours all the same: keys, and text that can carry a canary."""
    if column.name in table.primary_key:
        return True
    free_text = column.category == "S" and not column.labels and re.fullmatch(r"''(::.*)?", column.default or "") is not None
    return free_text and not any(k.kind == "c" and column.name in k.columns for k in table.constraints)
