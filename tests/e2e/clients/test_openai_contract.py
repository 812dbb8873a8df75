"""`openai` for Python, synchronous and asynchronous: what goes right, what goes wrong, and what is broken off."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import openai
import pytest

from tests.e2e.clients.conftest import until
from tests.e2e.conftest import ScriptedEdge
from tests.e2e.revoking import Member, Team
from tests.e2e.scripted import OVER, STARTED

pytestmark = pytest.mark.anyio
Client = Any
"""Either of the two: their methods have the same names."""


async def get(value: Any) -> Any:
    """Return the result of either client's call."""
    return await value if inspect.isawaitable(value) else value


async def each(stream: Any) -> AsyncIterator[Any]:
    """Yield the parts of either client's stream."""
    if hasattr(stream, "__aiter__"):
        async for part in stream:
            yield part
    else:
        for part in stream:
            yield part


@pytest.fixture(params=["sync", "async"])
async def new_client(request: pytest.FixtureRequest, scripted: ScriptedEdge) -> AsyncIterator[Callable[..., Client]]:
    async with AsyncExitStack() as opened:

        def make(token: str, url: str = scripted.url, **options: Any) -> Client:
            if request.param == "sync":
                return opened.enter_context(openai.OpenAI(base_url=f"{url}/v1", api_key=token, max_retries=0, **options))
            client = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=token, max_retries=0, **options)
            opened.push_async_callback(client.close)
            return client

        yield make


@pytest.fixture
async def client(new_client: Callable[..., Client], member: Member) -> Client:
    return new_client(member.token)


