"""/v1/*: the agent gets a verified person and a checked body, and its stream is not held back."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import generate_latest

from edge_proxy.agent_mount import AgentMissing, load_agent
from edge_proxy.app import create_app
from tests.proxy.support import ORG, SESSION, USER, Got, assert_error, call

pytestmark = pytest.mark.anyio

CHAT = "/v1/chat/completions"
OPENAI = {"error": ...}
OTHER_ORG = "9a0e35f1-4d0b-4a6c-8f83-33a0f5b0f2aa"


def assert_openai_error(got: Got, status: int, code: str) -> None:
    """Assert the edge's error shape plus the member that OpenAI clients read (R90)."""
    assert_error(got, status, code, **OPENAI)
    kind = "server_error" if status >= 500 else "invalid_request_error"
    assert got.json["error"] == {"message": got.json["message"], "type": kind, "code": code, "param": None}


async def test_the_agent_gets_the_verified_person_and_no_credential_header_R75_F01(edge, agent, key):
    token = key.token()
    headers = [("content-type", "application/json"), ("apikey", "k"), ("cookie", "c"), ("x-stainless-lang", "python")]
    got = await call(edge, CHAT, token=token, headers=headers, body=b'{"model":"acme/support"}')
    assert (got.status, got.json) == (200, {"object": "list"})
    (scope,) = agent.scopes
    assert scope["path"] == CHAT and agent.bodies == [b'{"model":"acme/support"}']
    assert scope["ringfence.identity"] == {
        "token": token, "user_id": USER, "session_id": SESSION, "request_id": got.header("x-request-id"),
    }  # fmt: skip
    assert {name for name, _ in scope["headers"]} == {b"content-type", b"x-stainless-lang"}
    assert (
        got.header("set-cookie") is None and got.header("server") is None and got.header("cache-control") == "no-store"
    )


@pytest.mark.parametrize("claims", [{"role": "service_role"}, {"role": "anon"}, {"aud": "x"}])
async def test_a_bad_token_never_reaches_the_agent_R70_R73(edge, agent, key, claims):
    assert_openai_error(await call(edge, CHAT, token=key.token(**claims)), 401, "invalid_token")
    assert_openai_error(await call(edge, CHAT), 401, "missing_token")
    assert agent.scopes == []


async def test_a_client_cannot_bring_its_own_identity_F09(edge, agent, key):
    async def forging(scope, receive, send):
        await edge({**scope, "ringfence.identity": {"user_id": "someone else"}}, receive, send)

    assert_openai_error(await call(forging, CHAT), 401, "missing_token")
    await call(forging, CHAT, token=key.token())
    assert [scope["ringfence.identity"]["user_id"] for scope in agent.scopes] == [USER]


