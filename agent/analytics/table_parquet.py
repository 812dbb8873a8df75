"""Parquet into columns and rows: the file says what its types are, and only plain ones are taken."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import parquet

from agent.analytics import table_types
from agent.analytics.table_limits import TableLimits
from agent.analytics.table_wrong import Wrong

_BATCH_ROWS = 1000


def read_parquet(source: BinaryIO, types: dict[str, str], limits: TableLimits, write: Callable[[Any], None]) -> None:
    """Write the head and the rows, or the bad rows and nothing else. Raises: Wrong."""
    if types:
        raise Wrong("A Parquet file says itself what types its columns have.")
    file = parquet.ParquetFile(source, pre_buffer=False)
    if file.metadata.num_rows > limits.rows:
        raise Wrong(f"The file has more than {limits.rows} rows.")
    fields = list(file.schema_arrow)
    if not 1 <= len(fields) <= limits.columns:
        raise Wrong(f"The file has to have 1 to {limits.columns} columns.")
    names = table_types.names(field.name for field in fields)
    found = [_type(field) for field in fields]
    bad = [{"line": n, "why": f"{name}: more than {limits.value_characters} characters"}
           for n, row in enumerate(_rows(file, found), start=1) for name, value in zip(names, row, strict=True)
           if value is not None and len(value) > limits.value_characters]
    if bad:
        write({"bad": bad[:limits.bad_rows_named], "bad_rows": len(bad)})
        return
    columns = [{"name": name, "type": type_, "header": field.name.strip()[:300]} for name, type_, field in zip(names, found, fields, strict=True)]
    write({"columns": columns, "rows": file.metadata.num_rows})
    for row in _rows(file, found):
        write(row)


def _type(field: pa.Field) -> str:
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    tests: tuple[tuple[Callable[[Any], bool], str], ...] = (
        (pa.types.is_boolean, "boolean"), (pa.types.is_uint64, "numeric"), (pa.types.is_integer, "bigint"), (pa.types.is_decimal, "numeric"),
        (pa.types.is_floating, "double precision"), (pa.types.is_date, "date"), (pa.types.is_timestamp, "timestamp with time zone"),
        (pa.types.is_string, "text"), (pa.types.is_large_string, "text"), (pa.types.is_string_view, "text"), (pa.types.is_null, "text"))
    for test, type_ in tests:
        if test(kind):
            return type_
    raise Wrong(f"Column {field.name[:60]} has a type that is not taken: numbers, texts, dates, times and truth values are.")


def _rows(file: parquet.ParquetFile, types: list[str]) -> Any:
    for batch in file.iter_batches(_BATCH_ROWS, use_threads=False):
        columns = [[_text(value, type_) for value in column.to_pylist()] for column, type_ in zip(batch.columns, types, strict=True)]
        yield from (list(row) for row in zip(*columns, strict=True))


def _text(value: Any, type_: str) -> str | None:
    if value is None:
        return None
    if type_ == "boolean":
        return "true" if value else "false"
    if type_ == "date":
        return str((value.date() if isinstance(value, datetime) else value).isoformat())
    if type_ == "timestamp with time zone":
        return str((value if value.tzinfo is not None else value.replace(tzinfo=UTC)).isoformat())
    return str(value).replace("\x00", "")
