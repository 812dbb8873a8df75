"""`sql/`, the readable source of truth: its files in order, applied to a database as the migration role."""

from __future__ import annotations

from pathlib import Path

import psycopg

from edge_proxy.local import tools

SQL = tools.PROJECT / "sql"


def files(folder: Path = SQL) -> list[Path]:
    """Return the SQL files in the order they are applied."""
    return sorted(folder.glob("*.sql"))


def apply(database_url: str, folder: Path = SQL) -> None:
    """Run every file in one transaction. Raises: psycopg.Error, with the file's name in a note."""
    with psycopg.connect(database_url) as connection:
        for file in files(folder):
            try:
                connection.execute(file.read_bytes())
            except psycopg.Error as err:
                err.add_note(f"while running {file.name}")
                raise


def baseline(folder: Path = SQL) -> str:
    """Return all files as one migration, each under a line that names it."""
    parts = ["-- Made from sql/ by `ringfence db migration`: every file in order. Edit sql/, never this file.\n"]
    for file in files(folder):
        parts.append(f"\n-- ==== {file.name} ====\n{file.read_text().strip()}\n")
    return "".join(parts)
