"""The issuer's public keys, cached: fetched from one configured URL, by nothing a token says (R65, R76 to R79)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from edge_proxy.config import Config
from edge_proxy.errors import KeysUnavailable, ProxyError
from edge_proxy.jws import Key, key_set
from edge_proxy.upstream import Upstream


class KeyCache:
    """Holds the last good key set.

    Fresh for `jwks_ttl_seconds`; after that each request waits for one shared fetch. While fetches fail, the last good
    set serves until `jwks_max_age_seconds`, then nothing does: KeysUnavailable.
    """

    def __init__(
        self,
        config: Config,
        upstream: Upstream,
        monotonic: Callable[[], float],
        on_fetch: Callable[[str], None],
    ) -> None:
        self._config, self._limits = config, config.limits
        self._upstream, self._monotonic, self._on_fetch = upstream, monotonic, on_fetch
        self._keys: dict[str, Key] = {}
        self._document = b""
        self._good_at: float | None = None
        self._tried_at: float | None = None
        self._flight: asyncio.Task[None] | None = None
        self.generation = 0
        """Grows with each change of the key set."""

    async def warm(self) -> None:
        """Fetch once before the first request; if that fails, the first request tries again."""
        await self._refresh()

    async def ensure_fresh(self) -> None:
        """Return when the set may be used. Raises: KeysUnavailable."""
        if self._age() < self._limits.jwks_ttl_seconds:
            return
        await self._refresh()
        if self._age() >= self._limits.jwks_max_age_seconds:
            raise KeysUnavailable("no_good_set")

    async def find(self, kid: str) -> Key | None:
        """Return the key of that id, after at most one fetch in `jwks_refresh_seconds` for ids not seen before."""
        await self.ensure_fresh()
        key = self._keys.get(kid)
        if key is None:
            await self._refresh()
            key = self._keys.get(kid)
        return key

    def purge(self) -> None:
        """Forget every key at once: a revoked key stops here, and the next request fetches."""
        self._keys, self._document, self._good_at, self._tried_at, self._flight = {}, b"", None, None, None
        self.generation += 1

    def _age(self) -> float:
        return float("inf") if self._good_at is None else self._monotonic() - self._good_at

    async def _refresh(self) -> None:
        """Fetch unless one was tried just now; everyone who asks meanwhile waits for the same fetch."""
        await self._refresh_once()
        if self._good_at is None:
            # A purge while we waited made that fetch worthless: nobody is turned away for it.
            await self._refresh_once()

    async def _refresh_once(self) -> None:
        if self._flight is None:
            usable = self._age() < self._limits.jwks_max_age_seconds
            pause = self._limits.jwks_refresh_seconds if usable else self._limits.jwks_first_seconds
            if self._tried_at is not None and self._monotonic() - self._tried_at < pause:
                return
            self._tried_at = self._monotonic()
            self._flight = asyncio.create_task(self._fetch())
        # shield: one client that hangs up must not cancel the fetch of the others.
        await asyncio.shield(self._flight)

    async def _fetch(self) -> None:
        """Replace the set if the answer is good; keep it otherwise."""
        generation = self.generation
        outcome = "failed"
        try:
            reply = await self._upstream.request(
                "GET",
                self._config.jwks_url,
                {"accept": "application/json"},
                total_seconds=self._limits.jwks_fetch_seconds,
                max_bytes=self._limits.jwks_bytes,
            )
            if reply.status != 200:
                return
            keys = key_set(reply.body, self._config.algorithms, max_keys=self._limits.jwks_keys)
            # A purge during the fetch wins: the answer may be older than the revocation.
            if generation != self.generation:
                return
            if reply.body != self._document:
                self._keys, self._document = keys, reply.body
                self.generation += 1
            self._good_at = self._monotonic()
            outcome = "ok"
        except (ProxyError, ValueError):
            return
        finally:
            if self._flight is asyncio.current_task():
                self._flight = None
            self._on_fetch(outcome)
