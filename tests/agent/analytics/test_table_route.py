"""POST /v1/analytics/tables: a file becomes a table as the person, all of it or nothing, and what is wrong is said."""

import io
import json
from typing import Any

import httpx
import pyarrow as arrow
import pytest
from pyarrow import parquet

from tests.agent.conftest import TOKEN
from tests.agent.fake_postgrest import FakePostgrest, Refusal

pytestmark = pytest.mark.anyio

CSV = b"City,Amount\nGraz,3\nLinz,\n"
WHERE = {"source": "acme/shop", "name": "cities"}


async def post(app_url: str, data: bytes = CSV, fields: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
    async with httpx.AsyncClient(base_url=app_url.removesuffix("/v1"), timeout=60) as client:
        got = await client.post("/v1/analytics/tables", headers={"authorization": f"Bearer {TOKEN}"},
                                files={"file": ("cities.csv", data)}, data=WHERE if fields is None else fields)
        return got.status_code, got.json()


async def test_a_csv_file_becomes_a_table_as_the_person(app_url: str, database: FakePostgrest) -> None:
    status, made = await post(app_url, fields=WHERE | {"types": '{"amount": "numeric"}', "meanings": '{"amount": "euros"}'})
    assert status == 200 and (made["rows"], made["columns"]) == (2, [{"name": "city", "type": "text"}, {"name": "amount", "type": "numeric"}])
    [begun] = database.called("create_uploaded_table")
    assert begun.person == "alice" and begun.arguments | {"columns": None} == {"org_id": made["org_id"], "source": "shop", "name": "cities", "columns": None}
    assert [one["meaning"] for one in begun.arguments["columns"]] == ["City", "euros"]
    assert [call.arguments["rows"] for call in database.called("append_uploaded_rows")] == [[["Graz", "3"], ["Linz", None]]]
    assert len(database.called("commit_uploaded_table")) == 1


async def test_a_table_of_200_columns_can_say_what_each_means(app_url: str, database: FakePostgrest) -> None:
    names = [f"column_{n}" for n in range(200)]
    wide = ",".join(names) + "\n" + ",".join(["1"] * 200) + "\n"
    status, _ = await post(app_url, wide.encode(), WHERE | {"meanings": json.dumps({name: "m" * 200 for name in names})})
    assert status == 200 and {one["meaning"] for one in database.called("create_uploaded_table")[0].arguments["columns"]} == {"m" * 200}


async def test_a_parquet_file_does_too(app_url: str, database: FakePostgrest) -> None:
    file = io.BytesIO()
    parquet.write_table(arrow.table({"city": ["Graz"], "amount": [3]}), file)
    status, made = await post(app_url, file.getvalue())
    assert status == 200 and made["columns"] == [{"name": "city", "type": "text"}, {"name": "amount", "type": "bigint"}]


async def test_a_bad_row_is_named_by_its_line_and_nothing_is_begun(app_url: str, database: FakePostgrest) -> None:
    status, said = await post(app_url, b"city,amount\nGraz,3\nLinz,many\n", WHERE | {"types": '{"amount": "bigint"}'})
    assert (status, said["code"]) == (422, "bad_table") and "line 3" in said["error"]["message"] if "error" in said else "line 3" in said["message"]
    assert database.called("create_uploaded_table") == []


async def test_what_the_database_refuses_on_the_way_leaves_nothing(app_url: str, database: FakePostgrest) -> None:
    async def full(name: str, arguments: Any) -> None:
        if name == "append_uploaded_rows":
            raise Refusal(429, "PT429", "no room for more rows")

    database.before = full
    assert (await post(app_url))[0] == 429
    assert len(database.called("delete_uploaded_table")) == 1 and database.called("commit_uploaded_table") == []


@pytest.mark.parametrize("fields", [
    {}, {"source": "acme/shop"}, {"source": "shop", "name": "cities"}, WHERE | {"types": "[1]"}, WHERE | {"meanings": '{"a": 1}'}, WHERE | {"types": "{"},
    WHERE | {"visibility": "private"}])
async def test_fields_that_make_no_sense_are_refused_before_anything_is_read(app_url: str, database: FakePostgrest, fields: dict[str, str]) -> None:
    assert (await post(app_url, fields=fields))[0] == 400
    assert database.called("create_uploaded_table") == []


async def test_another_organization_is_not_found(app_url: str, database: FakePostgrest) -> None:
    assert (await post(app_url, fields=WHERE | {"source": "globex/shop"}))[0] == 404
    assert database.called("create_uploaded_table") == []
