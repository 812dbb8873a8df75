"""The connections of the edge to upstream: kept and used again, each answer for its own question, nothing sent twice (R93, R88, R96)."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from edge_proxy import upstream as upstream_module
from edge_proxy.config import Config
from edge_proxy.errors import ProxyError, ResponseTooLarge, UpstreamFailed, UpstreamTimeout
from edge_proxy.limits import Limits
from edge_proxy.upstream import Upstream
from tests.proxy.support import ISSUER, PUBLISHABLE_KEY
from tests.proxy.test_tls import Certificate

pytestmark = pytest.mark.anyio

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n"
Say = Callable[[asyncio.StreamWriter, int], Awaitable[None]]


@dataclass
class Raw:
    """A server that answers by hand: its address, the heads it was sent, and its open connections."""

    url: str = ""
    heads: list[bytes] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)


@asynccontextmanager
async def raw(say: Say, tls: ssl.SSLContext | None = None) -> AsyncIterator[Raw]:
    """Serve; `say` answers the request of that number on its connection."""
    made = Raw()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.writers.append(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            for number in range(1000):
                head = await reader.readuntil(b"\r\n\r\n")
                made.heads.append(head)
                await reader.readexactly(next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length:")), 0))
                await say(writer, number)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    made.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()
        for writer in made.writers:
            writer.close()


@asynccontextmanager
async def client(url: str, limits: Limits | None = None) -> AsyncIterator[Upstream]:
    made = Upstream(Config(publishable_key=PUBLISHABLE_KEY, rest_url=f"{url}/rest/v1", auth_url=f"{url}/auth/v1", jwks_url=f"{url}/jwks",
                           issuer=ISSUER, limits=limits or Limits()))
    try:
        yield made
    finally:
        await made.close()


async def answer(writer: asyncio.StreamWriter, number: int) -> None:
    writer.write(OK + b"%02d" % number)


async def test_a_connection_is_kept_for_the_next_call_R93() -> None:
    async with raw(answer) as server, client(server.url) as upstream:
        bodies = [(await upstream.request("POST", f"{server.url}/rest/v1/rpc/x", {"apikey": "k"}, b"{}")).body for _ in range(20)]
    assert bodies == [b"%02d" % n for n in range(20)]
    assert len(server.writers) == 1
    assert server.heads[0] == (
        f"POST /rest/v1/rpc/x HTTP/1.1\r\nhost: {server.url[7:]}\r\nuser-agent: ringfence-edge\r\napikey: k\r\ncontent-length: 2\r\n\r\n".encode())


async def test_calls_side_by_side_have_connections_of_their_own_up_to_the_limit_R92() -> None:
    there = 0

    async def slowly(writer: asyncio.StreamWriter, number: int) -> None:
        nonlocal there
        there += 1
        await asyncio.sleep(0.05)
        assert there <= 4
        there -= 1
        await answer(writer, number)

    async with raw(slowly) as server, client(server.url, replace(Limits(), connections=4)) as upstream:
        await asyncio.gather(*(upstream.request("GET", f"{server.url}/jwks", {}) for _ in range(12)))
        assert len(server.writers) == 4


async def test_who_waits_too_long_for_a_connection_is_told_R92() -> None:
    async def never(writer: asyncio.StreamWriter, number: int) -> None:
        await asyncio.Event().wait()

    async with raw(never) as server, client(server.url, replace(Limits(), connections=1, pool_seconds=0.1, read_seconds=1.0)) as upstream:
        first = asyncio.create_task(upstream.request("GET", f"{server.url}/jwks", {}))
        await asyncio.sleep(0.02)
        with pytest.raises(UpstreamTimeout):
            await upstream.request("GET", f"{server.url}/jwks", {})
        first.cancel()
        assert await asyncio.gather(first, return_exceptions=True)


async def test_a_connection_that_was_closed_or_is_too_old_is_not_used_again_R93() -> None:
    async def and_close(writer: asyncio.StreamWriter, number: int) -> None:
        await answer(writer, number)
        await writer.drain()
        writer.close()

    async with raw(and_close) as server, client(server.url) as upstream:
        for _ in range(3):
            assert (await upstream.request("GET", f"{server.url}/jwks", {})).body == b"00"
            await asyncio.sleep(0.02)
        assert len(server.writers) == 3
    async with raw(answer) as server, client(server.url, replace(Limits(), idle_seconds=0.05)) as upstream:
        for _ in range(2):
            await upstream.request("GET", f"{server.url}/jwks", {})
            await asyncio.sleep(0.1)
        assert len(server.writers) == 2


SURPLUS = {"another answer": OK + b"99", "no HTTP": b"SSH-2.0-OpenSSH\r\n", "one byte": b"\n"}


# A line end right behind an answer is no part of the next one: parsers skip it.
@pytest.mark.parametrize(("what", "when"), [(w, t) for w in SURPLUS for t in ("at once", "later") if (w, t) != ("one byte", "at once")])
async def test_what_nobody_asked_for_is_nobodys_answer_R93(what: str, when: str) -> None:
    async def chatty(writer: asyncio.StreamWriter, number: int) -> None:
        await answer(writer, number)
        if when == "later":
            await writer.drain()
            await asyncio.sleep(0.02)
        writer.write(SURPLUS[what])

    async with raw(chatty) as server, client(server.url) as upstream:
        for _ in range(3):
            assert (await upstream.request("GET", f"{server.url}/jwks", {})).body == b"00"
            await asyncio.sleep(0.05)
        assert len(server.writers) == 3


REFUSED = {
    "length and chunks": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunks and length": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "an unknown coding": b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "an end that only closing tells": b"HTTP/1.1 200 OK\r\n\r\n{}",
    "a protocol it was not asked for": b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n{}",
    "a head without end": b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 200_000,
    "chunk extensions without end": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;" + b"y" * 200_000,
    "trailers without end": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n" + b"x: y\r\n" * 40_000,
}


@pytest.mark.parametrize("kind", REFUSED)
async def test_an_answer_that_could_be_read_in_two_ways_is_none_R88(kind: str) -> None:
    async def say(writer: asyncio.StreamWriter, number: int) -> None:
        writer.write(REFUSED[kind])

    async with raw(say) as server, client(server.url, replace(Limits(), read_seconds=1.0)) as upstream:
        with pytest.raises(UpstreamFailed):
            await upstream.request("GET", f"{server.url}/jwks", {})
        assert len(server.heads) == 1


GOOD = {
    "chunks": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n1;x=y\r\n}\r\n0\r\n\r\n",
    "news before the answer": b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK + b"{}",
    "nothing": b"HTTP/1.1 204 No Content\r\n\r\n",
}


@pytest.mark.parametrize("kind", GOOD)
async def test_every_usual_framing_is_read_and_the_connection_kept_R93(kind: str) -> None:
    async def say(writer: asyncio.StreamWriter, number: int) -> None:
        for byte in GOOD[kind]:
            writer.write(bytes([byte]))
            await asyncio.sleep(0)

    async with raw(say) as server, client(server.url) as upstream:
        for _ in range(2):
            reply = await upstream.request("GET", f"{server.url}/jwks", {})
            assert (reply.status, reply.body) == ((204, b"") if kind == "nothing" else (200, b"{}"))
            assert "link" not in reply.headers
        assert len(server.writers) == 1


async def test_a_body_that_is_too_large_ends_the_connection_R88() -> None:
    async def say(writer: asyncio.StreamWriter, number: int) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n" + b"x" * 100)

    async with raw(say) as server, client(server.url) as upstream:
        assert len((await upstream.request("GET", f"{server.url}/jwks", {}, max_bytes=100)).body) == 100
        with pytest.raises(ResponseTooLarge):
            await upstream.request("GET", f"{server.url}/jwks", {}, max_bytes=99)


async def test_an_answer_that_comes_after_its_asker_left_reaches_nobody_else_R93() -> None:
    async def late_the_first_time(writer: asyncio.StreamWriter, number: int) -> None:
        if len(server.heads) == 1:
            await asyncio.sleep(0.1)
            writer.write(OK + b"no")
        else:
            await answer(writer, number)

    async with raw(late_the_first_time) as server, client(server.url) as upstream:
        leaving = asyncio.create_task(upstream.request("GET", f"{server.url}/jwks", {}))
        await asyncio.sleep(0.03)
        leaving.cancel()
        assert isinstance((await asyncio.gather(leaving, return_exceptions=True))[0], asyncio.CancelledError)
        assert (await upstream.request("GET", f"{server.url}/jwks", {})).body == b"00"
        assert not upstream._places.locked() and len(upstream._connections) == 1


@pytest.mark.parametrize(("target", "sent"), [
    ("/auth/v1/verify?a=b%20c&d=e+f", b"/auth/v1/verify?a=b%20c&d=e+f"), ("/auth/v1/x?y= HTTP/1.1\r\nevil: 1", b"/auth/v1/x?y=%20HTTP/1.1%0D%0Aevil:%201"),
    ("/auth/v1/x#y", b"/auth/v1/x%23y"), ("/auth/v1/\xe9", b"/auth/v1/%E9")])
async def test_a_target_never_ends_its_line_R87(target: str, sent: bytes) -> None:
    async with raw(answer) as server, client(server.url) as upstream:
        await upstream.request("GET", f"{server.url}{target}", {})
    assert server.heads[0].split(b"\r\n")[0] == b"GET " + sent + b" HTTP/1.1" and b"\r\nevil" not in server.heads[0]


@pytest.mark.parametrize("headers", [{"x": "a\r\nevil: 1"}, {"x": "a\nevil: 1"}, {"x\r\nevil": "1"}, {"x": "a\0"}, {"x": "a\r"}])
async def test_a_header_never_ends_its_line_R87(headers: dict[str, str]) -> None:
    async with raw(answer) as server, client(server.url) as upstream:
        with pytest.raises(ProxyError):
            await upstream.request("GET", f"{server.url}/jwks", headers)
        assert server.heads == []


async def test_an_upstream_over_tls_is_believed_by_its_certificate_alone_R79(tmp_path, monkeypatch) -> None:
    certificate = Certificate.make(tmp_path)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(certificate.cert, certificate.key)
    async with raw(answer, theirs) as server:
        async with client(server.url) as upstream:
            with pytest.raises(UpstreamFailed):
                await upstream.request("GET", f"{server.url}/jwks", {})
            assert server.heads == [], "nothing is said to a stranger"
        monkeypatch.setattr(upstream_module, "_tls", lambda: ssl.create_default_context(cafile=str(certificate.cert)))
        async with client(server.url) as upstream:
            for number in range(2):
                assert (await upstream.request("GET", f"{server.url}/jwks", {})).body == b"%02d" % number
