"""How long a right outlives the call that ends it: from that call's return to the first refused answer, and how many were still allowed.

The token is unexpired throughout. A refusal costs one round trip, so the time says what that round trip costs; `still_allowed` says
whether the right outlived its end at all.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from typing import Any

from tests.e2e.conftest import Answer, send
from tests.e2e.revoking import WAYS, Member, Team, about_to_lose, found

ROUNDS = 5
GIVE_UP_S = 400.0
"""Longer than the edge believes a key set."""


def _at_the_edge(team: Team, one: Member) -> bool:
    return found(team.search(one), team.word)


def _past_the_edge(team: Team, one: Member) -> bool:
    return found(team.search(one, team.stack["rest_url"]), team.word)


def _models(team: Team, one: Member) -> bool:
    answer = send(one.url, "GET", "/v1/models", {"authorization": f"Bearer {one.token}"})
    return answer.status == 200 and team.model in answer.body.decode()


def _in_a_run(team: Team, one: Member) -> Callable[[], bool]:
    """Begin a run, as the agent does; return its next tool call."""
    run = one.rpc("start_run", bot=team.model, question="What is the word?").json()["run_id"]

    def call() -> bool:
        answer: Answer = one.rpc("call_tool", run_id=run, tool="search_documents", arguments={"query": team.word})
        return found(answer, team.word)

    return call


DOORS: dict[str, Callable[[Team, Member], Callable[[], bool]]] = {
    "search at the edge": lambda team, one: lambda: _at_the_edge(team, one),
    "search at PostgREST": lambda team, one: lambda: _past_the_edge(team, one),
    "list of models": lambda team, one: lambda: _models(team, one),
    "tool call in a run": _in_a_run,
}


async def measure(stack: dict[str, Any], rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """Return one row for every way a right ends and every door: {way, door, rounds, median_ms, max_ms, still_allowed}."""
    return await asyncio.to_thread(_measure, stack, rounds)


def _measure(stack: dict[str, Any], rounds: int) -> list[dict[str, Any]]:
    team = Team(stack)
    rows = []
    for way in WAYS:
        for door, prepare in DOORS.items():
            times, still_allowed = [], 0
            for _ in range(rounds):
                with about_to_lose(team, way) as one:
                    ask = prepare(team, one)
                    if not ask():
                        raise SystemExit(f"{door}: refused before the right was taken ({way})")
                    WAYS[way](team, one)
                    ended = time.perf_counter()
                    while ask():
                        still_allowed += 1
                        if time.perf_counter() - ended > GIVE_UP_S:
                            raise SystemExit(f"{door}: still allowed {GIVE_UP_S:.0f} s after: {way}")
                    times.append((time.perf_counter() - ended) * 1000)
            rows.append({"way": way, "door": door, "rounds": rounds, "median_ms": round(statistics.median(times), 2),
                         "max_ms": round(max(times), 2), "still_allowed": still_allowed})
    return rows
