"""What the OpenAI-shaped endpoints refuse, and how: one error shape, nothing given away."""

import io
import json
from typing import Any

import aiohttp
import openai
import pytest

from agent.chat_request import parse_chat_request
from agent.errors import BadRequest
from tests.agent.conftest import QUESTION, REQUEST_ID, TOKEN
from tests.agent.fake_postgrest import FakePostgrest, Refusal, Row
from tests.agent.scripted_model import ScriptedModel, Turn, fails, hangs, says


async def post(url: str, body: Any, token: str = TOKEN) -> tuple[int, dict[str, str], Any]:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    data = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
    async with aiohttp.ClientSession() as session, session.post(
            f"{url}/chat/completions", data=data, headers=headers) as response:
        return response.status, {k.lower(): v for k, v in response.headers.items()}, await response.json()


@pytest.mark.parametrize("change", [
    {"n": 2}, {"tools": [{"type": "function", "function": {"name": "x"}}]}, {"tool_choice": "required"}, {"stop": ["x"]},
    {"response_format": {"type": "json_object"}}, {"functions": [{"name": "x"}]}, {"modalities": ["audio"]},
    {"audio": {"voice": "x"}}, {"logprobs": True}, {"web_search_options": {}}, {"surprise": 1}, {"user_id": "alice"},
    {"model": ""}, {"model": 7}, {"model": "a\x00b"}, {"model": "\ud800"}, {"messages": []}, {"messages": "hi"},
    {"messages": [{"role": "assistant", "content": "hi"}]}, {"messages": [{"role": "user", "content": "  "}]},
    {"messages": [{"role": "user", "content": "x" * 8001}]}, {"messages": [{"role": "user", "content": "a\x00"}]},
    {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x.test"}}]}]},
    {"stream": "yes"}, {"stream_options": {"surprise": 1}}, {"ringfence": {"conversation_id": "x"}},
    {"ringfence": {"conversation_id": 7}}, {"ringfence": {"org_id": "x"}}, {"ringfence": "x"},
])
def test_a_request_the_agent_cannot_honour_is_refused(change: Row) -> None:
    assert parse_chat_request(json.dumps(QUESTION).encode()).question == "How fast?"
    with pytest.raises(BadRequest):
        parse_chat_request(json.dumps(QUESTION | change).encode())


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
def test_a_body_that_is_not_an_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        parse_chat_request(body)


@pytest.mark.anyio
async def test_a_refused_request_reaches_nobody(app_url: str, database: FakePostgrest, model: ScriptedModel) -> None:
    status, _, body = await post(app_url, QUESTION | {"tools": [{"type": "function", "function": {"name": "x"}}]})
    assert (status, body["code"], body["error"]["type"]) == (400, "invalid_request", "invalid_request_error")
    assert "tools" in body["message"]
    assert database.calls == [] and model.bodies == []


@pytest.mark.anyio
async def test_what_happens_anyway_may_be_asked_for(app_url: str, model: ScriptedModel) -> None:
    model.turns = [says("ok")]
    status, headers, _ = await post(app_url, QUESTION | {
        "n": 1, "tools": [], "tool_choice": "auto", "stop": None, "response_format": {"type": "text"}, "store": True,
        "max_tokens": 5, "seed": 1, "stream": None, "stream_options": None, "ringfence": {}})
    assert (status, headers["cache-control"], headers["x-request-id"]) == (200, "no-store", REQUEST_ID)
    assert model.bodies[0]["store"] is False


@pytest.mark.anyio
async def test_a_body_over_a_megabyte_is_refused(app_url: str, database: FakePostgrest) -> None:
    status, _, body = await post(app_url, QUESTION | {"user": "x" * 1024 * 1024})
    assert (status, body["code"], database.calls) == (413, "too_large", [])


@pytest.mark.anyio
@pytest.mark.parametrize(("turn", "status", "code"), [
    (fails(429), 503, "model_busy"), (fails(401), 502, "model_unavailable"), (says(""), 502, "model_malformed")])
async def test_an_error_has_one_shape_for_every_client_R90(
        client: openai.AsyncOpenAI, model: ScriptedModel, turn: Turn, status: int, code: str) -> None:
    model.turns = [turn]
    with pytest.raises(openai.InternalServerError) as raised:
        await client.chat.completions.create(**QUESTION)
    assert (raised.value.status_code, raised.value.code) == (status, code)
    body = raised.value.response.json()
    assert body.keys() == {"code", "message", "request_id", "error"} and body["request_id"] == REQUEST_ID
    assert body["error"] == {"message": body["message"], "type": "api_error", "code": code, "param": None}
    assert "canary" not in raised.value.response.text


@pytest.mark.anyio
@pytest.mark.parametrize("read_s", [0.5])
async def test_an_error_in_a_stream_ends_it_without_a_good_end(client: openai.AsyncOpenAI, app_url: str,
                                                               model: ScriptedModel) -> None:
    model.turns = [hangs("Half")]
    seen = []
    with pytest.raises(openai.APIError) as raised:
        async for chunk in await client.chat.completions.create(**QUESTION, stream=True):
            seen.append(chunk.choices[0].delta.content)
    assert (seen, raised.value.code) == (["", "Half"], "model_timeout")
    async with aiohttp.ClientSession() as session, session.post(
            f"{app_url}/chat/completions", json=QUESTION | {"stream": True},
            headers={"authorization": f"Bearer {TOKEN}"}) as response:
        text = await response.text()
    assert '"code":"model_timeout"' in text and "[DONE]" not in text and '"finish_reason":"stop"' not in text


@pytest.mark.anyio
@pytest.mark.parametrize("change", [{"catalog": [{"canary": 1}]}, {"history": [{"canary": 1}]}])
async def test_an_unforeseen_failure_is_a_plain_500_without_details_R90(
        app_url: str, database: FakePostgrest, caplog: pytest.LogCaptureFixture, change: Row) -> None:
    for name, value in change.items():
        setattr(database, name, value)
    status, _, body = await post(app_url, QUESTION)
    assert (status, body["code"]) == (500, "internal_error") and "canary" not in json.dumps(body)
    assert "unforeseen: KeyError at " in caplog.text and "canary" not in caplog.text
    assert [f["error_code"] for f in database.finished] == ["internal_error"]


@pytest.mark.anyio
async def test_a_bot_of_others_and_one_that_does_not_exist_are_told_apart_by_nobody(client: openai.AsyncOpenAI) -> None:
    answers = []
    for name in ("globex/support", "acme/none"):
        with pytest.raises(openai.NotFoundError) as raised:
            await client.chat.completions.create(**QUESTION | {"model": name}, stream=True)
        with pytest.raises(openai.NotFoundError) as retrieved:
            await client.models.retrieve(name)
        answers += [raised.value.response.json(), retrieved.value.response.json()]
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["message"] == "no such bot, or not yours to run"


@pytest.mark.anyio
async def test_without_an_identity_nothing_is_done(app_url: str, database: FakePostgrest) -> None:
    status, headers, body = await post(app_url, QUESTION, token="")
    assert (status, body["code"], database.calls) == (401, "invalid_token", [])
    assert headers["www-authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.anyio
async def test_a_token_the_database_refuses_is_401(app_url: str) -> None:
    status, _, body = await post(app_url, QUESTION, token="unknown")
    assert (status, body["code"]) == (401, "invalid_token")


@pytest.mark.anyio
async def test_a_database_refusal_keeps_its_status_and_hides_details(app_url: str, database: FakePostgrest) -> None:
    async def before(name: str, arguments: Row) -> None:
        raise Refusal(429, "PT429", "the organization's quota is used up")
    database.before = before
    status, _, body = await post(app_url, QUESTION)
    assert (status, body["code"], body["error"]["type"]) == (429, "quota", "rate_limit_error")
    assert "canary" not in json.dumps(body)


@pytest.mark.anyio
async def test_another_path_is_not_found(app_url: str) -> None:
    async with aiohttp.ClientSession(headers={"authorization": f"Bearer {TOKEN}"}) as session:
        for method, path in (("GET", "/chat/completions"), ("POST", "/models"), ("PUT", "/files")):
            async with session.request(method, app_url + path) as response:
                assert (response.status, (await response.json())["code"]) == (404, "not_found")
