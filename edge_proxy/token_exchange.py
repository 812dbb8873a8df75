"""An API token becomes a short access token of its owner, in this process's memory and nowhere else.

The refresh token in the box is used again and again. Supabase Auth allows that for the one before the newest of a session,
whose client may never have received the answer: it returns the newest again. Nobody ever uses the newest, so that stays so.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from edge_proxy.auth_client import AuthClient
from edge_proxy.errors import InvalidApiToken, NotConfirmed
from edge_proxy.limiter import Meter
from edge_proxy.limits import Limits
from edge_proxy.token_box import TokenKeys, digest
from edge_proxy.tokens import Identity, Verifier

Ask = Callable[[str, dict[str, Any], Identity, str], Awaitable[Any]]


@dataclass(frozen=True)
class _Held:
    access_token: str = field(repr=False)
    until: float


class TokenExchange:
    """Keeps access tokens by the hash of the API token they came for; whoever has no such token reaches none of them."""

    def __init__(
        self,
        keys: TokenKeys | None,
        auth: AuthClient,
        verifier: Verifier,
        ask: Ask,
        limits: Limits,
        exchanges: Meter,
        clock: Callable[[], float],
    ) -> None:
        self._keys, self._auth, self._verifier, self._ask = keys, auth, verifier, ask
        self._limits, self._exchanges, self._clock = limits, exchanges, clock
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._flights: dict[str, asyncio.Task[str]] = {}

    async def identify(self, token: str, request_id: str) -> Identity:
        """Return whom the API token stands for; his access token is in it. Raises: InvalidApiToken, ProxyError."""
        return await self._verifier.identify(await self._access_token(token, request_id))

    async def _access_token(self, token: str, request_id: str) -> str:
        key = digest(token)
        held = self._held.get(key)
        if held is not None and self._clock() < held.until:
            self._held.move_to_end(key)
            return held.access_token
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.create_task(self._exchange(token, key, request_id))
            self._flights[key] = flight
            flight.add_done_callback(lambda done: self._landed(key, done))
        # shield: one client that hangs up must not cancel the exchange of the others.
        return await asyncio.shield(flight)

    def _landed(self, key: str, flight: asyncio.Task[str]) -> None:
        del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # everybody who waited may have gone

    async def _exchange(self, token: str, key: str, request_id: str) -> str:
        self._held.pop(key, None)
        if self._keys is None:
            raise InvalidApiToken("no_keys")
        box = self._keys.open(token)
        # After the box: a stranger's inventions take no place among the counters.
        await self._exchanges.spend(key)
        try:
            session = await self._auth.refresh(box.refresh_token, request_id)
        except NotConfirmed as err:
            raise InvalidApiToken("refresh") from err
        identity = await self._verifier.identify(session.access_token)
        # The database knows this session as the one of this very token, or nothing is done with it: on its own the
        # session could do whatever its person can.
        known = await self._ask("touch_api_token", {"token_sha256": key}, identity, request_id)
        if known is not True:
            raise InvalidApiToken("unknown")
        left = identity.expires_at - self._clock()
        until = identity.expires_at - min(self._limits.api_token_margin_seconds, left / 2)
        self._held[key] = _Held(session.access_token, until)
        if len(self._held) > self._limits.api_tokens:
            self._held.popitem(last=False)
        return session.access_token
