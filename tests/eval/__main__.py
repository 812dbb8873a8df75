"""Ask every question of the set and judge the answers: `make eval`. Ends with status 1 when a row leaked.

On a stack of its own: by the offline responder, by the local model where `ringfence model install` has put one, and by the
endpoint that RINGFENCE_MODEL_BASE_URL names. A table for people, then one JSON object.

    make eval ARGS="--every 4"        each fourth question: a model on this machine takes its time
    make eval ARGS="--only offline"   one of offline, local, endpoint
    make eval ARGS="--about data"     questions to SQL over public tables; documents alone with `--about documents`
    make eval ARGS="--script"         the questions over data, put to a script that knows the answers: what is wrong then is no model's
    make eval ARGS="--wrong"          also what was answered wrongly, on standard error
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from agent.config import Config
from agent.embedding import Embedder
from agent.errors import AgentError
from agent.limits import Limits
from agent.model import runtime, weights
from agent.providers import create_provider
from agent.question import Question as Asked
from agent.question import Event
from agent.run import Agent
from tests.eval import data, script
from tests.eval.grade import GRADES, Grade, Outcome, Watched, grade
from tests.eval.questions import Question
from tests.eval.world import Home, homes
from tests.stack.support import ringfence

# One question at a time on however slow a machine: what is measured is the answer, not whether it came in time for a person.
LIMITS = Limits(wall_s=600.0)
KINDS = ("document", "absent", "tool")


def main() -> None:
    options = argparse.ArgumentParser(prog="make eval", description="Ask every question of the set and judge the answers.")
    options.add_argument("--every", type=int, default=1, metavar="N", help="ask each N-th question")
    options.add_argument("--only", choices=("offline", "local", "endpoint"), help="ask one of them")
    options.add_argument("--about", choices=("documents", "data"), help="ask about one of them")
    options.add_argument("--wrong", action="store_true", help="show what was answered wrongly")
    options.add_argument("--script", action="store_true", help="put the questions over data to a script that knows the right SQL")
    chosen = options.parse_args()
    local = (weights.is_installed(weights.data_folder()) and runtime.is_installed()) and chosen.only in (None, "local") and not chosen.script
    if chosen.only == "local" and not local:
        sys.exit("there is no model on this machine: run `ringfence model install` first")
    for each in (signal.SIGTERM, signal.SIGINT):
        # However it is ended, its stack ends with it; begun in the background of a shell, it would not hear SIGINT otherwise.
        signal.signal(each, lambda number, frame: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="ringfence-eval-") as folder, contextlib.ExitStack() as stack:
        if chosen.script:
            chosen.about = "data"
            os.environ |= stack.enter_context(script.knowing(data.questions()))
        unlimited = {f"RINGFENCE_RATE_{name}": "100000/1000000" for name in ("USER", "ADDRESS", "AUTH", "CHAT", "ORG", "ORG_CHAT")}
        up = ringfence("up", "--detach", "--json", "--no-seed", "--port", "0", "--state-dir", Path(folder),
                       *(["--local-model"] if local else []), environment=unlimited, timeout_s=300)
        try:
            if up.returncode != 0:
                sys.exit(up.stderr)
            results = asyncio.run(_everybody(json.loads(up.stdout), chosen))
        finally:
            ringfence("down", "--state-dir", Path(folder))
    print(json.dumps(results, indent=2))
    if any(row["leaked"] for row in results.values()):
        sys.exit("rows leaked")


async def _everybody(stack: dict[str, Any], chosen: argparse.Namespace) -> dict[str, Any]:
    who: dict[str, dict[str, str]] = {"offline": {}}
    if "model" in stack:
        who["local"] = stack["model"]
    if os.environ.get("RINGFENCE_MODEL_BASE_URL"):
        who["endpoint"] = {name: value for name, value in os.environ.items() if name.startswith("RINGFENCE_MODEL_")}
    who = {name: settings for name, settings in who.items() if chosen.only in (None, name)}
    if not who:
        sys.exit("RINGFENCE_MODEL_BASE_URL is not set: there is no endpoint to ask")
    results: dict[str, Any] = {}
    if chosen.about != "documents":
        results["data"] = await _ask_data(stack, chosen)
    if chosen.about == "data":
        return results
    async with homes(stack) as (places, embedder):
        questions = [(home, question) for home in places for question in home.part.questions][:: chosen.every]
        for name, settings in who.items():
            grades = await _ask_all(name, settings, questions, embedder, chosen.wrong)
            results[name] = summary(grades)
    for name in who:
        _print(name, results[name])
    return results


async def _ask_data(stack: dict[str, Any], chosen: argparse.Namespace) -> dict[str, Any]:
    """Ask about data, by the one model the stack's worker has; without one the right answers alone are run, and every question is refused."""
    asked = data.questions()[:: chosen.every]
    has_model = "model" in stack or bool(os.environ.get("RINGFENCE_MODEL_BASE_URL"))
    async with data.data_home(stack) as home:
        if not has_model:
            rows = [await data.gold(home, question) for question in asked if question.sql]
            print(f"data: no model; the SQL of {len(rows)} right answers ran, leaked rows: {sum(data.leaks(home, one) for one in rows)}")
            return {"questions": len(asked), "ran": len(rows), "leaked": sum(data.leaks(home, one) for one in rows)}
        grades = []
        for n, question in enumerate(asked, start=1):
            graded = await data.ask(home, question)
            grades.append(graded)
            if chosen.wrong and (not graded.right or graded.leaks):
                print(f"data: {question.text}\n    {graded.status}: {graded.why} {graded.sql}", file=sys.stderr)
            if sys.stderr.isatty():
                print(f"\rdata: {n} of {len(asked)}", end="\n" if n == len(asked) else "", file=sys.stderr, flush=True)
    found = data.summary(grades)
    print(f"data: {found['questions']} questions, {found['seconds']['median']} s each (median); right rows {found['answered']['right']}/{found['answered']['of']}, "
          f"rightly refused {found['refused']['right']}/{found['refused']['of']}, leaked rows: {found['leaked']}")
    return found


