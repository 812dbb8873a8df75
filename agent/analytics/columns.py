"""The columns of a result: a name as the query gave it, and PostgreSQL's name of the type."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

# As psycopg calls them: results are stored by a worker that asks it.
_ALIASES = {"int2": "smallint", "int4": "integer", "int8": "bigint", "float4": "real", "float8": "double precision", "bool": "boolean",
            "timestamptz": "timestamp with time zone", "timestamp": "timestamp without time zone", "varchar": "character varying", "bpchar": "character"}
Kind = Literal["number", "time", "truth", "text", "other"]

_KINDS: dict[str, Kind] = {
    "smallint": "number", "integer": "number", "bigint": "number", "numeric": "number", "real": "number", "double precision": "number",
    "date": "time", "timestamp with time zone": "time", "timestamp without time zone": "time",
    "boolean": "truth", "text": "text", "character varying": "text", "character": "text", "name": "text", "uuid": "text",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a result."""

    name: str
    type: str
    """As `format_type` says it, like `timestamp with time zone` or `numeric(10,2)`."""

    @property
    def kind(self) -> Kind:
        """What can be done with its values; `other` is shown and exported as text."""
        head, _, tail = self.type.partition("(")
        # timestamp(3) with time zone: the precision stands in the middle.
        return _KINDS.get((head + tail.partition(")")[2]).strip(), "other")

    @classmethod
    def all_of(cls, rows: Iterable[dict[str, Any]]) -> tuple[Self, ...]:
        """Return the columns of `[{name, type}]`, the types as SQL writes them."""
        return tuple(cls(str(row["name"]), _ALIASES.get(str(row["type"]), str(row["type"]))) for row in rows)


Row = Sequence[Any]
"""The values of one row, in the order of the columns, as JSON has them."""


def number(value: Any) -> float | None:
    """Return a value of a number column as a finite float, None for null and for what none can hold."""
    if value is None or isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if abs(found) < float("inf") else None
