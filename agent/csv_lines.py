"""Lines of CSV that no spreadsheet runs.

UTF-8 without a mark, with commas and CR LF (RFC 4180); null is an empty field, an empty text is "". A spreadsheet runs a field that begins
with = + - @ (or their full-width forms), a tab or a line break as a formula, so a text like that gets an apostrophe in front, which
spreadsheets take for "this is text". It is the text that is changed and nothing else: numbers, times and truth values are never text, so
-5 stays -5.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_QUOTED = frozenset('",\r\n')


def line(fields: Iterable[str]) -> bytes:
    """Return fields as one line."""
    return (",".join(fields) + "\r\n").encode(errors="replace")


def field(text: str) -> str:
    """Return a text as a field that no spreadsheet runs."""
    if text.lstrip(" ").startswith(_FORMULA):
        text = "'" + text
    return '"' + text.replace('"', '""') + '"' if not text or not _QUOTED.isdisjoint(text) or text != text.strip() else text


def cell(value: Any) -> str:
    """Return a value of JSON as a field; lists and objects are JSON themselves."""
    if value is None:
        return ""
    if isinstance(value, str):
        return field(value)
    return field(json.dumps(value, ensure_ascii=False)) if isinstance(value, (dict, list)) else json.dumps(value)


def table(columns: list[str], rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """Yield the lines of a table of JSON objects, its header first; what a row does not have is empty. No columns: no lines."""
    if columns:
        yield line(field(column) for column in columns)
        for row in rows:
            yield line(cell(row.get(column)) for column in columns)


def columns_of(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Return every name the rows have, in the order in which it first comes."""
    return list(dict.fromkeys(column for row in rows for column in row))
