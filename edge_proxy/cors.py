"""Cross-origin calls from browsers: off unless exact origins are configured (R94)."""

from __future__ import annotations

from edge_proxy.asgi import Reply, Request
from edge_proxy.errors import Header, MethodNotAllowed, OriginRefused

_METHODS = b"GET, POST, PUT, DELETE"
# What supabase-js, openai and MCP clients send; everything else in a preflight fails in the browser.
_HEADERS = (
    b"authorization, apikey, content-type, accept, accept-profile, content-profile, prefer, x-client-info, x-retry-count, "
    b"x-supabase-api-version, openai-organization, openai-project, x-stainless-arch, x-stainless-helper-method, x-stainless-lang, "
    b"x-stainless-os, x-stainless-package-version, x-stainless-retry-count, x-stainless-runtime, x-stainless-runtime-version, "
    b"x-stainless-timeout, mcp-protocol-version, mcp-session-id, mcp-method, mcp-name, last-event-id"
)


def cors_headers(request: Request, origins: frozenset[str]) -> list[Header]:
    """Return the headers that let the request's origin read the answer; none for any other origin."""
    if not origins:
        return []
    origin = (request.only(b"origin") or b"").decode("latin-1")
    vary: list[Header] = [(b"vary", b"origin")]
    if origin not in origins:
        return vary
    exposed = (b"access-control-expose-headers", b"x-request-id, retry-after, www-authenticate")
    # No allow-credentials: the token travels in a header that the app sets, never in a cookie.
    return [*vary, (b"access-control-allow-origin", origin.encode("latin-1")), exposed]


def preflight(request: Request, origins: frozenset[str]) -> Reply:
    """Return the answer to OPTIONS. Raises: MethodNotAllowed when this is off, OriginRefused."""
    if not origins or not request.values(b"access-control-request-method"):
        raise MethodNotAllowed("GET", "POST")
    if (request.only(b"origin") or b"").decode("latin-1") not in origins:
        raise OriginRefused
    allowed: list[Header] = [
        (b"access-control-allow-methods", _METHODS),
        (b"access-control-allow-headers", _HEADERS),
        (b"access-control-max-age", b"600"),
    ]
    return Reply(204, headers=allowed)
