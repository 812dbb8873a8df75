"""Only listed functions, by POST and by their plain name; no other path, method or query reaches upstream."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.proxy.doubles import FUNCTIONS, Answer, error
from tests.proxy.support import OTHER_USER, assert_error, call

pytestmark = pytest.mark.anyio

CATALOG = "/rest/v1/rpc/tool_catalog"


PATHS = [
    "/rest/v1/rpc/",
    "/rest/v1/rpc",
    "/rest/v1/",
    "/rest/v1/customer_order",
    "/rest/v1/rpc/whoami/",
    "/rest/v1/rpc//whoami",
    "//rest/v1/rpc/whoami",
    "/rest/v1/rpc/Whoami",
    "/rest/v1/rpc/1whoami",
    "/rest/v1/rpc/who-ami",
    "/rest/v1/rpc/whoami;x=1",
    "/rest/v1/rpc/whoami%20",
    "/rest/v1/rpc/whoami%00",
    "/rest/v1/rpc/whoami%0a",
    "/rest/v1/rpc/%77hoami",
    "/rest/v1/rpc/..%2fcustomer_order",
    "/rest/v1/rpc/../customer_order",
    "/rest/v1/rpc/x/../whoami",
    "/rest/v1/rpc/%2e%2e/customer_order",
    "/rest/v1/rpc/%252e%252e%252fcustomer_order",
    "/rest/v1/rpc/whoami%2f",
    "/rest/v1/rpc\\whoami",
    "/rest/v1/RPC/whoami",
    "/rest/v1/rpc/" + "a" * 64,
    "/rest/v1/rpc/whoami\n",
    "/rest/v1/rpc/whoamı",
    "/rest/v2/rpc/whoami",
    "/graphql/v1",
    "/storage/v1/object/x",
    "/",
    "/metrics",
]


@pytest.mark.parametrize("path", PATHS)
async def test_any_other_path_is_not_found_and_reaches_nothing_R84(edge, upstream, key, path):
    got = await call(edge, path.encode("utf-8").decode("latin-1"), token=key.token())
    assert_error(got, 404, "not_found")
    assert upstream.calls == []


OTHER_DOORS = ("/realtime/v1/websocket", "/realtime/v1/api/broadcast", "/storage/v1/bucket", "/storage/v1/object/list/x", "/storage/v1/s3/x",
               "/functions/v1/x", "/graphql/v1", "/pg/query", "/auth/v1/admin/users", "/rest/v1/", "/rest-admin/v1/ready")  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", OTHER_DOORS)
async def test_no_other_service_of_the_project_is_behind_the_edge_so_no_right_lives_on_there_F04_R84(edge, upstream, key, path, method):
    upgrade = [("connection", "upgrade"), ("upgrade", "websocket"), ("content-type", "application/json")]
    got = await call(edge, path, method=method, token=key.token(), headers=upgrade)
    assert_error(got, 404, "not_found")
    assert upstream.calls == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"])
async def test_any_other_method_is_refused_R84(edge, upstream, key, method):
    got = await call(edge, method=method, token=key.token())
    assert_error(got, 405, "method_not_allowed")
    assert "POST" in (got.header("allow") or "")
    assert upstream.calls == []


async def test_fuzzed_paths_reach_only_listed_functions_by_their_plain_name_R84(edge, upstream, key):
    chance = random.Random(84)
    token = key.token()
    pieces = [
        "/",
        "rest",
        "v1",
        "rpc",
        "whoami",
        "..",
        "%2f",
        "%2e",
        ";",
        "%00",
        "\\",
        "search_documents",
        "?",
        "a",
        "%",
    ]
    for _ in range(400):
        path = "/rest/v1/rpc/" + "".join(chance.choices(pieces, k=chance.randint(1, 4)))
        await call(edge, path, token=token, address=f"10.1.{chance.randint(0, 250)}.1")
    assert {sent.path for sent in upstream.calls} <= {f"/rest/v1/rpc/{name}" for name in FUNCTIONS}
    assert upstream.function_calls, "some of the random paths are good ones"


@pytest.mark.parametrize("query", ["select=*", "id=eq.1", "limit=1", "columns=a", "x", "apikey=k"])
async def test_a_query_string_is_refused_R85(edge, upstream, key, query):
    assert_error(await call(edge, token=key.token(), query=query), 400, "query_not_allowed")
    assert upstream.calls == []


async def test_a_function_that_is_not_in_the_catalog_is_unknown_R84(edge, upstream, key):
    assert_error(await call(edge, "/rest/v1/rpc/pg_sleep", token=key.token()), 404, "unknown_rpc")
    assert upstream.function_calls == []


async def test_the_catalog_is_read_as_the_asking_user_and_shared_for_a_minute_R84(edge, upstream, key, clock):
    first, second = key.token(), key.token(sub=OTHER_USER)
    await call(edge, token=first)
    await call(edge, token=second)
    reads = [sent for sent in upstream.calls if sent.path == CATALOG]
    assert [sent.names["authorization"] for sent in reads] == [f"Bearer {first}"]
    clock.now += 60
    await call(edge, token=second)
    assert len([sent for sent in upstream.calls if sent.path == CATALOG]) == 2


async def test_a_new_function_is_found_and_guessing_reads_the_catalog_once_in_ten_seconds_R84(
    edge, upstream, key, clock
):
    token = key.token()
    await call(edge, token=token)
    for number in range(20):
        assert_error(await call(edge, f"/rest/v1/rpc/guess_{number}", token=token), 404, "unknown_rpc")
    assert sum(sent.path == CATALOG for sent in upstream.calls) == 1
    upstream.answers[CATALOG] = Answer(body=b'[{"name":"whoami"},{"name":"brand_new"}]')
    clock.now += 10
    assert (await call(edge, "/rest/v1/rpc/brand_new", token=token)).status == 200
    assert sum(sent.path == CATALOG for sent in upstream.calls) == 2


async def test_a_catalog_read_that_fails_is_that_users_error_and_is_not_kept_R84(edge, upstream, key):
    good = upstream.answers[CATALOG]
    upstream.answers[CATALOG] = error(401, "28000", "this session has ended")
    assert_error(await call(edge, token=key.token()), 401, "session_ended", sqlstate=...)
    upstream.answers[CATALOG] = good
    assert (await call(edge, token=key.token(sub=OTHER_USER))).status == 200


@pytest.mark.parametrize("body", [b"{}", b"[1]", b'[{"nom":"x"}]', b"null", b"oops"])
async def test_a_catalog_of_another_shape_allows_nothing_R84_F09(edge, upstream, key, body):
    upstream.answers[CATALOG] = Answer(body=body)
    got = await call(edge, token=key.token())
    assert got.status in (404, 502) and upstream.function_calls == []


async def test_callers_wait_for_the_first_catalog_and_then_all_are_served_R84(edge, upstream, key):
    upstream.answers[CATALOG].before = lambda: asyncio.sleep(0.02)
    answers = await asyncio.gather(*(call(edge, token=key.token()) for _ in range(10)))
    assert {got.status for got in answers} == {200}
    assert sum(sent.path == CATALOG for sent in upstream.calls) == 1


async def test_while_one_user_reads_the_catalog_again_the_others_are_not_held_up_R84(edge, upstream, key, clock):
    await call(edge, token=key.token())
    clock.now += 60
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        asked.set()
        await go_on.wait()

    upstream.answers[CATALOG].before = slow
    first = asyncio.create_task(call(edge, token=key.token()))
    await asked.wait()
    async with asyncio.timeout(1):
        assert (await call(edge, token=key.token(sub=OTHER_USER))).status == 200
    go_on.set()
    assert (await first).status == 200
