"""Charts: a declarative Vega-Lite specification from what a model wished for or from the columns, and nothing a model wrote as it is.

A suggestion holds no data and names no column: its fields are c0, c1, … by position, so that no name from a query or a model is
ever read as a path or an expression. What is stored is checked again before it is used: a closed list of members, no
expression, no address, no loader, no transform; then Vega-Lite's own schema. Data comes inline from the result alone.
"""

import unicodedata
from collections.abc import Sequence
from typing import Any

from agent.analytics.columns import Column, Row, number
from agent.analytics.vega_schema import SCHEMA_URL, is_vega_lite

MARKS = ("bar", "line", "area", "point", "arc")
LOOKED_AT_ROWS = 1000
"""How many rows of a result a suggestion is made from."""
DRAWN_ROWS = 5000
TITLE_CHARACTERS = 120
LABEL_CHARACTERS = 80
_MOST_BARS = 60
_MOST_COLORS = 12
_WIDTH, _HEIGHT = 640, 360

Json = dict[str, Any]

_TYPES = {"number": "quantitative", "time": "temporal", "truth": "nominal", "text": "nominal"}
_CHANNELS = {"x", "y", "color", "theta"}
_OF_CHANNEL = {"field", "type", "title", "sort"}
_OF_TOP = {"$schema", "width", "height", "mark", "encoding"}


def suggestion(wish: Json | None, columns: Sequence[Column], rows: Sequence[Row]) -> Json | None:
    """Return the specification without data, from the wish where it fits the result, else by rule; None: nothing to draw.

    `wish`: {mark, x, y, color}, names of columns, as a model wrote them; `rows`: the first LOOKED_AT_ROWS at most.
    """
    if len(rows) < 2 or len(columns) < 2:
        return None
    made = _as_wished(wish or {}, columns) or _by_rule(columns, rows[:LOOKED_AT_ROWS])
    return made if made is not None and checked(made, len(columns)) else None


def checked(specification: Any, columns: int) -> bool:
    """Return whether a stored suggestion is one that this module makes, for a result of so many columns."""
    if not isinstance(specification, dict) or set(specification) != _OF_TOP:
        return False
    if (specification["$schema"], specification["width"], specification["height"]) != (SCHEMA_URL, _WIDTH, _HEIGHT):
        return False
    mark, encoding = specification["mark"], specification["encoding"]
    if not isinstance(mark, dict) or set(mark) != {"type"} or mark["type"] not in MARKS:
        return False
    if not isinstance(encoding, dict) or not encoding or not set(encoding) <= _CHANNELS:
        return False
    return all(_is_channel(one, columns) for one in encoding.values()) and is_vega_lite(with_rows(specification, (), ()))


def with_rows(specification: Json, columns: Sequence[Column], rows: Sequence[Row]) -> Json:
    """Return the whole specification: the first DRAWN_ROWS rows inline, texts shortened, what no chart can show left out."""
    used = sorted({int(channel["field"][1:]) for channel in specification["encoding"].values()})
    values = [{f"c{n}": _shown(columns[n], row[n]) for n in used} for row in rows[:DRAWN_ROWS]] if columns else []
    return specification | {"data": {"values": values}}


def _is_channel(channel: Any, columns: int) -> bool:
    if not isinstance(channel, dict) or not {"field", "type", "title"} <= set(channel) <= _OF_CHANNEL:
        return False
    field, title = channel["field"], channel["title"]
    return (isinstance(field, str) and field in {f"c{n}" for n in range(columns)} and channel["type"] in _TYPES.values()
            and channel.get("sort") is None and isinstance(title, str) and len(title) <= TITLE_CHARACTERS)


def _as_wished(wish: Json, columns: Sequence[Column]) -> Json | None:
    named = {column.name: n for n, column in reversed(list(enumerate(columns)))}
    mark, x, y, color = (wish.get(name) for name in ("mark", "x", "y", "color"))
    if mark not in MARKS or not isinstance(x, str) or not isinstance(y, str) or x == y:
        return None
    places = [named.get(one) for one in (x, y, *([color] if isinstance(color, str) and color else []))]
    if any(place is None or columns[place].kind == "other" for place in places):
        return None
    return _made(str(mark), columns, *[place for place in places if place is not None])


def _by_rule(columns: Sequence[Column], rows: Sequence[Row]) -> Json | None:
    """Lines over time, bars over categories, points of two numbers: what can be told from types, and nothing cleverer."""
    def of(kind: str) -> list[int]:
        return [n for n, column in enumerate(columns) if column.kind == kind]

    def distinct(n: int) -> int:
        return len({str(row[n]) for row in rows})

    numbers, times, texts = of("number"), of("time"), of("text") + of("truth")
    groups = [n for n in texts if 1 < distinct(n) <= _MOST_COLORS]
    if times and numbers:
        return _made("line", columns, times[0], numbers[-1], *groups[:1])
    if texts and numbers:
        x, color = texts[0], [n for n in groups if n != texts[0]][:1]
        if distinct(x) <= _MOST_BARS and (color or distinct(x) == len(rows)):
            return _made("bar", columns, x, numbers[-1], *color)
    if len(numbers) == 2 and len(columns) == 2:
        return _made("point", columns, numbers[0], numbers[1])
    return None


def _made(mark: str, columns: Sequence[Column], x: int, y: int, color: int | None = None) -> Json | None:
    if columns[y].kind != "number":
        return None
    if mark == "arc":
        encoding = {"theta": _channel(columns, y), "color": _channel(columns, x, "nominal")}
    else:
        # Bars stand in the order of the rows: the query has sorted them. A number below a bar is a name, like a year.
        named = mark == "bar" and columns[x].kind in ("text", "truth", "number")
        encoding = {"x": _channel(columns, x, "nominal" if named else None) | ({"sort": None} if named else {}), "y": _channel(columns, y)}
        if color is not None:
            encoding["color"] = _channel(columns, color, "nominal")
    return {"$schema": SCHEMA_URL, "width": _WIDTH, "height": _HEIGHT, "mark": {"type": mark}, "encoding": encoding}


def _channel(columns: Sequence[Column], n: int, as_type: str | None = None) -> Json:
    column = columns[n]
    return {"field": f"c{n}", "type": as_type or _TYPES[column.kind], "title": plain(column.name, TITLE_CHARACTERS)}


def _shown(column: Column, value: Any) -> Any:
    if column.kind == "number":
        return number(value)
    return None if value is None else plain(str(value), LABEL_CHARACTERS)


def plain(text: str, characters: int) -> str:
    """Return the text without control characters, and shortened."""
    clean = "".join(c for c in text if unicodedata.category(c)[0] != "C")
    return clean if len(clean) <= characters else clean[: characters - 1] + "…"
