"""One person's questions wait for each other; nobody else's do."""

import asyncio

import pytest

from agent.turns import Turns




@pytest.mark.anyio
async def test_one_person_holds_at_most_so_many_places_and_others_do_not_wait() -> None:
    turns, go, making = Turns(at_once=2), asyncio.Event(), []

    async def ask(person: str) -> None:
        async with turns.of(person):
            making.append(person)
            await go.wait()

    tasks = [asyncio.create_task(ask(person)) for person in ("ada", "ada", "ada", "ada", "bob")]
    await asyncio.sleep(0)
    assert sorted(making) == ["ada", "ada", "bob"]
    go.set()
    await asyncio.gather(*tasks)
    assert sorted(making) == ["ada"] * 4 + ["bob"]
    assert len(turns) == 0


@pytest.mark.anyio
async def test_who_leaves_the_line_takes_no_place_and_leaves_nothing_behind() -> None:
    turns, go = Turns(at_once=1), asyncio.Event()

    async def hold() -> None:
        async with turns.of("ada"):
            await go.wait()

    holding, leaving, waiting = (asyncio.create_task(hold()) for _ in range(3))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    go.set()
    await asyncio.gather(holding, waiting)
    assert len(turns) == 0


@pytest.mark.anyio
async def test_a_failed_answer_gives_its_place_back() -> None:
    turns = Turns(at_once=1)
    for _ in range(3):
        with pytest.raises(ValueError, match="no answer"):
            async with turns.of("ada"):
                raise ValueError("no answer")
    async with turns.of("ada"):
        assert len(turns) == 1
