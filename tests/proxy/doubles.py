"""What stands behind the edge in its tests: an upstream and an agent that answer as told and remember what they got."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.proxy.support import ORG, USER, SigningKey, jwks

FUNCTIONS = ("tool_catalog", "whoami", "search_documents", "create_ticket")


@dataclass
class Call:
    """One request as upstream saw it."""

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def names(self) -> dict[str, str]:
        return dict(self.headers)


@dataclass
class Answer:
    """What upstream says; `before` runs first (to hang, to fail, to look)."""

    status: int = 200
    body: bytes | list[bytes] = b"{}"
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    before: Callable[[], Awaitable[None]] | None = None


def error(status: int, code: str, message: str = "a message", **more: Any) -> Answer:
    """Return a PostgREST error answer."""
    return Answer(
        status, json.dumps({"code": code, "message": message, "details": None, "hint": None, **more}).encode()
    )


class RecordingUpstream:
    """PostgREST, Supabase Auth and the JWKS in one ASGI app: answers by path and remembers every call."""

    url = ""

    def __init__(self, key: SigningKey) -> None:
        self.key_fetches = 0
        self.calls: list[Call] = []
        self.answers: dict[str, Answer] = {
            "/auth/v1/.well-known/jwks.json": Answer(body=jwks(key.jwk())),
            "/rest/v1/rpc/tool_catalog": Answer(body=json.dumps([{"name": name} for name in FUNCTIONS]).encode()),
        }

        person = {"user_id": USER, "organizations": [{"id": ORG, "slug": "acme"}]}
        self.answers["/rest/v1/rpc/whoami"] = Answer(body=json.dumps(person).encode())
        self.overrides: dict[str, Any] = {}
        """ASGI apps that answer a path in their own way."""

    @property
    def function_calls(self) -> list[Call]:
        """The calls that reached a database function, without the edge's own reading of the catalog."""
        return [
            call for call in self.calls if call.path.startswith("/rest/") and not call.path.endswith("/tool_catalog")
        ]

    def set_keys(self, *members: Any) -> None:
        self.answers["/auth/v1/.well-known/jwks.json"] = Answer(body=jwks(*members))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        path = scope["raw_path"].decode()
        if path.endswith("/jwks.json"):
            self.key_fetches += 1
        else:
            headers = [(name.decode(), value.decode("latin-1")) for name, value in scope["headers"]]
            self.calls.append(Call(scope["method"], path, scope["query_string"].decode(), headers, body))
        if path in self.overrides:
            await self.overrides[path](scope, receive, send)
            return
        answer = self.answers.get(path, Answer())
        if answer.before is not None:
            await answer.before()
        headers_out = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers_out})
        chunks = answer.body if isinstance(answer.body, list) else [answer.body]
        for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


class Agent:
    """Stands in for the agent: remembers the scopes it got, and answers with what `reply` says."""

    def __init__(self) -> None:
        self.scopes: list[Any] = []
        self.bodies: list[bytes] = []
        self.events: list[str] = []
        self.reply: Callable[[Any, Any], Awaitable[None]] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for event in ("startup", "shutdown"):
                await receive()
                self.events.append(event)
                await send({"type": f"lifespan.{event}.complete"})
            return
        self.scopes.append(scope)
        self.bodies.append((await receive()).get("body", b""))
        if self.reply is not None:
            await self.reply(receive, send)
            return
        headers = [(b"content-type", b"application/json"), (b"set-cookie", b"a=b"), (b"server", b"agent")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"object":"list"}'})
