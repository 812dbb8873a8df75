"""One HTTP request and its answer, on ASGI."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, TypeVar
from urllib.parse import quote

from agent.chat_response import error_body
from agent.errors import AgentError, TooLarge

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

T = TypeVar("T")

IDENTITY = "ringfence.identity"
"""Where in the scope the edge puts whom it has verified."""
FACTS = "ringfence.facts"
"""Where in the scope the edge reads afterwards what the answer's status does not tell, for its log and its metrics.

    code    how the answer failed, also when it had begun
    org     the organization it was about, where the request named none
    tokens  what models took
    tools   list of (tool, outcome)

Names and numbers: no content, no argument, no person.
"""


class ClientGone(Exception):
    """The client closed the connection."""


async def read_body(receive: Receive, max_bytes: int) -> bytes:
    """Return the whole body. Raises: ClientGone, TooLarge."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        body += message.get("body", b"")
        if len(body) > max_bytes:
            raise TooLarge
        if not message.get("more_body", False):
            return bytes(body)


async def while_connected(work: Awaitable[T], receive: Receive) -> T:
    """Return what `work` returns; cancel it when the client goes away. Raises: ClientGone, and what `work` raises."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ClientGone
    finally:
        # Also when this task itself is cancelled: the run is told, and finishes itself as cancelled.
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Reply:
    """Writes one HTTP answer: a JSON body, server-sent events once the first is sent, or a file."""

    def __init__(self, send: Send, request_id: str, facts: dict[str, Any]) -> None:
        self._send, self.request_id, self.facts = send, request_id, facts
        self._streaming = False
        self._file_bytes_left: int | None = None

    async def json(self, status: int, body: dict[str, Any]) -> None:
        await self._start(status, b"application/json")
        await self._send({"type": "http.response.body", "body": _encoded(body)})

    async def event(self, body: dict[str, Any]) -> None:
        if not self._streaming:
            await self._start(200, b"text/event-stream")
            self._streaming = True
        await self._send({"type": "http.response.body", "body": b"data: %b\n\n" % _encoded(body), "more_body": True})

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})

    async def error(self, error: AgentError) -> None:
        """Send the error; in a stream that has begun, as its last event, without the mark of a good end."""
        self.facts["code"] = error.code
        body = error_body(error, self.request_id)
        if self._file_bytes_left is not None:
            # Without its last bytes the answer cannot be taken for the whole file: the server cuts the connection.
            return
        if self._streaming:
            await self.event(body)
            await self._send({"type": "http.response.body", "body": b""})
        else:
            await self.json(error.status, body)

    async def file_begins(self, name: str, size: int) -> None:
        """Announce `size` bytes to be saved, never shown: whatever they are, a browser must not run them in this origin."""
        self._file_bytes_left = size
        disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}".encode()
        await self._start(200, b"application/octet-stream", [
            (b"content-length", str(size).encode()), (b"content-disposition", disposition), (b"x-content-type-options", b"nosniff"),
            (b"content-security-policy", b"sandbox; default-src 'none'")])

    async def file_part(self, part: bytes) -> None:
        """Send the next bytes of the file; the last ones end the answer."""
        assert self._file_bytes_left is not None
        self._file_bytes_left -= len(part)
        await self._send({"type": "http.response.body", "body": part, "more_body": self._file_bytes_left > 0})

    async def _start(self, status: int, content_type: bytes, more: Iterable[tuple[bytes, bytes]] = ()) -> None:
        headers = [(b"content-type", content_type), (b"cache-control", b"no-store"),
                   (b"x-request-id", self.request_id.encode()), *more]
        if status == 401:
            headers.append((b"www-authenticate", b'Bearer error="invalid_token"'))
        await self._send({"type": "http.response.start", "status": status, "headers": headers})


def _encoded(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
