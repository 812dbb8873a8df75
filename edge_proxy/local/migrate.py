"""Migrations by the real Supabase CLI."""

from __future__ import annotations

import re
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
    password = unquote(urlsplit(database_url).password or "")
    return _run(["push", f"--remote={_bare(database_url)}", "--yes", "--workdir", str(project)], home, {"PGPASSWORD": password})


def diff(from_url: str, to_url: str, *, home: Path) -> str:
    """Return the SQL that turns the first database into the second, empty if nothing does. Raises: MigrationFailed."""
    output, passwords = home / "difference.sql", home / "pgpass"
    passwords.touch(mode=0o600)
    passwords.write_text("".join(map(_pgpass_line, (from_url, to_url))))
    between = ["--from", _bare(from_url), "--to", _bare(to_url), "--output", str(output)]
    try:
        _run(["diff", "--use-pg-delta", *between, "--workdir", str(home)], home, {"PGPASSFILE": str(passwords)})
    finally:
        passwords.unlink()
    return output.read_text() if output.exists() else ""


def _bare(url: str) -> str:
    """Return the URL without its password: every user of the machine can read a command line."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.username}@{parts.hostname}:{parts.port}").geturl()


def _pgpass_line(url: str) -> str:
    parts = urlsplit(url)
    user, password = (re.sub(r"([:\\])", r"\\\1", unquote(part or "")) for part in (parts.username, parts.password))
    return f"{parts.hostname}:{parts.port}:*:{user}:{password}\n"


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
