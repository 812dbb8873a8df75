"""/auth/v1/*: the user-facing endpoints of Supabase Auth, by list; bodies and errors keep Supabase Auth's own shape."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from edge_proxy.asgi import JSON, Reply, Request
from edge_proxy.config import Config
from edge_proxy.errors import BadBody, Header, MethodNotAllowed, NotFound, QueryRefused, UpstreamFailed
from edge_proxy.limiter import Meter
from edge_proxy.tokens import Identity
from edge_proxy.upstream import Upstream, UpstreamReply

PREFIX = "/auth/v1/"
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_GRANTS = frozenset({"password", "refresh_token", "pkce"})
_API_VERSION = re.compile(rb"\d{4}-\d{2}-\d{2}\Z")
_ACCOUNT_MEMBERS = frozenset({"email", "phone"})
_REDIRECTS = frozenset({302, 303})
_RELAYED = {
    "x-supabase-api-version": re.compile(r"\d{4}-\d{2}-\d{2}\Z"),
    "retry-after": re.compile(r"\d{1,6}\Z"),
}


@dataclass(frozen=True)
class Endpoint:
    """One method on one path. `as_user`: the verified token travels along; everywhere else none does."""

    method: str
    path: re.Pattern[str]
    query: frozenset[str] = frozenset()
    as_user: bool = False
    redirects: bool = False


def _endpoint(method: str, path: str, *query: str, as_user: bool = False, redirects: bool = False) -> Endpoint:
    return Endpoint(method, re.compile(path + r"\Z"), frozenset(query), as_user, redirects)


ENDPOINTS = (
    _endpoint("GET", "health"),
    _endpoint("GET", "settings"),
    _endpoint("GET", r"\.well-known/jwks\.json"),
    _endpoint("POST", "signup", "redirect_to"),
    _endpoint("POST", "token", "grant_type"),
    _endpoint("POST", "recover", "redirect_to"),
    _endpoint("POST", "resend", "redirect_to"),
    _endpoint("POST", "otp", "redirect_to"),
    _endpoint("POST", "magiclink", "redirect_to"),
    _endpoint("POST", "verify"),
    # The link in an e-mail: its answer is a redirect to the app, which the *browser* follows.
    _endpoint("GET", "verify", "token", "token_hash", "type", "redirect_to", redirects=True),
    _endpoint("GET", "user", as_user=True),
    _endpoint("PUT", "user", "redirect_to", as_user=True),
    _endpoint("GET", "reauthenticate", as_user=True),
    _endpoint("POST", "logout", "scope", as_user=True),
    _endpoint("POST", "factors", as_user=True),
    _endpoint("DELETE", f"factors/{_UUID}", as_user=True),
    _endpoint("POST", f"factors/{_UUID}/(?:challenge|verify)", as_user=True),
)


def find_endpoint(method: str, path: str) -> Endpoint:
    """Return the endpoint of a path below /auth/v1/. Raises: NotFound, MethodNotAllowed."""
    matching = [endpoint for endpoint in ENDPOINTS if endpoint.path.match(path)]
    if not matching:
        raise NotFound
    for endpoint in matching:
        if endpoint.method == method:
            return endpoint
    raise MethodNotAllowed(*sorted(endpoint.method for endpoint in matching))


def _check_query(endpoint: Endpoint, query: str) -> None:
    """Raises: QueryRefused for an unknown, repeated or malformed parameter, and for another grant."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True, errors="strict") if query else []
    except ValueError as err:
        raise QueryRefused from err
    given = dict(pairs)
    if len(given) != len(pairs) or not given.keys() <= endpoint.query:
        raise QueryRefused
    if "grant_type" in endpoint.query and given.get("grant_type") not in _GRANTS:
        raise QueryRefused("grant_type")


def _is_password(query: str) -> bool:
    return dict(parse_qsl(query)).get("grant_type") == "password"


def _account(body: bytes) -> str | None:
    """Return a digest of the account that a sign-in with a password names. Raises: BadBody.

    Supabase Auth reads member names in any case, and the last one wins: with two accounts in one body, one of them would
    go uncounted.
    """
    named = {
        str(value).strip().lower()
        for name, value in json.loads(body).items()
        if name.lower() in _ACCOUNT_MEMBERS and isinstance(value, str) and value
    }
    if len(named) > 1:
        raise BadBody("two accounts")
    # A digest, for a fixed size: what a stranger sends stays in memory for a while.
    return next((hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest() for name in named), None)


class AuthPassThrough:
    """Forwards a listed endpoint to Supabase Auth with headers built from nothing."""

    def __init__(self, config: Config, upstream: Upstream, passwords: Meter) -> None:
        self._config, self._upstream, self._passwords = config, upstream, passwords

    async def call(self, request: Request, identify: Callable[[], Awaitable[Identity]]) -> Reply:
        """Return Supabase Auth's answer; `identify` is asked only where a user's token belongs.

        Clients that are signed out send the publishable key as a Bearer token: elsewhere it is dropped, unread.
        """
        path = request.path.removeprefix(PREFIX)
        endpoint = find_endpoint(request.method, path)
        _check_query(endpoint, request.query)
        headers = {
            "apikey": self._config.publishable_key,
            "accept": "application/json",
            "x-request-id": request.request_id,
        }
        if endpoint.as_user:
            identity = await identify()
            headers["authorization"] = f"Bearer {identity.token}"
        body: bytes | None = None
        if request.method in ("POST", "PUT"):
            limits = self._config.limits
            body = await request.json_body(
                limits, max_bytes=limits.auth_body_bytes, containers=limits.auth_json_containers, may_be_empty=True
            )
            headers["content-type"] = "application/json"
        version = request.only(b"x-supabase-api-version")
        if version is not None and _API_VERSION.match(version):
            headers["x-supabase-api-version"] = version.decode("ascii")
        url = f"{self._config.auth_url}/{path}" + (f"?{request.query}" if request.query else "")
        account = _account(body) if path == "token" and body and _is_password(request.query) else None
        if account is not None:
            await self._passwords.spend(account)
        reply = await self._upstream.request(request.method, url, headers, body)
        if account is not None and reply.status == 200:
            await self._passwords.refund(account)
        return _reply(endpoint, reply)


def _reply(endpoint: Endpoint, reply: UpstreamReply) -> Reply:
    """Return what may be relayed. Raises: UpstreamFailed."""
    headers: list[Header] = [
        (name.encode(), reply.headers[name].encode())
        for name, shape in _RELAYED.items()
        if shape.match(reply.headers.get(name, ""))
    ]
    if endpoint.redirects and reply.status in _REDIRECTS:
        target = reply.headers.get("location", "")
        if not target.isascii() or not target.isprintable():
            raise UpstreamFailed("location")
        return Reply(reply.status, headers=[*headers, (b"location", target.encode("ascii"))])
    if reply.status == 204 or (200 <= reply.status < 300 and not reply.body):
        return Reply(reply.status, headers=headers)
    kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not (200 <= reply.status < 300 or 400 <= reply.status < 600) or kind not in (
        "application/json",
        "application/jwk-set+json",
    ):
        raise UpstreamFailed("not_an_answer")
    return Reply(reply.status, reply.body, [JSON, *headers])
