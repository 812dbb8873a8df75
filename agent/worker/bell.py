"""Wakes whoever waits when the database says that there is something to look at, and never loses a ring."""

import asyncio
from contextlib import suppress

import psycopg

from agent.worker import log

CHANNEL = "ringfence_jobs"
RETRY_S = 1.0


class Bell:
    """Counts rings: who looked before the latest one looks again at once."""

    def __init__(self) -> None:
        self.rings = 0
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self.rings += 1
        self._rung.set()
        self._rung = asyncio.Event()

    async def wait(self, since: int, timeout_s: float) -> None:
        """Return when it rang after `since` rings, at the latest after so many seconds."""
        if self.rings == since:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._rung.wait(), timeout_s)

    async def listen(self, url: str) -> None:
        """Ring at every notification, for ever; a lost connection is made anew."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(url, autocommit=True, application_name="ringfence listener") as connection:
                    await connection.execute(f"listen {CHANNEL}".encode())
                    self.ring()  # something may have come before we listened
                    async for _ in connection.notifies():
                        self.ring()
            except psycopg.Error as err:
                log.write("listener_lost", error=type(err).__name__)
                await asyncio.sleep(RETRY_S)
