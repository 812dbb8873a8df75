"""Which columns a name may mean at one place of a statement.

A column that no source has is refused before PostgreSQL sees it: there, `o.f` can also be a call of the function `f`, `o` alone the whole
row, and every table has system columns.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from postgast import pg_query_pb2 as pg

from agent.analytics.refusal import Refused


@dataclass(slots=True)
class Frame:
    """The items of one FROM clause, inside those of the queries around it."""

    outer: "Frame | None"
    sources: dict[str, list[str]] = field(default_factory=dict)
    """Columns by alias, in order."""
    outputs: frozenset[str] = frozenset()
    """Names of the select list, while ORDER BY or GROUP BY is read."""

    def add(self, alias: str, columns: list[str]) -> None:
        if alias in self.sources:
            raise Refused("unknown_relation", f"The name {alias} stands for two relations.")
        self.sources[alias] = columns

    def resolve(self, column: str, source: str | None = None) -> None:
        """Raises: Refused, when nothing around has that column."""
        frame: Frame | None = self
        while frame is not None:
            if source is not None:
                if source in frame.sources:
                    if column in frame.sources[source]:
                        return
                    raise Refused("unknown_column", f"{source} has no column {column}.")
            elif column in frame.outputs or any(column in columns for columns in frame.sources.values()):
                return
            frame = frame.outer
        raise Refused("unknown_column", f"There is no column {source + '.' if source else ''}{column} here.")

    def expand(self, source: str | None) -> list[str]:
        """Return the columns that `*` or `source.*` stands for."""
        if source is None:
            return [column for columns in self.sources.values() for column in columns]
        if source not in self.sources:
            raise Refused("unknown_column", f"There is no relation {source} here.")
        return self.sources[source]


def renamed(columns: list[str], names: Iterable[str]) -> list[str]:
    """Return `columns` with the first ones called by `names`, as an alias with a column list does."""
    given = list(names)
    if len(given) > len(columns):
        raise Refused("unknown_column", "An alias names more columns than there are.")
    return given + columns[len(given):]


def output_name(expression: Any) -> str:
    """Return the name PostgreSQL gives to a select list's expression without an alias, or what no column can be called."""
    if isinstance(expression, pg.Node):
        expression = getattr(expression, str(expression.WhichOneof("node")))
    match expression:
        case pg.ColumnRef():
            return expression.fields[-1].string.sval
        case pg.FuncCall():
            return expression.funcname[-1].string.sval
        case pg.TypeCast():
            return output_name(expression.arg) or expression.type_name.names[-1].string.sval
        case pg.CoalesceExpr():
            return "coalesce"
        case pg.CaseExpr():
            return (output_name(expression.defresult) if expression.HasField("defresult") else "") or "case"
        case pg.MinMaxExpr():
            return "greatest" if expression.op == pg.IS_GREATEST else "least"
        case pg.GroupingFunc():
            return "grouping"
        case pg.SubLink():
            names = {pg.EXISTS_SUBLINK: "exists", pg.ARRAY_SUBLINK: "array"}
            if expression.sub_link_type == pg.EXPR_SUBLINK and len(expression.subselect.select_stmt.target_list):
                target = expression.subselect.select_stmt.target_list[0].res_target
                return target.name or output_name(target.val)
            return names.get(expression.sub_link_type, "")
        case pg.A_Indirection():
            return output_name(expression.arg)
    return ""
