"""What the parts write into their logs, and how much."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from edge_proxy.local import processes


def test_the_database_s_log_holds_nothing_that_a_caller_sent(cluster: Any) -> None:
    with cluster.connect("postgres", autocommit=True) as connection:
        for statement, arguments in (
            ("select 'canary-in-a-literal'::uuid", None),
            ("select %s::text::uuid", ["canary-in-an-argument"]),
            ("select 1 / 0 -- canary-in-a-comment", None),
            ("do $$ begin raise exception 'canary in a refusal'; end $$", None),
            ("do $$ begin raise warning 'canary in a warning'; end $$", None),
        ):
            try:
                connection.execute(statement.encode(), arguments)
            except psycopg.Error:
                continue
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(cluster.url("postgres", password="wrong"))
    text = cluster.log.read_text()
    assert "canary" not in text
    assert "ready to accept connections" in text and "password authentication failed" in text, "what matters stays"


def test_a_log_grown_large_is_put_aside_at_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LARGEST_LOG_BYTES", 10)
    log = tmp_path / "part.log"
    for said in ("first, a long line", "second, a long line", "third"):
        processes.start("part", [sys.executable, "-c", f"print({said!r})"], log=log, env={}).popen.wait()
    assert (log.read_text(), (tmp_path / "part.log.1").read_text()) == ("third\n", "second, a long line\n")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
