"""`ringfence db`: from sql/ to migrations, and the proof that the two agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from agent.cli import manifest
from agent.cli.errors import CliError

app = typer.Typer(help="The database's source and its migrations.", no_args_is_help=True)


@app.command()
def migration(
    name: Annotated[str, typer.Argument(help="What the migration does, in lower case and underscores.")],
) -> None:
    """Write what sql/ says and the migrations do not yet say as a new file of supabase/migrations/, and the manifest anew.

    The first migration is all of sql/ in order. A later one is the difference between the two databases: read it before you commit it.
    """
    from edge_proxy.local import schema_check, sql_source, tools

    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise CliError(f"{name!r}: use lower case letters, digits and underscores")
    folder = tools.SUPABASE / "migrations"
    earlier = sorted(folder.glob("*.sql"))
    with _explained():
        if earlier:
            with schema_check.both_databases() as (migrated, sourced):
                text = schema_check.migration_between(migrated, sourced)
                manifest.FILE.write_text(manifest.text(manifest.manifest(schema_check.facts(sourced))))
        else:
            text = sql_source.baseline()
    if not text.strip():
        print("sql/ and the migrations agree: nothing to write")
        return
    file = folder / f"{_version(earlier)}_{name}.sql"
    folder.mkdir(exist_ok=True)
    file.write_text(text)
    print(file)


@app.command()
def check() -> None:
    """Build one database from sql/ and one with `supabase db push`, compare their catalogs, fail on any difference."""
    from edge_proxy.local import schema_check

    with _explained(), schema_check.both_databases() as (migrated, sourced):
        left, right = schema_check.facts(migrated), schema_check.facts(sourced)
    found = schema_check.differences(left, right)
    for difference in found:
        print(difference)
    stale = manifest.drift(manifest.read(), manifest.manifest(right))
    if stale and not found:
        raise CliError(f"supabase/manifest.txt is older than sql/ ({stale[0]}, ...): `ringfence db migration NAME` writes it anew")
    if found:
        raise CliError(f"sql/ and the migrations differ in {len(found)} facts; `ringfence db migration NAME` writes what is missing")
    print(f"sql/ and the migrations make the same database ({len(right)} facts compared)")


def _version(earlier: list[Path]) -> str:
    """Return the time as the CLI writes it, later than every earlier file's."""
    now = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
    last = earlier[-1].name.split("_")[0] if earlier else ""
    return now if now > last else str(int(last) + 1)


@contextmanager
def _explained() -> Iterator[None]:
    """Turn a failing file, a failing CLI or a database that does not start into one message."""
    import psycopg

    from edge_proxy.local.migrate import MigrationFailed
    from edge_proxy.local.processes import PartFailed

    try:
        yield
    except psycopg.Error as err:
        raise CliError(f"sql/ does not apply: {err} {' '.join(getattr(err, '__notes__', []))}") from err
    except (MigrationFailed, PartFailed, FileNotFoundError, PermissionError) as err:
        raise CliError(str(err)) from err
