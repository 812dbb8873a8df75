"""What the proxy tests are made of: a signing key and its tokens, a clock, and a raw ASGI call."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

ISSUER = "https://project.example/auth/v1"
PUBLISHABLE_KEY = "sb_publishable_testtesttest"
USER = "0f8fad5b-d9cb-469f-a165-70867728950e"
OTHER_USER = "16fd2706-8baf-433b-82eb-8c7fada847da"
ORG = "2b1e0d52-7c1f-4a0e-9a53-0d9f2a1c7e11"
SESSION = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
NOW = 1_800_000_000.0


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

    def header(self, **changes: Any) -> bytes:
        """Return the header of a good token but for the changes; `...` removes a member."""
        good = {"alg": "ES256", "kid": self.kid, "typ": "JWT", **changes}
        return json.dumps({name: value for name, value in good.items() if value is not ...}).encode()

    def token(self, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """Return a good token but for the changes in its header and its claims."""
        return self.compact(self.header(**(header or {})), json.dumps(claims(**changes)).encode())

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


async def assert_refused(app: Any, upstream: Any, token: str, code: str = "invalid_token") -> None:
    """Assert that the token is a 401 without one call upstream."""
    assert_error(await call(app, token=token), 401, code)
    assert upstream.calls == []
