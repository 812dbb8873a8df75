"""Which organizations a person belongs to, as the database tells that person; for counting only, never for permission.

A request names its organization in its arguments, and anybody can write anybody's name there. What somebody may do with it
the database decides at every call; but whose counters the call moves the edge decides, and before it: only a member's
calls count for an organization, so that no stranger can use up its rate or learn from a 429 that it exists.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from edge_proxy.errors import UpstreamFailed
from edge_proxy.limits import Limits
from edge_proxy.tokens import Identity

WHOAMI = "whoami"
Ask = Callable[[str, dict[str, Any], Identity, str], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class _Known:
    ids: dict[str, str]
    """Organization id by id and by slug."""
    until: float


def organization_ids(answer: Any) -> dict[str, str]:
    """Return the id by id and by slug from the answer of whoami. Raises: UpstreamFailed."""
    try:
        rows = [(str(row["id"]), str(row["slug"])) for row in answer["organizations"]]
    except (KeyError, TypeError) as err:
        raise UpstreamFailed("whoami_shape") from err
    # A slug is never a uuid, and of two organizations of one slug no guess is made.
    slugs = [slug for _, slug in rows]
    return {slug: key for key, slug in rows if slugs.count(slug) == 1} | {key: key for key, _ in rows}


class Memberships:
    """Remembers the answer per session for `membership_seconds`; bounded, forgetting the one that was asked for longest ago."""

    def __init__(self, ask: Ask, limits: Limits, monotonic: Callable[[], float]) -> None:
        self._ask, self._limits, self._monotonic = ask, limits, monotonic
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._flights: dict[str, asyncio.Task[_Known]] = {}

    async def find(self, named: str, identity: Identity, request_id: str) -> str | None:
        """Return the id of the person's organization of that id or slug, None if it is not theirs. Raises: ProxyError."""
        # By session: one without a second factor sees fewer organizations than another of the same person.
        key = identity.session_id
        known = self._known.get(key)
        if known is None or self._monotonic() >= known.until:
            flight = self._flights.get(key)
            if flight is None:
                flight = self._flights[key] = asyncio.create_task(self._fetch(identity, request_id))
                flight.add_done_callback(lambda done: self._landed(key, done))
            # shield: one client that hangs up must not cancel what the others wait for.
            known = await asyncio.shield(flight)
        self._known.move_to_end(key)
        return known.ids.get(named)

    def _landed(self, key: str, flight: asyncio.Task[_Known]) -> None:
        del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # everybody who waited may have gone

    async def _fetch(self, identity: Identity, request_id: str) -> _Known:
        ids = organization_ids(await self._ask(WHOAMI, {}, identity, request_id))
        known = _Known(ids, self._monotonic() + self._limits.membership_seconds)
        self._known[identity.session_id] = known
        if len(self._known) > self._limits.verdicts:
            self._known.popitem(last=False)
        return known
