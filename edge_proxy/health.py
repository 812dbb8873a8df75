"""/healthz: the process answers. /readyz: it can check tokens and reach the database's door."""

from __future__ import annotations

from collections.abc import Callable

from edge_proxy.asgi import Reply, Request, Send
from edge_proxy.config import Config
from edge_proxy.errors import MethodNotAllowed, ProxyError
from edge_proxy.jwks import KeyCache
from edge_proxy.limiter import Limiter
from edge_proxy.upstream import Upstream


class Health:
    def __init__(
        self, config: Config, upstream: Upstream, keys: KeyCache, limiter: Limiter, monotonic: Callable[[], float]
    ) -> None:
        self._config, self._upstream, self._keys, self._monotonic = config, upstream, keys, monotonic
        self._limiter = limiter
        self.stopping = False
        self._checked_at = float("-inf")
        self._failing = ""

    async def alive(self, request: Request, send: Send) -> Reply:
        _only_get(request)
        return Reply(200, b'{"status":"ok"}')

    async def ready(self, request: Request, send: Send) -> Reply:
        """Return 200 or 503 and which part is missing; asked of upstream at most once in a few seconds."""
        _only_get(request)
        if self.stopping:
            return Reply(503, b'{"status":"stopping"}')
        if self._monotonic() - self._checked_at >= self._config.limits.ready_cache_seconds:
            self._checked_at = self._monotonic()
            self._failing = await self._check()
        if self._failing:
            return Reply(503, b'{"status":"not ready","missing":"%s"}' % self._failing.encode())
        return Reply(200, b'{"status":"ready"}')

    async def _check(self) -> str:
        try:
            await self._keys.ensure_fresh()
        except ProxyError:
            return "keys"
        try:
            await self._limiter.check()
        except ProxyError:
            return "counters"
        try:
            # Without a token this is refused or empty: any answer shows that the server is there.
            await self._upstream.request("GET", f"{self._config.rest_url}/", {"apikey": self._config.publishable_key})
        except ProxyError:
            return "rest"
        return ""


def _only_get(request: Request) -> None:
    if request.method not in ("GET", "HEAD"):
        raise MethodNotAllowed("GET", "HEAD")
