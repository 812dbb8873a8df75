"""Uploaded tables: what a column is, which rows are bad and where, and that a hostile file reads nothing and loads nothing."""

import contextlib
import datetime
import decimal
import io
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from agent.analytics import table as module
from agent.analytics.errors import BadTable
from agent.analytics.table import TableReader
from agent.analytics.table_limits import TableLimits
from agent.analytics.upload import upload_table
from agent.documents.errors import DocumentTooExpensive, DocumentTooLarge
from agent.errors import Conflict, Misconfigured
from agent.rpc import RpcPool, Token
from tests.agent.conftest import TOKEN
from tests.agent.fake_postgrest import FakePostgrest, Refusal

pytestmark = pytest.mark.anyio

Read = tuple[list[tuple[str, str]], list[list[str | None]]]


async def read(data: bytes, types: dict[str, str] | None = None, *, kernel: bool = True, **limits: int) -> Read:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        with await TableReader(replace(TableLimits(), **limits), kernel=kernel).read(file, types) as table:
            return [(column.name, column.type) for column in table.columns], list(table.rows())


def arrow(**columns: Any) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), out)
    return out.getvalue()


@pytest.mark.parametrize("kernel", [True, False], ids=["seccomp", "without"])
async def test_types_are_told_from_all_values_of_a_column(kernel: bool) -> None:
    columns, rows = await read(
        b"Order,Total (EUR),placed,paid,code,at,rate,note\r\n1,2.50,2026-01-02,true,007,2026-01-01 10:00,1e3,\r\n-2,,2026-01-03,FALSE,008,2026-01-01T10:00:00+02:00,2,\"a, \"\"b\"\"\nc\"\r\n",
        kernel=kernel)
    assert columns == [("order_", "bigint"), ("total_eur", "numeric"), ("placed", "date"), ("paid", "boolean"), ("code", "text"),
                       ("at", "timestamp with time zone"), ("rate", "double precision"), ("note", "text")]
    assert rows == [["1", "2.50", "2026-01-02", "true", "007", "2026-01-01T10:00:00+00:00", "1e3", None],
                    ["-2", None, "2026-01-03", "FALSE", "008", "2026-01-01T10:00:00+02:00", "2", 'a, "b"\nc']]


@pytest.mark.parametrize(("values", "type_"), [
    (["1", "2.5"], "numeric"), (["1", "x"], "text"), (["2026-01-01", "2026-13-01"], "text"), (["2026-01-01", "2026-01-01T00:00"], "timestamp with time zone"),
    (["2012/01/31"], "date"), (["2012/01-31"], "text"), (["2012/01/31 10:00"], "timestamp with time zone"), (["00123"], "text"), (["9" * 18], "bigint"), (["9" * 19], "double precision"), (["NaN"], "text"), (["1_000"], "text"), (["٣"], "text"), (["", ""], "text"),
    (["true", "1"], "text"), (["1", "true"], "text"), (["1", "2026-01-01"], "text"), (["1.5", "1"], "numeric"), (["2026-01-01T00:00", "2026-01-01"], "timestamp with time zone"), (["0.1234567890123"], "double precision")])
async def test_a_column_is_the_narrowest_type_that_holds_every_value(values: list[str], type_: str) -> None:
    columns, _ = await read("\n".join(["a,b", *(f"{value},x" for value in values)]).encode())
    assert columns[0] == ("a", type_)


@pytest.mark.parametrize(("data", "columns"), [
    (b"\xef\xbb\xbfa;b\n1;2\n", ["a", "b"]), (b"a\tb\n1\t2\n", ["a", "b"]), (b"\"a,x\"|b\n1|2\n", ["a_x", "b"]),
    (b"select,SELECT,,1st,a b,a-b,\xc3\xa9\n1,2,3,4,5,6,7\n", ["select_", "select__2", "column_3", "c_1st", "a_b", "a_b_2", "column_7"])])
async def test_names_become_what_sql_takes_without_quotes(data: bytes, columns: list[str]) -> None:
    assert [name for name, _ in (await read(data))[0]] == columns


async def test_bad_rows_are_named_by_their_line_and_nothing_is_read() -> None:
    with pytest.raises(BadTable) as raised:
        await read(b'a,b\n1,2\n3\n"two\nlines",5\n6,7,8\n' + b"x\n" * 30)
    assert raised.value.message.startswith("32 bad row(s), nothing was loaded. line 3: 1 fields where there are 2 columns; line 6: 3 fields")
    assert raised.value.message.endswith("and 12 more.")


async def test_a_type_that_is_named_is_held_to() -> None:
    with pytest.raises(BadTable, match="1 bad row.*line 3: a: not a bigint"):
        await read(b"a,b\n1,2\nx,3\n", {"a": "bigint"})
    assert (await read(b"a,b\n1,2\n,3\n", {"a": "double precision"}))[0][0] == ("a", "double precision")
    for types, said in (({"c": "bigint"}, "no column c"), ({"a": "xml"}, "no such type")):
        with pytest.raises(BadTable, match=said):
            await read(b"a,b\n1,2\n", types)


@pytest.mark.parametrize(("data", "limits", "said"), [
    (b"", {}, "names of the columns"), (b"\n\n", {}, "names of the columns"), (b"\xff\xfea\n", {}, "not UTF-8"), (b"a\n\x00\n", {}, "zero byte"),
    (b"a,b\n1,2\n3,4\n", {"rows": 1}, "more than 1 rows"), (b"a,b\n1,2\n", {"columns": 1}, "more than 1 columns"),
    (b"a\n" + b"x" * 50 + b"\n", {"value_characters": 20}, "line 2: a: more than 20 characters"), (b"PAR1 and nothing else", {}, "no Parquet file"),
    (b'"a\n1\n', {}, "names of columns|no CSV"), (b'a\n"unended\n', {}, "quotation marks")])
