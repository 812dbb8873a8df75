"""Places are taken in order, and slow holders hold nobody up for as long as they take."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from agent.places import Places

pytestmark = pytest.mark.anyio


async def holder(places: Places, name: str, held: list[str], until: asyncio.Event) -> None:
    async with places.one():
        held.append(name)
        await until.wait()


async def begun(places: Places, names: str, held: list[str], until: asyncio.Event) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(holder(places, name, held, until)) for name in names]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_two_slow_holders_hold_up_a_third_for_as_long_as_its_patience_lasts() -> None:
    held: list[str] = []
    done = asyncio.Event()
    tasks = await begun(Places(2, 3, 0.05), "abcd", held, done)
    assert held == ["a", "b"]
    async with asyncio.timeout(5):
        while len(held) < 3:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert held == ["a", "b", "c"], "the fourth waits for a place: three is the most"
    done.set()
    await asyncio.gather(*tasks)
    assert held == ["a", "b", "c", "d"]


async def test_without_patience_beyond_the_number_it_is_first_come_first_served() -> None:
    held: list[str] = []
    gates = {name: asyncio.Event() for name in "abc"}
    places = Places(1, 1, 60)
    tasks = [asyncio.create_task(holder(places, name, held, gate)) for name, gate in gates.items()]
    for name in "abc":
        await asyncio.sleep(0.01)
        assert held[-1] == name
        gates[name].set()
    await asyncio.gather(*tasks)


async def test_who_gives_up_waiting_or_holding_leaves_the_place_to_the_next() -> None:
    held: list[str] = []
    done = asyncio.Event()
    a, b, c = await begun(Places(1, 1, 60), "abc", held, done)
    for gone in (b, a):
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone
    await asyncio.sleep(0.01)
    assert held == ["a", "c"]
    c.cancel()
    with suppress(asyncio.CancelledError):
        await c
