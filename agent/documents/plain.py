"""Text, Markdown and CSV."""

import csv
import itertools
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from agent.documents.limits import MIB, DocumentLimits
from agent.documents.text import Text, Unreadable, decoded, one_line

_SAMPLE_CHARACTERS = 64_000
_LABELLED_CHARACTERS = 8 * MIB
"""The rows of a longer file stay as they are: with names it could outgrow the text a file may have."""


def read_text(file: BinaryIO, limits: DocumentLimits) -> Text:
    """Return the text as it is; headings are Markdown's. Raises: Unreadable, TooMuch."""
    text = Text(limits)
    text.add(decoded(file))
    return text


def read_csv(file: BinaryIO, limits: DocumentLimits) -> Text:
    """Return one line a row, each value with its column's name. Raises: Unreadable, TooMuch."""
    content = decoded(file, otherwise="cp1252")
    csv.field_size_limit(limits.text_characters)
    try:
        dialect: type[csv.Dialect] | csv.Dialect = csv.Sniffer().sniff(content[:_SAMPLE_CHARACTERS], ",;\t|")
    except csv.Error:
        dialect = csv.excel
    text = Text(limits, [])
    try:
        for line in labelled(csv.reader(content.splitlines(keepends=True), dialect), with_names=len(content) <= _LABELLED_CHARACTERS):
            text.line(line)
    except csv.Error as err:
        raise Unreadable from err
    return text


def labelled(rows: Iterable[Iterable[object]], *, with_names: bool = True) -> Iterator[str]:
    """Yield the rows as `name: value | name: value`, with the names of the first row when it has a name for each column.

    A passage in the middle of a table then says by itself what its numbers are.
    """
    filled = (row for row in ([_cell(value) for value in row] for row in rows) if any(row))
    first = next(filled, None)
    if first is None:
        return
    second = next(filled, None)
    yield " | ".join(value for value in first if value)
    if second is None:
        return
    names = first if with_names and _are_names(first) else []
    for row in itertools.chain((second,), filled):
        yield " | ".join(f"{name}: {value}" if name else value
                         for name, value in itertools.zip_longest(names, row[:len(row)], fillvalue="") if value)


def _cell(value: object) -> str:
    return "" if value is None else one_line(str(value))


def _are_names(row: list[str]) -> bool:
    """Return whether this is a row of short, different words, none of them a number."""
    while row and not row[-1]:
        row.pop()
    return len(row) > 1 and len(set(row)) == len(row) and all(
        0 < len(value) <= 60 and not value.replace(".", "").replace(",", "").replace("-", "").isdigit() for value in row)
