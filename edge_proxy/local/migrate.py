"""Migrations by the real Supabase CLI."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from urllib.parse import unquote, urlsplit

from edge_proxy.local import tools


class MigrationFailed(Exception):
    """The Supabase CLI did not do what it was asked."""


def push(database_url: str, *, home: Path, project: Path = tools.PROJECT) -> str:
    """Apply the migrations of `project`/supabase that the database has not seen, and return what the CLI said.

    home: a folder the CLI may write to, so that it touches nobody's real one.
    Raises: MigrationFailed with the CLI's own words; the failing file leaves nothing behind (R27).
    """
    parts = urlsplit(database_url)
    # Not in the command line: every user of the machine can read that.
    bare = parts._replace(netloc=f"{parts.username}@{parts.hostname}:{parts.port}").geturl()
    return _run(["push", f"--remote={bare}", "--yes", "--workdir", str(project)], home, {"PGPASSWORD": unquote(parts.password or "")})


def diff(from_url: str, to_url: str, *, home: Path) -> str:
    """Return the SQL that turns the first database into the second, empty if nothing does. Raises: MigrationFailed.

    Both passwords stand in the command line for a moment: meant for databases that are thrown away.
    """
    output = home / "difference.sql"
    _run(["diff", "--use-pg-delta", "--from", from_url, "--to", to_url, "--output", str(output), "--workdir", str(home)], home)
    return output.read_text() if output.exists() else ""


def _run(arguments: list[str], home: Path, settings: Mapping[str, str] = MappingProxyType({}), *, timeout_s: float = 120.0) -> str:
    done = subprocess.run(
        [tools.supabase_cli(), "db", *arguments],
        env=tools.environment(home) | dict(settings), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s,
    )
    said = (done.stdout + done.stderr).strip()
    if done.returncode != 0:
        for argument in arguments:
            if "://" in argument:  # a URL may hold a password
                said = said.replace(argument, "the database")
        raise MigrationFailed(said)
    return said
