"""One person's questions wait for each other; nobody else's do."""

import asyncio
import json

import pytest

from agent.app import IDENTITY, App
from agent.limits import Limits
from agent.question import Answer, Question
from agent.rpc import RpcPool
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


class Slow:
    """An agent that counts the answers it is making, and finishes none until told."""

    limits = Limits(answers_at_once=2)
    embedder = None

    def __init__(self) -> None:
        self.making: list[str] = []
        self.go = asyncio.Event()

    async def answer(self, rpc: object, question: Question, emit: object) -> Answer:
        self.making.append(question.text)
        await self.go.wait()
        return Answer("run", "conversation", "text", [], 1, 1)


@pytest.mark.anyio
async def test_the_app_makes_one_person_wait_and_not_another() -> None:
    agent = Slow()
    app = App(agent, RpcPool("http://127.0.0.1:1", "sb_publishable_none"))  # type: ignore[arg-type]
    statuses: list[int] = []

    async def ask(person: str) -> None:
        body = {"model": "acme/helpdesk", "messages": [{"role": "user", "content": person}]}
        said = iter([{"type": "http.request", "body": json.dumps(body).encode()}])

        async def receive() -> dict[str, object]:
            return next(said, None) or await asyncio.Event().wait()  # type: ignore[func-returns-value, return-value]

        async def send(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])  # type: ignore[arg-type]

        identity = {"token": "a.b.c", "user_id": person, "session_id": "s", "request_id": "r"}
        await app({"type": "http", "method": "POST", "path": "/v1/chat/completions", IDENTITY: identity}, receive, send)

    tasks = [asyncio.create_task(ask(person)) for person in ("ada", "ada", "ada", "bob")]
    while len(agent.making) < 3:
        await asyncio.sleep(0)
    for _ in range(20):
        await asyncio.sleep(0)
    assert sorted(agent.making) == ["ada", "ada", "bob"]
    agent.go.set()
    await asyncio.gather(*tasks)
    assert statuses == [200] * 4