async def _ask_all(name: str, settings: dict[str, str], questions: list[tuple[Home, Question]], embedder: Embedder, wrong: bool) -> list[Grade]:
    no_database = {"RINGFENCE_REST_URL": "http://127.0.0.1", "SUPABASE_PUBLISHABLE_KEY": "none"}
    provider = Watched(create_provider(Config.from_environment(no_database | settings), embedder))
    agent = Agent(provider, embedder, LIMITS)
    grades = []
    try:
        for n, (home, question) in enumerate(questions, start=1):
            graded = grade(home, question, await ask(agent, provider, home, question))
            grades.append(graded)
            failed = [one for one, passed in graded.passed.items() if passed is False] + ["LEAK"] * bool(graded.leaks)
            if wrong and failed:
                said = graded.outcome.error or graded.outcome.text
                print(f"{name}: {question.text}\n    {', '.join(failed)}: {' '.join(said.split())[:300]}", file=sys.stderr)
            if sys.stderr.isatty():
                print(f"\r{name}: {n} of {len(questions)}", end="\n" if n == len(questions) else "", file=sys.stderr, flush=True)
    finally:
        await provider.close()
    return grades


async def ask(agent: Agent, provider: Watched, home: Home, question: Question) -> Outcome:
    """Put one question to the organization's bot, as its asker; a failed run is an outcome too."""
    async def ignore(event: Event) -> None:
        pass

    provider.begin()
    began = time.perf_counter()
    try:
        answer = await agent.answer(home.asker, Asked(home.bot, question.text), ignore)
    except AgentError as err:
        return Outcome("", [], provider.calls, provider.rows, time.perf_counter() - began, f"{err.code}: {err.message}")
    return Outcome(answer.text, answer.citations, provider.calls, provider.rows, time.perf_counter() - began)


def summary(grades: list[Grade]) -> dict[str, Any]:
    """Return what is right and out of how many, by grade and by kind of question, the leaks and the time."""
    def counted(kind: str | None, name: str) -> dict[str, int]:
        asked = [one.passed[name] for one in grades if kind in (None, one.question.kind) and one.passed[name] is not None]
        return {"right": sum(map(bool, asked)), "of": len(asked)}

    seconds = [one.outcome.seconds for one in grades]
    return {
        "questions": len(grades),
        **{name: counted(None, name) for name in GRADES},
        "by_kind": {kind: {name: counted(kind, name) for name in GRADES} for kind in KINDS},
        "leaked": sum(one.leaks for one in grades),
        "failed": sum(bool(one.outcome.error) for one in grades),
        "seconds": {"median": round(statistics.median(seconds), 2), "longest": round(max(seconds), 2)},
    }


def _print(name: str, row: dict[str, Any]) -> None:
    def cell(counts: dict[str, int]) -> str:
        return f"{counts['right']}/{counts['of']}" if counts["of"] else "-"

    print(f"\n{name}: {row['questions']} questions, {row['seconds']['median']} s each (median), {row['seconds']['longest']} s the longest")
    print(f"{'':<10}" + "".join(f"{one:>11}" for one in GRADES))
    for kind, counts in [*row["by_kind"].items(), ("all", row)]:
        print(f"{kind:<10}" + "".join(f"{cell(counts[one]):>11}" for one in GRADES))
    print(f"leaked rows: {row['leaked']}; runs that failed: {row['failed']}")


if __name__ == "__main__":
    main()
