"""Turns: how many answers are made for one person at once, so that nobody's questions take the whole database pool."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class _Line:
    places: asyncio.Semaphore
    people: int = 0
    """How many hold or wait for a place; at 0 the line is forgotten."""


class Turns:
    """At most `at_once` answers a person; further ones wait in line, first come first served. Keeps nothing of those not waiting."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._lines: dict[str, _Line] = {}

    @asynccontextmanager
    async def of(self, user_id: str) -> AsyncIterator[None]:
        """Wait for a place and hold it."""
        line = self._lines.setdefault(user_id, _Line(asyncio.Semaphore(self._at_once)))
        line.people += 1
        try:
            async with line.places:
                yield
        finally:
            line.people -= 1
            if not line.people:
                del self._lines[user_id]

    def __len__(self) -> int:
        """People who hold or wait for a place."""
        return len(self._lines)
