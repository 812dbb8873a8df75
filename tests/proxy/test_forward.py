"""POST /rest/v1/rpc/<name>: what arrives at PostgREST, and what comes back."""

from __future__ import annotations

import random

import pytest

from tests.proxy.doubles import Answer
from tests.proxy.support import OTHER_USER, PUBLISHABLE_KEY, assert_error, call

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
    await call(
        edge, token=key.token(), headers=[("content-type", "application/json"), ("accept", wanted + ";nulls=stripped")]
    )
    assert [sent.names["accept"] for sent in upstream.function_calls] == [wanted, "application/json"]


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
        "referrer-policy", "cross-origin-resource-policy", "content-security-policy",
    }  # fmt: skip
    assert got.header("cache-control") == "no-store" and got.header("x-content-type-options") == "nosniff"


async def test_nothing_of_one_answer_travels_with_the_next_persons_call_R83_R88(edge, upstream, key):
    headers = {"content-type": "application/json", "set-cookie": "session=first; Path=/", "etag": '"1"'}
    upstream.answers[WHOAMI] = Answer(200, b"{}", headers)
    await call(edge, token=key.token())
    token = key.token(sub=OTHER_USER)
    got = await call(edge, token=token)
    assert upstream.function_calls[1].names == expected_headers(token, upstream.url, got, b"{}")


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
    upstream.answers[WHOAMI] = Answer(
        200, b"\x1f\x8b", {"content-type": "application/json", "content-encoding": "gzip"}
    )
    assert_error(await call(edge, token=key.token()), 502, "upstream_error")
    assert "accept-encoding" not in upstream.function_calls[0].names
