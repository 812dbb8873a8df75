"""The edge on a real socket: odd bytes, real clients, and the process itself."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from edge_proxy import http_protocol
from edge_proxy.serve import connection_settings
from tests.proxy.doubles import Answer, error
from tests.proxy.support import NOW, PUBLISHABLE_KEY, USER, Got, assert_error

WHOAMI = "/rest/v1/rpc/whoami"


@pytest.fixture
async def url(edge, serve) -> str:
    """The edge of the other fixtures behind the parser that `ringfence serve` uses."""
    address: str = await serve(edge, **connection_settings(edge.config))
    return address


async def exchange(url: str, *pieces: bytes, seconds: float = 2.0) -> bytes:
    """Send the bytes as they are and return all that comes back until the edge closes."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        return await asyncio.wait_for(reader.read(), seconds)
    except ConnectionError:
        return b""
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def answer(raw: bytes) -> Got:
    """Return what stands in one whole HTTP answer."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = [(name.lower(), value) for name, _, value in (line.partition(": ") for line in lines)]
    return Got(int(first.split()[1]), pairs, body)


def request(token: str, *headers: str, body: bytes = b"{}", target: str = WHOAMI) -> bytes:
    lines = [f"POST {target} HTTP/1.1", "host: x", "connection: close", "content-type: application/json"]
    return "\r\n".join([*lines, f"authorization: Bearer {token}", *headers, "", ""]).encode() + body


@pytest.mark.anyio
async def test_a_plain_request_is_answered(url, upstream, key):
    got = await exchange(url, request(key.token(), "content-length: 2"))
    assert got.startswith(b"HTTP/1.1 200") and b"server:" not in got.lower()
    assert len(upstream.function_calls) == 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    "headers",
    [
        ["content-length: 2", "transfer-encoding: chunked"],
        ["transfer-encoding: chunked", "content-length: 2"],
        ["content-length: 2", "content-length: 5"],
        ["content-length: -2"],
        ["content-length: 0x2"],
        ["transfer-encoding: chunked, identity"],
        ["content-length: 2", "transfer-encoding : chunked"],
        ["content-length: 2", "x: a\nb"],
        ["content-length : 2"],
    ],
)
async def test_a_request_that_two_servers_could_read_in_two_ways_is_refused_R87(url, upstream, key, headers):
    smuggled = b"0\r\n\r\n" + request(key.token(), "content-length: 2", target="/rest/v1/rpc/create_ticket")
    got = await exchange(url, request(key.token(), *headers, body=smuggled))
    assert got.count(b"HTTP/1.1") == 1
    assert_error(answer(got), 400, "bad_request")
    assert upstream.calls == []


@pytest.mark.anyio
async def test_a_request_head_without_end_is_cut_off_R87(url, upstream):
    got = await exchange(url, b"GET /healthz HTTP/1.1\r\n", *[b"x: " + b"a" * 8000 + b"\r\n"] * 20)
    assert b"200" not in got


@pytest.mark.anyio
async def test_a_large_body_is_not_taken_for_a_large_head(url, key):
    body = b'{"a":"' + b"x" * 200_000 + b'"}'
    pieces = [body[start : start + 4096] for start in range(0, len(body), 4096)]
    got = await exchange(url, request(key.token(), f"content-length: {len(body)}", body=b""), *pieces)
    assert got.startswith(b"HTTP/1.1 200")


@pytest.mark.anyio
async def test_a_request_head_that_drips_is_cut_off_in_time_R87(edge, serve, monkeypatch):
    monkeypatch.setattr(http_protocol, "_HEAD_SECONDS", 0.1)
    url = await serve(edge, **connection_settings(edge.config))
    assert await exchange(url, b"GET /healthz HTTP/1.1\r\nhost:", seconds=1) == b""


CHUNKED = ["POST {} HTTP/1.1", "host: x", "content-type: application/json", "transfer-encoding: chunked"]


def chunked(*headers: str, target: str = WHOAMI) -> bytes:
    return "\r\n".join([*CHUNKED, *headers, "", ""]).format(target).encode()


@pytest.mark.anyio
async def test_a_chunked_body_is_read_R87(url, upstream, key):
    last = chunked("connection: close", f"authorization: Bearer {key.token()}")
    got = await exchange(url, last, b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 200") and upstream.function_calls[0].body == b"{}"


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["authorization", "x"])
async def test_a_trailer_ends_the_connection_and_is_no_header_R87(url, upstream, key, name):
    trailer = f"2\r\n{{}}\r\n0\r\n{name}: Bearer {key.token()}\r\n\r\n".encode()
    known = [] if name == "authorization" else [f"authorization: Bearer {key.token()}"]
    assert await exchange(url, chunked(*known) + trailer, seconds=1) == b""
    assert upstream.calls == []


@pytest.mark.anyio
@pytest.mark.parametrize("start", [b"2\r\n{}\r\n0\r\nx: ", b"2;"])
async def test_trailers_and_chunk_extensions_without_end_are_cut_off_R87(url, key, start):
    head = chunked(f"authorization: Bearer {key.token()}")
    assert await exchange(url, head, start, *[b"a" * 8000] * 100, seconds=1) == b""


@pytest.mark.anyio
async def test_an_answer_before_the_end_of_the_body_ends_the_connection_R87(url, monkeypatch):
    monkeypatch.setattr(http_protocol, "_LINGER_SECONDS", 0.2)
    for target, status in ((WHOAMI, 401), ("/nothing", 404)):
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(chunked(target=target))
        got = answer(await asyncio.wait_for(reader.read(), 1))
        assert got.status == status, "the whole answer arrives, and then the end"
        with pytest.raises(ConnectionError):
            async with asyncio.timeout(2):
                while True:
                    writer.write(b"1\r\nx\r\n")
                    await writer.drain()
                    await asyncio.sleep(0.05)
        writer.close()


@pytest.mark.anyio
async def test_what_follows_an_early_answer_is_not_served_R87(url, upstream, key):
    rest = b"0\r\n\r\n" + request(key.token(), "content-length: 2")
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(chunked())
    await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 1)
    writer.write(rest)
    assert b"HTTP/1.1" not in await asyncio.wait_for(reader.read(), 1)
    await asyncio.sleep(0.2)
    assert upstream.calls == []
    writer.close()


@pytest.mark.anyio
async def test_a_finished_request_leaves_the_connection_open_for_the_next(url, upstream, key):
    upstream.answers[WHOAMI] = Answer()
    once = request(key.token(), "content-length: 2").replace(b"connection: close\r\n", b"")
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for piece in (once, chunked(f"authorization: Bearer {key.token()}") + b"2\r\n{}\r\n0\r\n\r\n", once + once):
        writer.write(piece)
        for _ in range(piece.count(b"HTTP/1.1")):
            assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n{}"), 1)).startswith(b"HTTP/1.1 200")
    assert len(upstream.function_calls) == 4
    writer.close()


@pytest.mark.anyio
async def test_line_ends_between_requests_do_not_keep_a_connection_R87(url, key):
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
    await asyncio.wait_for(reader.readuntil(b"}"), 1)
    writer.write(b"\r\n")
    assert await asyncio.wait_for(reader.read(), 1) == b""
    writer.close()


@pytest.mark.anyio
@pytest.mark.parametrize(("trusted", "counted_as"), [((), "127.0.0.1"), (("127.0.0.0/8",), "203.0.113.9")])
async def test_only_a_trusted_proxy_may_name_the_client_address_R83(make_edge, serve, key, trusted, counted_as):
    edge = await make_edge(trusted_proxies=trusted)
    url = await serve(edge, **connection_settings(edge.config))
    got = await exchange(url, request(key.token(), "content-length: 2", "x-forwarded-for: 203.0.113.9"))
    assert got.startswith(b"HTTP/1.1 200")
    assert list(edge.admission.limiter.kinds["address"]) == [counted_as]


@pytest.mark.anyio
async def test_a_stream_of_the_agent_arrives_piece_by_piece(url, agent, key):
    more = asyncio.Event()

    async def reply(receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        await more.wait()
        await send({"type": "http.response.body", "body": b"data: 2\n\n"})

    agent.reply = reply
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request(key.token(), "content-length: 2", target="/v1/chat/completions"))
    await asyncio.wait_for(reader.readuntil(b"data: 1\n\n"), 2)
    more.set()
    assert b"data: 2\n\n" in await asyncio.wait_for(reader.read(), 2)
    writer.close()


@pytest.mark.anyio
async def test_the_supabase_client_works_with_the_edge_as_its_project(url, upstream, key):
    import httpx
    from postgrest.exceptions import APIError

    from supabase import AsyncClientOptions, acreate_client

    token = key.token()
    user = {
        "id": USER,
        "aud": "authenticated",
        "app_metadata": {},
        "user_metadata": {},
        "created_at": "2026-11-21T00:00:00Z",
    }
    session = {"access_token": token, "token_type": "bearer", "expires_in": 3600, "expires_at": int(NOW) + 3600,
               "refresh_token": "r", "user": user}  # fmt: skip
    upstream.answers["/auth/v1/token"] = Answer(body=json.dumps(session).encode())
    upstream.answers["/auth/v1/user"] = Answer(body=json.dumps(user).encode())
    upstream.answers["/auth/v1/logout"] = Answer(204, b"", {})
    upstream.answers[WHOAMI] = Answer(body=json.dumps({"user_id": USER}).encode())
    upstream.answers["/rest/v1/rpc/create_ticket"] = error(403, "42501", "you may not create tickets here")
    async with httpx.AsyncClient(timeout=60) as http:
        client = await acreate_client(url, PUBLISHABLE_KEY, AsyncClientOptions(httpx_client=http))
        with pytest.raises(APIError) as signed_out:
            await client.rpc("whoami", {}).execute()
        assert signed_out.value.code == "invalid_token"
        assert upstream.function_calls == []
        signed_in = await client.auth.sign_in_with_password({"email": "a@b.test", "password": "p"})
        assert signed_in.user is not None and signed_in.user.id == USER
        assert (await client.rpc("whoami", {}).execute()).data == {"user_id": USER}
        with pytest.raises(APIError) as denied:
            await client.rpc("create_ticket", {"subject": "s"}).execute()
        assert (denied.value.code, denied.value.message) == ("denied", "you may not create tickets here")
        fetched = await client.auth.get_user()
        assert fetched is not None and fetched.user.id == USER
        await client.auth.sign_out()
    assert "authorization" not in next(sent for sent in upstream.calls if sent.path == "/auth/v1/token").names


ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "SUPABASE_URL": "http://127.0.0.1:9",
    "SUPABASE_PUBLISHABLE_KEY": PUBLISHABLE_KEY,
    "RINGFENCE_AGENT_APP": "",
}


@contextlib.contextmanager
def process(**environment: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "edge_proxy.serve"]
    running = subprocess.Popen(command, env={**ENVIRONMENT, **environment}, stderr=subprocess.PIPE, text=True)
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


@pytest.mark.parametrize("variable", [{"SUPABASE_PUBLISHABLE_KEY": "sb_secret_canary"}, {"MY_SERVICE_ROLE": "canary"}])
def test_the_process_refuses_a_secret_key_in_one_clear_line_R82(variable):
    with process(**variable) as running:
        _, said = running.communicate(timeout=30)
    assert running.returncode == 2
    (line,) = said.splitlines()
    assert (
        line.startswith("ringfence serve: refused to start: ") and next(iter(variable)) in line and "canary" not in line
    )


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_the_process_serves_metrics_on_their_own_port_and_stops_soon_when_told(sign):
    with process(RINGFENCE_PORT="0", RINGFENCE_METRICS_PORT="0") as running:
        assert running.stderr is not None
        listening = json.loads(running.stderr.readline())
        port, metrics_port = listening["port"], listening["metrics_port"]
        assert listening["event"] == "listening"
        assert json.loads(fetch(f"http://127.0.0.1:{port}/healthz")) == {"status": "ok"}
        with pytest.raises(urllib.error.HTTPError, match="404"):
            fetch(f"http://127.0.0.1:{port}/metrics")
        assert "ringfence_edge_requests_total" in fetch(f"http://127.0.0.1:{metrics_port}/metrics")
        with socket.create_connection(("127.0.0.1", port)) as idle:
            idle.sendall(b"POST /rest/v1/rpc/whoami HTTP/1.1\r\n")
            running.send_signal(signal.SIGHUP)  # purges the keys; it must not end the process
            assert json.loads(fetch(f"http://127.0.0.1:{port}/healthz")) == {"status": "ok"}
            running.send_signal(sign)
            running.communicate(timeout=10)
    assert running.returncode == 0
