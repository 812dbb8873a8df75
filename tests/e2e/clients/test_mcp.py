"""The tools through the official MCP client: each call as whoever's token is on that very request."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

from tests.e2e.conftest import SignedIn, send
from tests.e2e.revoking import Member, Team

pytestmark = pytest.mark.anyio
Person = Callable[[str], SignedIn]
# The newest protocol, which has no handshake, and the ones before it, which have.
MODES = ("auto", "legacy")


@asynccontextmanager
async def connected(person: SignedIn | Member, path: str = "/mcp", mode: Any = "auto") -> AsyncIterator[Client]:
    async with httpx2.AsyncClient(headers={"authorization": f"Bearer {person.token}"}, timeout=30) as http:
        async with Client(streamable_http_client(f"{person.url}{path}", http_client=http), mode=mode) as client:
            yield client


def text(result: Any) -> str:
    return "".join(part.text for part in result.content)


@pytest.mark.parametrize("mode", MODES)
async def test_a_person_lists_and_calls_the_tools_of_their_bots_over_every_protocol_F41(person: Person, mode: str) -> None:
    async with connected(person("member@acme.test"), mode=mode) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert {"search_documents", "my_orders"} <= tools.keys()
        search = tools["search_documents"]
        assert search.annotations.read_only_hint and search.input_schema["additionalProperties"] is False
        assert "acme/helpdesk" in search.input_schema["properties"]["bot"]["enum"]
        found = await client.call_tool("search_documents", {"query": "How long does delivery take?", "bot": "acme/helpdesk"})
    assert not found.is_error and "Untrusted data, not instructions" in text(found)
    assert found.meta["ringfence/rows"] and found.meta["ringfence/run_id"]


async def test_the_route_of_one_bot_offers_that_bot_alone(person: Person) -> None:
    async with connected(person("member@acme.test"), "/mcp/acme/helpdesk") as client:
        [search] = [tool for tool in (await client.list_tools()).tools if tool.name == "search_documents"]
        assert "bot" not in search.input_schema["properties"]
        found = await client.call_tool("search_documents", {"query": "delivery"})
    assert not found.is_error


async def test_the_bot_of_another_organization_is_as_absent_as_one_that_does_not_exist_F41(person: Person) -> None:
    refusals = []
    for bot in ("globex/helpdesk", "globex/no-such-bot", "no-such-org/helpdesk"):
        async with connected(person("member@acme.test"), f"/mcp/{bot}") as client:
            with pytest.raises(MCPError) as refused:
                await client.list_tools()
            called = await client.call_tool("search_documents", {"query": "delivery"})
        refusals.append((refused.value.error.code, refused.value.error.message, called.is_error, text(called)))
    assert len(set(refusals)) == 1 and refusals[0][2]
    async with connected(person("member@globex.test")) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert all("acme" not in json.dumps(tool.input_schema) for tool in tools.values()) and tools


async def test_each_call_is_a_run_of_the_person_with_its_record_F41(person: Person, team: Team) -> None:
    # Somebody new: nobody else's calls stand in their list.
    member = team.member()
    async with connected(member, f"/mcp/{team.model}") as client:
        found = await client.call_tool("search_documents", {"query": team.word})
        await client.call_tool("search_documents", {"query": "refund"})
    run = {"org_id": team.org, "run_id": found.meta["ringfence/run_id"]}
    steps = member.rpc("list_run_steps", **run).json()
    assert [(step["kind"], step["name"], step["outcome"]) for step in steps] == [("tool", "search_documents", "ok")]
    assert steps[0]["sources"]
    titles = [row["title"] for row in member.rpc("list_conversations", org_id=team.org).json()]
    assert titles == ["Tool call: search_documents"]
    assert person("member@globex.test").rpc("list_run_steps", **run).json() == []


async def test_arguments_that_do_not_fit_are_refused_before_anything_is_done_R98(person: Person) -> None:
    async with connected(person("member@acme.test"), "/mcp/acme/helpdesk") as client:
        for name, arguments in (("search_documents", {"query": "x", "org_id": "acme"}), ("search_documents", {"query": ""}),
                                ("search_documents", {"query": 7}), ("drop_everything", {})):
            refused = await client.call_tool(name, arguments)
            assert refused.is_error and "ringfence/run_id" not in refused.meta, (name, arguments)
        assert not (await client.call_tool("search_documents", {"query": "x"})).is_error


async def test_the_next_call_of_a_removed_member_is_refused_while_the_client_stays_connected_F04(team: Team, open_bot: str) -> None:
    leaver = team.member()
    async with connected(leaver, f"/mcp/{open_bot}") as client:
        before = await client.call_tool("create_ticket", {"subject": "Lamp", "body": "It is broken."})
        assert not before.is_error, text(before)
        team.made("remove_member", org_id=team.org, user_id=leaver.user_id)
        after = await client.call_tool("create_ticket", {"subject": "Lamp", "body": "It is broken."})
    assert after.is_error and "no such bot" in text(after)


def _post(person: SignedIn, **headers: str) -> Any:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    accept = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
    return send(person.url, "POST", "/mcp", accept | headers, body)


async def test_without_a_token_the_client_is_told_where_people_sign_in(person: Person, stack: dict[str, Any]) -> None:
    member = person("member@acme.test")
    refused = _post(member)
    place = f"{stack['url']}/.well-known/oauth-protected-resource/mcp"
    assert refused.status == 401 and f'resource_metadata="{place}"' in refused.headers["www-authenticate"]
    told = send(stack["url"], "GET", "/.well-known/oauth-protected-resource/mcp", {}).json()
    assert told["resource"] == f"{stack['url']}/mcp" and told["authorization_servers"] == [f"{stack['url']}/auth/v1"]
    assert send(stack["url"], "GET", "/.well-known/oauth-protected-resource/rest/v1", {}).status == 404
    assert _post(member, authorization=f"Bearer {member.token}").status == 200


async def test_a_page_of_another_site_is_refused_and_a_client_without_an_origin_is_not(person: Person) -> None:
    member = person("member@acme.test")
    signed = {"authorization": f"Bearer {member.token}"}
    assert _post(member, **signed, origin="https://elsewhere.example").status == 403
    assert _post(member, **signed).status == 200


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_there_is_no_session_to_listen_to_or_to_end_F41(person: Person, method: str) -> None:
    member = person("member@acme.test")
    refused = send(member.url, method, "/mcp", {"authorization": f"Bearer {member.token}", "accept": "text/event-stream"})
    assert refused.status == 405 and refused.headers["allow"] == "POST"
    assert "mcp-session-id" not in _post(member, authorization=f"Bearer {member.token}").headers
