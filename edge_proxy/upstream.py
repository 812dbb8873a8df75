"""The one HTTP client of the edge: no redirects, no proxies, no cookies, no retries, bounded in time and size.

Connections of our own on the edge's event loop, read by httptools: measured against pyreqwest, which hands every request over to
threads and back, this takes two thirds of the processor's time off a call; aiohttp and httpx cost more than either (FACTS.md).
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import deque
from urllib.parse import quote, urlsplit

from edge_proxy.config import Config
from edge_proxy.errors import UpstreamFailed, UpstreamTimeout
from edge_proxy.upstream_connection import Connection, UpstreamReply

_TARGET = re.compile(r"/[!-\"$-~]*\Z")
_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL as it is written: up to the third slash."""
    return "/".join(url.split("/", 3)[:3])


class _Origin:
    """A server, and the connections to it that wait for work: the one that was used last is taken first."""

    def __init__(self, origin: str) -> None:
        parts = urlsplit(origin)
        self.host, self.port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        self.name = parts.netloc
        self.tls = _tls() if parts.scheme == "https" else None
        self._idle: deque[Connection] = deque()

    def take(self, oldest: float) -> Connection | None:
        """Return a connection that has been idle since `oldest` or later; close those that have been for longer."""
        while self._idle and self._idle[0].idle_since < oldest:
            self._idle.popleft().close()
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open():
                return connection
        return None

    def put(self, connection: Connection) -> None:
        self._idle.append(connection)


def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class Upstream:
    """Connections to PostgREST, Supabase Auth and the JWKS. Never retries: a write may have happened (R93)."""

    def __init__(self, config: Config) -> None:
        self._limits = config.limits
        urls = (config.rest_url, config.auth_url, config.jwks_url)
        self._origins = {origin: _Origin(origin) for origin in map(origin_of, urls)}
        self._places = asyncio.Semaphore(config.limits.connections)
        self._connections: set[Connection] = set()

    async def request(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        body: bytes | None = None,
        *,
        total_seconds: float | None = None,
        max_bytes: int | None = None,
    ) -> UpstreamReply:
        """Send exactly these headers once, with those of HTTP itself, and return the answer, whatever its status.

        Raises: UpstreamTimeout, UpstreamFailed, ResponseTooLarge.
        """
        name = origin_of(url)
        origin = self._origins.get(name)
        if origin is None:
            # Nothing a request says is ever part of the host; this is the second lock (R96).
            raise UpstreamFailed("origin")
        wire = _wire(method, origin.name, url[len(name) :], headers, body)
        deadline = asyncio.get_running_loop().time() + (total_seconds or self._limits.total_seconds)
        await self._place()
        try:
            connection = await self._connection(origin, deadline)
            try:
                reply = await connection.ask(wire, max_bytes or self._limits.response_bytes, deadline)
            finally:
                self._back(origin, connection)
        finally:
            self._places.release()
        if reply.headers.get("content-encoding", "identity") != "identity":
            # A compressed answer could pass the size limit small and arrive large.
            raise UpstreamFailed("encoded")
        return reply

    async def close(self) -> None:
        for connection in tuple(self._connections):
            connection.close()
        self._connections.clear()

    async def _place(self) -> None:
        if not self._places.locked():
            await self._places.acquire()
            return
        try:
            async with asyncio.timeout(self._limits.pool_seconds):
                await self._places.acquire()
        except TimeoutError as err:
            raise UpstreamTimeout("upstream_timeout") from err

    async def _connection(self, origin: _Origin, deadline: float) -> Connection:
        loop = asyncio.get_running_loop()
        if kept := origin.take(loop.time() - self._limits.idle_seconds):
            return kept
        try:
            async with asyncio.timeout_at(min(deadline, loop.time() + self._limits.connect_seconds)):
                _, connection = await loop.create_connection(
                    lambda: Connection(self._limits.read_seconds), origin.host, origin.port, ssl=origin.tls
                )
        except TimeoutError as err:
            raise UpstreamTimeout("upstream_timeout") from err
        except OSError as err:
            raise UpstreamFailed("connection") from err
        self._connections.add(connection)
        return connection

    def _back(self, origin: _Origin, connection: Connection) -> None:
        """Keep the connection for the next request, or end it: what its answer left behind is nobody's."""
        if connection.reusable:
            connection.idle_since = asyncio.get_running_loop().time()
            origin.put(connection)
        else:
            self._connections.discard(connection)
            connection.close()


def _wire(method: str, host: str, target: str, headers: dict[str, str], body: bytes | None) -> bytes:
    """Return the request as it is sent. Raises: UpstreamFailed for what would end a line or a head early."""
    # An address without a path is that of the root.
    target = target or "/"
    if not _TARGET.match(target):
        target = quote(target, safe="/?&=%+,:;@!$'()*~[]", encoding="latin-1")
    lines = [f"{method} {target} HTTP/1.1", f"host: {host}", "user-agent: ringfence-edge"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body is not None:
        lines.append(f"content-length: {len(body)}")
    head = "\r\n".join(lines)
    if head.count("\r") != len(lines) - 1 or head.count("\n") != len(lines) - 1 or "\0" in head:
        raise UpstreamFailed("header")
    return head.encode("latin-1") + b"\r\n\r\n" + (body or b"")
