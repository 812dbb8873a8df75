"""POST /rest/v1/rpc/<name>: the only door to the database's functions.

The request that leaves is built from nothing; of the client's headers only one choice survives, whether the answer is
an object or a list (R83).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from edge_proxy.asgi import Reply, Request
from edge_proxy.catalog import CATALOG, Allowlist
from edge_proxy.config import Config
from edge_proxy.database_errors import DatabaseRefused, database_error
from edge_proxy.denials import Denials
from edge_proxy.errors import MethodNotAllowed, NotFound, QueryRefused, UpstreamFailed
from edge_proxy.places import Lines
from edge_proxy.tokens import Identity
from edge_proxy.tracing import Tracing
from edge_proxy.upstream import Upstream, UpstreamReply

PREFIX = "/rest/v1/"
_PATH = re.compile(r"/rest/v1/rpc/([a-z_][a-z0-9_]{0,62})\Z")
_JSON = "application/json"
_OBJECT = "application/vnd.pgrst.object+json"
_STATUSES = frozenset({200, 201, 204})


def rpc_name(request: Request) -> str:
    """Return the function that the request names. Raises: NotFound, MethodNotAllowed, QueryRefused."""
    match = _PATH.match(request.path)
    if match is None:
        raise NotFound
    if request.method != "POST":
        raise MethodNotAllowed("POST")
    if request.query:
        raise QueryRefused
    return match[1]


def outgoing_headers(config: Config, identity: Identity, request_id: str, accept: str = _JSON) -> dict[str, str]:
    """Return the whole header set of a database call."""
    return {
        "apikey": config.publishable_key,
        "authorization": f"Bearer {identity.token}",
        "content-type": _JSON,
        "accept": accept,
        "content-profile": "api",
        "prefer": "handling=strict",
        "x-request-id": request_id,
    }


class Forwarder:
    """Sends calls to PostgREST, each exactly once."""

    def __init__(self, config: Config, upstream: Upstream, allowlist: Allowlist, traces: Tracing, unrecorded: Callable[[], None]) -> None:
        self._config, self._upstream, self._allowlist, self._traces = config, upstream, allowlist, traces
        limits = config.limits
        self._lines = Lines("database_calls", limits.user_database_calls, limits.database_wait_seconds)
        self._denials = Denials(self.ask_at_once, unrecorded)

    async def call(self, request: Request, name: str, identity: Identity, body: bytes) -> Reply:
        """Return the function's answer. Raises: ProxyError of many kinds; see errors.py."""

        async def read_catalog() -> bytes:
            return (await self._send(CATALOG, b"{}", identity, request.request_id, _JSON)).body

        accept = _OBJECT if request.only(b"accept") == _OBJECT.encode() else _JSON
        # The body is here already: a slow one waits elsewhere.
        async with self._lines.one(identity.user_id):
            await self._allowlist.check(name, read_catalog)
            request.log["rpc"] = name
            return await self._send(name, body, identity, request.request_id, accept)

    async def ask(self, name: str, arguments: dict[str, Any], identity: Identity, request_id: str) -> Any:
        """Return what a function answers to the edge itself, in the name of a person. Raises: ProxyError."""
        async with self._lines.one(identity.user_id):
            return await self.ask_at_once(name, arguments, identity, request_id)

    async def ask_at_once(self, name: str, arguments: dict[str, Any], identity: Identity, request_id: str) -> Any:
        """The same without waiting in line behind the person's own calls. Raises: ProxyError."""
        reply = await self._send(name, json.dumps(arguments).encode(), identity, request_id, _JSON)
        return json.loads(reply.body or b"null")

    async def _send(self, name: str, body: bytes, identity: Identity, request_id: str, accept: str) -> Reply:
        with self._traces.span(f"rpc {name}"):
            headers = outgoing_headers(self._config, identity, request_id, accept) | self._traces.headers()
            reply = await self._upstream.request("POST", f"{self._config.rest_url}/rpc/{name}", headers, body)
            try:
                return self._checked(reply)
            except DatabaseRefused as refused:
                await self._denials.note(name, body, identity, request_id, refused)
                raise

    def _checked(self, reply: UpstreamReply) -> Reply:
        """Return what may be relayed of an answer. Raises: ProxyError."""
        if reply.status >= 400:
            raise database_error(reply.body)
        if reply.status == 204:
            return Reply(204, headers=[])
        kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
        # A redirect, a partial answer or a status that SQL made up is not an answer (R88, R89).
        if reply.status not in _STATUSES or kind not in (_JSON, _OBJECT):
            raise UpstreamFailed("not_an_answer")
        if reply.body[:1] == b"<":
            # A page under a false name; the rest is PostgREST's word.
            raise UpstreamFailed("not_json")
        return Reply(reply.status, reply.body)
