"""The types and the names of the columns of an uploaded table, told from what stands in it.

A column is the first of these that all its values fit; an empty field is null and fits each:
boolean (true, false) · bigint (up to 18 digits, none of them a zero in front: 00123 is a code, not a number) · numeric
(1234.50, up to 30 digits) · double precision (also 1.5e3) · date (2026-01-31 or 2026/01/31) · timestamp with time zone
(2026-01-31T09:00, with or without an offset; without one it is UTC) · text.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime

TYPES = ("boolean", "bigint", "numeric", "double precision", "date", "timestamp with time zone", "text")
_NAME_CHARACTERS = 40

_BIGINT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\Z")
_NUMERIC = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,12})?\Z")
_DOUBLE = re.compile(r"-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?\Z")
_DATE = re.compile(r"[0-9]{4}([-/])[0-9]{2}\1[0-9]{2}\Z")
_TIME = re.compile(r"[0-9]{4}([-/])[0-9]{2}\1[0-9]{2}[T ][0-9]{2}:[0-9]{2}")
# Reserved in PostgreSQL: as a name they would have to be quoted, and the guard takes no quoted names.
_RESERVED = frozenset(
    "all analyse analyze and any array as asc asymmetric authorization between binary both case cast check collate collation column concurrently "
    "constraint create cross current_catalog current_date current_role current_schema current_time current_timestamp current_user default "
    "deferrable desc distinct do else end except false fetch filter for foreign freeze from full grant group having ilike in initially inner "
    "intersect interval into is isnull join lateral leading left like limit localtime localtimestamp natural not notnull null offset on only or "
    "order outer over overlaps placing primary references returning right row select session_user similar some symmetric system_user table "
    "tablesample then to trailing true union unique user using values variadic verbose when where window with".split())


def _is_boolean(text: str) -> bool:
    return text.lower() in ("true", "false")


def _is_date(text: str) -> bool:
    try:
        return bool(_DATE.match(text) and date.fromisoformat(text.replace("/", "-")))
    except ValueError:
        return False


def _is_time(text: str) -> bool:
    try:
        return bool(_TIME.match(text) and datetime.fromisoformat(text.replace("/", "-"))) or _is_date(text)
    except ValueError:
        return False


_FITS: dict[str, Callable[[str], object]] = {
    "boolean": _is_boolean, "bigint": _BIGINT.match, "numeric": _NUMERIC.match, "double precision": _DOUBLE.match, "date": _is_date,
    "timestamp with time zone": _is_time, "text": lambda text: True}


# What holds every value of a type, and more.
_WIDER = {"boolean": "text", "bigint": "numeric", "numeric": "double precision", "double precision": "text", "date": "timestamp with time zone",
          "timestamp with time zone": "text"}


class Guess:
    """What type one column may still be, value by value."""

    __slots__ = ("_type",)

    def __init__(self) -> None:
        self._type: str | None = None

    def see(self, text: str) -> None:
        if self._type is None:
            self._type = next(type_ for type_ in TYPES if _FITS[type_](text))
        # Only ever wider, so that what was seen before fits still; nearly always one match a value.
        while not _FITS[self._type](text):
            self._type = _WIDER[self._type]

    def type(self) -> str:
        """Return the type of all values seen; text where there was none."""
        return self._type or "text"


def fits(text: str, type_: str) -> bool:
    """Return whether a value can be of a type that was named, one of TYPES."""
    return bool(_FITS[type_](text))


def stored(text: str, type_: str) -> str:
    """Return the text of a fitting value as the database casts it: a time without an offset is UTC."""
    if type_ == "date":
        return text.replace("/", "-")
    if type_ != "timestamp with time zone":
        return text
    found = datetime.fromisoformat(text.replace("/", "-"))
    return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).isoformat()


def names(headers: Iterable[str]) -> list[str]:
    """Return names that SQL takes without quotes, one a header and each once: lower case, a-z, 0-9 and _."""
    made: list[str] = []
    for n, header in enumerate(headers, start=1):
        name = re.sub(r"[^a-z0-9]+", "_", header.strip().lower()).strip("_")[:_NAME_CHARACTERS].strip("_") or f"column_{n}"
        if not name[0].isalpha():
            name = f"c_{name}"
        if name in _RESERVED:
            name = f"{name}_"
        free, again = name, 1
        while free in made:
            again += 1
            free = f"{name}_{again}"
        made.append(free)
    return made


def delimiter(first_line: str) -> str:
    """Return what separates the fields of the first line: comma, semicolon, tab or bar; comma where there is none."""
    unquoted: Sequence[str] = re.sub(r'"[^"]*"', "", first_line)
    return max(",;\t|", key=unquoted.count)
