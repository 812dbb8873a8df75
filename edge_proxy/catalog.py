"""Which functions exist: the names in `api.tool_catalog()`, read with the token of whoever asks first.

The names are the same for every signed-in user, so they may be shared for a while; a failed read is the error of the
one user it failed for (a revoked session, say) and is never kept.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

from edge_proxy.errors import UnknownRpc, UpstreamFailed
from edge_proxy.limits import Limits

CATALOG = "tool_catalog"


def _names(body: bytes) -> frozenset[str]:
    try:
        entries = json.loads(body)
        return frozenset(entry["name"] for entry in entries if isinstance(entry["name"], str))
    except (ValueError, KeyError, TypeError) as err:
        raise UpstreamFailed("catalog_shape") from err


class Allowlist:
    """The set of callable names, refreshed by time and, rarely, by an unknown name."""

    def __init__(self, limits: Limits, monotonic: Callable[[], float]) -> None:
        self._limits, self._monotonic = limits, monotonic
        self._names: frozenset[str] | None = None
        self._read_at = float("-inf")
        self._lock = asyncio.Lock()

    async def check(self, name: str, read: Callable[[], Awaitable[bytes]]) -> None:
        """Return if `name` may be called; `read` fetches the catalog as this user.

        Raises: UnknownRpc, and whatever `read` raises.
        """
        if name == CATALOG:
            return
        # Others are held back only while there is nothing to go by: otherwise they use the set that is there.
        if self._needs_read(name) and (self._names is None or not self._lock.locked()):
            async with self._lock:
                if self._needs_read(name):
                    self._names = _names(await read())
                    self._read_at = self._monotonic()
        if self._names is None or name not in self._names:
            raise UnknownRpc

    def _needs_read(self, name: str) -> bool:
        if self._names is None:
            return True
        age = self._monotonic() - self._read_at
        known = name in self._names
        return age >= (self._limits.catalog_ttl_seconds if known else self._limits.catalog_refresh_seconds)
