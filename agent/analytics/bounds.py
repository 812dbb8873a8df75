"""Ceilings for what makes many rows, or long values, out of nothing. Time, memory and cost of the rest are held where it runs."""

import re
from typing import Any, Final

from postgast import pg_query_pb2 as pg

from agent.analytics.names import output_name
from agent.analytics.refusal import Refused

SERIES_ROWS: Final = 100_000
"""Of one generate_series over numbers."""
PADDED_CHARACTERS: Final = 200
"""Second argument of lpad and rpad."""
RECURSION: Final = 1_000
"""Rounds of one recursive common table expression."""

_STEP = re.compile(r"\s*[+-]?0*[1-9][0-9]{0,3}\s*(hours?|days?|weeks?|months?|mons?|years?)\s*")
_ZONE = re.compile(r"[A-Za-z][A-Za-z_]*(?:/[A-Za-z_]+){0,2}|Etc/GMT[+-][0-9]{1,2}|[+-][0-9]{1,2}(?::[0-9]{2})?")


def constant(node: Any) -> Any:
    """Return the number or the text of a literal, a sign and a cast included; anything else is None."""
    match node.WhichOneof("node"):
        case "a_const":
            kind = node.a_const.WhichOneof("val")
            return node.a_const.ival.ival if kind == "ival" else node.a_const.sval.sval if kind == "sval" else None
        case "a_expr" if not node.a_expr.HasField("lexpr") and [one.string.sval for one in node.a_expr.name] == ["-"]:
            value = constant(node.a_expr.rexpr)
            return -value if isinstance(value, int) else None
        case "type_cast":
            return constant(node.type_cast.arg)
    return None


def function(name: str, call: Any) -> None:
    """Check the arguments of one call. Raises: Refused."""
    check = _CHECKS.get(name)
    if check is not None:
        check(name, call.args)


def _padding(name: str, arguments: Any) -> None:
    length = constant(arguments[1]) if len(arguments) > 1 else None
    if not isinstance(length, int) or length > PADDED_CHARACTERS:
        raise Refused("function_not_allowed", f"{name} takes a length that is a number up to {PADDED_CHARACTERS}.")


def _series(name: str, arguments: Any) -> None:
    if len(arguments) in (2, 3):
        values = [constant(one) for one in arguments]
        step = values[2] if len(values) == 3 else 1
        if all(isinstance(value, int) for value in values) and step and abs(values[1] - values[0]) / abs(step) <= SERIES_ROWS:
            return
        if len(values) == 3 and _is_interval(arguments[2]) and isinstance(step, str) and _STEP.fullmatch(step.lower()):
            return
    raise Refused("function_not_allowed", f"{name} takes two numbers at most {SERIES_ROWS} steps apart, or two times and a step of an hour or more,"
                                          " written like interval '1 day'.")


def _is_interval(node: Any) -> bool:
    cast = node.type_cast
    return node.WhichOneof("node") == "type_cast" and cast.type_name.names[-1].string.sval == "interval" and not len(cast.type_name.typmods)


def _zone(name: str, arguments: Any) -> None:
    # CVE-2026-6474: a time zone's name was used as a format.
    place = 0 if name == "timezone" else 2
    if len(arguments) > place:
        zone = constant(arguments[place])
        if not isinstance(zone, str) or not _ZONE.fullmatch(zone):
            raise Refused("function_not_allowed", "A time zone is a name like 'Europe/Berlin', written out.")


_CHECKS: Final = {"lpad": _padding, "rpad": _padding, "generate_series": _series, "timezone": _zone, "date_trunc": _zone}


def refers_to(name: str, query: Any) -> bool:
    """Return whether a relation `name` without a schema stands anywhere in `query`."""
    for descriptor, value in query.ListFields():
        if descriptor.message_type is not None:
            for one in value if descriptor.is_repeated else (value,):
                if (isinstance(one, pg.RangeVar) and one.relname == name and not one.schemaname) or refers_to(name, one):
                    return True
    return False


