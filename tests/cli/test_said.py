"""What the command line says when something is in the way: what to do next, and who may."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import typer

from agent.cli.options import writable
from tests.cli.test_newcomers import alone
from tests.cli.test_org import enrol
from tests.cli.test_people import Someone, founder
from tests.e2e.conftest import send
from tests.stack.support import ringfence

__all__ = ["founder"]


def test_a_session_that_was_ended_elsewhere_says_what_to_run_whatever_the_command(founder: tuple[Someone, str]) -> None:
    owner, slug = founder
    token = owner.done("login", owner.email, "--password-stdin")
    ended = send(owner.stack["url"], "POST", "/auth/v1/logout?scope=global", {"authorization": f"Bearer {token}", "apikey": owner.stack["publishable_key"]})
    assert ended.status == 204, ended.body
    for command in (["members", slug], ["token", "list", slug], ["token", "create", slug, "x", "-p", "documents.read", "--password-stdin"],
                    ["audit", "verify", slug], ["why", owner.email, f"{slug}/bot/x"], ["job", "list", slug]):
        refused = owner.run(*command)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr == "ringfence: the session has ended, or its token is not accepted any more: run `ringfence login EMAIL`\n", command


def test_a_token_of_somebody_with_an_authenticator_app_asks_for_the_option_F08(founder: tuple[Someone, str]) -> None:
    owner, slug = founder
    code = enrol(owner)
    owner.done("login", owner.email, "--password-stdin")
    create = ["token", "create", slug, "nightly", "-p", "documents.read", "--password-stdin"]
    weak = owner.run(*create)
    assert weak.returncode == 1 and "`ringfence login EMAIL --code CODE`, then this command again with --code and the code after that" in weak.stderr
    owner.done("login", owner.email, "--password-stdin", "--code", code)
    refused = owner.run(*create)
    assert refused.returncode == 1 and refused.stderr == "ringfence: no token was made: give six digits of your authenticator app with --code\n"


def test_a_script_is_told_how_to_use_a_second_factor_and_of_as_only_where_it_was_said_F07(founder: tuple[Someone, str], tmp_path: Path) -> None:
    owner, _ = founder
    refused = owner.run("me", "export", "--out", str(tmp_path / "out"))
    assert refused.returncode == 1 and "`ringfence login EMAIL --code CODE`, then this command again; at a terminal" in refused.stderr
    assert "adds an authenticator app where there is none" in refused.stderr and "--as" not in refused.stderr
    example = alone(["me", "export", "--out", str(tmp_path / "other"), "--as", "owner@acme.test"], Path(owner.stack["state_dir"]))
    assert "`ringfence login owner@acme.test --code CODE`, then this command again without --as;" in example.stderr


@pytest.mark.parametrize(("email", "command", "said"), [
    ("owner", ["why", "owner@acme.test", "acme/bots/helper"], "bots: no such kind; it is one of document, knowledge_base, bot, order, ticket, conversation, run"),
    ("owner", ["chat", "--bot", "newco", "Hello?"], "--bot newco: write ORG/BOT, for example acme/helpdesk"),
    ("owner", ["invite", "acme", "x@example.test", "--role", "reader-pluss"],
     "no such role in this organization: reader-pluss; there are: admin, agent, analyst, auditor, builder, member, owner"),
    ("member", ["table", "load", "acme/shop", "never_there", "FILE"],
     "loading a table takes level editor on acme/shop: who owns the source, or has analytics.manage, gives it with share_data_source"),
])
def test_what_is_in_the_way_is_named(stack: dict[str, Any], tmp_path: Path, email: str, command: list[str], said: str) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    words = [str(tmp_path / "a.csv") if word == "FILE" else word for word in command]
    done = ringfence(*words, "--as", f"{email}@acme.test", "--state-dir", stack["state_dir"])
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"ringfence: {said}\n")


@pytest.mark.parametrize("command", [["sql", "acme/shop", "select 1 as one", "--csv"], ["sql", "acme/shop", "select 1 as one", "--parquet"],
                                     ["ask", "acme/shop", "How many?", "--chart"], ["audit", "export", "acme", "--cursor-file"], ["openapi", "--out"]])
def test_where_nothing_can_be_written_nothing_is_asked(tmp_path: Path, command: list[str]) -> None:
    # No stack is there: what comes first is this.
    done = ringfence(*command, tmp_path / "none" / "x.svg", "--state-dir", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"Invalid value for '{command[-1]}': there is no folder {tmp_path / 'none'}" in done.stderr


def test_a_file_that_one_may_not_write_is_named_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert writable(tmp_path / "x") == tmp_path / "x" and writable(None) is None
    # Root may write everything.
    monkeypatch.setattr(os, "access", lambda path, mode: (path, mode) != (tmp_path, os.W_OK))
    with pytest.raises(typer.BadParameter, match="x cannot be written"):
        writable(tmp_path / "x")
