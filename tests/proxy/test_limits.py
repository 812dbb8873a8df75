"""Limits: bodies, headers, time, rate. Each is finite, and each refusal has its own code."""

from __future__ import annotations

import asyncio
import socket
import threading
from dataclasses import replace

import pytest

from agent.chat_request import MAX_BODY_BYTES
from edge_proxy import asgi, strict_json
from edge_proxy.limits import Limits
from tests.proxy.doubles import Answer
from tests.proxy.support import assert_error, call

pytestmark = pytest.mark.anyio

WHOAMI = "/rest/v1/rpc/whoami"
CATALOG = "/rest/v1/rpc/tool_catalog"


def nested(depth: int, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    """Return a JSON object that nests `depth` levels deep, itself included."""
    return b'{"a":' + opening * (depth - 1) + (b"1" if opening != b"[" else b"") + closing * (depth - 1) + b"}"


def containers(count: int) -> bytes:
    """Return a JSON object that holds `count` containers, itself included."""
    return b'{"a":[' + b"{}," * (count - 3) + b"{}]}"


BAD_BODIES = {
    "nothing": b"",
    "a list": b"[{}]",
    "a string": b'"x"',
    "null": b"null",
    "not JSON": b"{a:1}",
    "trailing data": b"{}{}",
    "single quotes": b"{'a':1}",
    "a comment": b"{}//",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": "{}".encode("utf-16"),
    "not UTF-8": b'{"a":"\xff"}',
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":[-Infinity]}',
    "a duplicate key": b'{"org_id":1,"org_id":2}',
    "a duplicate key inside": b'{"a":[{"b":1,"b":1}]}',
    "a duplicate key in another spelling": b'{"a":1,"\\u0061":2}',
    "33 lists": nested(33),
    "33 objects": nested(33, b'{"a":', b"}"),
    "20,001 containers": containers(20_001),
    "so deep that parsers fall over": nested(100_000),
    "a number too long to read": b'{"a":' + b"9" * 5000 + b"}",
}


@pytest.mark.parametrize("kind", sorted(BAD_BODIES))
async def test_a_body_that_is_not_one_strict_object_is_refused_R86_F09(edge, upstream, key, kind):
    assert_error(await call(edge, token=key.token(), body=BAD_BODIES[kind]), 400, "bad_body")
    assert upstream.calls == []


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b' {"a": 1}\n',
        nested(32),
        nested(32, b'{"a":', b"}"),
        containers(20_000),
        b'{"a":"' + b"[{" * 50_000 + b'"}',
        b'{"a":["' + b'\\"[' * 30_000 + b'\\\\","' + b"{" * 30_000 + b'",""]}',
        b'{"chunks":[' + b",".join([b'{"embedding":[' + b"0.12345," * 383 + b"1]}"] * 64) + b"]}",
        '{"a":"é"}'.encode(),
    ],
)
async def test_a_strict_object_passes_byte_for_byte_R86(edge, upstream, key, body):
    assert (await call(edge, token=key.token(), body=body)).status == 200
    assert upstream.function_calls[0].body == body


async def test_a_body_of_too_many_containers_is_refused_before_it_is_decoded_R86(monkeypatch):
    monkeypatch.setattr(strict_json, "_DECODER", None)
    for body in (containers(20_001), b'{"a":[' + b"{}," * 85_000 + b"{}]}", nested(33), nested(100_000)):
        with pytest.raises(strict_json.NotStrict, match="too many|too deep"):
            strict_json.strict_object(body, depth=32)


async def test_a_large_body_is_decoded_beside_the_event_loop_R86(edge, key, monkeypatch):
    threads: list[bool] = []

    def watched(data: bytes, **bounds: int) -> object:
        threads.append(threading.current_thread() is threading.main_thread())
        return strict_json.strict_object(data, **bounds)

    monkeypatch.setattr(asgi, "strict_object", watched)
    for body in (b"{}", b'{"a":"' + b"x" * 10_000 + b'"}'):
        assert (await call(edge, token=key.token(), body=body)).status == 200
    assert threads == [True, False]
    assert_error(await call(edge, token=key.token(), body=b'{"a":NaN,"b":"' + b"x" * 10_000 + b'"}'), 400, "bad_body")


async def test_bodies_of_strangers_are_held_shorter_R86(edge, upstream):
    def padded(size: int) -> bytes:
        return b'{"a":"' + b"x" * (size - 8) + b'"}'

    signup = "/auth/v1/signup"
    assert (await call(edge, signup, body=padded(64 * 1024))).status == 200
    assert (await call(edge, signup, body=containers(1000))).status == 200
    assert_error(await call(edge, signup, body=padded(64 * 1024 + 1)), 413, "body_too_large")
    assert_error(await call(edge, signup, body=containers(1001)), 400, "bad_body")
    assert len(upstream.calls) == 2


async def test_the_edge_takes_no_more_for_the_agent_than_the_agent_takes_R86():
    assert Limits().agent_body_bytes == MAX_BODY_BYTES


