"""`ringfence kb add` on a terminal: a bar while a document is embedded, gone when it is done; one line a document stays."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from agent.cli import kb
from agent.cli.errors import CliError
from agent.errors import Conflict, NotVisible


def on_a_terminal(arguments: list[str]) -> tuple[int, str]:
    """Run the command with a terminal for its output; return status and everything that was written to it."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen([sys.executable, "-m", "agent.cli", *arguments], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        written = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:
                break  # how Linux says that the other end is closed
            if not piece:
                break
            written += piece
        os.close(ours)
    return process.returncode, written.decode()


def test_on_a_terminal_a_bar_shows_how_far_the_document_is(stack: dict[str, Any], tmp_path: Path) -> None:
    name = f"{secrets.token_hex(4)}[bold].md"
    (tmp_path / name).write_text("\n\n".join(f"# Part {number}\n\nA bilby digs hole number {number}." for number in range(70)))
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 broken")
    command = ["kb", "add", "acme/handbook", str(tmp_path / name), str(tmp_path / "broken.pdf"), "--private", "--as", "owner@acme.test",
               "--state-dir", str(stack["state_dir"])]
    status, written = on_a_terminal(command)
    assert status == 1
    assert re.search(r"(32|64)/70 passages", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written)), written
    assert f"{name}: 70 passage(s)" in written
    assert "broken.pdf: not added: The file is damaged, or is not what its name says." in written
    quiet = subprocess.run([sys.executable, "-m", "agent.cli", *command], capture_output=True, text=True, timeout=120)
    assert quiet.stdout == f"{name}: unchanged\n"
    assert "\x1b" not in quiet.stderr and "passages" not in quiet.stderr


class Answers:
    """Two organizations of one slug, each with a handbook."""

    async def call(self, name: str, arguments: dict[str, Any] | None = None) -> Any:
        if name == "whoami":
            return {"organizations": [{"id": f"{FIRST}", "slug": "acme"}, {"id": f"{SECOND}", "slug": "acme"}, {"id": "third", "slug": "zoo"}]}
        assert name == "list_knowledge_bases" and arguments
        return [{"id": f"base of {arguments['org_id']}", "slug": "handbook"}]


FIRST, SECOND = UUID(int=1), UUID(int=2)


def test_of_two_organizations_of_one_slug_the_command_line_asks_for_the_id() -> None:
    """Anybody may found a second acme and have the person in it: what is meant for the first must not land there."""
    rpc: Any = Answers()
    with pytest.raises(Conflict, match="give the id"):
        asyncio.run(kb._find(rpc, "acme/handbook"))
    for name in (f"{FIRST}/handbook", f"{FIRST}/base of {FIRST}"):
        assert asyncio.run(kb._find(rpc, name)) == (str(FIRST), f"base of {FIRST}")
    assert asyncio.run(kb._find(rpc, f"{SECOND}/handbook")) == (str(SECOND), f"base of {SECOND}")
    assert asyncio.run(kb._find(rpc, "zoo/handbook")) == ("third", "base of third")
    with pytest.raises(NotVisible, match="those you may see: handbook"):
        asyncio.run(kb._find(rpc, "zoo/other"))
    with pytest.raises(NotVisible, match="yours: acme, zoo"):
        asyncio.run(kb._find(rpc, "other/handbook"))
    with pytest.raises(CliError, match="write ORG/KB"):
        asyncio.run(kb._find(rpc, "acme"))
