"""Through edge, agent and database: a tool a rule denies is not told to the model, not run for it, and the attempt is recorded (F15, F35)."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from tests.e2e.conftest import ScriptedEdge
from tests.e2e.revoking import Member, Team, found
from tests.e2e.scripted import OVER, STARTED


@pytest.fixture(scope="module")
def team(stack: dict[str, Any]) -> Team:
    return Team(stack)


def told(model: Any) -> list[list[str]]:
    """The names of the tools the model was offered, a list a request."""
    return [[tool["function"]["name"] for tool in body.get("tools", [])] for body in model.bodies]


def steps(team: Team, one: Member) -> list[tuple[str, str]]:
    """What the record says of the one run of this person: name and outcome of every tool call."""
    [conversation] = one.rpc("list_conversations", org_id=team.org).json()
    messages = one.rpc("list_messages", org_id=team.org, conversation_id=conversation["id"]).json()
    rows = one.rpc("list_run_steps", org_id=team.org, run_id=messages[0]["run_id"]).json()
    return [(row["name"], row["outcome"]) for row in rows if row["kind"] == "tool"]


def client(edge: ScriptedEdge, one: Member) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{edge.url}/v1", api_key=one.token, max_retries=0)


def denied(team: Team, one: Member) -> str:
    return str(team.made("create_deny_rule", org_id=team.org, reason="Not by bots.", user_id=one.user_id, tool="search_documents")["id"])


def asked(team: Team) -> dict[str, Any]:
    return {"model": team.model, "messages": [{"role": "user", "content": "What is the word?"}]}


def test_a_denied_tool_is_not_in_the_models_list_and_calling_it_all_the_same_reaches_nothing_F35(team: Team, scripted_edge: ScriptedEdge) -> None:
    one, other, model = team.member(), team.member(), scripted_edge.model
    denied(team, one)
    model.tool = ("search_documents", {"query": team.word})
    with client(scripted_edge, one) as speaking:
        assert OVER in (speaking.chat.completions.create(**asked(team)).choices[0].message.content or "")
    assert told(model) == [[], []]
    assert team.word not in model.seen() and "There is no such tool." in model.seen()
    assert found(team.search(one), team.word), "the rule is about bots: what the person reads themselves stays theirs"
    # Somebody else's model is told of it and gets the word.
    model.reset()
    model.tool = ("search_documents", {"query": team.word})
    with client(scripted_edge, other) as speaking:
        speaking.chat.completions.create(**asked(team))
    assert told(model) == [["search_documents"]] * 2
    assert team.word in model.seen()
    assert steps(team, other) == [("search_documents", "ok")]


def test_a_tool_denied_after_the_model_was_told_of_it_is_refused_by_the_database_and_recorded_F35_F34(team: Team, scripted_edge: ScriptedEdge) -> None:
    one, model = team.member(), scripted_edge.model
    model.tool, model.held = ("search_documents", {"query": team.word}), True
    with client(scripted_edge, one) as speaking:
        stream = speaking.chat.completions.create(**asked(team), stream=True)
        for part in stream:
            if part.choices and STARTED in (part.choices[0].delta.content or ""):
                break
        rule = denied(team, one)
        model.go_on()
        said = "".join(part.choices[0].delta.content or "" for part in stream if part.choices)
    assert OVER in said
    assert told(model)[0] == ["search_documents"]
    assert team.word not in model.seen() and "a rule of the organization forbids it" in model.seen()
    assert steps(team, one) == [("search_documents", "denied")]
    team.made("delete_deny_rule", org_id=team.org, rule_id=rule)
    model.reset()
    model.tool = ("search_documents", {"query": team.word})
    with client(scripted_edge, one) as speaking:
        speaking.chat.completions.create(**asked(team))
    assert team.word in model.seen()
