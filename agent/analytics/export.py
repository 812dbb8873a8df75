"""A result as a file, page by page: CSV for people and spreadsheets, Parquet for programs.

CSV is as `agent.csv_lines` writes it: a text is never a formula. Who needs every byte as it is takes Parquet, which changes nothing.
"""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from io import BytesIO
from typing import TYPE_CHECKING, Any

from agent import csv_lines
from agent.analytics.columns import Column, Row

if TYPE_CHECKING:
    import pyarrow as pa

CSV, PARQUET = "text/csv; charset=utf-8", "application/vnd.apache.parquet"

Pages = AsyncIterator[Sequence[Row]]
"""The rows of a result, a page at a time; each page is asked for, and so allowed, when it is needed."""


async def as_csv(columns: Sequence[Column], pages: Pages) -> AsyncIterator[bytes]:
    """Yield the file in pieces: the header, then one piece a page."""
    yield csv_lines.line(csv_lines.field(column.name) for column in columns)
    async for page in pages:
        yield b"".join(csv_lines.line(_cell(column, value) for column, value in zip(columns, row, strict=True)) for row in page)


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


def _cell(column: Column, value: Any) -> str:
    # Not by the column alone: what is not a number has no business there unquestioned, whoever stored it.
    if column.kind == "number" and _is_number(value):
        return str(value)
    return csv_lines.cell(value if isinstance(value, (bool, dict, list)) or value is None else str(value))


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
