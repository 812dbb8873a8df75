"""A result as a file, page by page: CSV for people and spreadsheets, Parquet for programs.

CSV is UTF-8 without a mark, with commas and CR LF (RFC 4180); null is an empty field, an empty text is "". A spreadsheet runs a
field that begins with = + - @ (or their full-width forms), a tab or a line break as a formula, so a text like that gets an
apostrophe in front, which spreadsheets take for "this is text". It is the text that is changed and nothing else: numbers,
times and truth values are never text, so -5 stays -5. Who needs every byte as it is takes Parquet, which changes nothing.
"""

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from io import BytesIO
from typing import TYPE_CHECKING, Any

from agent.analytics.columns import Column, Row

if TYPE_CHECKING:
    import pyarrow as pa

CSV, PARQUET = "text/csv; charset=utf-8", "application/vnd.apache.parquet"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_QUOTED = frozenset('",\r\n')

Pages = AsyncIterator[Sequence[Row]]
"""The rows of a result, a page at a time; each page is asked for, and so allowed, when it is needed."""


async def as_csv(columns: Sequence[Column], pages: Pages) -> AsyncIterator[bytes]:
    """Yield the file in pieces: the header, then one piece a page."""
    yield _line(_field(column.name) for column in columns)
    async for page in pages:
        yield b"".join(_line(_cell(column, value) for column, value in zip(columns, row, strict=True)) for row in page)


async def as_parquet(columns: Sequence[Column], pages: Pages) -> AsyncIterator[bytes]:
    """Yield the file in pieces, one row group a page; numeric stays exact as text where its digits have no bound."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    # Names may repeat in a query and not in a Parquet file.
    names = _distinct([column.name for column in columns])
    schema = pa.schema([pa.field(name, _arrow(column)) for name, column in zip(names, columns, strict=True)])
    out = _Drain()
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        async for page in pages:
            arrays = [pa.array([_value(column, row[n]) for row in page], schema.field(n).type) for n, column in enumerate(columns)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            yield out.taken()
    yield out.taken()


class _Drain(BytesIO):
    """A file that gives away what has been written to it; the writer's place in it goes on counting."""

    def __init__(self) -> None:
        super().__init__()
        self._given = 0

    def tell(self) -> int:
        return self._given + super().tell()

    def taken(self) -> bytes:
        """Return what was written since the last call."""
        data = self.getvalue()
        self._given += len(data)
        self.seek(0)
        self.truncate()
        return data


def _line(fields: Iterator[str]) -> bytes:
    return (",".join(fields) + "\r\n").encode(errors="replace")


def _cell(column: Column, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return _field(json.dumps(value, ensure_ascii=False))
    # Not by the column alone: what is not a number has no business there unquestioned, whoever stored it.
    if column.kind == "number" and _is_number(value):
        return str(value)
    return _field(str(value))


def _field(text: str) -> str:
    """Return a text as a field that no spreadsheet runs."""
    if text.lstrip(" ").startswith(_FORMULA):
        text = "'" + text
    return '"' + text.replace('"', '""') + '"' if not text or not _QUOTED.isdisjoint(text) or text != text.strip() else text


def _is_number(value: Any) -> bool:
    try:
        Decimal(str(value))
    except InvalidOperation:
        return False
    return str(value).isascii() and "_" not in str(value)


def _distinct(names: Sequence[str]) -> list[str]:
    made: list[str] = []
    for name in names:
        n, free = 1, name
        while free in made:
            n += 1
            free = f"{name}_{n}"
        made.append(free)
    return made


def _arrow(column: Column) -> "pa.DataType":
    import pyarrow as pa

    return {"smallint": pa.int16(), "integer": pa.int32(), "bigint": pa.int64(), "real": pa.float32(), "double precision": pa.float64(),
            "boolean": pa.bool_(), "date": pa.date32(), "timestamp with time zone": pa.timestamp("us", tz="UTC"),
            "timestamp without time zone": pa.timestamp("us")}.get(column.type, pa.string())


def _value(column: Column, value: Any) -> Any:
    """Return a JSON value as the column's Arrow type takes it; what does not fit it (an infinite time) is null."""
    if value is None:
        return None
    if column.type in ("smallint", "integer", "bigint"):
        return int(value)
    if column.type in ("real", "double precision"):
        return float(value)
    if column.type == "boolean":
        return bool(value)
    if column.type == "date" or column.type.startswith("timestamp with"):
        try:
            return date.fromisoformat(value) if column.type == "date" else datetime.fromisoformat(value)
        except ValueError:
            return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
