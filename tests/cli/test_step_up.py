"""A command that needs a second factor asks for it at a terminal and goes on (F07)."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyotp

from tests.cli.test_people import Someone, founder

__all__ = ["founder"]

Answer = str | Callable[[str], str]


def at_a_terminal(person: Someone, arguments: list[str], answers: list[tuple[str, Answer]]) -> tuple[int, str]:
    """Run a command at a terminal, answer each question when its words are there, and return status and all that was shown."""
    ours, theirs = pty.openpty()
    shown, answered = "", 0
    with subprocess.Popen([sys.executable, "-m", "agent.cli", *arguments], stdin=theirs, stdout=theirs, stderr=theirs,
                          env={**os.environ, **person.environment, "TERM": "dumb", "COLUMNS": "200"}) as process:
        os.close(theirs)
        left = list(answers)
        while True:
            assert select.select([ours], [], [], 120)[0], shown
            try:
                piece = os.read(ours, 4096)
            except OSError:
                break  # how Linux says that the other end is closed
            if not piece:
                break
            shown += piece.decode()
            if left and re.search(left[0][0], shown[answered:], re.DOTALL):
                answered = len(shown)
                answer = left.pop(0)[1]
                os.write(ours, f"{answer if isinstance(answer, str) else answer(shown)}\n".encode())
        os.close(ours)
    assert left == [], shown
    return process.returncode, shown


def test_who_has_no_app_adds_one_and_the_next_session_is_asked_for_a_code_F07(founder: tuple[Someone, str], tmp_path: Path) -> None:
    owner, slug = founder
    keys: list[str] = []

    def first_code(shown: str) -> str:
        keys.extend(re.findall(r"authenticator app: ([A-Z2-7]{16,})", shown))
        return pyotp.TOTP(keys[0]).now()

    first = ["org", "export", slug, "--out", str(tmp_path / "first")]
    refused = owner.run(*first)
    assert refused.returncode == 1 and "ringfence login EMAIL --code CODE" in refused.stderr and len(refused.stderr.splitlines()) == 1
    status, shown = at_a_terminal(owner, first, [("Add one now", "y"), ("Six digits", first_code)])
    assert status == 0 and "confirm your second factor" in shown and "rows of" in shown
    # The session that was kept has used its second factor: nothing is asked.
    assert "rows of" in owner.done("org", "export", slug, "--out", str(tmp_path / "second"))

    owner.done("login", owner.email, "--password-stdin")
    status, shown = at_a_terminal(owner, ["me", "export", "--out", str(tmp_path / "third")], [
        ("Six digits", "000000"), ("not accepted.*Six digits", lambda _: pyotp.TOTP(keys[0]).at(int(time.time()) + 30))])
    assert status == 0 and "organizations in" in shown
    assert list((tmp_path / "third").glob("*/by_others.csv"))

    owner.done("login", owner.email, "--password-stdin")
    status, shown = at_a_terminal(owner, ["me", "export", "--out", str(tmp_path / "fourth")], [("Six digits", "000000")] + [("not accepted.*Six digits", "000000")] * 2)
    assert status == 1 and list((tmp_path / "fourth").iterdir()) == []


def test_who_does_not_want_an_app_is_left_as_they_were_F07(founder: tuple[Someone, str], tmp_path: Path) -> None:
    owner, slug = founder
    status, shown = at_a_terminal(owner, ["org", "purge", slug, "--confirm", slug], [("Add one now", "n")])
    assert status == 1 and "Six digits" not in shown
    assert owner.email in owner.done("members", slug)
