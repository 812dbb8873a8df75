"""/v1/analytics: a result as a file or a picture goes to its person alone, page by page, and a part is never taken for the whole."""

import asyncio
import csv
import http.client
import io
import json
import logging
import uuid
from typing import Any
from urllib.parse import urlsplit

import pytest
from pyarrow import parquet

from agent.analytics.chart import suggestion
from agent.analytics.columns import Column
from tests.agent.conftest import BOB_TOKEN, TOKEN
from tests.agent.fake_postgrest import FakePostgrest, Refusal

pytestmark = pytest.mark.anyio

ORG, JOB = str(uuid.UUID(int=1)), "00000000-0000-0000-0000-00000000abcd"
COLUMNS = [{"name": "region", "type": "text"}, {"name": "revenue", "type": "numeric"}]
ROWS: list[list[Any]] = [["=canary()", "10.50"], ["south", "-7"]]
Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture
def url(app_url: str, database: FakePostgrest) -> str:
    columns = Column.all_of(COLUMNS)
    database.results[JOB] = {"person": "alice", "columns": COLUMNS, "rows": ROWS, "chart": suggestion(None, columns, ROWS)}
    return app_url


async def get(url: str, file: str, *, job: str = f"{ORG}/{JOB}", token: str = TOKEN, method: str = "GET") -> Answer:
    def now() -> Answer:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        try:
            connection.request(method, f"/v1/analytics/jobs/{job}/{file}", headers={"authorization": f"Bearer {token}"})
            got = connection.getresponse()
            return got.status, {k.lower(): v for k, v in got.getheaders()}, got.read()
        finally:
            connection.close()
    return await asyncio.to_thread(now)


async def test_the_rows_come_as_csv_to_be_saved_F54(url: str) -> None:
    status, headers, body = await get(url, "result.csv")
    assert (status, headers["content-type"], headers["cache-control"]) == (200, "text/csv; charset=utf-8", "no-store")
    assert headers["content-disposition"].startswith("attachment;") and "sandbox" in headers["content-security-policy"]
    assert list(csv.reader(io.StringIO(body.decode()))) == [["region", "revenue"], ["'=canary()", "10.50"], ["south", "-7"]]


async def test_the_rows_come_as_parquet_F54(url: str) -> None:
    status, _, body = await get(url, "result.parquet")
    assert status == 200
    assert parquet.read_table(io.BytesIO(body), use_threads=False).to_pylist() == [
        {"region": "=canary()", "revenue": "10.50"}, {"region": "south", "revenue": "-7"}]


async def test_the_chart_comes_whole_and_drawn_F48(url: str) -> None:
    status, _, body = await get(url, "chart.json")
    specification = json.loads(body)
    assert status == 200 and specification["data"]["values"] == [{"c0": "=canary()", "c1": 10.5}, {"c0": "south", "c1": -7.0}]
    for form, begins in (("svg", b"<svg"), ("png", b"\x89PNG")):
        status, headers, body = await get(url, f"chart.{form}")
        assert status == 200 and body.startswith(begins) and headers["content-disposition"].startswith("attachment;")


@pytest.mark.parametrize("file", ["result.csv", "result.parquet", "chart.json", "chart.svg", "chart.png"])
async def test_a_job_of_others_and_one_that_is_not_there_are_the_same_F53(url: str, file: str) -> None:
    others = await get(url, file, token=BOB_TOKEN)
    absent = await get(url, file, job=f"{ORG}/{uuid.UUID(int=41)}", token=BOB_TOKEN)
    assert others[0] == 404 and others[2] == absent[2] and b"canary" not in others[2]
    for name in ("x", f"{ORG}", f"{ORG}/{JOB}/more", f"{ORG}/{JOB.upper()}", f"{ORG}/not-an-id"):
        assert (await get(url, file, job=name))[0] == 404
    assert (await get(url, file))[0] == 200


async def test_only_these_files_are_there(url: str) -> None:
    for file in ("result.xlsx", "", "result.csv/", "chart.html"):
        assert (await get(url, file))[0] == 404
    assert (await get(url, "result.csv", method="DELETE"))[0] == 404


async def test_every_page_is_asked_for_as_the_person_and_a_right_that_ends_cuts_the_file_F54(url: str, database: FakePostgrest) -> None:
    database.results[JOB]["rows"] = [[f"r{n}", n] for n in range(1200)]
    status, _, body = await get(url, "result.csv")
    assert status == 200 and body.count(b"\r\n") == 1201
    asked = database.called("read_analytics_result")
    assert [(c.person, c.arguments["org_id"], c.arguments["after"]) for c in asked] == [("alice", ORG, n) for n in (0, 500, 1000)]

    async def revoked(name: str, arguments: Any) -> None:
        if arguments.get("after"):
            raise Refusal(404, "PT404", "no such result, or not yours to read")

    database.before = revoked
    with pytest.raises(http.client.IncompleteRead):
        await get(url, "result.csv")
    with pytest.raises(http.client.IncompleteRead):
        await get(url, "result.parquet")
    # Where nothing has been sent yet, it is an answer.
    assert (await get(url, "chart.json"))[0] == 404


async def test_rows_too_long_for_one_page_come_in_smaller_ones(url: str, database: FakePostgrest) -> None:
    database.results[JOB]["rows"] = [["x" * 60_000, n] for n in range(120)]
    status, _, body = await get(url, "result.csv")
    assert status == 200 and body.count(b"\r\n") == 121


@pytest.mark.parametrize("stored", [None, {"mark": "bar"}, {"data": {"url": "https://example.com"}}])
async def test_a_result_without_a_chart_of_ours_has_none(url: str, database: FakePostgrest, stored: Any) -> None:
    database.results[JOB]["chart"] = stored
    for file in ("chart.json", "chart.svg"):
        status, _, body = await get(url, file)
        assert (status, json.loads(body)["code"]) == (404, "no_chart")


async def test_nothing_of_a_result_is_logged_F54(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="agent"):
        for file in ("result.csv", "chart.svg"):
            assert (await get(url, file))[0] == 200
    assert "canary" not in caplog.text
