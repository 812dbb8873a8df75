"""A definer trigger's body: what the writer of a row gives in NEW is an argument, except what policies and keys tie to the row's tenant."""

from __future__ import annotations

from tests.rls.analysis import tree
from tests.rls.analysis.flow import Flow
from tests.rls.analysis.model import Model
from tests.rls.analysis.predicate import binds
from tests.rls.analysis.tree import Node
from tests.rls.catalog import Function, Relation, Table


class TriggerFlow(Flow):
    """A trigger function's statements on the rows of one table."""

    def __init__(self, model: Model, function: Function, table: Table) -> None:
        self.table = table
        self.tied = {f"{row}.{column}" for column in tied(model, table) for row in ("new", "old")}
        super().__init__(model, function)

    @property
    def given(self) -> set[str]:
        return self.tied

    def names(self, node: object, tables: list[Relation] | None = None) -> set[str]:
        found = super().names(node, tables) - {"new", "old"}
        return found | {".".join(name[-2:]) for name in tree.columns(node) if len(name) > 1 and name[-2] in ("new", "old")}

    def vouches(self, node: Node) -> bool:
        return super().vouches(node) or bool(self.names(node) & self.tied)


def tied(model: Model, table: Table) -> set[str]:
    """Return the columns whose value is of the row's own tenant or of its writer: the tenant's id, the key, parents and people that a rule looks at."""
    found = {*table.primary_key} - {c for k in table.foreign_keys for c in k.columns} | model.target(table).own
    for key in table.foreign_keys:
        parent = model.catalog.tables.get(key.references or 0)
        if parent is None or parent.managed:
            continue
        for column, there in zip(key.columns, key.referenced_columns, strict=False):
            # Where ids are unique only within a tenant, an id alone may be another tenant's row.
            if len(key.columns) == 1 or any(i.unique and i.predicate is None and i.columns == (there,) for i in parent.indexes):
                found.add(column)
            elif any(k is not key and k.columns == (column,) for k in parent.foreign_keys):
                found.add(column)
        if parent is model.membership:
            found |= {*key.columns}
    for column in model.tenancy.of(table).user_columns:
        if _of_the_writer(model, table, column):
            found.add(column)
    return found


def _of_the_writer(model: Model, table: Table, column: str) -> bool:
    """Return whether clients cannot write another person into a column."""
    for role in model.roles:
        for command in ("insert", "update"):
            if column not in model.catalog.columns_with(role, table, command.upper()):
                continue
            texts = [dict(model.clauses(p, command)).get("check") for p in model.applying(table, command, role, True)]
            if any(not binds(one, frozenset({column})) for text in texts for one in model.predicate(table).alternatives(text) or [()]):
                return False
    return True
