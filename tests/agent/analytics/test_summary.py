"""What a model sees of a result: its shape, and totals of numbers; no value of a text, a time or an identifier."""

import json

from agent.analytics.columns import Column
from agent.analytics.summary import summary


def test_numbers_are_totalled_and_nothing_else_is_shown() -> None:
    columns = (Column("city", "text"), Column("n", "bigint"), Column("share", "numeric(5,2)"), Column("day", "date"), Column("id", "uuid"), Column("yes", "boolean"))
    rows = [["canary", 3, "0.75", "2026-01-01", "5e2a", True], ["canary", 1, "NaN", "2026-01-02", "5e2b", False], [None] * 6]
    found = summary(columns, rows)
    assert found[0] == {"name": "city", "type": "text", "nulls": 1, "distinct": 1}
    assert found[1] == {"name": "n", "type": "bigint", "nulls": 1, "distinct": 2, "min": 1, "max": 3, "sum": 4, "mean": 2.0}
    assert found[2] == {"name": "share", "type": "numeric(5,2)", "nulls": 1, "distinct": 2, "min": 0.75, "max": 0.75, "sum": 0.75, "mean": 0.75}
    assert all(set(one) == {"name", "type", "nulls", "distinct"} for one in (found[3], found[4], found[5]))
    assert "canary" not in json.dumps(found) and "2026" not in json.dumps(found) and "5e2a" not in json.dumps(found)


def test_an_empty_result_has_a_shape_too() -> None:
    assert summary((Column("n", "bigint"),), []) == [{"name": "n", "type": "bigint", "nulls": 0, "distinct": 0}]


def test_whole_numbers_stay_whole_and_large_ones_do_not_fail() -> None:
    [found] = summary((Column("n", "bigint"),), [[2**53], ["9007199254740993"]])
    assert isinstance(found["sum"], int) and found["sum"] > 2**53
