"""A right that has ended is refused on the very next request of the same unexpired token, at every door (F04, R40, R41)."""

from __future__ import annotations

import json
import time
from typing import Any

import openai
import pytest

from tests.e2e.conftest import ScriptedEdge, send
from tests.e2e.revoking import WAYS, Member, Team, about_to_lose, found
from tests.e2e.scripted import OVER, STARTED

OF_THE_MEMBERSHIP = {"membership removed", "role changed"}
"""The person is still signed in; there is nothing for them any more. Every other way ends the session itself."""


@pytest.fixture(scope="module")
def team(stack: dict[str, Any]) -> Team:
    return Team(stack)


@pytest.fixture(scope="module")
def bystander(team: Team) -> Member:
    return team.member()


def code_at_the_database(way: str) -> tuple[int, str]:
    return (401, "invalid_token") if way == "key revoked" else (401, "session_ended")


@pytest.mark.parametrize("way", WAYS)
def test_the_next_call_of_a_function_is_refused_or_empty_F04_R40_R41(team: Team, bystander: Member, way: str) -> None:
    with about_to_lose(team, way) as one:
        assert found(team.search(one), team.word)
        WAYS[way](team, one)
        answer = team.search(one)
        if way in OF_THE_MEMBERSHIP:
            assert (answer.status, answer.json()) == (200, [])
        else:
            assert (answer.status, answer.json()["code"]) == code_at_the_database(way)
        assert found(team.search(bystander), team.word), "nobody else loses anything"


@pytest.mark.parametrize("way", WAYS)
def test_the_next_call_past_the_edge_is_refused_or_empty_F04_R40_R41(team: Team, way: str) -> None:
    rest = team.stack["rest_url"]
    with about_to_lose(team, way) as one:
        assert found(team.search(one, rest), team.word)
        WAYS[way](team, one)
        answer = team.search(one, rest)
        assert answer.json() == [] if way in OF_THE_MEMBERSHIP else answer.status == 401
        assert team.word not in answer.body.decode()


@pytest.mark.parametrize("way", WAYS)
def test_the_next_list_of_models_is_refused_or_without_the_bot_F04_R40_R41(team: Team, way: str) -> None:
    def models(one: Member) -> tuple[int, list[str]]:
        answer = send(one.url, "GET", "/v1/models", {"authorization": f"Bearer {one.token}"})
        return answer.status, [model["id"] for model in answer.json().get("data", [])]

    with about_to_lose(team, way) as one:
        assert models(one) == (200, [team.model])
        WAYS[way](team, one)
        assert models(one) == ((200, []) if way in OF_THE_MEMBERSHIP else (401, []))


@pytest.mark.parametrize("way", WAYS)
def test_the_next_question_is_refused_before_the_model_hears_it_F04_R40_R41(team: Team, scripted_edge: ScriptedEdge, way: str) -> None:
    model = scripted_edge.model
    with about_to_lose(team, way) as one:
        scripted_edge.purge()
        one.url = scripted_edge.url
        allowed = one.ask(team.model, "What is the word?")
        assert allowed.status == 200 and OVER in allowed.json()["choices"][0]["message"]["content"]
        assert team.word in model.seen()
        heard = len(model.bodies)
        WAYS[way](team, one)
        refused = one.ask(team.model, "What is the word?")
        expected = (404, "not_found") if way in OF_THE_MEMBERSHIP else (401, "invalid_token")
        assert (refused.status, refused.json()["error"]["code"]) == expected
        assert len(model.bodies) == heard


@pytest.mark.parametrize("way", WAYS)
def test_the_next_tool_call_in_a_running_stream_is_refused_F04_R40_R41(team: Team, scripted_edge: ScriptedEdge, way: str) -> None:
    model = scripted_edge.model
    with about_to_lose(team, way) as one, openai.OpenAI(base_url=f"{scripted_edge.url}/v1", api_key=one.token, max_retries=0) as client:
        scripted_edge.purge()
        asked: Any = {"model": team.model, "messages": [{"role": "user", "content": "What is the word?"}], "stream": True}
        assert OVER in "".join(part.choices[0].delta.content or "" for part in client.chat.completions.create(**asked))
        assert team.word in model.seen(), "the twin"

        model.reset()
        model.held = True
        stream = client.chat.completions.create(**asked)
        for part in stream:
            if STARTED in (part.choices[0].delta.content or ""):
                break
        WAYS[way](team, one)
        model.go_on()
        with pytest.raises(openai.APIError) as ended:
            list(stream)
        assert ended.value.code == ("not_found" if way in OF_THE_MEMBERSHIP else "invalid_token")
        assert team.word not in model.seen()
        assert team.word not in json.dumps(ended.value.body)


@pytest.mark.parametrize("way", [way for way in WAYS if way != "key revoked"])
def test_an_answer_that_is_being_written_ends_within_a_second_F04_R41(team: Team, scripted_edge: ScriptedEdge, way: str) -> None:
    """The model says nothing more and no tool is called: only the edge can notice."""
    model = scripted_edge.model
    with about_to_lose(team, way) as one, openai.OpenAI(base_url=f"{scripted_edge.url}/v1", api_key=one.token, max_retries=0) as client:
        model.held = True
        stream = client.chat.completions.create(
            model=team.model, messages=[{"role": "user", "content": "What is the word?"}], stream=True)
        for part in stream:
            if STARTED in (part.choices[0].delta.content or ""):
                break
        asked = time.monotonic()
        one.rpc("list_bots")
        one_call = time.monotonic() - asked
        WAYS[way](team, one)
        ended_at = time.monotonic()
        with pytest.raises(openai.APIError) as ended:
            list(stream)
        # A second on a machine that has time; the calls it takes are as slow as this one was.
        assert time.monotonic() - ended_at < 1 + 3 * one_call
        assert ended.value.code == ("not_found" if way in OF_THE_MEMBERSHIP else "invalid_token")
        assert model.broken_off.wait(5), "the provider is not left working for nobody"


def test_a_role_change_takes_the_documents_and_undone_gives_them_back_at_once_F04_R40(team: Team) -> None:
    one = team.member()
    assert found(team.search(one), team.word)
    team.demote(one)
    assert team.search(one).json() == []
    team.promote(one)
    assert found(team.search(one), team.word)


def test_the_other_session_goes_on_after_a_local_sign_out_and_ends_with_a_global_one_R41(team: Team) -> None:
    one = team.member()
    other = Member(one.url, one.email, one.user_id, one.elsewhere)
    team.sign_out(one)
    assert team.search(one).status == 401 and found(team.search(other), team.word)
    two = team.member()
    team.sign_out_everywhere(two)
    assert team.search(two).status == team.search(Member(two.url, two.email, two.user_id, two.elsewhere)).status == 401