def question(model: str, text: str = "What is the word?", **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


async def test_the_bots_are_listed_and_one_is_looked_up(client: Client, team: Team, open_bot: str) -> None:
    listed = [model async for model in each(await get(client.models.list()))]
    assert {model.id for model in listed} == {team.model, open_bot} and {model.owned_by for model in listed} == {team.slug}
    # The client escapes the slash of an id it puts in a path.
    assert (await get(client.models.retrieve(team.model))).id == team.model
    with pytest.raises(openai.NotFoundError) as absent:
        await get(client.models.retrieve("acme/helpdesk"))
    assert absent.value.code == "not_found"


async def test_an_answer_has_text_usage_and_a_run(client: Client, team: Team, scripted: ScriptedEdge, run_of: Callable[..., Any]) -> None:
    answer = await get(client.chat.completions.create(**question(team.model)))
    assert answer.choices[0].message.content == f"{STARTED}\n\n{OVER}" and answer.choices[0].finish_reason == "stop"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (50, 15, 65)
    assert answer.model == team.model and answer.model_extra["ringfence"]["run_id"] == answer.id.removeprefix("chatcmpl-")
    assert run_of(answer.id) == ("succeeded", None)


@pytest.mark.parametrize("usage", [True, False])
async def test_a_stream_has_the_same_in_pieces_and_usage_last_when_asked_for(client: Client, team: Team, usage: bool) -> None:
    more: dict[str, Any] = {"stream_options": {"include_usage": True}} if usage else {}
    parts = [part async for part in each(await get(client.chat.completions.create(**question(team.model, stream=True, **more))))]
    assert "".join(part.choices[0].delta.content or "" for part in parts if part.choices) == f"{STARTED}\n\n{OVER}"
    assert len({part.id for part in parts}) == 1 and parts[0].choices[0].delta.role == "assistant"
    assert [part.choices[0].finish_reason for part in parts if part.choices][-1] == "stop"
    assert [part.usage.total_tokens for part in parts if part.usage] == ([65] if usage else [])
    assert (parts[-1].choices == []) is usage


async def test_a_denied_tool_is_answered_and_its_twin_works(
    new_client: Callable[..., Client], member: Member, reader: Member, open_bot: str, scripted: ScriptedEdge
) -> None:
    for one, told in ((member, "ok: 1 rows"), (reader, "denied: not allowed")):
        scripted.model.bodies.clear()
        answer = await get(new_client(one.token).chat.completions.create(**question(open_bot, "ticket")))
        assert answer.choices[0].message.content == OVER
        assert scripted.model.seen().startswith(told)


async def test_tools_that_do_not_exist_and_bad_arguments_are_told_the_model_and_answered(client: Client, team: Team, scripted: ScriptedEdge) -> None:
    answer = await get(client.chat.completions.create(**question(team.model, "invents")))
    assert answer.choices[0].message.content == OVER
    assert scripted.model.seen().splitlines()[0] == "invalid: There is no such tool."
    assert scripted.model.seen().count("invalid: ") == 2


async def test_each_refusal_is_its_own_class_with_a_code(
    new_client: Callable[..., Client], client: Client, team: Team, member: Member, strict_edge: str
) -> None:
    async def refused(kind: type[openai.APIStatusError], status: int, by: Client, **asked: Any) -> openai.APIStatusError:
        with pytest.raises(kind) as raised:
            await get(by.chat.completions.create(**asked))
        assert type(raised.value) is kind and raised.value.status_code == status and raised.value.message
        return raised.value

    assert (await refused(openai.AuthenticationError, 401, new_client("no-token"), **question(team.model))).code == "invalid_token"
    # Not yours and not there are one answer: nobody hears 403 of a bot.
    assert (await refused(openai.NotFoundError, 404, client, **question("acme/helpdesk"))).code == "not_found"
    tools = [{"type": "function", "function": {"name": "mine", "parameters": {}}}]
    assert (await refused(openai.BadRequestError, 400, client, **question(team.model, tools=tools))).code == "invalid_request"
    assert (await refused(openai.BadRequestError, 400, client, **question(team.model, ""))).code == "invalid_request"
    assert (await refused(openai.InternalServerError, 502, client, **question(team.model, "broken"))).code == "model_unavailable"

    patient = new_client(team.member().token, strict_edge)
    for _ in range(2):
        await get(patient.models.list())
    limited = await refused(openai.RateLimitError, 429, patient, **question(team.model))
    assert limited.code == "rate_limited" and int(limited.response.headers["retry-after"]) > 0


async def test_a_stream_that_fails_raises_after_what_was_said(client: Client, team: Team, run_of: Callable[..., Any]) -> None:
    parts: list[Any] = []
    with pytest.raises(openai.APIError) as failed:
        async for part in each(await get(client.chat.completions.create(**question(team.model, "breaks off", stream=True)))):
            parts.append(part)
    assert failed.value.code == "model_malformed"
    assert "".join(part.choices[0].delta.content or "" for part in parts) == "Half"
    until(lambda: bool(run_of(parts[0].id) == ("failed", "model_malformed")))


async def test_a_stream_the_client_leaves_ends_the_run_and_the_work(
    client: Client, team: Team, scripted: ScriptedEdge, run_of: Callable[..., Any]
) -> None:
    stream = await get(client.chat.completions.create(**question(team.model, "hold", stream=True)))
    async for part in each(stream):
        if STARTED in (part.choices[0].delta.content or ""):
            break
    assert run_of(part.id) == ("running", None) and not scripted.model.broken_off.is_set()
    await get(stream.close())
    assert scripted.model.broken_off.wait(15), "the model goes on working for nobody"
    until(lambda: bool(run_of(part.id) == ("cancelled", None)))
    assert len(scripted.model.bodies) == 1 and scripted.model.seen() == "", "nothing was called after that"


async def test_an_answer_nobody_waits_for_any_more_ends_too(
    scripted: ScriptedEdge, member: Member, team: Team, stack: dict[str, Any], run_of: Callable[..., Any]
) -> None:
    async with openai.AsyncOpenAI(base_url=f"{scripted.url}/v1", api_key=member.token, max_retries=0) as client:
        waiting = asyncio.create_task(client.chat.completions.create(**question(team.model, "hold")))
        while not scripted.model.bodies:
            await asyncio.sleep(0.01)
        [run] = [row for row in latest_runs(stack, team) if row[1] == "running"]
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await asyncio.to_thread(scripted.model.broken_off.wait, 15)
        until(lambda: bool(run_of(run[0]) == ("cancelled", None)))


def latest_runs(stack: dict[str, Any], team: Team) -> list[tuple[str, str]]:
    import psycopg

    with psycopg.connect(stack["database_url"]) as connection:
        return connection.execute("select id::text, status from app.run where org_id = %s order by started_at desc", [team.org]).fetchall()
