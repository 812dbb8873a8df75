"""Places for slow work, shared fairly: few at once, and a little more for whoever has waited while others were slow."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Places:
    """`at_once` places, first come first served; whoever waits longer than `patience_s` seconds gets one beyond, up to `most` in all.

    So two whose work takes long hold up a third for `patience_s` and not for as long as they take.
    """

    def __init__(self, at_once: int, most: int, patience_s: float) -> None:
        self._at_once, self._most, self._patience_s = at_once, max(at_once, most), patience_s
        self._busy = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._impatient: set[asyncio.Future[None]] = set()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Wait for a place and hold it."""
        await self._take()
        try:
            yield
        finally:
            self._busy -= 1
            self._give()

    async def _take(self) -> None:
        if self._busy < self._at_once and not self._waiting:
            self._busy += 1
            return
        loop = asyncio.get_running_loop()
        place = loop.create_future()
        self._waiting.append(place)
        timer = loop.call_later(self._patience_s, self._lose_patience, place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                # It came at the same moment: the next one has it.
                self._busy -= 1
                self._give()
            raise
        finally:
            timer.cancel()
            self._impatient.discard(place)
            if place in self._waiting:
                self._waiting.remove(place)

    def _lose_patience(self, place: asyncio.Future[None]) -> None:
        self._impatient.add(place)
        self._give()

    def _give(self) -> None:
        while self._waiting and self._busy < (self._most if self._waiting[0] in self._impatient else self._at_once):
            place = self._waiting.popleft()
            if not place.done():
                self._busy += 1
                place.set_result(None)
