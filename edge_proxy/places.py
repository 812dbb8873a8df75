"""Places: how many requests of one key (a user, an address) may be served at the same time."""

from __future__ import annotations

import asyncio
from collections import Counter
from types import TracebackType

from edge_proxy.errors import TooMany

_RETRY_AFTER_S = 1
_Failure = type[BaseException] | None


class Places:
    """So many per key, and no more. Only keys that hold one are remembered."""

    def __init__(self, name: str, most: int) -> None:
        self._name, self._most = name, most
        self._taken: Counter[str] = Counter()

    def one(self, key: str) -> _Place:
        """Hold a place of the key while in the context. Raises, when entered: TooMany."""
        return _Place(self, key)

    def take(self, key: str) -> None:
        """Raises: TooMany."""
        if self._taken[key] >= self._most:
            raise TooMany(_RETRY_AFTER_S, self._name)
        self._taken[key] += 1

    def give(self, key: str) -> None:
        self._taken[key] -= 1
        if not self._taken[key]:
            del self._taken[key]


# Classes, not generators: every request enters four of these.
class _Place:
    __slots__ = ("_key", "_places")

    def __init__(self, places: Places, key: str) -> None:
        self._places, self._key = places, key

    def __enter__(self) -> None:
        self._places.take(self._key)

    def __exit__(self, kind: _Failure, failure: BaseException | None, trace: TracebackType | None) -> None:
        self._places.give(self._key)


class Lines:
    """The same with a short wait in line for a place."""

    def __init__(self, name: str, most: int, wait_seconds: float) -> None:
        self._name, self._most, self._wait_seconds = name, most, wait_seconds
        self._present: Counter[str] = Counter()
        self._free: dict[str, asyncio.Semaphore] = {}

    def one(self, key: str) -> _PlaceInLine:
        """Hold a place of the key, soon. Raises, when entered: TooMany."""
        return _PlaceInLine(self, key)

    async def take(self, key: str) -> None:
        """Raises: TooMany."""
        free = self._free.get(key)
        if free is None:
            free = self._free[key] = asyncio.Semaphore(self._most)
        self._present[key] += 1
        try:
            if free.locked():
                async with asyncio.timeout(self._wait_seconds):
                    await free.acquire()
            else:
                await free.acquire()
        except BaseException as err:
            self._leave(key)
            if isinstance(err, TimeoutError):
                raise TooMany(_RETRY_AFTER_S, self._name) from err
            raise

    def give(self, key: str) -> None:
        self._free[key].release()
        self._leave(key)

    def _leave(self, key: str) -> None:
        self._present[key] -= 1
        if not self._present[key]:
            del self._present[key], self._free[key]


class _PlaceInLine:
    __slots__ = ("_key", "_lines")

    def __init__(self, lines: Lines, key: str) -> None:
        self._lines, self._key = lines, key

    async def __aenter__(self) -> None:
        await self._lines.take(self._key)

    async def __aexit__(self, kind: _Failure, failure: BaseException | None, trace: TracebackType | None) -> None:
        self._lines.give(self._key)