def recursion(name: str, query: Any, names: list[str]) -> tuple[list[str], int]:
    """Return the columns of a recursive common table expression that counts its rounds, and how many these can be. Raises: Refused.

    One of its columns starts at a number, grows by a number in each round, and the round's WHERE keeps it below `RECURSION`.
    """
    base, step = query.larg, query.rarg
    if query.op != pg.SETOP_UNION or refers_to(name, base) or step.op != pg.SETOP_NONE or not len(step.target_list):
        raise _unbounded(name)
    columns = [target.res_target.name or output_name(target.res_target.val) for target in base.target_list]
    columns = [*names, *columns[len(names):]]
    aliases = [alias for item in step.from_clause for alias in _aliases(item, name)]
    if len(aliases) != 1:
        raise _unbounded(name)
    alias = aliases[0]
    if not len(base.target_list) == len(columns) == len(step.target_list) or any(_grows(target.res_target.val) for target in step.target_list):
        raise _unbounded(name)
    for place, column in enumerate(columns):
        first = constant(base.target_list[place].res_target.val)
        if isinstance(first, int) and _counts(step.target_list[place].res_target.val, (alias, column)):
            rounds = _rounds(step.where_clause, (alias, column), first)
            if rounds is not None:
                return columns, rounds
    raise _unbounded(name)


def _unbounded(name: str) -> Refused:
    return Refused("construct_not_allowed", f"The recursive {name} must count its rounds: a column that starts at a number, adds a number in each round,"
                                            f" and stays below a number up to {RECURSION} in WHERE; and make no longer texts.")


def _aliases(item: Any, name: str) -> list[str]:
    """Return what the relation `name` is called in one item of FROM, joins included, subqueries not: there its columns could be others."""
    match item.WhichOneof("node"):
        case "range_var" if item.range_var.relname == name and not item.range_var.schemaname and not len(item.range_var.alias.colnames):
            return [item.range_var.alias.aliasname or name]
        case "join_expr":
            return _aliases(item.join_expr.larg, name) + _aliases(item.join_expr.rarg, name)
    return []


def _is_column(node: Any, column: tuple[str, str]) -> bool:
    """`column`: the name of its relation, and its own; PostgreSQL refuses the second alone where two relations have it."""
    if node.WhichOneof("node") != "column_ref":
        return False
    names = [part.string.sval for part in node.column_ref.fields]
    return names == [column[1]] or names == list(column)


def _operation(node: Any) -> tuple[str, Any, Any]:
    expression = node.a_expr
    if node.WhichOneof("node") != "a_expr" or expression.kind != pg.AEXPR_OP or len(expression.name) != 1:
        return "", None, None
    return expression.name[0].string.sval, expression.lexpr, expression.rexpr


def _counts(node: Any, column: tuple[str, str]) -> bool:
    operator, left, right = _operation(node)
    if operator != "+" or not _is_column(left, column):
        return False
    added = constant(right)
    return isinstance(added, int) and added > 0


def _rounds(condition: Any, column: tuple[str, str], first: int) -> int | None:
    """Return for how many rounds `condition` can hold, counted from `first` by `column`; None: for more than RECURSION."""
    if condition.WhichOneof("node") == "bool_expr" and condition.bool_expr.boolop == pg.AND_EXPR:
        return min((found for one in condition.bool_expr.args if (found := _rounds(one, column, first)) is not None), default=None)
    operator, left, right = _operation(condition)
    if operator not in ("<", "<=") or not _is_column(left, column):
        return None
    last = constant(right)
    return max(1, last - first + 1) if isinstance(last, int) and last - first <= RECURSION else None


def _grows(node: Any) -> bool:
    """Whether an expression of the recursive part could make longer values in each round: anything but columns, literals and arithmetic."""
    match node.WhichOneof("node"):
        case "column_ref" | "a_const":
            return False
        case "type_cast":
            return _grows(node.type_cast.arg)
        case "a_expr":
            operator, left, right = _operation(node)
            return operator not in ("+", "-", "*", "/") or _grows(left) or _grows(right)
    return True
