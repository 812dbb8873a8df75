"""uvicorn's fast HTTP parser with the limits it lacks: it would collect headers without end."""

from __future__ import annotations

import uuid
from asyncio import TimerHandle, Transport

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from edge_proxy.asgi import SAFE_HEADERS, error_body
from edge_proxy.errors import BadRequest
from edge_proxy.limits import Limits

_HEAD_BYTES = Limits.head_bytes
_HEAD_SECONDS = Limits.head_seconds
_LINGER_SECONDS = Limits.linger_seconds
_WRITE_SECONDS = Limits.unread_seconds


class BoundedHttp(HttpToolsProtocol):
    """Closes a connection whose request head is too large or too slow. Limits.header_bytes answers the usual case.

    Closes it too for a client that does not read its answer, for a trailer, for what is no body and no request, and soon after an answer that came before the end
    of the request: nobody waits for the rest of that, so no other limit would end it.
    """

    _bodiless_bytes = 0
    """Since the head began or the body last grew: a head, and framing or trailers without end."""
    _body_grew = False
    _in_head = True
    _ending: TimerHandle | None = None
    _unread: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline.cancel()
        for timer in (self._ending, self._unread):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        # Not close(): that waits until the rest has been read.
        self._unread = self.loop.call_later(_WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()

    def data_received(self, data: bytes) -> None:
        if self._ending is not None or self.transport.is_closing():
            return
        self._body_grew = False
        super().data_received(data)
        if not self._body_grew:
            # Counted after the parser ran: it may have begun this head, at zero, with these very bytes.
            self._bodiless_bytes += len(data)
            if self._bodiless_bytes > _HEAD_BYTES:
                self.transport.close()
        if not self._in_head and self.cycle.response_complete and self.timeout_keep_alive_task is None:
            # Bytes between two requests (line ends, which the parser skips) stopped the timer of the idle connection.
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
            *(f"{name.decode()}: {value.decode()}" for name, value in SAFE_HEADERS),
            "connection: close",
        ]
        self.transport.write("\r\n".join([*head, "", ""]).encode("ascii") + body)
        self.transport.close()

    def on_message_begin(self) -> None:
        self._deadline.cancel()
        self._expect_head()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            super().on_header(name, value)
        else:
            # A trailer: uvicorn would add it to the headers, whose checks are over.
            self.cycle.disconnected = True
            self.transport.close()

    def on_body(self, body: bytes) -> None:
        self._body_grew, self._bodiless_bytes = True, 0
        super().on_body(body)

    def on_response_complete(self) -> None:
        # With a request waiting in line, the one just answered has been read to its end.
        unfinished = not self.pipeline and self.cycle.more_body
        super().on_response_complete()
        if unfinished and not self.transport.is_closing():
            # Not closed at once: with bytes unread that is a reset, which can take the answer away from the client.
            if self.transport.can_write_eof():
                self.transport.write_eof()
            self._ending = self.loop.call_later(_LINGER_SECONDS, self.transport.close)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._deadline.cancel()
        super().on_headers_complete()

    def _expect_head(self) -> None:
        self._in_head, self._bodiless_bytes = True, 0
        self._deadline = self.loop.call_later(_HEAD_SECONDS, self._too_slow)

    def _too_slow(self) -> None:
        if self._in_head:
            self.transport.close()
