"""Charts: what is suggested, what a stored suggestion may hold, and what a model's wish can and cannot do."""

from typing import Any

import pytest

from agent.analytics.chart import DRAWN_ROWS, LABEL_CHARACTERS, checked, suggestion, with_rows
from agent.analytics.columns import Column
from agent.analytics.vega_schema import is_vega_lite

REGION, MONTH, REVENUE, ORDERS = (Column("region", "text"), Column("month", "date"), Column("revenue", "numeric(12,2)"), Column("orders", "bigint"))
ROWS = [["north", "10.5"], ["south", "7"]]


def made(wish: dict[str, Any] | None = None, columns: tuple[Column, ...] = (REGION, REVENUE), rows: list[list[Any]] = ROWS) -> dict[str, Any]:
    found = suggestion(wish, columns, rows)
    assert found is not None
    return found


@pytest.mark.parametrize(("columns", "rows", "mark", "fields"), [
    ((REGION, REVENUE), ROWS, "bar", {"x": "c0", "y": "c1"}),
    ((MONTH, REVENUE), [["2026-01-01", 1], ["2026-02-01", 2]], "line", {"x": "c0", "y": "c1"}),
    ((MONTH, REGION, REVENUE), [["2026-01-01", "n", 1], ["2026-01-01", "s", 2]], "line", {"x": "c0", "y": "c2", "color": "c1"}),
    ((REVENUE, ORDERS), [[1, 2], [3, 4]], "point", {"x": "c0", "y": "c1"}),
])
def test_a_chart_is_suggested_from_the_columns(columns: tuple[Column, ...], rows: list[list[Any]], mark: str, fields: dict[str, str]) -> None:
    found = made(None, columns, rows)
    assert found["mark"] == {"type": mark} and {name: one["field"] for name, one in found["encoding"].items()} == fields
    assert "data" not in found and checked(found, len(columns))


@pytest.mark.parametrize(("columns", "rows"), [
    ((REVENUE,), [[1], [2]]), ((REGION, REVENUE), [["one row", 1]]), ((REGION, REVENUE), []), ((REGION, MONTH), [["a", None], ["b", None]]),
    ((REGION, REVENUE), [["twice", 1], ["twice", 2]]), ((REGION, REVENUE), [[f"r{n}", n] for n in range(200)]),
    ((Column("whole", "jsonb"), REVENUE), [[{}, 1], [{}, 2]]),
])
def test_where_there_is_nothing_to_draw_there_is_no_chart(columns: tuple[Column, ...], rows: list[list[Any]]) -> None:
    assert suggestion(None, columns, rows) is None


def test_a_wish_that_fits_the_result_is_followed() -> None:
    found = made({"mark": "arc", "x": "region", "y": "revenue", "color": ""})
    assert found["mark"] == {"type": "arc"} and found["encoding"]["theta"]["field"] == "c1"


@pytest.mark.parametrize("wish", [
    {"mark": "bar", "x": "region", "y": "no such column"}, {"mark": "bar", "x": "revenue", "y": "region"}, {"mark": "image", "x": "region", "y": "revenue"},
    {"mark": {"type": "bar", "href": "https://example.com"}, "x": "region", "y": "revenue"}, {"mark": "bar", "x": {"expr": "1"}, "y": "revenue"},
    {"mark": "bar", "x": "region", "y": "region"}, {"mark": ["bar"], "x": "region", "y": "revenue"}, {}, {"x": "region"},
])
def test_a_wish_that_does_not_fit_is_as_none(wish: dict[str, Any]) -> None:
    if isinstance(wish.get("mark"), list):
        wish["mark"] = str(wish["mark"])
    assert suggestion(wish, (REGION, REVENUE), ROWS) == suggestion(None, (REGION, REVENUE), ROWS)


def test_a_name_is_a_title_and_never_a_path_or_an_expression() -> None:
    hostile = (Column("datum['x'] + alert(1)\x07", "text"), Column("a.b[0]" + "x" * 500, "numeric"))
    found = made({"mark": "bar", "x": hostile[0].name, "y": hostile[1].name}, hostile)
    assert [one["field"] for one in found["encoding"].values()] == ["c0", "c1"]
    assert found["encoding"]["x"]["title"] == "datum['x'] + alert(1)" and len(found["encoding"]["y"]["title"]) == 120


def changed(path: str, value: Any) -> dict[str, Any]:
    found: dict[str, Any] = made()
    *parents, last = path.split(".")
    place = found
    for name in parents:
        place = place[name]
    place[last] = value
    return found


@pytest.mark.parametrize(("path", "value"), [
    ("data", {"url": "https://example.com/rows.csv"}), ("data", {"values": [[1]]}), ("transform", [{"calculate": "1", "as": "c1"}]),
    ("params", [{"name": "p", "expr": "1"}]), ("usermeta", {"embedOptions": {"loader": {}}}), ("title", {"text": {"expr": "1"}}),
    ("mark", "bar"), ("mark.type", "image"), ("mark.href", "https://example.com"), ("mark.tooltip", {"expr": "1"}), ("width", 10**9),
    ("encoding.x.field", "c2"), ("encoding.x.field", "c0['constructor']"), ("encoding.x.field", {"repeat": "row"}), ("encoding.x.title", {"expr": "1"}),
    ("encoding.x.axis", {"labelExpr": "1"}), ("encoding.x.sort", {"field": "c1"}), ("encoding.x.type", "geojson"), ("encoding.x.title", "x" * 121),
    ("encoding.href", {"field": "c0", "type": "nominal", "title": ""}), ("encoding.url", {"field": "c0", "type": "nominal", "title": ""}),
    ("encoding", {}), ("encoding", []), ("$schema", "https://example.com/schema.json"), ("config", {"font": {"expr": "1"}}),
])
def test_a_stored_suggestion_with_anything_else_in_it_is_not_drawn(path: str, value: Any) -> None:
    assert checked(made(), 2)
    assert not checked(changed(path, value), 2)


@pytest.mark.parametrize("stored", [None, "bar", [], {}, 7])
def test_a_stored_suggestion_that_is_none_is_not_drawn(stored: Any) -> None:
    assert not checked(stored, 2)


def test_vega_lites_own_schema_has_its_say() -> None:
    whole = with_rows(made(), (REGION, REVENUE), ROWS)
    assert is_vega_lite(whole) and not is_vega_lite(whole | {"mark": {"type": "no such mark"}})


def test_data_comes_inline_from_the_result_bounded_and_plain() -> None:
    rows = [[f"{n} " + "x" * 500 + "\x1b[31m", "NaN" if n == 1 else n] for n in range(DRAWN_ROWS + 1)]
    values = with_rows(made(None), (REGION, REVENUE), rows)["data"]["values"]
    assert len(values) == DRAWN_ROWS and all(len(one["c0"]) == LABEL_CHARACTERS and "\x1b" not in one["c0"] for one in values)
    assert values[2]["c1"] == 2.0 and isinstance(values[2]["c1"], float)
