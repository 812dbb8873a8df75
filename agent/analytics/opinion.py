"""What PostgreSQL's own grammar reads in a statement: allowed or not, and one form for all spellings of the same thing.

The guard reads the text as it came and the text that will run. Both must be allowed, and both must come to the same form: then what runs
is what was asked, whatever another parser made of it in between.
"""

from collections.abc import Mapping
from typing import Any, Final

import postgast
from google.protobuf.message import DecodeError
from postgast import pg_query_pb2 as pg

from agent.analytics import bounds
from agent.analytics.functions import FUNCTIONS, MONTH_TO_SECOND, OPERATORS, SET_RETURNING, TYPES
from agent.analytics.grammar import FIELDS, FRAME_BETWEEN, IGNORED, JOINS, NAMES, SPELLED_NOT, SQL_VALUES, SUBLINKS
from agent.analytics.limits import Limits
from agent.analytics.names import Frame
from agent.analytics.refusal import Refused
from agent.analytics.scopes import Scopes

_MINMAX: Final = {pg.IS_GREATEST: "greatest", pg.IS_LEAST: "least"}
_NODE: Final = pg.Node
_IGNORED, _REFUSED, _SCALAR, _MANY, _ONE = range(5)
_KNOWN: dict[Any, tuple[str, int]] = {}
"""What to do with a field, by its descriptor: asking the descriptor itself each time takes a third of a reading."""


def _describe(kind: type, descriptor: Any) -> tuple[str, int]:
    name = str(descriptor.name)
    if name in IGNORED:
        return name, _IGNORED
    if name not in FIELDS[kind]:
        return name, _REFUSED
    return name, _SCALAR if descriptor.message_type is None else _MANY if descriptor.is_repeated else _ONE


def parse(sql: str) -> Any:
    """Return the one SELECT of `sql`, as PostgreSQL's grammar reads it. Raises: Refused."""
    try:
        tree = postgast.parse(sql)
    except postgast.PgQueryError as err:
        raise Refused("not_parsed", f"PostgreSQL cannot read it: {str(err)[:200]}") from err
    except DecodeError as err:
        raise Refused("too_large", "The statement is nested too deeply.") from err
    if len(tree.stmts) != 1:
        raise Refused("several_statements", f"Exactly one statement runs; these are {len(tree.stmts)}.")
    if tree.stmts[0].stmt.WhichOneof("node") != "select_stmt":
        raise Refused("not_a_query", "Only a SELECT runs.")
    return tree.stmts[0].stmt.select_stmt


