"""uvicorn's fast HTTP parser with the limits it lacks: it would collect headers without end."""

from __future__ import annotations

import uuid
from asyncio import Transport

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from edge_proxy.errors import BadRequest, error_body

_HEAD_BYTES = 64 * 1024
_HEAD_SECONDS = 10.0


class BoundedHttp(HttpToolsProtocol):
    """Closes a connection whose request head is too large or too slow. Limits.header_bytes answers the usual case."""

    _head_bytes = 0
    _in_head = True

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head:
            # Counted after the parser ran: it may have begun this head, at zero, with these very bytes.
            self._head_bytes += len(data)
            if self._head_bytes > _HEAD_BYTES:
                self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP in the one shape of errors (R90); `msg` is uvicorn's wording."""
        request_id = uuid.uuid4().hex
        body = error_body(BadRequest(), request_id)
        head = [
            "HTTP/1.1 400 Bad Request",
            "content-type: application/json",
            f"content-length: {len(body)}",
            f"x-request-id: {request_id}",
            "cache-control: no-store",
            "x-content-type-options: nosniff",
            "connection: close",
        ]
        self.transport.write("\r\n".join([*head, "", ""]).encode("ascii") + body)
        self.transport.close()

    def on_message_begin(self) -> None:
        self._deadline.cancel()
        self._expect_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._deadline.cancel()
        super().on_headers_complete()

    def _expect_head(self) -> None:
        self._in_head, self._head_bytes = True, 0
        self._deadline = self.loop.call_later(_HEAD_SECONDS, self._too_slow)

    def _too_slow(self) -> None:
        if self._in_head:
            self.transport.close()
