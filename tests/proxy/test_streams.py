"""Open answers: they end within a second of the right behind them, and when the edge stops they finish or are told (F04, R41)."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import generate_latest

from edge_proxy.errors import UpstreamFailed
from edge_proxy.limits import Limits
from edge_proxy.watch import runnable
from tests.proxy.doubles import Answer, error
from tests.proxy.support import ORG, Got, assert_error, call

pytestmark = pytest.mark.anyio

CHAT = "/v1/chat/completions"
BOTS = "/rest/v1/rpc/list_bots"
DESK = {"id": "5a8f0d0e-59a8-4ac8-8f0f-6f0c8e2a0001", "org_id": ORG, "organization": "acme", "bot": "desk"}


class Stream:
    """An agent's answer of events that goes on until it is told to end; `gone` is when it learned that the client has left."""

    def __init__(self, kind: bytes = b"text/event-stream") -> None:
        self.kind, self.begun, self.end, self.gone = kind, asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def __call__(self, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", self.kind)]})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        self.begun.set()
        ending = asyncio.ensure_future(self.end.wait())
        leaving = asyncio.ensure_future(left(receive))
        await asyncio.wait({ending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if leaving.done():
            self.gone.set()
            await send({"type": "http.response.body", "body": b"data: too late\n\n", "more_body": True})
        ending.cancel()
        leaving.cancel()
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})


async def left(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@pytest.fixture
def stream(agent, upstream) -> Stream:
    upstream.answers[BOTS] = Answer(body=json.dumps([DESK]).encode())
    agent.reply = Stream()
    return agent.reply


def ask(edge: Any, token: str, model: str = "acme/desk") -> asyncio.Task[Got]:
    return asyncio.create_task(call(edge, CHAT, token=token, body=json.dumps({"model": model}).encode()))


def last_event(got: Got) -> Any:
    return json.loads(got.body.decode().rstrip().split("\n\n")[-1].removeprefix("data: "))


ENDS = {
    "signed out": (error(401, "28000", "this session is no longer valid; sign in again"), "invalid_token"),
    "banned": (error(401, "28000", "you are banned"), "invalid_token"),
    "key revoked": (error(401, "PGRST301", "JWSError"), "invalid_token"),
    "bot no longer theirs": (Answer(body=b"[]"), "not_found"),
    "another bot is left": (Answer(body=json.dumps([DESK | {"id": "x", "bot": "other"}]).encode()), "not_found"),
    "not allowed": (error(403, "42501", "you may not"), "denied"),
}


@pytest.mark.parametrize("way", ENDS)
async def test_an_open_answer_ends_within_a_second_of_its_right_F04_R41(edge, upstream, stream, key, way):
    answer, code = ENDS[way]
    asked = ask(edge, key.token())
    await stream.begun.wait()
    upstream.answers[BOTS] = answer
    began = time.monotonic()
    got = await asked
    assert time.monotonic() - began < 1
    assert got.status == 200 and got.body.startswith(b"data: 1\n\n")
    assert last_event(got)["code"] == code and last_event(got)["error"]["code"] == code
    assert b"[DONE]" not in got.body and b"too late" not in got.body
    assert stream.gone.is_set(), "the agent ends its run"
    assert f'ringfence_edge_streams_ended_total{{code="{code}"}} 1.0' in generate_latest(edge.metrics.registry).decode()


@pytest.mark.parametrize("model", ["acme/desk", "ACME/desk", f"{ORG}/{DESK['id']}", f"acme/{DESK['id']}"])
async def test_an_answer_whose_right_stands_goes_on_to_its_end_F04(make_edge, stream, key, model):
    edge = await make_edge(limits=replace(Limits(), stream_check_seconds=0.02))
    asked = ask(edge, key.token(), model)
    await stream.begun.wait()
    await asyncio.sleep(0.15)
    stream.end.set()
    got = await asked
    assert got.body.endswith(b"data: [DONE]\n\n") and not stream.gone.is_set()
    assert edge._agent._watch._sessions == {}


async def test_a_list_of_bots_that_is_full_says_nothing_about_the_others_F04(make_edge, upstream, stream, key):
    edge = await make_edge(limits=replace(Limits(), stream_check_seconds=0.02))
    many = [DESK | {"bot": f"b{n}", "id": str(n)} for n in range(1000)]
    upstream.answers[BOTS] = Answer(body=json.dumps(many).encode())
    asked = ask(edge, key.token())
    await stream.begun.wait()
    await asyncio.sleep(0.2)
    assert not asked.done()
    upstream.answers[BOTS] = Answer(body=json.dumps(many[1:]).encode())
    assert last_event(await asked)["code"] == "not_found"


async def test_one_question_a_moment_for_all_open_answers_of_a_session_F04(make_edge, upstream, agent, stream, key):
    edge = await make_edge(limits=replace(Limits(), stream_check_seconds=0.1))
    token = key.token()
    asked = [ask(edge, token) for _ in range(8)]
    await stream.begun.wait()
    await asyncio.sleep(0.45)
    checks = sum(sent.path == BOTS for sent in upstream.calls)
    stream.end.set()
    await asyncio.gather(*asked)
    assert 2 <= checks <= 5
    await asyncio.sleep(0.15)
    assert sum(sent.path == BOTS for sent in upstream.calls) <= checks + 1, "nobody is asked for when nothing is open"


async def test_a_short_answer_costs_no_question_F04(edge, upstream, agent, key):
    assert (await ask(edge, key.token())).status == 200
    assert not any(sent.path == BOTS for sent in upstream.calls)


async def test_what_cannot_be_checked_goes_on_for_a_stated_time_and_then_ends_F09(make_edge, upstream, stream, key):
    limits = replace(Limits(), stream_check_seconds=0.05, stream_unchecked_seconds=0.5)
    edge = await make_edge(limits=limits)
    asked = ask(edge, key.token())
    await stream.begun.wait()
    upstream.answers[BOTS] = Answer(503, b"<html>", {"content-type": "text/html"})
    await asyncio.sleep(0.2)
    assert not asked.done()
    upstream.answers[BOTS] = Answer(body=json.dumps([DESK]).encode())
    await asyncio.sleep(0.4)
    assert not asked.done(), "one failure is no refusal"
    upstream.answers[BOTS] = Answer(body=b'{"unexpected":1}')
    assert last_event(await asked)["code"] == "upstream_error"


async def test_one_persons_end_is_not_anothers_F04(make_edge, upstream, stream, key):
    edge = await make_edge(limits=replace(Limits(), stream_check_seconds=0.05))
    ended, stays = key.token(), key.token(session_id="7c9e6679-7425-40de-944b-000000000001")

    async def by_token(scope: Any, receive: Any, send: Any) -> None:
        refused = dict(scope["headers"])[b"authorization"].decode().endswith(ended)
        status, body = (401, b'{"code":"28000","message":"ended"}') if refused else (200, json.dumps([DESK]).encode())
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})

    upstream.overrides[BOTS] = by_token
    first, second = ask(edge, ended), ask(edge, stays)
    assert last_event(await first)["code"] == "invalid_token"
    await asyncio.sleep(0.1)
    assert not second.done()
    stream.end.set()
    assert (await second).body.endswith(b"data: [DONE]\n\n")


