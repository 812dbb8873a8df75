"""`ringfence job`, and what is said of a job nobody waits for any more."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path
from typing import Any, cast

import pytest

from agent.cli import analytics
from tests.stack.support import ringfence


class Busy:
    """An Rpc whose job never ends, unless somebody cancels it."""

    def __init__(self, *, answers: bool = True) -> None:
        self.answers, self.called = answers, list[str]()

    async def call(self, name: str, arguments: dict[str, Any]) -> Any:
        self.called.append(name)
        if name == "get_analytics_job":
            return {"status": "running"}
        if not self.answers:
            raise OSError
        return {"job_id": arguments["job_id"], "status": "cancelled"}


def answered(rpc: Busy, wait: int, *, cancels: bool) -> Any:
    return analytics.answered(cast(Any, rpc), "acme", "an org", "a-job", wait, None, None, None, cancels=cancels)


def test_a_job_that_is_not_done_says_how_to_look_again_and_how_to_end_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert asyncio.run(answered(Busy(), 0, cancels=True)) == analytics.WAITING
    assert capsys.readouterr().err.splitlines() == [
        "running: It is not done yet; it goes on without you.", "job a-job",
        "`ringfence job show acme a-job` looks again, `ringfence job cancel acme a-job` ends it"]


@pytest.mark.parametrize(("cancels", "answers", "said"), [
    (True, True, "stopped: job a-job is cancelled"), (True, False, "stopped waiting; job a-job may go on: `ringfence job cancel acme a-job`"), (False, True, "")])
def test_who_stops_waiting_is_told_what_becomes_of_the_job(capsys: pytest.CaptureFixture[str], cancels: bool, answers: bool, said: str) -> None:
    rpc = Busy(answers=answers)

    async def stopped() -> None:
        waiting = asyncio.ensure_future(answered(rpc, 60, cancels=cancels))
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(stopped())
    assert capsys.readouterr().err.strip() == said
    assert ("cancel_analytics_job" in rpc.called) is cancels


def test_a_job_is_listed_read_again_and_its_end_is_no_secret_F50(stack: dict[str, Any], tmp_path: Path) -> None:
    def run(*words: str, email: str = "owner@acme.test") -> Any:
        return ringfence(*words, "--as", email, "--state-dir", stack["state_dir"])

    mark = secrets.token_hex(4)
    first = run("sql", "acme/shop", f"select 7 as n, '{mark}' as mark")
    assert first.returncode == 0, first.stderr
    job = first.stderr.split()[-1]
    [line] = [line for line in run("job", "list", "acme").stdout.splitlines() if mark in line]
    assert line.startswith(f"{job}  succeeded ") and "shop: " in line
    assert len(run("job", "list", "acme", "--most", "1").stdout.splitlines()) == 1
    again = run("job", "show", "acme", job, "--csv", str(tmp_path / "again.csv"))
    assert (again.returncode, again.stdout) == (0, "") and (tmp_path / "again.csv").read_text() == first.stdout == f"n,mark\n7,{mark}\n"
    assert run("job", "show", "acme", job).stdout == first.stdout
    assert run("job", "cancel", "acme", job).stdout == f"job {job} is succeeded\n"
    refused = run("sql", "acme/shop", "select pg_sleep(1)")
    shown = run("job", "show", "acme", refused.stderr.split()[-1])
    assert shown.returncode == 3 and "refused: " in shown.stderr
    for command in ("show", "cancel"):
        other = run("job", command, "acme", job, email="member@acme.test")
        assert (other.returncode, other.stderr) == (1, "ringfence: no such job of yours\n")
    assert run("job", "show", "acme", "nonsense").returncode == 2
