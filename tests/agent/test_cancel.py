"""A run that is cancelled is closed, whenever that happens."""

import asyncio

import pytest

from tests.agent.conftest import Ask, Asked
from tests.agent.fake_postgrest import FakePostgrest, Row
from tests.agent.scripted_model import ScriptedModel, hangs

pytestmark = pytest.mark.anyio


async def test_a_cancelled_run_is_finished_as_cancelled_with_what_was_said(
        ask: Ask, database: FakePostgrest, model: ScriptedModel) -> None:
    asked = Asked()
    model.turns = [hangs("Half")]
    task = asyncio.create_task(ask("?", asked=asked))
    async with asyncio.timeout(5):
        while not asked.deltas:
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    [finished] = database.finished
    assert (finished["outcome"], finished["answer"]) == ("cancelled", "Half")
    assert [s.arguments["outcome"] for s in database.called("end_model_call")] == ["failed"]


async def test_a_run_cancelled_twice_is_still_closed(ask: Ask, database: FakePostgrest, model: ScriptedModel) -> None:
    closing, asked = asyncio.Event(), Asked()

    async def before(name: str, arguments: Row) -> None:
        if name == "end_model_call":
            closing.set()
            await asyncio.sleep(0.1)
    database.before = before
    model.turns = [hangs("Half")]
    task = asyncio.create_task(ask("?", asked=asked))
    async with asyncio.timeout(10):
        while not asked.deltas:
            await asyncio.sleep(0.01)
        task.cancel()
        await closing.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        while not database.finished:
            await asyncio.sleep(0.01)
    assert [f["outcome"] for f in database.finished] == ["cancelled"]


async def test_a_run_cancelled_while_it_is_being_opened_is_closed_too(ask: Ask, database: FakePostgrest) -> None:
    opening = asyncio.Event()

    async def before(name: str, arguments: Row) -> None:
        if name == "start_run":
            opening.set()
            await asyncio.sleep(0.1)
    database.before = before
    task = asyncio.create_task(ask("?"))
    await asyncio.wait_for(opening.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [f["outcome"] for f in database.finished] == ["cancelled"]
