"""How many rows a FROM clause counts for. A relation counts for a fixed number: what is stored is there anyway, a statement shall not multiply it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from postgast import pg_query_pb2 as pg

from agent.analytics.bounds import constant
from agent.analytics.limits import Limits
from agent.analytics.sizes import Size

MANY: Final = 10**12
"""Rows of a series whose ends say nothing."""
_HOURS: Final = {"hour": 1, "day": 23, "week": 167, "mon": 671, "year": 8_759}
_AMOUNT = re.compile(r"\s*[+-]?0*([0-9]{1,6})\s*(hour|day|week|mon|year)(?:s|th|ths)?\s*")


@dataclass(slots=True)
class Item:
    """One item of FROM, or one query."""

    names: list[str]
    sizes: list[Size]
    rows: int
    stored: bool = False
    """Its rows are those of relations."""
    _by_name: dict[str, Size] = field(default_factory=dict)

    def get(self, name: str) -> Size | None:
        if not self._by_name:
            for one, size in zip(self.names, self.sizes, strict=False):
                self._by_name[one] = size if one not in self._by_name else largest([self._by_name[one], size])
        return self._by_name.get(name)

    def renamed(self, names: Sequence[str]) -> "Item":
        return Item([*names, *self.names[len(names):]], self.sizes, self.rows, self.stored)


def largest(sizes: Sequence[Size]) -> Size:
    """Return a size that holds for each of them."""
    if len(sizes) == 1:
        return sizes[0]
    return Size(max((one.longest for one in sizes), default=0), max((one.usual for one in sizes), default=0), max((one.cost for one in sizes), default=0),
                all(one.number for one in sizes), any(one.several for one in sizes), all(one.stored for one in sizes))


@dataclass(slots=True)
class Equality:
    """One item's column is as one of another item: (alias, whether no two of its rows share a value) of both."""

    sides: tuple[tuple[str, bool], tuple[str, bool]]

    def finds_one(self, alias: str, others: set[str], items: dict[str, Item]) -> bool:
        """Whether a row of `others` finds one row of `alias` at most; two relations are joined by a key, it is taken for granted."""
        for (mine, distinct), (other, _) in (self.sides, self.sides[::-1]):
            if mine == alias and other in others and (distinct or (items[mine].stored and items[other].stored)):
                return True
        return False


def joined(items: dict[str, Item], equalities: Sequence[Equality]) -> int:
    """Return the rows of all items joined: the largest ones multiplied, except those that an equality lets each row find one of."""
    rows, left = 1, sorted(items, key=lambda alias: -items[alias].rows)
    placed: set[str] = set()
    while left:
        found = next((alias for alias in left if placed and any(one.finds_one(alias, placed, items) for one in equalities)), None)
        if found is None:
            found = left[0]
            rows = min(MANY, rows * items[found].rows)
        left.remove(found)
        placed.add(found)
    return rows


def reached(start: str, equalities: Sequence[Equality]) -> set[str]:
    """Return what is connected with `start` by equalities, itself included."""
    found, grown = {start}, True
    while grown:
        linked = {alias for one in equalities for alias, _ in one.sides if found & {side for side, _ in one.sides}}
        grown = not linked <= found
        found |= linked
    return found


def conjuncts(condition: Any) -> Iterator[Any]:
    if condition.WhichOneof("node") == "bool_expr" and condition.bool_expr.boolop == pg.AND_EXPR:
        for one in condition.bool_expr.args:
            yield from conjuncts(one)
    elif condition.WhichOneof("node") == "a_expr" and condition.a_expr.kind in (pg.AEXPR_OP, pg.AEXPR_OP_ANY) and condition.a_expr.name[-1].string.sval == "=":
        yield condition.a_expr


def series(arguments: Sequence[Any], limits: Limits) -> tuple[int, int]:
    """Return the rows of one generate_series that `bounds` lets pass, and the characters of a value."""
    values = [constant(one) for one in arguments]
    if all(isinstance(one, int) for one in values):
        return abs(values[1] - values[0]) // abs(values[2] if len(values) == 3 else 1) + 1, max(len(str(one)) for one in values[:2])
    step = _hours(values[2])
    start, end = (_time(value) for value in values[:2])
    if start is not None and end is not None:
        return int(abs((end - start).total_seconds()) / 3600 / step) + 2, 32
    around = sum(_reach(node) for node in arguments[:2])
    return min(MANY, limits.relation_rows + int(around / step)), 32


def _hours(text: Any) -> int:
    found = _AMOUNT.fullmatch(text.lower()) if isinstance(text, str) else None
    return max(1, int(found[1])) * _HOURS[found[2]] if found else MANY


def _time(value: Any) -> datetime | None:
    try:
        time = datetime.fromisoformat(value.strip()) if isinstance(value, str) else None
    except ValueError:
        return None
    return time.replace(tzinfo=UTC) if time is not None else None


def _reach(node: Any) -> int:
    """Return how many hours the literals of an end of a series can move it away from the times that are stored, and from now."""
    hours = 0
    for one in parts((node,)):
        if isinstance(one, pg.A_Const) and one.WhichOneof("val") in ("ival", "fval"):
            hours += MANY
        elif isinstance(one, pg.A_Const) and one.WhichOneof("val") == "sval":
            time = _time(one.sval.sval)
            if time is not None:
                hours += MANY if not 1900 <= time.year <= 2100 else 0
            elif any(character.isdigit() for character in one.sval.sval):
                hours += 2 * _hours(one.sval.sval)
    return hours


def parts(messages: Iterable[Any]) -> Iterator[Any]:
    """Return each message, and all that stand below it but the names of types."""
    for message in messages:
        yield message
        for descriptor, value in message.ListFields():
            if descriptor.message_type is not None and descriptor.name != "type_name":
                yield from parts(value if descriptor.is_repeated else (value,))