async def test_an_answer_that_has_not_begun_becomes_the_error_itself_F04_R90(make_edge, upstream, agent, key):
    edge = await make_edge(limits=replace(Limits(), stream_check_seconds=0.05))
    upstream.answers[BOTS] = Answer(body=b"[]")

    async def thinking(receive: Any, send: Any) -> None:
        await left(receive)

    agent.reply = thinking
    got = await ask(edge, key.token())
    assert_error(got, 404, "not_found", error=1)


async def test_of_a_file_that_is_cut_off_nothing_pretends_to_be_the_rest_F04(make_edge, upstream, agent, key):
    edge = await make_edge(limits=replace(Limits(), stream_check_seconds=0.05))
    upstream.answers[BOTS] = error(401, "28000")
    agent.reply = Stream(b"application/octet-stream")
    got = await call(edge, f"/v1/files/{ORG}/x/content", method="GET", token=key.token(), headers=[], body=b"")
    assert got.body == b"data: 1\n\n", "no last piece: the server cuts the connection"


async def test_an_agent_that_does_not_listen_is_ended_F04(make_edge, upstream, agent, key, monkeypatch):
    monkeypatch.setattr("edge_proxy.agent_mount._STOP_SECONDS", 0.05)
    edge = await make_edge(limits=replace(Limits(), stream_check_seconds=0.05))
    upstream.answers[BOTS] = Answer(body=b"[]")
    cancelled = asyncio.Event()

    async def deaf(receive: Any, send: Any) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    agent.reply = deaf
    assert (await ask(edge, key.token())).status == 404
    assert cancelled.is_set()


async def test_when_the_edge_stops_open_answers_are_told_and_calls_get_a_503_R93(make_edge, upstream, stream, key):
    edge = await make_edge(limits=replace(Limits(), drain_seconds=0.2))
    upstream.answers["/rest/v1/rpc/search_documents"] = Answer(before=lambda: asyncio.sleep(5))
    upstream.answers["/rest/v1/rpc/whoami"] = Answer(before=lambda: asyncio.sleep(0.1))
    asked = ask(edge, key.token(), "")
    hanging = asyncio.create_task(call(edge, "/rest/v1/rpc/search_documents", token=key.token()))
    quick = asyncio.create_task(call(edge, token=key.token()))
    await stream.begun.wait()
    edge.drain()
    got = await call(edge, "/readyz", method="GET", headers=[], body=b"")
    assert (got.status, got.json) == (503, {"status": "stopping"})
    assert (await call(edge, "/healthz", method="GET", headers=[], body=b"")).status == 200
    assert (await quick).status == 200, "what is quick finishes"
    told = await asked
    assert last_event(told)["code"] == "stopping" and b"[DONE]" not in told.body
    refused = await hanging
    assert_error(refused, 503, "stopping")
    assert refused.header("retry-after") == "1"
    assert stream.gone.is_set()


@pytest.mark.parametrize("answer", [None, {}, [1], [{}], "x", 7])
def test_a_list_of_bots_of_another_shape_is_no_list_F09(answer):
    if answer == {}:
        assert runnable(answer) == frozenset()
    else:
        with pytest.raises(UpstreamFailed):
            runnable(answer)
