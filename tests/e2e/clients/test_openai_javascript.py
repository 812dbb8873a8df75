"""The package `openai` for Node: one run of openai.mjs, looked at from several sides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.clients.conftest import until
from tests.e2e.conftest import ScriptedEdge
from tests.e2e.revoking import Member, Team
from tests.e2e.scripted import OVER, STARTED

Seen = dict[str, Any]
_known: dict[str, Seen] = {}


@pytest.fixture
def seen(
    scripted: ScriptedEdge, strict_edge: str, team: Team, member: Member, reader: Member, open_bot: str, node: Callable[..., Any]
) -> Seen:
    """What the client saw, by step, and what the model was told meanwhile."""
    if not _known:
        _known["seen"] = node("openai.mjs", url=scripted.url, strictUrl=strict_edge, token=member.token, reader=reader.token,
                              strictToken=team.member().token, model=team.model, openBot=open_bot)
        _known["told"] = {"model": scripted.model.seen(), "broken_off": scripted.model.broken_off.wait(15)}
    return _known["seen"] | {"told": _known["told"]}


def test_the_bots_are_listed_and_one_is_looked_up(seen: Seen, team: Team, open_bot: str) -> None:
    assert set(seen["models"]) == {team.model, open_bot} and seen["retrieved"] == team.model
    assert (seen["retrieveForeign"]["name"], seen["retrieveForeign"]["code"]) == ("NotFoundError", "not_found")


def test_an_answer_has_text_usage_and_a_run_and_a_stream_the_same(seen: Seen, run_of: Callable[..., Any]) -> None:
    usage = {"prompt_tokens": 50, "completion_tokens": 15, "total_tokens": 65}
    assert seen["answer"]["text"] == seen["stream"]["text"] == f"{STARTED}\n\n{OVER}"
    assert seen["answer"]["usage"] == seen["stream"]["usage"] == usage and seen["answer"]["finish"] == "stop"
    assert (seen["stream"]["lastChoices"], seen["stream"]["ids"]) == (0, 1)
    assert seen["answer"]["id"] == f"chatcmpl-{seen['answer']['run']}" and run_of(seen["answer"]["id"]) == ("succeeded", None)


def test_denied_and_made_up_tools_are_told_the_model_and_answered(seen: Seen) -> None:
    assert seen["ticket"] == seen["ticketDenied"] == seen["invents"] == OVER
    told = seen["told"]["model"]
    assert told.count("ok: 1 rows") >= 1 and told.count("denied: not allowed") == 1 and "invalid: There is no such tool." in told


@pytest.mark.parametrize(("step", "name", "status", "code"), [
    ("noToken", "AuthenticationError", 401, "invalid_token"), ("foreign", "NotFoundError", 404, "not_found"),
    ("tools", "BadRequestError", 400, "invalid_request"), ("limited", "RateLimitError", 429, "rate_limited"),
    ("broken", "InternalServerError", 502, "model_unavailable"), ("breaksOff", "APIError", None, "model_malformed"),
])
def test_each_refusal_is_its_own_class_with_a_code(seen: Seen, step: str, name: str, status: int | None, code: str) -> None:
    assert (seen[step]["name"], seen[step]["status"], seen[step]["code"]) == (name, status, code) and seen[step]["message"]


def test_what_was_said_before_a_stream_failed_has_arrived(seen: Seen) -> None:
    assert seen["half"] == "Half"


@pytest.mark.parametrize("step", ["left", "aborted"])
def test_a_stream_the_client_leaves_ends_the_run_and_the_work(seen: Seen, step: str, run_of: Callable[..., Any]) -> None:
    assert seen["told"]["broken_off"], "the model goes on working for nobody"
    until(lambda: bool(run_of(seen[step]) == ("cancelled", None)))