async def test_a_body_over_the_limit_is_refused_whether_or_not_it_says_so_R86(edge, upstream, key, limits):
    largest = b'{"a":"' + b"x" * (limits.body_bytes - 8) + b'"}'
    assert (await call(edge, token=key.token(), body=largest)).status == 200
    upstream.calls.clear()
    assert_error(await call(edge, token=key.token(), body=largest + b" "), 413, "body_too_large")
    pieces = [b" " * 4096] * (limits.body_bytes // 4096 + 1)
    assert_error(await call(edge, token=key.token(), body=pieces), 413, "body_too_large")
    declared = [("content-type", "application/json"), ("content-length", str(limits.body_bytes + 1))]
    assert_error(await call(edge, token=key.token(), headers=declared, body=b"{}"), 413, "body_too_large")
    assert upstream.calls == []


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/json; charset=latin-1", "application/jsonp", "application/x-www-form-urlencoded",
     "multipart/form-data", "application/json, text/plain", "application/vnd.pgrst.object+json", ""],
)  # fmt: skip
async def test_another_content_type_is_refused_R86(edge, upstream, key, kind):
    assert_error(await call(edge, token=key.token(), headers=[("content-type", kind)]), 415, "unsupported_media_type")
    assert upstream.calls == []


async def test_no_or_two_content_types_or_an_encoding_are_refused_R86(edge, upstream, key):
    json_type = ("content-type", "application/json")
    for headers in ([], [json_type, json_type], [json_type, ("content-encoding", "gzip")]):
        assert_error(await call(edge, token=key.token(), headers=headers), 415, "unsupported_media_type")
    assert upstream.calls == []


@pytest.mark.parametrize(
    "kind",
    ["application/json", "Application/JSON", "application/json; charset=utf-8", "application/json;charset=UTF-8"],
)
async def test_json_in_utf8_may_say_so_R86(edge, key, kind):
    assert (await call(edge, token=key.token(), headers=[("content-type", kind)])).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        [("content-length", "2"), ("transfer-encoding", "chunked")],
        [("content-length", "2"), ("content-length", "2")],
        [("content-length", "2"), ("content-length", "3")],
    ],
)
async def test_a_body_with_two_ends_is_refused_R87(edge, upstream, key, headers):
    assert_error(
        await call(edge, token=key.token(), headers=[("content-type", "application/json"), *headers]),
        400,
        "bad_request",
    )
    assert upstream.calls == []


async def test_a_body_that_does_not_arrive_is_given_up_R87(make_edge, upstream, key, config):
    edge = await make_edge(limits=replace(config.limits, body_seconds=0.05))
    token = key.token()

    async def stalled(scope, receive, send):
        """Pass the request on with a body whose end never comes."""
        first = True

        async def receive_half():
            nonlocal first
            if first:
                first = False
                return {"type": "http.request", "body": b"{", "more_body": True}
            await asyncio.sleep(60)

        await edge(scope, receive_half, send)

    assert_error(await call(stalled, token=token), 408, "body_timeout")
    assert upstream.calls == []


async def test_too_many_or_too_large_headers_are_refused_before_the_token_is_read(edge, upstream, key, limits):
    many = [(f"x-{number}", "v") for number in range(limits.header_count + 1)]
    large = [("x-large", "v" * limits.header_bytes)]
    for headers in (many, large):
        assert_error(await call(edge, headers=headers), 431, "headers_too_large")


@pytest.fixture
def limits() -> Limits:
    """Short times, for the tests of hanging upstreams; the sizes are the real ones."""
    return replace(Limits(), read_seconds=0.15, total_seconds=0.3, connect_seconds=0.3)


async def hang() -> None:
    await asyncio.sleep(5)


@pytest.mark.parametrize("short", ["read_seconds", "total_seconds"])
async def test_an_upstream_that_hangs_is_504_within_the_budget_and_asked_once_R93(
    make_edge, upstream, key, config, short
):
    generous = {"read_seconds": 5.0, "total_seconds": 5.0}
    edge = await make_edge(limits=replace(config.limits, **{**generous, short: 0.15}))
    upstream.answers[WHOAMI] = Answer(before=hang)
    async with asyncio.timeout(1):
        assert_error(await call(edge, token=key.token()), 504, "timeout")
    assert len(upstream.function_calls) == 1


async def test_an_upstream_that_drips_is_504_at_the_total_time_R93(edge, upstream, key):
    async def drip(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        for _ in range(50):
            await send({"type": "http.response.body", "body": b" ", "more_body": True})
            await asyncio.sleep(0.05)

    upstream.overrides[WHOAMI] = drip
    async with asyncio.timeout(1):
        assert_error(await call(edge, token=key.token()), 504, "timeout")


async def test_a_connection_that_breaks_is_502_and_the_call_is_not_repeated_R93(edge, upstream, key):
    async def break_off() -> None:
        raise ConnectionResetError

    assert (await call(edge, token=key.token())).status == 200, "so that a pooled connection is at hand"
    upstream.answers[WHOAMI] = Answer(before=break_off)
    got = await call(edge, token=key.token())
    assert_error(got, 502, "upstream_error")
    assert len(upstream.function_calls) == 2


async def test_an_upstream_that_is_not_there_is_502_R93(make_edge, key, config):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        edge = await make_edge(rest_url=f"http://127.0.0.1:{unused.getsockname()[1]}")
        assert_error(await call(edge, token=key.token()), 502, "upstream_error")


async def test_more_calls_than_connections_wait_and_then_give_up_R93(make_edge, upstream, key, config):
    edge = await make_edge(limits=replace(config.limits, connections=2, pool_seconds=0.05, read_seconds=2.0, total_seconds=2.0))
    await call(edge, token=key.token())
    upstream.answers[WHOAMI] = Answer(before=lambda: asyncio.sleep(0.12))
    answers = await asyncio.gather(*(call(edge, token=key.token()) for _ in range(4)))
    assert sorted(got.status for got in answers) == [200, 200, 504, 504]
