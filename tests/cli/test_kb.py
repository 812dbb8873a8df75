"""`ringfence kb add` on a terminal: a bar while a document is embedded, gone when it is done; one line a document stays."""

from __future__ import annotations

import os
import pty
import re
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any


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
