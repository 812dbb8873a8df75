"""What the values of a statement can come to, by its queries: which rows each has, and how long the values of its columns can get.

    literal -> its length    column -> its type's, or that of the query it comes from    function -> made of its arguments'
    string_agg, array_agg -> times the rows of FROM    recursion -> times its rounds

The statement has passed `agent.analytics.opinion`: only what may stand there stands there, and names resolve.
"""

from math import prod
from typing import Any, Final

from postgast import pg_query_pb2 as pg

from agent.analytics import bounds, row_counts, sizes
from agent.analytics.names import output_name
from agent.analytics.refusal import Refused
from agent.analytics.row_counts import Equality, Item, largest
from agent.analytics.sizes import Size
from agent.analytics.sources import Sources

_CLAUSES: Final = ("distinct_clause", "group_clause", "having_clause", "window_clause", "sort_clause", "limit_offset", "limit_count")


class Weighing(Sources):
    """One walk over one SELECT."""

    joins: tuple[dict[str, Item], list[Equality]] = {}, []
    """FROM of the query that was weighed last."""

    def query(self, statement: Any) -> Item:
        around, gathers, equalities = self.ctes, self.gathers, self.equalities
        self.gathers, self.equalities = False, []
        if statement.HasField("with_clause"):
            for node in statement.with_clause.ctes:
                self.cte(node.common_table_expr)
        if statement.op != pg.SETOP_NONE:
            found = self.set_together(statement)
        elif len(statement.values_lists):
            rows = [self.sizes(row.list.items) for row in statement.values_lists]
            found = Item([f"column{place + 1}" for place in range(len(rows[0]))], [largest(column) for column in zip(*rows, strict=False)], len(rows))
            self.clauses(statement)
        else:
            found = self.plain(statement)
        if statement.HasField("limit_count") and statement.limit_option != pg.LIMIT_OPTION_WITH_TIES:
            found = _limited(found, statement.limit_count)
        self.ctes, self.gathers, self.equalities = around, gathers, equalities
        if sum([self.weigh(one) for one in found.sizes]) > self.limits.statement_characters:
            raise Refused("too_large", f"One row can come to more than {self.limits.statement_characters} characters: take fewer of its columns, or cut texts with left().")
        return found

    def set_together(self, statement: Any) -> Item:
        left, right = self.query(statement.larg), self.query(statement.rarg)
        self.clauses(statement)
        found = Item(left.names, [largest(pair) for pair in zip(left.sizes, right.sizes, strict=False)], left.rows + right.rows, left.stored and right.stored)
        if statement.op != pg.SETOP_UNION:
            self.hashed(left)
            self.hashed(right)
        return found

    def plain(self, statement: Any) -> Item:
        frame: dict[str, Item] = {}
        self.frames.append(frame)
        self.rows.append(1)
        merged = any([self.item(item) for item in statement.from_clause])
        if len(frame) > 1 and statement.HasField("where_clause"):
            self.equal(statement.where_clause)
        rows = row_counts.joined(frame, self.equalities) if len(frame) > 1 else next(iter(frame.values())).rows if frame else 1
        self.size(statement.where_clause)
        rows = self.rows[-1] = min(row_counts.MANY, rows * _sets(statement.group_clause))
        names: list[str] = []
        columns: list[Size] = []
        for node in statement.target_list:
            target = node.res_target
            if target.val.WhichOneof("node") == "column_ref" and target.val.column_ref.fields[-1].WhichOneof("node") == "a_star":
                fields = target.val.column_ref.fields
                for item in (frame[fields[0].string.sval],) if len(fields) == 2 else tuple(frame.values()):
                    names += item.names
                    columns += item.sizes
                    self.spend(sum([one.cost for one in item.sizes]))
            else:
                names.append(target.name or output_name(target.val))
                columns.append(self.size(target.val))
        if merged:
            # A star after USING has other places than its relations.
            columns = [largest(columns)] * len(columns)
        self.clauses(statement)
        self.frames.pop()
        self.rows.pop()
        self.joins = frame, self.equalities
        grouped, whole = len(statement.group_clause) > 0, self.gathers and not len(statement.group_clause)
        if grouped or self.gathers or len(statement.distinct_clause):
            columns = [one._replace(cost=0) for one in columns]
        if len(frame) != 1 or whole:
            columns = [one._replace(distinct=False) for one in columns]
        if grouped:
            # Together the groups have all rows once.
            columns = [one._replace(usual=one.usual // rows + 1) if one.gathered else one for one in columns]
        if grouped or self.gathers:
            columns = [one._replace(gathered=False) for one in columns]
        return Item(names, columns, 1 if whole else rows, bool(frame) and all(one.stored for one in frame.values()))

    def clauses(self, statement: Any) -> None:
        for clause in _CLAUSES:
            value = getattr(statement, clause)
            if isinstance(value, pg.Node):
                self.size(value)
            else:
                self.sizes(value)

    def cte(self, cte: Any) -> None:
        query, names = cte.ctequery.select_stmt, [part.string.sval for part in cte.aliascolnames]
        if query.op == pg.SETOP_UNION and bounds.refers_to(cte.ctename, query):
            found = self.recursion(cte.ctename, query, names)
        else:
            found = self.query(query).renamed(names)
        self.ctes = {**self.ctes, cte.ctename: found}

    def recursion(self, name: str, query: Any, names: list[str]) -> Item:
        columns, rounds = bounds.recursion(name, query, names)
        base, around = self.query(query.larg), self.ctes
        # A round gives on what it got, what it joins, and numbers: each column can hold what one of them holds.
        size = largest(base.sizes)
        before = Item(columns, [size._replace(stored=False, distinct=False, cost=0)] * len(columns), base.rows)
        self.ctes = {**around, name: before}
        step = self.query(query.rarg)
        self.ctes = around
        frame, equalities = self.joins
        alias = next(one for one, item in frame.items() if item.sizes is before.sizes)
        if not frame.keys() <= row_counts.reached(alias, equalities) or not all(item.stored for one, item in frame.items() if one != alias):
            raise Refused("construct_not_allowed", f"Beside the recursive {name} only relations may stand, each joined to it by an equality of columns:"
                                                   " anything else multiplies its rows in each round.")
        size = largest([size, *step.sizes])
        if any(isinstance(one, pg.A_Expr) and one.name[-1].string.sval in ("*", "/") for one in row_counts.parts(query.rarg.target_list)):
            size = size._replace(longest=max(size.longest, sizes.NUMERAL))
        size = size._replace(stored=False, distinct=False, cost=0)
        rows = max(base.rows, self.limits.relation_rows) if len(frame) > 1 else base.rows * (rounds + 1)
        if rows * (len(columns) * size.usual + 24) > self.limits.recursion_characters:
            raise Refused("too_large", f"The rows of the recursive {name} can come to more than {self.limits.recursion_characters} characters:"
                                       " start with fewer rows, or count fewer rounds.")
        return Item(columns, [size] * len(columns), rows)


def _limited(found: Item, node: Any) -> Item:
    most = bounds.constant(node)
    if not isinstance(most, int) or most >= found.rows:
        return found
    # The rows that are left can be the longest ones.
    rows = max(most, 1)
    return Item(found.names, [one._replace(usual=min(one.longest, one.usual * found.rows // rows + 1), cost=0) for one in found.sizes], rows, found.stored)


def _sets(clause: Any) -> int:
    """Return how many groupings a GROUP BY makes of the same rows."""
    return prod(_set(one.grouping_set) for one in clause if one.WhichOneof("node") == "grouping_set")


def _set(grouping: Any) -> int:
    count = len(grouping.content)
    match grouping.kind:
        case pg.GROUPING_SET_ROLLUP:
            return count + 1
        case pg.GROUPING_SET_CUBE:
            return int(2 ** min(count, 30))
        case pg.GROUPING_SET_SETS:
            return sum(_set(one.grouping_set) if one.WhichOneof("node") == "grouping_set" else 1 for one in grouping.content)
    return 1
