"""One kept-alive HTTP/1.1 connection to upstream, on the event loop of the edge; what arrives is read by httptools, uvicorn's parser.

Strict: one framing, one answer to one question. Whatever does not fit ends the connection, so that nothing that was sent for one
person is ever taken for the answer to the next (R93).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httptools

from edge_proxy.errors import ProxyError, ResponseTooLarge, UpstreamFailed, UpstreamTimeout
from edge_proxy.limits import Limits

_HEAD_BYTES = Limits.upstream_head_bytes
_NO_BODY = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class UpstreamReply:
    """One whole answer; header names are lower case, the first value of each."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection(asyncio.Protocol):
    """Asked once at a time. `reusable`: the last answer ended where it said, and the server keeps the connection."""

    def __init__(self, read_seconds: float) -> None:
        self._read_seconds = read_seconds
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[UpstreamReply] | None = None
        self.reusable = False
        self.idle_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def ask(self, wire: bytes, most: int, deadline: float) -> asyncio.Future[UpstreamReply]:
        """Send a request and return its answer to be; `most` bytes of body, all of it by `deadline` of the loop's clock.

        Raises, when awaited: UpstreamTimeout, UpstreamFailed, ResponseTooLarge. Who cancels it closes the connection.
        """
        self.reusable, self._most, self._deadline = False, most, deadline
        self._headers: dict[str, str] = {}
        self._chunks: list[bytes] = []
        self._size = self._arrived = self._status = 0
        self._kept = self._whole = self._surplus = False
        self._parser = httptools.HttpResponseParser(self)
        answer = self._answer = self._loop.create_future()
        self._heard_at = self._loop.time()
        self._timer = self._loop.call_at(min(deadline, self._heard_at + self._read_seconds), self._look_at_the_clock)
        self._transport.write(wire)
        return answer

    def is_open(self) -> bool:
        return not self._transport.is_closing()

    def close(self) -> None:
        self._end(UpstreamFailed("connection"))

    def data_received(self, data: bytes) -> None:
        if self._answer is None:
            # Nothing was asked: whatever this is, it is nobody's answer.
            self._transport.abort()
            return
        self._heard_at = self._loop.time()
        self._arrived += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            if not self._whole:
                self._end(UpstreamFailed("connection"))
                return
            self._surplus = True
        if self._whole:
            self._give()
        elif self._arrived - self._size > _HEAD_BYTES + self._size:
            # A head, or framing around the body, without end.
            self._end(UpstreamFailed("connection"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(UpstreamFailed("connection"))

    def on_message_begin(self) -> None:
        self._surplus = self._whole

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._whole:
            self._headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))

    def on_headers_complete(self) -> None:
        if self._whole:
            return
        self._status = self._parser.get_status_code()
        coding, length = self._headers.get("transfer-encoding"), self._headers.get("content-length")
        # An answer that ends with the connection is the same as one that was cut off.
        framed = coding.lower() == "chunked" and length is None if coding is not None else length is not None
        if not framed and self._status >= 200 and self._status not in _NO_BODY:
            self._end(UpstreamFailed("connection"))

    def on_body(self, body: bytes) -> None:
        if self._answer is None or self._whole:
            return
        self._size += len(body)
        if self._size > self._most:
            self._end(ResponseTooLarge("response_bytes"))
        else:
            self._chunks.append(body)

    def on_message_complete(self) -> None:
        if self._status >= 200:
            # Asked now: once the parser is ready for another answer it has forgotten.
            self._whole, self._kept = True, self._parser.should_keep_alive()
        else:
            # 1xx: news on the way, not the answer.
            self._headers = {}

    def _give(self) -> None:
        answer, self._answer = self._answer, None
        reply = UpstreamReply(self._status, self._headers, b"".join(self._chunks))
        # While the connection waits for the next person's request, nothing of this one's stays on it.
        self._headers, self._chunks = {}, []
        self._timer.cancel()
        self.reusable = self._kept and not self._surplus and self.is_open()
        if answer is not None and not answer.done():
            answer.set_result(reply)

    def _end(self, error: ProxyError) -> None:
        answer, self._answer = self._answer, None
        self.reusable = False
        self._transport.abort()
        if answer is not None:
            self._timer.cancel()
            if not answer.done():
                answer.set_exception(error)

    def _look_at_the_clock(self) -> None:
        now, silent = self._loop.time(), self._heard_at + self._read_seconds
        if now >= min(self._deadline, silent):
            self._end(UpstreamTimeout("upstream_timeout"))
        else:
            self._timer = self._loop.call_at(min(self._deadline, silent), self._look_at_the_clock)
