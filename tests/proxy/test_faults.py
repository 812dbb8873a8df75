"""What goes wrong around the edge, each with its outcome: nothing is lost, nothing leaks, no process is left.

Elsewhere: an upstream that hangs, drips, breaks or is not there (test_limits), key sets that fail (test_key_cache), Redis that
stops or hangs (test_redis), heads and bodies that drip (test_sockets), rights that end while an answer is open (test_streams).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import psutil
import pytest

from edge_proxy import http_protocol
from edge_proxy.serve import connection_settings
from tests.proxy.doubles import Answer
from tests.proxy.support import ISSUER, Clock, assert_error, call, claims
from tests.proxy.test_sockets import answer, process, request

pytestmark = pytest.mark.anyio

WHOAMI = "/rest/v1/rpc/whoami"
JSON = b"content-type: application/json\r\n"


@asynccontextmanager
async def upstream_saying(*pieces: bytes, then: str = "close", every: float = 0) -> AsyncIterator[tuple[str, list[int]]]:
    """Serve a raw upstream that answers every request with these bytes and then closes, half-closes or waits; counts connections."""
    connections: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
            await reader.readexactly(length)
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(every)
            if then == "half-close":
                writer.write_eof()
                await reader.read()
            elif then == "wait":
                await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", connections
    finally:
        server.close()


def head(length: int | str, status: int = 200) -> bytes:
    return f"HTTP/1.1 {status} OK\r\ncontent-length: {length}\r\n".encode() + JSON + b"\r\n"


GOOD = b'{"user_id":"x"}'
LIES = {
    "half-closed before the answer": ((), "half-close", 502),
    "half-closed in the head": ((b"HTTP/1.1 200 OK\r\ncontent-le",), "half-close", 502),
    "half-closed in the body": ((head(100), GOOD), "half-close", 502),
    "closed before the answer": ((), "close", 502),
    "a longer length than the body, then closed": ((head(100), GOOD), "close", 502),
    "a longer length than the body, then nothing": ((head(100), GOOD), "wait", 504),
    "chunks without an end, then closed": ((b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n" + JSON + b"\r\n", b"f\r\n" + GOOD + b"\r\n"), "close", 502),
    "a length that is no number": ((head("many"), GOOD), "close", 502),
    "two lengths": ((b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 15\r\n" + JSON + b"\r\n", GOOD), "close", 502),
    "no HTTP": ((b"SSH-2.0-OpenSSH\r\n",), "close", 502),
    "a page": ((b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html></html>",), "close", 502),
    "an error page": ((b"HTTP/1.1 503 No\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html></html>",), "close", 502),
    "a page that says it is JSON": ((head(13), b"<html></html>"), "close", 502),
}


@pytest.mark.parametrize("kind", LIES)
async def test_an_upstream_that_breaks_the_protocol_is_a_typed_error_and_asked_once_R93_R88(make_edge, key, config, kind):
    pieces, then, status = LIES[kind]
    limits = replace(config.limits, read_seconds=0.3)
    async with upstream_saying(*pieces, then=then) as (url, connections):
        edge = await make_edge(rest_url=f"{url}/rest/v1", limits=limits)
        edge._forwarder._allowlist._names, edge._forwarder._allowlist._read_at = frozenset({"whoami"}), float("inf")
        got = await call(edge, token=key.token())
        assert_error(got, status, "timeout" if status == 504 else "upstream_error")
        assert len(connections) == 1


async def test_a_length_shorter_than_the_body_cuts_it_and_poisons_no_other_answer_R93(make_edge, key, config):
    smuggled = head(2) + b"{}" + head(20) + b'{"user_id":"another"}'
    async with upstream_saying(smuggled, then="wait") as (url, _):
        edge = await make_edge(rest_url=f"{url}/rest/v1")
        edge._forwarder._allowlist._names, edge._forwarder._allowlist._read_at = frozenset({"whoami"}), float("inf")
        for _ in range(3):
            got = await call(edge, token=key.token())
            assert got.body == b"{}", "what follows an answer is never taken for the next one"


async def test_a_client_that_leaves_in_the_middle_of_a_stream_is_noticed_and_its_places_are_free_R92(edge, agent, serve, key, upstream):
    gone = asyncio.Event()

    async def endless(receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        gone.set()

    agent.reply = endless
    url = await serve(edge, **connection_settings(edge.config))
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
    writer.write(request(key.token(), "content-length: 21", body=b'{"model":"acme/desk"}', target="/v1/chat/completions"))
    await asyncio.wait_for(reader.readuntil(b"data: 1\n\n"), 5)
    assert edge.admission._user_places._taken
    writer.transport.abort()
    await asyncio.wait_for(gone.wait(), 5)
    await until(lambda: not edge._serving)
    assert not edge.admission._user_places._taken and not edge.admission._org_places._taken
    assert edge._agent._watch._sessions == {}


async def test_a_client_that_does_not_read_is_cut_off_R93(edge, agent, serve, key, monkeypatch):
    monkeypatch.setattr(http_protocol, "_WRITE_SECONDS", 0.3)

    async def flood(receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/octet-stream")]})
        for _ in range(2000):
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})

    agent.reply = flood
    url = await serve(edge, **connection_settings(edge.config))
    with socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1]))) as idle:
        idle.sendall(b"GET /v1/models HTTP/1.1\r\nhost: x\r\nauthorization: Bearer " + key.token().encode() + b"\r\n\r\n")
        await until(lambda: bool(edge._serving))
        await until(lambda: not edge._serving)
    assert not edge.admission._user_places._taken


async def until(true: Callable[[], bool], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


def listening(running: Any) -> int:
    port: int = json.loads(running.stderr.readline())["port"]
    return port


def ask_for_health(port: int) -> float:
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as one:
        one.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert b'"ok"' in b"".join(iter(lambda: one.recv(4096), b""))
    return time.monotonic() - began


def test_ten_thousand_idle_connections_cost_little_memory_and_keep_nobody_out_R87():
    with process(RINGFENCE_PORT="0", RINGFENCE_METRICS_PORT="0") as running:
        port, edge = listening(running), psutil.Process(running.pid)
        before, idle = edge.memory_info().rss, []
        try:
            for number in range(10_000):
                # From many loopback addresses: one has no 10,000 free ports on every system.
                one = socket.socket()
                one.bind((f"127.0.1.{number % 8 + 1}", 0))
                one.connect(("127.0.0.1", port))
                idle.append(one)
            assert ask_for_health(port) < 5
            each = (edge.memory_info().rss - before) / len(idle)
            assert each < 20_000, f"{each:.0f} bytes each"
            assert edge.num_fds() > 9_000, "they were all open at once"
        finally:
            for one in idle:
                one.close()
        assert ask_for_health(port) < 5


async def test_told_to_stop_under_load_it_answers_what_it_took_and_ends_R93(upstream, key, config):
    upstream.answers[WHOAMI] = Answer(body=b'{"whole":"' + b"x" * 5000 + b'"}', before=lambda: asyncio.sleep(0.05))
    now = time.time()
    clock = Clock()
    clock.now = now
    token = key.token(**claims(iat=int(now), exp=int(now) + 600))
    settings = {
        "RINGFENCE_PORT": "0", "RINGFENCE_METRICS_PORT": "0", "RINGFENCE_REST_URL": f"{upstream.url}/rest/v1",
        "RINGFENCE_AUTH_URL": f"{upstream.url}/auth/v1", "RINGFENCE_JWKS_URL": config.jwks_url,
        "RINGFENCE_RATE_USER": "100000/100000", "RINGFENCE_RATE_ADDRESS": "100000/100000", "RINGFENCE_RATE_USER_DATABASE_CALLS": "64",
        "SUPABASE_URL": ISSUER.removesuffix("/auth/v1"), "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
    }  # fmt: skip
    with process(**settings) as running:
        port = await asyncio.to_thread(listening, running)
        outcomes: list[str] = []

        async def worker() -> None:
            while True:
                try:
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                except ConnectionError:
                    outcomes.append("refused")
                    return
                try:
                    writer.write(request(token, "content-length: 2"))
                    raw = await asyncio.wait_for(reader.read(), 20)
                except ConnectionError:
                    raw = b""
                finally:
                    writer.close()
                outcomes.append("nothing" if not raw else "whole" if answer(raw).status == 200 and raw.endswith(b'x"}') else "part")

        workers = [asyncio.create_task(worker()) for _ in range(24)]
        await until(lambda: outcomes.count("whole") > 100, 30)
        running.send_signal(signal.SIGTERM)
        began = time.monotonic()
        await asyncio.wait_for(asyncio.gather(*workers), 20)
        assert await asyncio.to_thread(running.wait, 15) == 0
        assert time.monotonic() - began < 8, "it does not wait for what is not there"
        assert outcomes.count("part") == 0 and outcomes.count("refused") == 24
        # A connection that was accepted by the system and not yet by the process is closed without an answer: a client tries again.
        assert outcomes.count("nothing") <= 24
    assert not psutil.pid_exists(running.pid)
