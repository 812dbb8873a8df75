"""POST /rest/v1/rpc/<name>: what arrives at PostgREST, and what comes back."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.proxy.support import FUNCTIONS, OTHER_USER, PUBLISHABLE_KEY, Answer, assert_error, call, error

pytestmark = pytest.mark.anyio

WHOAMI = "/rest/v1/rpc/whoami"
CATALOG = "/rest/v1/rpc/tool_catalog"


def expected_headers(token: str, upstream_url: str, got, body: bytes) -> dict[str, str]:
    return {
        "accept": "application/json",
        "apikey": PUBLISHABLE_KEY,
        "authorization": f"Bearer {token}",
        "content-length": str(len(body)),
        "content-profile": "api",
        "content-type": "application/json",
        "host": upstream_url.removeprefix("http://"),
        "prefer": "handling=strict",
        "user-agent": "ringfence-edge",
        "x-request-id": got.header("x-request-id"),
    }


async def test_a_call_reaches_the_function_with_headers_built_from_nothing_F01_R83(edge, upstream, key):
    upstream.answers[WHOAMI] = Answer(body=b'{"user_id":"u"}')
    token, body = key.token(), b'{"a": 1}'
    got = await call(edge, token=token, body=body)
    assert (got.status, got.json) == (200, {"user_id": "u"})
    (sent,) = upstream.function_calls
    assert (sent.method, sent.path, sent.query, sent.body) == ("POST", WHOAMI, "", body)
    assert sent.names == expected_headers(token, upstream.url, got, body)
    assert len(sent.headers) == len(sent.names)


HOSTILE = {
    "apikey": "sb_secret_stolen",
    "accept-profile": "app",
    "content-profile": "app",
    "prefer": "count=exact, tx=rollback, timezone=UTC, return=representation",
    "range": "0-999999",
    "range-unit": "items",
    "host": "evil.example",
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "https",
    "forwarded": "for=127.0.0.1",
    "x-real-ip": "127.0.0.1",
    "cookie": "sb-access-token=x",
    "accept": "application/vnd.pgrst.plan+json; options=analyze",
    "accept-encoding": "gzip",
    "accept-language": "en",
    "user-agent": "supabase-js",
    "x-client-info": "supabase-js/2",
    "x-request-id": "chosen-by-the-client",
    "x-http-method-override": "DELETE",
    "x-supabase-api-version": "2024-01-01",
    "if-none-match": "*",
    "expect": "100-continue",
    "te": "trailers",
    "origin": "https://evil.example",
    "referer": "https://evil.example",
    "traceparent": "00-0-0-00",
    "x-anything": "else",
}


@pytest.mark.parametrize("seed", range(25))
async def test_whatever_headers_the_client_sends_the_same_set_leaves_R83_R54(edge, upstream, key, seed):
    chance = random.Random(seed)
    token = key.token()
    chosen = chance.sample(sorted(HOSTILE.items()), chance.randint(1, len(HOSTILE)))
    twice = chance.sample(chosen, min(3, len(chosen)))
    sent = [("content-type", "application/json"), *chosen, *twice, ("authorization", f"Bearer {token}")]
    chance.shuffle(sent)
    got = await call(edge, headers=sent)
    assert got.status == 200
    (arrived,) = upstream.function_calls
    assert arrived.names == expected_headers(token, upstream.url, got, b"{}")
    assert len(arrived.headers) == len(arrived.names)


async def test_a_client_may_ask_for_one_object_and_nothing_else_by_accept_R83(edge, upstream, key):
    wanted = "application/vnd.pgrst.object+json"
    upstream.answers[WHOAMI] = Answer(headers={"content-type": wanted + "; charset=utf-8"})
    got = await call(edge, token=key.token(), headers=[("content-type", "application/json"), ("accept", wanted)])
    assert (got.status, got.header("content-type")) == (200, "application/json")
    await call(edge, token=key.token(), headers=[("content-type", "application/json"), ("accept", wanted + ";nulls=stripped")])
    assert [sent.names["accept"] for sent in upstream.function_calls] == [wanted, "application/json"]


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


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"])
async def test_any_other_method_is_refused_R84(edge, upstream, key, method):
    got = await call(edge, method=method, token=key.token())
    assert_error(got, 405, "method_not_allowed")
    assert "POST" in (got.header("allow") or "")
    assert upstream.calls == []


async def test_fuzzed_paths_reach_only_listed_functions_by_their_plain_name_R84(edge, upstream, key):
    chance = random.Random(84)
    token = key.token()
    pieces = ["/", "rest", "v1", "rpc", "whoami", "..", "%2f", "%2e", ";", "%00", "\\", "search_documents", "?", "a", "%"]
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


async def test_a_new_function_is_found_and_guessing_reads_the_catalog_once_in_ten_seconds_R84(edge, upstream, key, clock):
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


async def test_an_answer_keeps_status_and_json_and_gets_the_safe_headers_R88(edge, upstream, key):
    headers = {
        "content-type": "application/json; charset=utf-8",
        "set-cookie": "a=b",
        "server": "postgrest",
        "location": "https://evil.example",
        "x-from-sql": "1",
        "content-range": "0-1/*",
        "access-control-allow-origin": "*",
    }
    upstream.answers[WHOAMI] = Answer(201, b'[{"a":1}]', headers)
    got = await call(edge, token=key.token())
    assert (got.status, got.json) == (201, [{"a": 1}])
    assert {name for name, _ in got.headers} == {
        "content-type", "content-length", "cache-control", "x-content-type-options", "x-request-id",
    }  # fmt: skip
    assert got.header("cache-control") == "no-store" and got.header("x-content-type-options") == "nosniff"


async def test_a_function_without_a_result_is_204_without_a_body_R88(edge, upstream, key):
    upstream.answers[WHOAMI] = Answer(204, b"", {})
    got = await call(edge, token=key.token())
    assert (got.status, got.body, got.header("content-length")) == (204, b"", None)


@pytest.mark.parametrize("kind", ["text/html", "text/csv", "application/octet-stream", "application/geo+json", ""])
async def test_an_answer_that_is_not_json_is_not_relayed_R88(edge, upstream, key, kind):
    upstream.answers[WHOAMI] = Answer(200, b"<script>", {"content-type": kind})
    assert_error(await call(edge, token=key.token()), 502, "upstream_error")


@pytest.mark.parametrize("status", [202, 206, 226, 301, 302, 303, 304, 307, 308])
async def test_a_status_that_is_no_answer_of_a_function_is_not_relayed_R88_R89(edge, upstream, key, status):
    headers = {"content-type": "application/json", "location": f"{upstream.url}/stolen"}
    upstream.answers[WHOAMI] = Answer(status, b"" if status == 304 else b"{}", headers)
    assert_error(await call(edge, token=key.token()), 502, "upstream_error")
    assert len(upstream.function_calls) == 1
    assert [sent.path for sent in upstream.calls if "stolen" in sent.path] == []


async def test_an_answer_over_a_megabyte_is_a_typed_error_R88(edge, upstream, key, limits):
    upstream.answers[WHOAMI] = Answer(body=b'"' + b"x" * (limits.response_bytes - 2) + b'"')
    assert (await call(edge, token=key.token())).status == 200
    upstream.answers[WHOAMI] = Answer(body=[b'"', *[b"x" * 65_536] * 17, b'"'])
    assert_error(await call(edge, token=key.token()), 502, "response_too_large")


async def test_compressed_answers_are_neither_asked_for_nor_relayed_R88(edge, upstream, key):
    upstream.answers[WHOAMI] = Answer(200, b"\x1f\x8b", {"content-type": "application/json", "content-encoding": "gzip"})
    assert_error(await call(edge, token=key.token()), 502, "upstream_error")
    assert "accept-encoding" not in upstream.function_calls[0].names
