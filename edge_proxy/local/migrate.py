"""Migrations by the real Supabase CLI."""

from __future__ import annotations

import subprocess
from pathlib import Path

from edge_proxy.local import tools


class MigrationFailed(Exception):
    """The Supabase CLI could not apply the migrations."""


def push(database_url: str, *, home: Path, project: Path = tools.PROJECT, timeout_s: float = 120.0) -> str:
    """Apply the migrations of `project`/supabase that the database has not seen, and return what the CLI said.

    home: a folder the CLI may write to, so that it touches nobody's real one.
    Raises: MigrationFailed with the CLI's own words; the failing file leaves nothing behind (R27).
    """
    done = subprocess.run(
        [tools.supabase_cli(), "db", "push", f"--remote={database_url}", "--yes", "--workdir", project],
        env=tools.environment(home), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s,
    )
    said = (done.stdout + done.stderr).strip()
    if done.returncode != 0:
        raise MigrationFailed(said.replace(database_url, "the database"))
    return said
