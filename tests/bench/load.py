"""Raw keep-alive HTTP/1.1 over asyncio: a client that costs so little that what it measures is the server."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

FRESH_S = 2.0
"""How long a connection may have waited: shorter than servers let one wait (LiteLLM's 5 s is the shortest here)."""


@dataclass(frozen=True)
class Target:
    """One request, sent again and again."""

    name: str
    url: str
    headers: dict[str, str]
    body: bytes = b"{}"

    @property
    def place(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 80

    @property
    def wire(self) -> bytes:
        parts = urlsplit(self.url)
        lines = [f"POST {parts.path} HTTP/1.1", f"host: {parts.netloc}", f"content-length: {len(self.body)}",
                 *(f"{name}: {value}" for name, value in self.headers.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + self.body


class _Connection(asyncio.Protocol):
    """One request at a time; the answer's bytes are counted, not kept."""

    def __init__(self) -> None:
        self.buffer = b""
        self.answer: asyncio.Future[int] | None = None
        self.lost = False
        self.used = time.monotonic()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, separator, rest = self.buffer.partition(b"\r\n\r\n")
        if not separator or self.answer is None:
            return
        lowered = head.lower()
        if b"transfer-encoding: chunked" in lowered:
            whole = rest.endswith(b"0\r\n\r\n")
        else:
            whole = len(rest) >= int(lowered.split(b"content-length:")[1].split(b"\r\n")[0])
        if whole:
            self.buffer, answer, self.answer, self.used = b"", self.answer, None, time.monotonic()
            if head[9:12] == b"200":
                answer.set_result(len(rest))
            else:
                answer.set_exception(RuntimeError(f"{head.decode(errors='replace')}\n{rest[:300]!r}"))

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(ConnectionError("closed in the middle of an answer"))

    def ask(self, wire: bytes) -> asyncio.Future[int]:
        if self.lost:
            # Nobody would ever answer.
            raise ConnectionError("closed while nothing was asked")
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(wire)
        return self.answer


class Clients:
    """So many connections to one target, kept open."""

    def __init__(self, target: Target, connections: int) -> None:
        self.target, self._count = target, connections
        self.open: list[_Connection] = []

    async def __aenter__(self) -> Clients:
        await self._connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        for connection in self.open:
            connection.transport.close()

    async def _connect(self) -> None:
        """Open anew what waited while others were measured: a server closes such a connection, at the latest just when it is used."""
        for connection in self.open:
            if time.monotonic() - connection.used > FRESH_S:
                connection.transport.close()
        self.open = [connection for connection in self.open if not (connection.lost or connection.transport.is_closing())]
        while len(self.open) < self._count:
            _, connection = await asyncio.get_running_loop().create_connection(_Connection, *self.target.place)
            self.open.append(connection)

    async def latencies(self, requests: int) -> list[float]:
        """Return the seconds of requests one after the other on the first connection."""
        await self._connect()
        wire, times = self.target.wire, []
        for _ in range(requests):
            began = time.perf_counter()
            await self.open[0].ask(wire)
            times.append(time.perf_counter() - began)
        return times

    async def rate(self, requests: int) -> float:
        """Return answers a second with every connection busy."""
        await self._connect()
        wire, left = self.target.wire, requests

        async def one(connection: _Connection) -> None:
            nonlocal left
            while left > 0:
                left -= 1
                await connection.ask(wire)

        began = time.perf_counter()
        await asyncio.gather(*(one(connection) for connection in self.open))
        return requests / (time.perf_counter() - began)
