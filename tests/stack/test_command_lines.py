"""What every user of the machine can read of the commands we run."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from edge_proxy.local import migrate


@pytest.mark.parametrize("command", ["push", "diff"])
def test_no_password_stands_in_the_command_line_of_the_supabase_cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    ran: list[list[str]] = []
    given: list[str] = []

    def run(arguments: list[Any], *, env: dict[str, str], **options: Any) -> subprocess.CompletedProcess[str]:
        ran.append([str(argument) for argument in arguments])
        given.append(env.get("PGPASSWORD", ""))
        if file := env.get("PGPASSFILE"):
            assert stat.S_IMODE(Path(file).stat().st_mode) == 0o600
            given.append(Path(file).read_text())
        return subprocess.CompletedProcess(arguments, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    first, second = "postgresql://postgres:canary%3Aone@127.0.0.1:1/postgres", "postgresql://postgres:canary-two@127.0.0.1:2/postgres"
    if command == "push":
        migrate.push(first, home=tmp_path)
        assert given == ["canary:one"]
    else:
        migrate.diff(first, second, home=tmp_path)
        assert given == ["", "127.0.0.1:1:*:postgres:canary\\:one\n127.0.0.1:2:*:postgres:canary-two\n"]
        assert not (tmp_path / "pgpass").exists()
    assert "postgres@127.0.0.1:1/postgres" in " ".join(ran[0]) and "canary" not in " ".join(ran[0])
