"""CSV into columns and rows, in two passes over the file: what it is, then what is in it."""

import codecs
import csv
import io
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from agent.analytics import table_types
from agent.analytics.table_limits import TableLimits
from agent.analytics.table_wrong import Wrong

Write = Callable[[Any], None]


def read_csv(source: BinaryIO, types: dict[str, str], limits: TableLimits, write: Write) -> None:
    """Write the head and the rows, or the bad rows and nothing else. `types`: by column, those that are not to be guessed. Raises: Wrong."""
    csv.field_size_limit(limits.value_characters * 4)
    header, separator = _header(source, limits)
    names = table_types.names(header)
    _check_named(types, names)
    guesses = [table_types.Guess() for _ in names]
    bad: list[dict[str, Any]] = []
    rows = bad_rows = 0
    for line, row, why in _rows(source, separator):
        why = why or _why_bad(row, names, types, limits)
        if why:
            bad_rows += 1
            if len(bad) < limits.bad_rows_named:
                bad.append({"line": line, "why": why})
            continue
        rows += 1
        if rows > limits.rows:
            raise Wrong(f"The file has more than {limits.rows} rows.")
        for value, guess in zip(row, guesses, strict=True):
            if value:
                guess.see(value)
    if bad_rows:
        write({"bad": bad, "bad_rows": bad_rows})
        return
    found = [types.get(name) or guess.type() for name, guess in zip(names, guesses, strict=True)]
    write({"columns": [{"name": name, "type": type_, "header": text.strip()[:300]} for name, type_, text in zip(names, found, header, strict=True)], "rows": rows})
    for _, row, _ in _rows(source, separator):
        write([table_types.stored(value, type_) if value else None for value, type_ in zip(row, found, strict=True)])


def _check_named(types: dict[str, str], names: list[str]) -> None:
    for name in types:
        if name not in names:
            raise Wrong(f"There is no column {name[:40]}; the columns are {', '.join(names)[:400]}.")


def _lines(source: BinaryIO) -> Iterator[str]:
    """Yield lines as they end in the file, from its beginning. Raises: Wrong where it is no text."""
    source.seek(0)
    if source.read(3) != codecs.BOM_UTF8:
        source.seek(0)
    # Not closed: the file under it is read again.
    decoded = io.TextIOWrapper(source, encoding="utf-8", newline="")
    try:
        for line in decoded:
            if "\x00" in line:
                raise Wrong("The file holds a zero byte: it is not text.")
            yield line
    except UnicodeDecodeError as err:
        raise Wrong("The file is not UTF-8 text. Save it as CSV UTF-8.") from err
    finally:
        decoded.detach()


def _header(source: BinaryIO, limits: TableLimits) -> tuple[list[str], str]:
    first = next(_lines(source), "")
    separator = table_types.delimiter(first)
    try:
        header = next(csv.reader(_lines(source), delimiter=separator, strict=True), [])
    except csv.Error as err:
        raise Wrong("The first line is not the names of columns.") from err
    if not any(name.strip() for name in header):
        raise Wrong("The first line has to be the names of the columns.")
    if len(header) > limits.columns:
        raise Wrong(f"The file has more than {limits.columns} columns.")
    return header, separator


def _rows(source: BinaryIO, separator: str) -> Iterator[tuple[int, list[str], str]]:
    """Yield (line, fields, what is wrong with it) of every row below the header; an empty line is none."""
    reader = csv.reader(_lines(source), delimiter=separator, strict=True)
    next(reader)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield line, [], "quotation marks that do not match, or a field that is too long"
            continue
        if row:
            yield line, row, ""


def _why_bad(row: list[str], names: list[str], types: dict[str, str], limits: TableLimits) -> str:
    if len(row) != len(names):
        return f"{len(row)} fields where there are {len(names)} columns"
    for value, name in zip(row, names, strict=True):
        if len(value) > limits.value_characters:
            return f"{name}: more than {limits.value_characters} characters"
        if value and name in types and not table_types.fits(value, types[name]):
            return f"{name}: not a {types[name]}"
    return ""
