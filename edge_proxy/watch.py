"""Open answers of the agent end when the right behind them ends: asked of the database, as the person, while they are open (F04).

One question in a moment for each session with an open answer, however many it has open. The bots that the person may run say
it all: a session that was signed out or revoked, a ban, a lost membership, role or share each make the answer of `list_bots`
a refusal or shorter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from edge_proxy.database_errors import DatabaseRefused
from edge_proxy.errors import InvalidToken, NotFound, ProxyError, UpstreamFailed
from edge_proxy.limits import Limits
from edge_proxy.tokens import Identity

BOTS = "list_bots"
MOST_BOTS = 1000
"""It answers with no more: for who may run that many, only the session is watched."""
Ask = Callable[[str, dict[str, Any], Identity, str], Awaitable[Any]]


@dataclass(eq=False, slots=True)
class Open:
    """One open answer. `bot`: by `organization/bot`, or empty where none is asked; `lost`: why it has to end."""

    bot: str
    lost: asyncio.Future[ProxyError]


class _Session:
    """Asks for one session while it has an answer open."""

    def __init__(self, ask: Ask, limits: Limits, identity: Identity, request_id: str) -> None:
        self._ask, self._limits, self._identity, self._request_id = ask, limits, identity, request_id
        self.open: set[Open] = set()
        self.task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        good_at = loop.time()
        while True:
            await asyncio.sleep(self._limits.stream_check_seconds)
            try:
                answer = await self._ask(BOTS, {}, self._identity, self._request_id)
                bots = runnable(answer)
            except DatabaseRefused as err:
                # The same code as the agent gives when its own next call is refused.
                self._end(InvalidToken(err.code) if err.status == 401 else err, everything=True)
            except ProxyError as err:
                # No answer is no refusal yet; but what cannot be checked for long is not let on.
                if loop.time() - good_at >= self._limits.stream_unchecked_seconds:
                    self._end(err, everything=True)
            else:
                good_at = loop.time()
                if len(answer) < MOST_BOTS:
                    self._end(NotFound("bot"), but=bots)

    def _end(self, error: ProxyError, *, but: frozenset[str] = frozenset(), everything: bool = False) -> None:
        for one in self.open:
            if not one.lost.done() and (everything or (one.bot and one.bot not in but)):
                one.lost.set_result(error)


def runnable(answer: Any) -> frozenset[str]:
    """Return the names of the bots, each as `organization/bot` by slugs and by ids. Raises: UpstreamFailed."""
    try:
        return frozenset(
            name
            for row in answer
            for name in (f"{row[org]}/{row[bot]}" for org in ("organization", "org_id") for bot in ("bot", "id"))
        )
    except (KeyError, TypeError) as err:
        raise UpstreamFailed("list_bots_shape") from err


class Watch:
    def __init__(self, ask: Ask, limits: Limits) -> None:
        self._ask, self._limits = ask, limits
        self._sessions: dict[str, _Session] = {}

    @contextmanager
    def over(self, identity: Identity, bot: str, request_id: str) -> Iterator[asyncio.Future[ProxyError]]:
        """Watch for the block; the future is done when the answer has to end, with the reason."""
        # By token, not by session: each has an expiry of its own.
        session = self._sessions.get(identity.token)
        if session is None:
            session = self._sessions[identity.token] = _Session(self._ask, self._limits, identity, request_id)
        one = Open(bot.lower(), asyncio.get_running_loop().create_future())
        session.open.add(one)
        try:
            yield one.lost
        finally:
            session.open.discard(one)
            if not session.open:
                del self._sessions[identity.token]
                session.task.cancel()
