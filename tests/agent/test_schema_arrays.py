"""Arguments that are lists or times: described by type and prose, taken only when they fit exactly (F40, R98)."""

from __future__ import annotations

from typing import Any

import pytest

from agent.errors import BadArguments, Misconfigured
from agent.schema import argument_schema, validate

TAGS = "one of these; 1..3 items of 1..5 characters"


def test_a_list_has_bounds_for_itself_and_for_its_items_F40() -> None:
    assert argument_schema("tags", "text[]", TAGS) == {
        "description": TAGS, "type": "array", "minItems": 1, "maxItems": 3, "items": {"type": "string", "minLength": 1, "maxLength": 5}}
    assert argument_schema("ids", "uuid[]", "1..2 items")["items"] == {"type": "string", "format": "uuid"}
    assert argument_schema("since", "timestamp with time zone", "from when") == {"description": "from when", "type": "string", "format": "date-time"}


@pytest.mark.parametrize(("pg_type", "prose"), [("text[]", "1..5 characters"), ("text[]", "1..3 items"), ("json[]", "1..3 items"), ("text[][]", "1..3")])
def test_a_list_without_bounds_or_of_an_open_type_is_an_error_R99(pg_type: str, prose: str) -> None:
    with pytest.raises(Misconfigured):
        argument_schema("tags", pg_type, prose)


@pytest.mark.parametrize(("pg_type", "prose", "good", "bad"), [
    ("text[]", TAGS, [["a"], ["a", "bcdef", "g"]], [[], ["a"] * 4, ["abcdef"], [""], [1], [None], "a", {"a": 1}, ["\x00"], [["a"]]]),
    ("uuid[]", "1..2 items", [["00000000-0000-4000-8000-000000000000"]], [["x"], ["00000000000040008000000000000000"]]),
    ("timestamp with time zone", "when", ["2026-01-31", "2026-01-31T09:00:00Z", "2026-01-31T09:00:00+01:00"],
     ["yesterday", "infinity", "", "2026-13-01", 20260131, ["2026-01-31"], "now", "2026-01-31'; drop"]),
])
def test_a_value_is_taken_only_when_it_fits_exactly_F40(pg_type: str, prose: str, good: list[Any], bad: list[Any]) -> None:
    schema = {"properties": {"x": argument_schema("x", pg_type, prose)}, "required": []}
    for value in good:
        assert validate(schema, {"x": value}) == {"x": value}
    for value in bad:
        with pytest.raises(BadArguments):
            validate(schema, {"x": value})