async def test_each_piece_of_a_stream_goes_out_before_the_next_is_made(edge, agent, key):
    seen: list[bytes] = []
    passed_on = asyncio.Event()

    async def reply(receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        for piece in (b"data: 1\n\n", b"data: 2\n\n"):
            passed_on.clear()
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.wait_for(passed_on.wait(), 1)
        await send({"type": "http.response.body", "body": b""})

    agent.reply = reply

    async def watching(scope, receive, send):
        async def watched(message):
            if message.get("body"):
                seen.append(message["body"])
                passed_on.set()
            await send(message)

        await edge(scope, receive, watched)

    got = await call(watching, CHAT, token=key.token())
    assert (got.status, got.header("content-type")) == (200, "text/event-stream")
    assert seen == [b"data: 1\n\n", b"data: 2\n\n"]


async def test_the_agent_hears_when_the_client_hangs_up(edge, agent, key):
    heard: list[str] = []

    async def reply(receive, send):
        heard.append((await receive())["type"])

    agent.reply = reply

    async def hanging_up(scope, receive, send):
        messages = iter([{"type": "http.request", "body": b"{}"}, {"type": "http.disconnect"}])

        async def next_message():
            return next(messages)

        await edge(scope, next_message, send)

    await call(hanging_up, CHAT, token=key.token())
    assert heard == ["http.disconnect"]


async def test_a_chat_may_be_longer_than_a_call_but_not_endless_R86(make_edge, agent, key, config):
    edge = await make_edge(limits=replace(config.limits, body_bytes=10, agent_body_bytes=100))
    assert (await call(edge, CHAT, token=key.token(), body=b'{"a":"' + b"x" * 90 + b'"}')).status == 200
    assert_openai_error(
        await call(edge, CHAT, token=key.token(), body=b'{"a":"' + b"x" * 99 + b'"}'), 413, "body_too_large"
    )
    assert len(agent.scopes) == 1


@pytest.mark.parametrize(("body", "kind", "status", "code"), [
    (b'{"a":1,"a":2}', "application/json", 400, "bad_body"),
    (b"[]", "application/json", 400, "bad_body"),
    (b"{}", "text/plain", 415, "unsupported_media_type"),
])  # fmt: skip
async def test_a_chat_is_read_strictly_R86(edge, agent, key, body, kind, status, code):
    got = await call(edge, CHAT, token=key.token(), body=body, headers=[("content-type", kind)])
    assert_openai_error(got, status, code)
    assert agent.scopes == []


async def test_a_query_is_refused_before_the_agent_R75(edge, agent, key):
    got = await call(edge, "/v1/models", method="GET", token=key.token(), query="access_token=x", body=b"")
    assert_openai_error(got, 400, "query_not_allowed")
    assert agent.scopes == []


async def test_an_agent_that_fails_is_a_500_in_openais_shape_R90(edge, agent, key):
    async def reply(receive, send):
        raise RuntimeError("canary")

    agent.reply = reply
    got = await call(edge, CHAT, token=key.token())
    assert_openai_error(got, 500, "internal_error")
    assert b"canary" not in got.body


async def test_an_agent_that_fails_in_mid_stream_sends_no_second_answer_R90(edge, agent, key):
    async def reply(receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        raise RuntimeError("canary")

    agent.reply = reply
    got = await call(edge, CHAT, token=key.token())
    assert (got.status, got.body) == (200, b"data: 1\n\n")


async def test_the_agents_start_and_end_follow_the_edges(make_edge, agent):
    edge = await make_edge()
    assert agent.events == ["startup"]
    await edge.stop()
    assert agent.events == ["startup", "shutdown"]


async def test_an_agent_without_a_lifespan_is_served(config, clock, key):
    async def plain(scope, receive, send):
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    edge = create_app(config, clock=clock, monotonic=clock, agent=plain)
    await edge.start()
    assert (await call(edge, CHAT, token=key.token())).status == 200
    await edge.stop()


async def test_an_agent_that_does_not_stop_holds_nobody_up(config, clock, monkeypatch):
    monkeypatch.setattr("edge_proxy.agent_mount._STOP_SECONDS", 0.05)

    async def stubborn(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await asyncio.sleep(60)

    edge = create_app(config, clock=clock, monotonic=clock, agent=stubborn)
    await edge.start()
    async with asyncio.timeout(1):
        await edge.stop()


async def test_an_agent_that_refuses_to_start_stops_the_edge(config, clock):
    async def refusing(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no"})

    edge = create_app(config, clock=clock, monotonic=clock, agent=refusing)
    with pytest.raises(AgentMissing, match="refused to start"):
        await edge.start()
    await edge.stop()


async def test_without_an_agent_there_is_nothing_at_v1(config, clock, key):
    edge = create_app(config, clock=clock, monotonic=clock)
    await edge.start()
    assert_openai_error(await call(edge, CHAT, token=key.token()), 404, "not_found")
    await edge.stop()


@pytest.mark.parametrize("name", ["no_such_module:app", "json:no_such_factory", "json", ":app", "json:loads"])
def test_an_agent_that_cannot_be_loaded_is_said_by_name(name):
    with pytest.raises(AgentMissing, match="RINGFENCE_AGENT_APP"):
        load_agent(name)
    assert load_agent("") is None


def told(**facts: Any) -> Any:
    """Return an agent's answer that begins, and tells this of itself."""

    async def reply(receive: Any, send: Any) -> None:
        reply.agent.scopes[-1]["ringfence.facts"].update(facts)  # type: ignore[attr-defined]
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        await send({"type": "http.response.body", "body": b"data: 1\n\n"})

    return reply


@pytest.mark.parametrize(("code", "ended"), [("", "ok"), ("denied", "denied"), ("budget_spent", "limited"), ("model_unavailable", "failed"), ("client_gone", "gone")])
async def test_an_answer_that_fails_after_it_began_is_counted_and_logged_as_what_it_was_F77_R95(edge, agent, key, caplog, code, ended):
    caplog.set_level(logging.INFO)
    agent.reply = told(**({"code": code} if code else {}))
    agent.reply.agent = agent
    await call(edge, "/v1/chat/completions", token=key.token(), body=b'{"model":"acme/desk"}')
    [line] = [json.loads(record.getMessage()) for record in caplog.records if record.name == "edge_proxy"]
    assert (line["status"], line["outcome"], line["code"], line["org"]) == (200, ended, code, ORG)
    text = generate_latest(edge.metrics.registry).decode()
    assert f'ringfence_edge_requests_total{{code="{code}",route="agent",status="200"}} 1.0' in text
    assert f'ringfence_edge_organization_requests_total{{org="{ORG}",outcome="{ended}"}} 1.0' in text


async def test_tokens_and_tools_are_counted_for_the_organization_and_say_nothing_else_F77(edge, agent, key):
    agent.reply = told(tokens=65, tools=[("search_documents", "ok"), ("search_documents", "ok"), ("create_ticket", "denied")])
    agent.reply.agent = agent
    for _ in range(2):
        await call(edge, "/v1/chat/completions", token=key.token(), body=b'{"model":"acme/desk"}')
    agent.reply = told(org=OTHER_ORG, tools=[("my_orders", "ok")])
    agent.reply.agent = agent
    await call(edge, "/mcp", token=key.token(), body=b'{"jsonrpc":"2.0"}')
    text = generate_latest(edge.metrics.registry).decode()
    assert f'ringfence_edge_organization_tokens_total{{org="{ORG}"}} 130.0' in text
    assert f'ringfence_edge_organization_tool_calls_total{{org="{ORG}",outcome="ok",tool="search_documents"}} 4.0' in text
    assert f'ringfence_edge_organization_tool_calls_total{{org="{ORG}",outcome="denied",tool="create_ticket"}} 2.0' in text
    assert f'ringfence_edge_organization_tool_calls_total{{org="{OTHER_ORG}",outcome="ok",tool="my_orders"}} 1.0' in text
    assert USER not in text


@pytest.mark.parametrize(("path", "arguments", "named"), [
    ("/mcp/acme/desk", {}, ORG), ("/mcp/acme%2Fdesk", {}, ORG), (f"/mcp/{ORG}/x", {}, ORG), ("/mcp", {"bot": "acme/desk"}, ORG), ("/mcp/globex/desk", {"bot": "acme/desk"}, None),
    ("/mcp", {}, None), ("/mcp", {"bot": 7}, None), ("/mcp", "acme/desk", None), ("/mcp", {"bot": "globex/desk"}, None)])  # fmt: skip
async def test_a_tool_called_over_mcp_counts_for_the_organization_of_its_bot_R92(edge, agent, key, path, arguments, named):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "x", "arguments": arguments}}).encode()
    assert (await call(edge, path, token=key.token(), body=body)).status == 200
    assert list(edge.admission.limiter.kinds.get("organization", {})) == ([named] if named else [])
