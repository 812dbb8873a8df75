"""A result as CSV and Parquet: nothing a spreadsheet would run, nothing lost, one page at a time."""

import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pyarrow import parquet

from agent.analytics.columns import Column
from agent.analytics.export import Pages, as_csv, as_parquet

pytestmark = pytest.mark.anyio

TEXT, NUMBER, BIG = Column("text", "text"), Column("number", "numeric"), Column("big", "bigint")


async def pages(*given: list[list[Any]]) -> AsyncIterator[list[list[Any]]]:
    for one in given:
        yield one


async def whole(parts: AsyncIterator[bytes]) -> bytes:
    return b"".join([part async for part in parts])


@pytest.mark.parametrize("text", [
    "=1+1", "+1", "-1+1|cmd", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＋1", "－1", "＠x", " =1+1", '=HYPERLINK("http://example.com","x")', "-"])
async def test_a_text_that_a_spreadsheet_would_run_is_made_a_text_F54(text: str) -> None:
    data = await whole(as_csv((TEXT,), pages([[text]])))
    [_, [field]] = csv.reader(io.StringIO(data.decode(), newline=""))
    assert field == f"'{text}"


@pytest.mark.parametrize("text", ["plain", "a=b", "5-3", "a,b", 'a "b"', "two\nlines", "ünïcode", " kept ", "'quoted'"])
async def test_any_other_text_is_as_it_was(text: str) -> None:
    data = await whole(as_csv((TEXT,), pages([[text]])))
    assert list(csv.reader(io.StringIO(data.decode(), newline="")))[1] == [text]


async def test_the_names_of_columns_are_made_harmless_too() -> None:
    assert await whole(as_csv((Column("=1+1", "text"), Column("a,b", "text")), pages())) == b"'=1+1,\"a,b\"\r\n"


async def test_numbers_are_never_changed_and_what_is_none_is_no_number() -> None:
    data = await whole(as_csv((NUMBER, BIG), pages([["-5.50", -(2**60)], ["=1+1", "-1|x"], ["1e3", "NaN"]])))
    assert data.decode().split("\r\n")[1:4] == ["-5.50,-1152921504606846976", "'=1+1,'-1|x", "1e3,NaN"]


async def test_null_and_an_empty_text_are_told_apart() -> None:
    assert await whole(as_csv((TEXT, TEXT), pages([[None, ""]]))) == b"text,text\r\n,\"\"\r\n"


async def test_each_page_is_a_piece_of_the_file_and_is_asked_for_when_it_is_needed() -> None:
    asked: list[int] = []

    async def one_by_one() -> AsyncIterator[list[list[Any]]]:
        for n in range(3):
            asked.append(n)
            yield [[str(n), n, n]]

    for kind in (as_csv, as_parquet):
        asked.clear()
        given: Pages = one_by_one()
        parts = kind((TEXT, NUMBER, BIG), given)
        seen = []
        async for _ in parts:
            seen.append(len(asked))
        assert seen[-1] == 3 and seen[0] <= 1, "the first piece is there before the second page is asked for"


async def test_parquet_keeps_every_value_and_its_type_F48() -> None:
    columns = (TEXT, NUMBER, BIG, Column("text", "date"), Column("when", "timestamp with time zone"), Column("real", "double precision"),
               Column("yes", "boolean"), Column("whole", "jsonb"), Column("small", "integer"))
    row = ["=1+1", "-5.500", -(2**60), "2026-02-03", "2026-01-02T03:04:05.678901+00:00", 0.1, True, {"a": [1]}, 7]
    data = await whole(as_parquet(columns, pages([row, [None] * 9], [["", "NaN", 1, "infinity", "-infinity", "Infinity", False, [1], 0]])))
    table = parquet.read_table(io.BytesIO(data), use_threads=False)
    assert table.column_names == ["text", "number", "big", "text_2", "when", "real", "yes", "whole", "small"]
    first, empty, last = table.to_pylist()
    assert list(first.values()) == ["=1+1", "-5.500", -(2**60), date(2026, 2, 3), datetime(2026, 1, 2, 3, 4, 5, 678901, UTC), 0.1, True, json.dumps({"a": [1]}), 7]
    assert set(empty.values()) == {None}
    assert (last["text_2"], last["when"], last["real"]) == (None, None, float("inf"))
    assert parquet.ParquetFile(io.BytesIO(data)).num_row_groups == 2


async def test_an_empty_result_is_a_file_with_its_columns() -> None:
    assert await whole(as_csv((TEXT, BIG), pages())) == b"text,big\r\n"
    assert parquet.read_table(io.BytesIO(await whole(as_parquet((TEXT, BIG), pages()))), use_threads=False).num_rows == 0
