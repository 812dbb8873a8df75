"""The shape of a result and totals of its numbers: what a model sees of it, where no row of it may leave for a provider."""

from collections.abc import Iterable, Sequence
from typing import Any

from agent.analytics.columns import Column, Row, number


def summary(columns: Sequence[Column], rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return of each column {name, type, nulls, distinct} and, of numbers, min, max, sum and mean: no text, time or identifier of a row.

    What no sum can hold (NaN, infinity) is counted among the distinct values and nowhere else.
    """
    kept: list[list[Any]] = [[] for _ in columns]
    for row in rows:
        for values, value in zip(kept, row, strict=True):
            values.append(value)
    return [_of(column, values) for column, values in zip(columns, kept, strict=True)]


def _of(column: Column, values: Sequence[Any]) -> dict[str, Any]:
    there = [value for value in values if value is not None]
    found: dict[str, Any] = {"name": column.name, "type": column.type, "nulls": len(values) - len(there), "distinct": len({str(value) for value in there})}
    numbers = [n for value in there if (n := number(value)) is not None] if column.kind == "number" else []
    if numbers:
        whole = column.type in ("smallint", "integer", "bigint")
        found |= {"min": _shown(min(numbers), whole), "max": _shown(max(numbers), whole), "sum": _shown(sum(numbers), whole), "mean": round(sum(numbers) / len(numbers), 6)}
    return found


def _shown(value: float, whole: bool) -> float | int:
    return int(value) if whole else round(value, 6)
