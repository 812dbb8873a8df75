"""What the proxy tests are made of: a signing key, a clock, an upstream that records, and a raw ASGI call."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

ISSUER = "https://project.example/auth/v1"
PUBLISHABLE_KEY = "sb_publishable_testtesttest"
USER = "0f8fad5b-d9cb-469f-a165-70867728950e"
OTHER_USER = "16fd2706-8baf-433b-82eb-8c7fada847da"
SESSION = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
NOW = 1_800_000_000.0
FUNCTIONS = ("tool_catalog", "whoami", "search_documents", "create_ticket")


class Clock:
    """The time of day and the time that passes, both moved by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of a good token; a value of `...` removes the claim."""
    good = {
        "iss": ISSUER,
        "aud": "authenticated",
        "exp": int(NOW) + 3600,
        "iat": int(NOW),
        "sub": USER,
        "role": "authenticated",
        "aal": "aal1",
        "session_id": SESSION,
        "email": "owner@acme.test",
        "phone": "",
        "is_anonymous": False,
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not ...}


@dataclass
class SigningKey:
    kid: str
    private: ec.EllipticCurvePrivateKey

    @classmethod
    def generate(cls, kid: str) -> SigningKey:
        return cls(kid, ec.generate_private_key(ec.SECP256R1()))

    def sign(self, data: bytes) -> bytes:
        r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def compact(self, header: bytes, payload: bytes) -> str:
        """Return a well signed token of exactly these bytes, however odd they are."""
        text = f"{b64(header)}.{b64(payload)}"
        return f"{text}.{b64(self.sign(text.encode()))}"

    def token(self, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """Return a good token but for the changes; `header` members replace, `...` removes."""
        head = {"alg": "ES256", "kid": self.kid, "typ": "JWT", **(header or {})}
        head = {name: value for name, value in head.items() if value is not ...}
        return self.compact(json.dumps(head).encode(), json.dumps(claims(**changes)).encode())

    def jwk(self, **changes: Any) -> dict[str, Any]:
        numbers = self.private.public_key().public_numbers()
        public = {
            "kty": "EC",
            "crv": "P-256",
            "kid": self.kid,
            "alg": "ES256",
            "use": "sig",
            "key_ops": ["verify"],
            "x": b64(numbers.x.to_bytes(32, "big")),
            "y": b64(numbers.y.to_bytes(32, "big")),
        }
        return {name: value for name, value in {**public, **changes}.items() if value is not ...}


def jwks(*members: Any) -> bytes:
    return json.dumps({"keys": list(members)}).encode()


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
    return Answer(status, json.dumps({"code": code, "message": message, "details": None, "hint": None, **more}).encode())


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

        self.overrides: dict[str, Any] = {}
        """ASGI apps that answer a path in their own way."""

    @property
    def function_calls(self) -> list[Call]:
        """The calls that reached a database function, without the edge's own reading of the catalog."""
        return [call for call in self.calls if call.path.startswith("/rest/") and not call.path.endswith("/tool_catalog")]

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
        self.bodies.append((await receive())["body"])
        if self.reply is not None:
            await self.reply(receive, send)
            return
        headers = [(b"content-type", b"application/json"), (b"set-cookie", b"a=b"), (b"server", b"agent")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"object":"list"}'})


@dataclass
class Got:
    """One answer of the edge."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key == name]
        assert len(values) <= 1, f"{name} was sent twice"
        return values[0] if values else None


HeaderList = list[tuple[str, str]]


async def call(
    app: Any,
    path: str = "/rest/v1/rpc/whoami",
    *,
    method: str = "POST",
    token: str | None = None,
    headers: HeaderList | None = None,
    body: bytes | list[bytes] = b"{}",
    query: str = "",
    address: str = "192.0.2.1",
) -> Got:
    """Send one request to the app exactly as given and return the answer. `path` is the raw one."""
    sent: HeaderList = [("content-type", "application/json")] if headers is None else list(headers)
    if token is not None:
        sent.append(("authorization", f"Bearer {token}"))
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent],
        "client": (address, 40000),
        "http_version": "1.1",
    }
    pieces = list(body) if isinstance(body, list) else [body]
    got = Got()

    async def receive() -> dict[str, Any]:
        if pieces:
            return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}
        await asyncio.sleep(3600)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            assert got.status == 0, "two answers to one request"
            got.status = message["status"]
            got.headers = [(name.decode(), value.decode("latin-1")) for name, value in message["headers"]]
        else:
            got.body += message.get("body", b"")

    await app(scope, receive, send)
    return got


def assert_error(got: Got, status: int, code: str, **more: Any) -> None:
    """Assert the one shape of errors: the three members (and `more`), the safe headers, nothing of the inside (R90)."""
    assert (got.status, got.json["code"]) == (status, code), got.body
    assert got.json.keys() == {"code", "message", "request_id", *more}, got.body
    assert got.json["message"] and got.json["request_id"] == got.header("x-request-id")
    assert got.header("content-type") == "application/json"
    assert got.header("cache-control") == "no-store" and got.header("x-content-type-options") == "nosniff"
    if status == 401:
        assert (got.header("www-authenticate") or "").startswith('Bearer error="invalid_token", error_description="')
