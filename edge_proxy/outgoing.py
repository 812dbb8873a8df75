"""The answer of one request on its way out: the headers that every answer has, its status, its size, and its end if it fails."""

from __future__ import annotations

from edge_proxy.asgi import SAFE_HEADERS, Message, Request, Send, error_body, error_reply
from edge_proxy.config import Config
from edge_proxy.cors import cors_headers
from edge_proxy.errors import Header, ProxyError
from edge_proxy.protected_resource import is_mcp, pointing

# Two years. Sent only over TLS: elsewhere browsers have to ignore it.
_HSTS: Header = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")
_CSP = b"content-security-policy"
# Nothing here is a page: whatever a browser is made to show of an answer loads and runs nothing. An answer may say it more exactly.
_NO_PAGE: Header = (_CSP, b"default-src 'none'; frame-ancestors 'none'; sandbox")


class Outgoing:
    """Send for the rest of the edge."""

    def __init__(self, request: Request, send: Send, config: Config, *, openai: bool) -> None:
        """`openai`: errors have the shape of /v1 too."""
        self._request, self._send, self._config, self._openai = request, send, config, openai
        self._headers: list[Header] = [*SAFE_HEADERS, (b"x-request-id", request.request_id.encode())]
        if config.cors_origins:
            self._headers += cors_headers(request, config.cors_origins)
        if request.scope.get("scheme") == "https":
            self._headers.append(_HSTS)
        self.status = 0
        """0 until the answer has begun."""
        self._events = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [*message["headers"], *self._headers]
            if not any(name == _CSP for name, _ in message["headers"]):
                headers.append(_NO_PAGE)
            self._events = (b"content-type", b"text/event-stream") in message["headers"]
            message = {**message, "headers": headers}
        else:
            self._request.bytes_out += len(message.get("body", b""))
        await self._send(message)

    async def fail(self, error: ProxyError) -> None:
        """Answer with the error; in a stream of events that has begun, as its last event, without the mark of a good end.

        Of anything else that has begun nothing is said: the server cuts the connection, and nobody takes a part for the whole.
        """
        if not self.status:
            reply = error_reply(error, self._request.request_id, openai=self._openai)
            if is_mcp(self._request.path):
                reply.headers = pointing(reply.headers, self._config)
            await reply.send(self)
        elif self._events:
            event = b"data: %b\n\n" % error_body(error, self._request.request_id, openai=self._openai)
            await self({"type": "http.response.body", "body": event, "more_body": True})
            await self({"type": "http.response.body", "body": b""})