class Reading(Scopes):
    """One walk over one SELECT."""

    def __init__(self, columns: Mapping[tuple[str, str], tuple[str, list[str]]], limits: Limits) -> None:
        super().__init__(columns, limits)
        self.form: list[object] = []
        """What was read, without how it was spelled; two texts with equal forms mean the same."""
        self.functions: set[str] = set()
        self._nodes = 0

    def visit(self, message: Any) -> None:
        """Walk one node and all below it. Raises: Refused."""
        kind = type(message)
        if kind is _NODE:
            which = message.WhichOneof("node")
            if which is None:
                return
            message = getattr(message, which)
            kind = type(message)
        self._nodes += 1
        if self._nodes > self.limits.nodes:
            raise Refused("too_large", f"The statement has more than {self.limits.nodes} parts.")
        special = _SPECIAL.get(kind)
        if special is not None:
            special(self, message)
        elif kind in FIELDS:
            self.fields(message)
        else:
            raise Refused("construct_not_allowed", f"{NAMES.get(kind.__name__, kind.__name__)} is not allowed.")

    def fields(self, message: Any, but: tuple[str, ...] = ()) -> None:
        """Walk every field of `message`, those of `but` excepted, in the order of their numbers."""
        kind, visit, add = type(message), self.visit, self.form.append
        add(kind)
        for descriptor, value in message.ListFields():
            try:
                name, shape = _KNOWN[descriptor]
            except KeyError:
                name, shape = _KNOWN[descriptor] = _describe(kind, descriptor)
            if shape == _IGNORED or name in but:
                continue
            if shape == _REFUSED:
                raise Refused("construct_not_allowed", f"{NAMES.get(name, name)} is not allowed.")
            add(name)
            if shape == _SCALAR:
                add(value)
            elif shape == _MANY:
                for one in value:
                    visit(one)
                add(len(value))
            else:
                visit(value)
        add(None)

    def call(self, name: str) -> None:
        self.functions.add(name)
        self.form.append(name)

    def function(self, call: Any) -> None:
        names = [part.string.sval for part in call.funcname]
        name = names[-1]
        if len(names) > 2 or (len(names) == 2 and names[0] != "pg_catalog") or name not in FUNCTIONS:
            raise Refused("function_not_allowed", f"The function {'.'.join(names)[:130]} is not allowed.")
        if name in SET_RETURNING and not self.in_from:
            raise Refused("function_not_allowed", f"The function {name} may stand in FROM only.")
        self.in_from = False
        bounds.function(name, call)
        self.call(name)
        self.fields(call, but=("funcname",))

    def expression(self, message: Any) -> None:
        name = ".".join(part.string.sval for part in message.name)
        kind, plain = SPELLED_NOT.get((message.kind, name), (message.kind, name))
        if len(message.name) != 1 or (kind == message.kind and message.kind in _OPERATOR_KINDS and name not in OPERATORS):
            raise Refused("operator_not_allowed", f"The operator {name[:70]} is not allowed.")
        if plain != name:
            self.form.append("not")
        if kind == pg.AEXPR_OP and plain == "+" and not message.HasField("lexpr"):
            return self.visit(message.rexpr)
        if kind == pg.AEXPR_NULLIF:
            self.functions.add("nullif")
        if kind == pg.AEXPR_OP and plain == "^":
            self.call("power")
            self.form += [pg.FuncCall, "args"]
            self.visit(message.lexpr)
            self.visit(message.rexpr)
            self.form += [2, None]
            return None
        self.form += [kind, plain]
        return self.fields(message, but=("kind", "name"))

    def constant(self, constant: Any) -> None:
        kind = constant.WhichOneof("val")
        if kind == "bsval":
            raise Refused("construct_not_allowed", "A bit string is not allowed.")
        text = constant.sval.sval if kind == "sval" else constant.fval.fval if kind == "fval" else ""
        if len(text) > self.limits.literal_characters:
            raise Refused("too_large", f"A literal is longer than {self.limits.literal_characters} characters.")
        value: object = text.removeprefix("0") if kind == "fval" else text if kind == "sval" else (constant.ival.ival, constant.boolval.boolval)
        self.form += [kind, value]

    def cast(self, cast: Any) -> None:
        if not cast.HasField("type_name"):
            raise Refused("type_not_allowed", "A cast names no type.")
        names = [part.string.sval for part in cast.type_name.names]
        if cast.arg.WhichOneof("node") == "a_const" and cast.arg.a_const.WhichOneof("val") == "sval" and names[-1] == "interval":
            self.type_name(cast.type_name, with_modifiers=False)
            text = cast.arg.a_const.sval.sval.lower()
            fields = [one.a_const.ival.ival for one in cast.type_name.typmods]
            if text.strip().isdecimal() and len(fields) == 1 and fields[0] in MONTH_TO_SECOND:
                text, fields = f"{text.strip()} {MONTH_TO_SECOND[fields[0]]}", []
            self.form += ["interval", text, tuple(fields)]
            return
        self.visit(cast.arg)
        self.type_name(cast.type_name)

    def type_name(self, name: Any, *, with_modifiers: bool = True) -> None:
        names = [part.string.sval for part in name.names]
        if len(names) > 2 or (len(names) == 2 and names[0] != "pg_catalog") or names[-1] not in TYPES or name.setof or name.pct_type:
            raise Refused("type_not_allowed", f"The type {'.'.join(names)[:130]} is not allowed.")
        if any(one.WhichOneof("node") != "a_const" for one in name.typmods):
            raise Refused("type_not_allowed", "A type is modified by numbers alone.")
        self.form += ["type", names[-1], len(name.array_bounds)]
        if with_modifiers:
            self.form += [one.a_const.ival.ival for one in name.typmods]

    def minmax(self, message: Any) -> None:
        self.call(_MINMAX[message.op])
        self.fields(message, but=("op",))

    def coalesce(self, message: Any) -> None:
        self.call("coalesce")
        self.fields(message)

    def grouping(self, message: Any) -> None:
        self.call("grouping")
        self.fields(message)

    def sql_value(self, message: Any) -> None:
        if message.op not in SQL_VALUES:
            raise Refused("function_not_allowed", "Who asks, and where, is not for the statement to read; nor is a time with a precision.")
        self.call(SQL_VALUES[message.op])

    def boolean_test(self, message: Any) -> None:
        test = message.booltesttype
        if test in (pg.IS_UNKNOWN, pg.IS_NOT_UNKNOWN):
            self.form += [pg.NullTest, "arg"]
            self.visit(message.arg)
            self.form += ["nulltesttype", pg.IS_NULL if test == pg.IS_UNKNOWN else pg.IS_NOT_NULL, None]
            return
        if test in (pg.IS_NOT_TRUE, pg.IS_NOT_FALSE):
            self.form.append("not")
        self.form.append(pg.IS_TRUE if test in (pg.IS_TRUE, pg.IS_NOT_TRUE) else pg.IS_FALSE)
        self.visit(message.arg)

    def boolean(self, message: Any) -> None:
        if message.boolop == pg.NOT_EXPR:
            self.form.append("not")
            return self.visit(message.args[0])
        return self.fields(message)

    def sort(self, message: Any) -> None:
        if message.sortby_dir == pg.SORTBY_USING or message.use_op:
            raise Refused("operator_not_allowed", "ORDER BY … USING is not allowed.")
        falling = message.sortby_dir == pg.SORTBY_DESC
        first = falling if message.sortby_nulls == pg.SORTBY_NULLS_DEFAULT else message.sortby_nulls == pg.SORTBY_NULLS_FIRST
        self.form += ["sort", falling, first]
        self.visit(message.node)

    def window(self, message: Any) -> None:
        self.form.append(message.frame_options & ~FRAME_BETWEEN)
        self.fields(message, but=("frame_options",))

    def sublink(self, message: Any) -> None:
        if message.sub_link_type not in SUBLINKS:
            raise Refused("construct_not_allowed", "This kind of subquery is not allowed.")
        if len(message.oper_name) > 1 or any(one.string.sval not in OPERATORS for one in message.oper_name):
            raise Refused("operator_not_allowed", "The operator before the subquery is not allowed.")
        self.fields(message)


_OPERATOR_KINDS: Final = frozenset({pg.AEXPR_OP, pg.AEXPR_OP_ANY, pg.AEXPR_OP_ALL})

_SPECIAL: Final[dict[type, Any]] = {
    pg.FuncCall: Reading.function, pg.A_Expr: Reading.expression, pg.A_Const: Reading.constant, pg.TypeCast: Reading.cast,
    pg.TypeName: Reading.type_name, pg.MinMaxExpr: Reading.minmax, pg.CoalesceExpr: Reading.coalesce, pg.GroupingFunc: Reading.grouping,
    pg.SQLValueFunction: Reading.sql_value, pg.BooleanTest: Reading.boolean_test, pg.BoolExpr: Reading.boolean, pg.SortBy: Reading.sort,
    pg.WindowDef: Reading.window, pg.SubLink: Reading.sublink, pg.SelectStmt: Reading.select, pg.RangeVar: Reading.relation,
    pg.RangeSubselect: Reading.subselect, pg.RangeFunction: Reading.range_function, pg.JoinExpr: Reading.join, pg.ColumnRef: Reading.column,
    pg.ResTarget: Reading.target, pg.CommonTableExpr: Reading.cte,
}
