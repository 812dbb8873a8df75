"""An upper bound for how long the value of each expression can get. Literals are made into values while PostgreSQL plans, before any limit of a job holds."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Final

from postgast import pg_query_pb2 as pg

from agent.analytics import sizes
from agent.analytics.functions import AGGREGATES, OPERATORS
from agent.analytics.limits import Limits
from agent.analytics.refusal import Refused
from agent.analytics.row_counts import MANY, Item, largest
from agent.analytics.sizes import Size

LONG: Final = 100_000
"""A value that can be longer counts fully for the statement, a shorter one as long as it usually is."""
HASHED_ROWS: Final = 600_000
"""PostgreSQL keeps at most so many rows in memory that it thinks short."""
_NOTHING: Final = Size(0, 0)
_SHORT: Final = Size(5, 5)
_TIME: Final = Size(64, 32)
_WHOLE: Final = Size(11, 11, number=True)
_COMPARED: Final = OPERATORS - frozenset("+ - * / % ^ || -> ->>".split())


class Expressions(ABC):
    """The part of a weighing that knows expressions; `query` is that of `agent.analytics.weighing.Weighing`."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.frames: list[dict[str, Item]] = []
        self.rows: list[int] = []
        """That an aggregate goes over, in each query around."""
        self.gathers = False
        """Whether an aggregate stood in the query of this moment."""
        self.total = 0

    @abstractmethod
    def query(self, statement: Any) -> Item:
        """Return what a SELECT gives. Raises: Refused."""

    def weigh(self, size: Size) -> int:
        return size.longest if size.longest > LONG else size.usual

    def spend(self, characters: int) -> None:
        self.total += characters
        if self.total > self.limits.statement_characters:
            raise Refused("too_large", f"The values of the statement can come to more than {self.limits.statement_characters} characters together:"
                                       " use shorter texts, or cut them with left().")

    def made(self, longest: int, usual: int, parts: Sequence[Size] = (), *, number: bool = False, several: bool = False) -> Size:
        """Return the size of a value made of `parts`. Raises: Refused."""
        if longest > self.limits.value_characters:
            raise Refused("too_large", f"One value can come to more than {self.limits.value_characters} characters: use shorter texts or fewer rows,"
                                       " or cut texts with left() before they are put together.")
        own = longest if longest > LONG else min(usual, longest)
        self.spend(own)
        return Size(longest, min(usual, longest), own + sum([one.cost for one in parts]), number, several)

    def size(self, node: Any) -> Size:
        """Return the size of one expression. Raises: Refused."""
        which = node.WhichOneof("node")
        if which is None:
            return _NOTHING
        special = _SPECIAL.get(which)
        return special(self, getattr(node, which)) if special is not None else self.parts(getattr(node, which))

    def sizes(self, nodes: Any) -> list[Size]:
        return [self.size(one) for one in nodes]

    def parts(self, message: Any) -> Size:
        """Weigh whatever stands below something that is itself a short value, or none."""
        for descriptor, value in message.ListFields():
            if descriptor.message_type is _NODE:
                for one in value if descriptor.is_repeated else (value,):
                    self.size(one)
        return _SHORT

    def constant(self, constant: Any) -> Size:
        kind = constant.WhichOneof("val")
        if kind == "ival":
            return _WHOLE
        text = constant.sval.sval if kind == "sval" else constant.fval.fval if kind == "fval" else "false"
        length = sizes.numeral(text)
        return Size(length, length, number=kind == "fval")

    def column(self, reference: Any) -> Size:
        names = [part.string.sval for part in reference.fields]
        for frame in reversed(self.frames):
            items = frame.values() if len(names) == 1 else (frame[names[0]],) if names[0] in frame else ()
            found = [size for item in items if (size := item.get(names[-1])) is not None]
            if found:
                size = found[0] if len(found) == 1 else largest(found)
                if size.cost:
                    self.spend(size.cost)
                return size
        # The name of a column of the select list, weighed there.
        return Size(self.limits.column_characters, self.limits.usual_characters)

    def function(self, call: Any) -> Size:
        name = call.funcname[-1].string.sval
        arguments = self.sizes(call.args)
        for node in (*call.agg_order, call.agg_filter):
            self.size(node)
        if call.HasField("over"):
            self.parts(call.over)
        elif name in AGGREGATES:
            self.gathers = True
        arguments = arguments or [_NOTHING]
        if name in sizes.GATHERING:
            return self.gathered(arguments, array=name == "array_agg")._replace(gathered=not call.HasField("over"))
        nodes = call.args
        if call.agg_within_group and name in _ORDERED:
            count = max((one.usual // 4 + 1 if one.several else 1 for one in arguments), default=1)
            arguments += [self.size(one.sort_by.node) for one in call.agg_order] * count
            several = count > 1
        else:
            several = name in sizes.SEVERAL or (name in sizes.ONE_OF and any([one.several for one in arguments]))
        length = sizes.LENGTHS.get(name)
        if length is None:
            return self.made(sum([one.longest for one in arguments]) + 64, sum([one.usual for one in arguments]) + 64, arguments)
        longest = length([one.longest for one in arguments], nodes)
        usual = longest if name in sizes.PICKING else length([one.usual for one in arguments], nodes)
        number = name in sizes.NUMBERS or (name in sizes.ONE_OF and all([one.number for one in arguments]))
        return self.made(longest, usual, arguments, number=number, several=several)

    def gathered(self, arguments: Sequence[Size], *, array: bool, rows: int | None = None) -> Size:
        """Return the size of one value made of all rows."""
        one = arguments[0]
        each = (max(one.usual + 3, 5) if one.number else 2 * one.usual + 5) if array else sum([part.usual for part in arguments])
        length = (max(self.rows, default=1) if rows is None else rows) * each + 2
        return self.made(length, length, arguments, several=array)

    def operation(self, expression: Any) -> Size:
        if expression.kind == pg.AEXPR_NULLIF:
            self.size(expression.rexpr)
            return self.size(expression.lexpr)
        left, right = self.size(expression.lexpr), self.size(expression.rexpr)
        name = expression.name[-1].string.sval
        if expression.kind != pg.AEXPR_OP or name in _COMPARED:
            return _SHORT
        parts = (left, right)
        number = name not in ("||", "->", "->>") and (left.number or right.number)
        if name == "||":
            # An element is quoted when it is put into an array.
            times = (2 if right.several and not left.several else 1, 2 if left.several and not right.several else 1)
            longest, usual = (6 + times[0] * one + times[1] * two for one, two in ((left.longest, right.longest), (left.usual, right.usual)))
        elif name in ("->", "->>"):
            longest, usual = left.longest, left.usual
        elif name == "^":
            longest, usual = (sizes.LENGTHS["power"](of, [expression.lexpr, expression.rexpr]) for of in ([left.longest], [left.usual]))
        elif name in ("*", "/"):
            longest, usual = left.longest + right.longest + 40, left.usual + right.usual + 20
        else:
            longest, usual = max(48, left.longest + right.longest + 2), left.usual + right.usual + 2
        return self.made(longest, usual, parts, number=number, several=left.several or right.several)

    def cast(self, cast: Any) -> Size:
        of, name = self.size(cast.arg), cast.type_name.names[-1].string.sval
        modifiers = [one.a_const.ival.ival for one in cast.type_name.typmods]
        literal = cast.arg.a_const.sval.sval if cast.arg.WhichOneof("node") == "a_const" else ""
        # A text that was put together could hold a number of a few characters and 100,000 digits; what is stored is taken for short.
        times = 1 if of.stored or of.several or of.number or (literal and not sizes.with_exponents(literal)) else sizes.PER_CHARACTER
        if len(cast.type_name.array_bounds):
            times = 16 * (times if name == "numeric" else 1)
            return self.made(times * of.longest + 4, times * of.usual + 4, (of,), several=True)
        if name in ("json", "jsonb"):
            return self.made(2 * times * of.longest + 4, 2 * times * of.usual + 4, (of,))
        if name == "numeric":
            longest, usual = (340 + of.longest, of.usual) if of.number or literal else (sizes.NUMERAL, of.usual if of.stored else sizes.NUMERAL)
            if modifiers:
                longest = usual = sum(abs(one) for one in modifiers) + 5
            return self.made(longest, usual, (of,), number=True)
        if name in ("text", "varchar", "bpchar"):
            if not modifiers:
                return of._replace(number=False, several=False)
            most = modifiers[0]
            return self.made(most, most, (of,)) if name == "bpchar" else self.made(min(of.longest, most), min(of.usual, most), (of,))
        known = sizes.of_type(name, 64, 64)
        keeps = of.distinct and not modifiers and name in ("date", "timestamp", "timestamptz", "int4", "int8")
        return Size(known.longest, known.usual, of.cost, known.number, distinct=keeps)

    def listed(self, message: Any) -> Size:
        """An array or a row of what is written out."""
        of = self.sizes(message.elements if isinstance(message, pg.A_ArrayExpr) else message.args)
        return self.made(sum([2 * one.longest + 5 for one in of]) + 2, sum([2 * one.usual + 5 for one in of]) + 2, of, several=True)

    def element(self, element: Any) -> Size:
        of = self.size(element.arg)
        self.sizes(element.indirection)
        return of._replace(several=any(one.a_indices.is_slice for one in element.indirection), stored=False, distinct=False)

    def one_of(self, message: Any) -> Size:
        """CASE, COALESCE, GREATEST and LEAST."""
        if isinstance(message, pg.CaseExpr):
            self.size(message.arg)
            self.sizes([one.case_when.expr for one in message.args])
            parts = self.sizes([*[one.case_when.result for one in message.args], message.defresult])
        else:
            parts = self.sizes(message.args)
        whole = largest([one for one in parts if one is not _NOTHING])
        return self.made(whole.longest, whole.usual, parts, number=whole.number, several=whole.several)

    def sublink(self, sublink: Any) -> Size:
        self.size(sublink.testexpr)
        found = self.query(sublink.subselect.select_stmt)
        one = found.sizes[0]
        if sublink.sub_link_type == pg.ARRAY_SUBLINK:
            return self.gathered([one], array=True, rows=found.rows)
        if sublink.sub_link_type == pg.EXPR_SUBLINK:
            return Size(one.longest, one.longest, one.cost, one.number, one.several)
        if sublink.sub_link_type != pg.EXISTS_SUBLINK:
            self.hashed(found)
        return _SHORT

    def hashed(self, found: Item) -> None:
        """Refuse rows that could be kept in memory because PostgreSQL takes the texts a function makes for short ones."""
        width = sum([one.usual for one in found.sizes])
        if width > 64 * len(found.sizes) and min(found.rows, HASHED_ROWS, MANY) * width > self.limits.statement_characters:
            raise Refused("too_large", f"The rows of a subquery can come to more than {self.limits.statement_characters} characters:"
                                       " use fewer of them, or cut texts with left().")


_NODE: Final = pg.Node.DESCRIPTOR
_ORDERED: Final = frozenset({"mode", "percentile_cont", "percentile_disc"})
_SPECIAL: Final[dict[str, Any]] = {
    "a_const": Expressions.constant, "column_ref": Expressions.column, "func_call": Expressions.function, "a_expr": Expressions.operation,
    "type_cast": Expressions.cast, "a_array_expr": Expressions.listed, "row_expr": Expressions.listed, "a_indirection": Expressions.element,
    "case_expr": Expressions.one_of, "coalesce_expr": Expressions.one_of, "min_max_expr": Expressions.one_of, "sub_link": Expressions.sublink,
    "sqlvalue_function": lambda self, message: _TIME, "type_name": lambda self, message: _NOTHING,
    "named_arg_expr": lambda self, message: self.size(message.arg),
}
