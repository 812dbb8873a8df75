"""The items of a FROM clause as they are weighed: their rows, the sizes of their columns, and which equalities join them."""

from abc import ABC
from typing import Any

from postgast import pg_query_pb2 as pg

from agent.analytics import row_counts, sizes
from agent.analytics.expressions import Expressions
from agent.analytics.limits import Limits
from agent.analytics.relations import Schema
from agent.analytics.row_counts import Equality, Item
from agent.analytics.sizes import Size


class Sources(Expressions, ABC):
    """The part of a weighing that knows FROM."""

    def __init__(self, columns: dict[tuple[str, str], tuple[str, list[str]]], schema: Schema, limits: Limits) -> None:
        """`columns`: as `agent.analytics.opinion.Reading` has them."""
        super().__init__(limits)
        self.registered, self.schema = columns, schema
        self.ctes: dict[str, Item] = {}
        self.equalities: list[Equality] = []

    def item(self, node: Any) -> bool:
        """Add one item of FROM to the frame; return whether columns of a join are one."""
        frame = self.frames[-1]
        match node.WhichOneof("node"):
            case "range_var":
                relation = node.range_var
                found = None if relation.schemaname else self.ctes.get(relation.relname)
                if found is None:
                    found = self.relation(relation.schemaname, relation.relname)
                alias, names = _alias(relation, relation.relname)
                frame[alias] = found.renamed(names) if names else found
            case "range_subselect":
                inner = node.range_subselect
                frames = self.frames
                if not inner.lateral:
                    self.frames = frames[:-1]
                found = self.query(inner.subquery.select_stmt)
                self.frames = frames
                alias, names = _alias(inner, f"?{len(frame)}")
                frame[alias] = found.renamed(names)
            case "range_function":
                self.call(node.range_function)
            case "join_expr":
                join = node.join_expr
                before = set(frame)
                merged = self.item(join.larg)
                lefts = set(frame) - before
                merged = self.item(join.rarg) or merged
                for part in join.using_clause:
                    self.using(part.string.sval, lefts, set(frame) - before - lefts)
                if join.HasField("quals"):
                    self.size(join.quals)
                    self.equal(join.quals)
                return merged or len(join.using_clause) > 0
        return False

    def relation(self, schema: str, name: str) -> Item:
        registered, columns = self.registered[schema, name]
        types, limits = self.schema.relations[registered].columns, self.limits
        return Item(columns, [sizes.of_type(types[column], limits.column_characters, limits.usual_characters) for column in columns], limits.relation_rows, stored=True)

    def call(self, item: Any) -> None:
        names: list[str] = []
        columns: list[Size] = []
        rows = 1
        for one in item.functions:
            call = one.list.items[0].func_call
            name = call.funcname[-1].string.sval
            arguments = self.sizes(call.args)
            of = arguments[0] if arguments else Size(0, 0)
            if name == "generate_series":
                count, width = row_counts.series(call.args, self.limits)
                made = [Size(width, width, number=width < 32, distinct=len(item.functions) == 1)]
            elif name == "unnest":
                count = max((one.usual // 4 + 1 for one in arguments), default=1)
                made = [Size(one.longest, min(one.longest, one.usual // count + 1)) for one in arguments]
            else:
                count = of.usual + 1 if name.endswith("to_table") else of.usual // 2 + 1
                made = [Size(of.longest, of.usual // count + 1)]
            rows = max(rows, count)
            columns += made
            names += [item.alias.aliasname if item.HasField("alias") and len(item.functions) == len(made) == 1 else name] * len(made)
        alias, given = _alias(item, names[0])
        self.frames[-1][alias] = Item(names + ["ordinality"] * item.ordinality, columns + [Size(20, 8, number=True)] * item.ordinality, rows).renamed(given)

    def using(self, name: str, lefts: set[str], rights: set[str]) -> None:
        frame = self.frames[-1]
        for left in lefts:
            for right in rights:
                one, two = frame[left].get(name), frame[right].get(name)
                if one is not None and two is not None:
                    self.equalities.append(Equality(((left, one.distinct), (right, two.distinct))))

    def equal(self, condition: Any) -> None:
        """Note each `=` between the columns of two items."""
        for one in row_counts.conjuncts(condition):
            left, right = self.side(one.lexpr), self.side(one.rexpr)
            if left is not None and right is not None and left[0] != right[0]:
                self.equalities.append(Equality((left, right)))

    def side(self, node: Any) -> tuple[str, bool] | None:
        """Return the one item that an expression reads from, and whether each of its rows has a value of its own there."""
        found = set()
        for part in row_counts.parts([node]):
            if isinstance(part, pg.SubLink):
                return None
            if isinstance(part, pg.ColumnRef):
                names = [one.string.sval for one in part.fields]
                found |= {alias for alias, item in self.frames[-1].items() if (alias == names[0] if len(names) == 2 else item.get(names[0]) is not None)}
        if len(found) != 1:
            return None
        spent, size = self.total, self.size(node)
        self.total = spent
        return found.pop(), size.distinct


def _alias(item: Any, name: str) -> tuple[str, list[str]]:
    return (item.alias.aliasname, [part.string.sval for part in item.alias.colnames]) if item.HasField("alias") else (name, [])
