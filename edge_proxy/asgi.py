"""One HTTP request and its answer, straight on ASGI."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from edge_proxy.buckets import network_of
from edge_proxy.errors import (
    BadBody,
    BadRequest,
    BodyTimeout,
    Header,
    HeadersTooLarge,
    ProxyError,
    TooLarge,
    UnsupportedMedia,
)
from edge_proxy.limits import Limits
from edge_proxy.strict_json import NotStrict, strict_object

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_JSON_TYPES = frozenset({b"application/json", b"application/json;charset=utf-8"})
JSON: Header = (b"content-type", b"application/json")
SAFE_HEADERS: list[Header] = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-site"),
]

# One: more threads would only take more of the interpreter's time from the requests that are being served.
_DECODER = ThreadPoolExecutor(1, thread_name_prefix="json")


class ClientGone(Exception):
    """The client closed the connection; there is nobody to answer."""


@dataclass
class Request:
    """What the client sent. `log` collects the facts of the access log; nothing else is ever logged."""

    scope: Scope
    receive: Receive
    request_id: str = field(default_factory=lambda: secrets.token_hex(16))
    log: dict[str, Any] = field(default_factory=dict)
    org: str = ""
    """The organization it counts for, once that is known to be one of the person's."""
    payers: dict[str, str] = field(default_factory=dict)
    """Who is charged for its bytes: "user" and "org"."""
    bytes_in: int = 0
    bytes_out: int = 0
    members: dict[str, Any] = field(default_factory=dict)
    """The members of its JSON body, once that is read."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What the agent tells of its answer beside the answer itself; see `agent_mount`."""
    held: ExitStack = field(default_factory=ExitStack)
    """The places it takes up, given back when it has been served."""

    def __post_init__(self) -> None:
        self.method: str = self.scope["method"]
        # The path as sent: a decoded one hides %2f and %2e (R84).
        self.path: str = self.scope["raw_path"].decode("latin-1")
        self.query: str = self.scope["query_string"].decode("latin-1")
        client = self.scope.get("client")
        self.network: str = network_of(client[0]) if client else "unknown"
        self._headers: dict[bytes, list[bytes]] = {}
        for name, value in self.scope["headers"]:
            self._headers.setdefault(name, []).append(value)

    def values(self, name: bytes) -> list[bytes]:
        return self._headers.get(name, [])

    def only(self, name: bytes) -> bytes | None:
        """Return the header's value if it was sent exactly once."""
        values = self.values(name)
        return values[0] if len(values) == 1 else None

    def check_headers(self, limits: Limits) -> None:
        """Raises: HeadersTooLarge, BadRequest (two ways to tell where the body ends, R87)."""
        headers = self.scope["headers"]
        if len(headers) > limits.header_count or sum(len(n) + len(v) for n, v in headers) > limits.header_bytes:
            raise HeadersTooLarge
        lengths = self.values(b"content-length")
        if len(lengths) > 1 or (lengths and self.values(b"transfer-encoding")):
            raise BadRequest("body_length")

    async def body(self, max_bytes: int, seconds: float) -> bytes:
        """Return the whole body. Raises: TooLarge, BodyTimeout, ClientGone."""
        declared = self.only(b"content-length")
        if declared is not None and int(declared) > max_bytes:
            raise TooLarge
        chunks: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(seconds):
                while True:
                    message = await self.receive()
                    if message["type"] == "http.disconnect":
                        raise ClientGone
                    chunk = message.get("body", b"")
                    size += len(chunk)
                    self.bytes_in += len(chunk)
                    if size > max_bytes:
                        raise TooLarge
                    chunks.append(chunk)
                    if not message.get("more_body"):
                        return b"".join(chunks)
        except TimeoutError as err:
            raise BodyTimeout from err

    async def json_body(
        self,
        limits: Limits,
        *,
        max_bytes: int | None = None,
        containers: int | None = None,
        may_be_empty: bool = False,
    ) -> bytes:
        """Return the body's bytes once they are known to be one strict JSON object.

        Raises: BadBody, UnsupportedMedia and those of `body`.
        """
        data = await self.body(max_bytes or limits.body_bytes, limits.body_seconds)
        if may_be_empty and not data:
            return data
        kind = self.only(b"content-type") or b""
        if kind.lower().replace(b" ", b"") not in _JSON_TYPES or self.values(b"content-encoding"):
            raise UnsupportedMedia
        decode = partial(
            strict_object, data, depth=limits.json_depth, containers=containers or limits.json_containers
        )
        try:
            if len(data) <= limits.json_inline_bytes:
                self.members = decode()
            else:
                self.members = await asyncio.get_running_loop().run_in_executor(_DECODER, decode)
        except NotStrict as err:
            raise BadBody(str(err)) from err
        return data


@dataclass
class Reply:
    """A whole answer; `headers` holds only what is not on every answer."""

    status: int
    body: bytes = b""
    headers: list[Header] = field(default_factory=lambda: [JSON])

    async def send(self, send: Send) -> None:
        length = [(b"content-length", str(len(self.body)).encode("ascii"))] if self.status != 204 else []
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers + length})
        await send({"type": "http.response.body", "body": self.body})


def error_body(error: ProxyError, request_id: str, *, openai: bool = False) -> bytes:
    """Return the one JSON shape of errors; with `openai` also the member that OpenAI clients read."""
    body = error.body(request_id)
    if openai:
        kind = "invalid_request_error" if error.status < 500 else "server_error"
        body["error"] = {"message": body["message"], "type": kind, "code": body["code"], "param": None}
    return json.dumps(body).encode()


def error_reply(error: ProxyError, request_id: str, *, openai: bool = False) -> Reply:
    """Return the answer that an error is; with `openai` in the shape of /v1 too."""
    return Reply(error.status, error_body(error, request_id, openai=openai), [JSON, *error.headers()])
