"""Places: how many requests of one key (a user, an address) may be served at the same time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from edge_proxy.errors import TooMany

_RETRY_AFTER_S = 1


class Places:
    """So many per key, and no more. Only keys that hold one are remembered."""

    def __init__(self, name: str, most: int) -> None:
        self._name, self._most = name, most
        self._taken: Counter[str] = Counter()

    @contextmanager
    def one(self, key: str) -> Iterator[None]:
        """Hold a place of the key. Raises: TooMany."""
        if self._taken[key] >= self._most:
            raise TooMany(_RETRY_AFTER_S, self._name)
        self._taken[key] += 1
        try:
            yield
        finally:
            self._taken[key] -= 1
            if not self._taken[key]:
                del self._taken[key]


class Lines:
    """The same with a short wait in line for a place."""

    def __init__(self, name: str, most: int, wait_seconds: float) -> None:
        self._name, self._most, self._wait_seconds = name, most, wait_seconds
        self._present: Counter[str] = Counter()
        self._free: dict[str, asyncio.Semaphore] = {}

    @asynccontextmanager
    async def one(self, key: str) -> AsyncIterator[None]:
        """Hold a place of the key, soon. Raises: TooMany."""
        free = self._free.setdefault(key, asyncio.Semaphore(self._most))
        self._present[key] += 1
        try:
            try:
                async with asyncio.timeout(self._wait_seconds):
                    await free.acquire()
            except TimeoutError as err:
                raise TooMany(_RETRY_AFTER_S, self._name) from err
            try:
                yield
            finally:
                free.release()
        finally:
            self._present[key] -= 1
            if not self._present[key]:
                del self._present[key], self._free[key]