async def test_what_is_no_table_is_refused_with_a_sentence(data: bytes, limits: dict[str, int], said: str) -> None:
    with pytest.raises(BadTable, match=said):
        await read(data, **limits)


@pytest.mark.parametrize("kernel", [True, False], ids=["seccomp", "without"])
async def test_parquet_says_itself_what_it_holds_F48(kernel: bool) -> None:
    when = datetime.datetime(2026, 1, 2, 3, 4, 5)
    data = arrow(**{"A b": [1, None], "at": [when, None], "price": [decimal.Decimal("1.50"), None], "name": ["x", ""], "day": [when.date(), None],
                    "ok": [True, None], "rate": [0.5, None], "kind": pyarrow.array(["k", None]).dictionary_encode()})
    columns, rows = await read(data, kernel=kernel)
    assert columns == [("a_b", "bigint"), ("at", "timestamp with time zone"), ("price", "numeric"), ("name", "text"), ("day", "date"), ("ok", "boolean"),
                       ("rate", "double precision"), ("kind", "text")]
    assert rows == [["1", "2026-01-02T03:04:05+00:00", "1.50", "x", "2026-01-02", "true", "0.5", "k"], [None, None, None, "", None, None, None, None]]


async def test_parquet_that_is_too_much_or_not_plain_is_refused() -> None:
    for data, limits, said in ((arrow(a=[[1]]), {}, "type that is not taken"), (arrow(a=[1, 2]), {"rows": 1}, "more than 1 rows"),
                               (arrow(a=["x" * 50]), {"value_characters": 20}, "line 1: a: more than 20"), (arrow(a=[1])[:-9], {}, "damaged")):
        with pytest.raises(BadTable, match=said):
            await read(data, **limits)
    with pytest.raises(BadTable, match="says itself"):
        await read(arrow(a=[1]), {"a": "text"})


async def test_a_file_is_given_no_more_than_its_limits() -> None:
    with pytest.raises(DocumentTooLarge):
        await read(b"a\n1\n", file_bytes=3)
    with pytest.raises(DocumentTooExpensive):
        await read(b"a,b\n" + b"1,2\n" * 200_000, rows=10**9, output_bytes=1000)


@pytest.mark.parametrize("script", [
    "print('text')", "print('[]')", "print('{}')", """print('{"columns": [], "rows": -1}')""", """print('{"columns": [{"name": "a", "type": "text", "header": ""}], "rows": 1}')""",
    """print('{"columns": [{"name": "a", "type": "text", "header": ""}], "rows": 1}'); print('["x", "y"]')""",
    """print('{"columns": [{"name": "a", "type": "text", "header": ""}], "rows": 1}'); print('[7]')"""])
async def test_what_the_process_says_is_not_believed_unchecked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str) -> None:
    (tmp_path / "script.py").write_text(script)
    monkeypatch.setattr(module.table_child, "__file__", str(tmp_path / "script.py"))
    with pytest.raises(BadTable):
        await read(b"a\n1\n")


async def test_without_a_seccomp_filter_nothing_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("raise SystemExit(14)")
    monkeypatch.setattr(module.table_child, "__file__", str(tmp_path / "script.py"))
    with pytest.raises(Misconfigured, match="seccomp"):
        await read(b"a\n1\n")


async def load(pool: RpcPool, data: bytes) -> dict[str, Any]:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        return await upload_table(pool.as_user(Token(TOKEN)), TableReader(), "org", "shop", "stock", file, meanings={"b": "what is there"})


async def test_a_table_is_loaded_in_parts_that_fit_and_committed_at_the_end(pool: RpcPool, database: FakePostgrest) -> None:
    done = await load(pool, b"a,b\n" + b"".join(b"%d,%b\n" % (n, b"x" * 300) for n in range(2500)))
    assert (done["rows"], done["columns"]) == (2500, [{"name": "a", "type": "bigint"}, {"name": "b", "type": "text"}])
    [made] = database.called("create_uploaded_table")
    assert made.arguments == {"org_id": "org", "source": "shop", "name": "stock", "columns": [
        {"name": "a", "type": "bigint", "meaning": "a"}, {"name": "b", "type": "text", "meaning": "what is there"}]}
    parts = database.called("append_uploaded_rows")
    assert len(parts) > 3 and [row[0] for part in parts for row in part.arguments["rows"]] == [str(n) for n in range(2500)]
    assert [call.name for call in database.calls][-1] == "commit_uploaded_table" and database.called("delete_uploaded_table") == []


@pytest.mark.parametrize("fails", ["append_uploaded_rows", "commit_uploaded_table"])
async def test_nothing_half_loaded_stays(pool: RpcPool, database: FakePostgrest, fails: str) -> None:
    async def refuse(name: str, arguments: Any) -> None:
        if name == fails:
            raise Refusal(409, "PT409", "no")

    database.before = refuse
    with pytest.raises(Conflict):
        await load(pool, b"a,b\n1,2\n")
    assert [call.name for call in database.calls][-1] == "delete_uploaded_table"


async def test_a_bad_file_touches_no_database(pool: RpcPool, database: FakePostgrest) -> None:
    with contextlib.suppress(BadTable):
        await load(pool, b"a,b\n1\n")
    assert database.calls == []
