"""`ringfence keys secrets`: the operator's keys that wrap the keys of secrets, and their rotation while requests go on.

A file of `id:key` lines, mode 0600, the first seals and all open. Rotating: `add` puts a new key behind the others, every process that opens
secrets reads the file again; `promote` puts it in front; `rewrap` wraps every row's key anew; `drop` takes the old key out once no row needs it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli.errors import CliError
from agent.cli.options import DEFAULT_STATE_DIR, AsJson, StateDir, worker_url
from agent.cli.retention import WorkerUrl
from agent.sealing import Keyring, NotOpened, new_key

if TYPE_CHECKING:
    import psycopg

app = typer.Typer(help="The keys that wrap the keys of secrets: list, add, promote, rewrap, drop.", no_args_is_help=True)

KeysFile = Annotated[Path, typer.Option("--keys-file", envvar="RINGFENCE_SECRET_KEYS_FILE", dir_okay=False, help="The file of keys.")]
KeyId = Annotated[str, typer.Argument(metavar="KEY", help="Id of a key: 1..32 of a-z 0-9 -.")]
BATCH = 200


@app.command()
def add(key: KeyId, file: KeysFile) -> None:
    """Make a new key that opens but does not seal yet; the first one of a new file seals."""
    line = new_key(key)
    Keyring.parse([line], "KEY")  # the id is one
    lines = _lines(file) if file.exists() else []
    _write(file, [*lines, line])
    typer.echo(f"{key} is in {file}" + ("" if len(lines) else ": it seals"))


@app.command()
def promote(key: KeyId, file: KeysFile) -> None:
    """Seal with this key from now on. Every process that opens secrets must have read the file since it was added."""
    lines = _lines(file)
    _known(lines, key)
    _write(file, sorted(lines, key=lambda line: not line.startswith(f"{key}:")))
    typer.echo(f"{key} seals")


@app.command("list")
def list_keys(file: KeysFile, database_url: WorkerUrl = None, state_dir: StateDir = DEFAULT_STATE_DIR, as_json: AsJson = False) -> None:
    """Show the keys of the file and how many secrets each wraps; a key that is missing here is told too."""
    ring = Keyring.load(file)
    with _jobs(database_url, state_dir) as connection:
        kept = {key: (count, since) for key, count, since in connection.execute("select key_id, secrets, oldest from authz.secret_keys()").fetchall()}
    told = [{"key": key, "seals": key == ring.first, "here": key in ring.keys, "secrets": kept.get(key, (0, None))[0],
             "since": kept[key][1].isoformat() if key in kept else None} for key in dict.fromkeys([*ring.keys, *kept])]
    if as_json:
        typer.echo(json.dumps(told, indent=2))
        return
    for one in told:
        typer.echo(f"{one['key']:<33}{'seals' if one['seals'] else 'opens' if one['here'] else 'MISSING':<9}{one['secrets']} secrets")


@app.command()
def rewrap(file: KeysFile, database_url: WorkerUrl = None, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Wrap the key of every secret by the key that seals; stopped in the middle, it goes on when called again."""
    ring = Keyring.load(file)
    with _jobs(database_url, state_dir) as connection:
        done, left = rewrap_all(connection, ring)
    typer.echo(f"{done} keys wrapped by {ring.first}")
    if left:
        raise CliError(f"{len(left)} rows of app.secret are not opened by any key of the file and stay as they are: {', '.join(left[:5])}")


@app.command()
def drop(key: KeyId, file: KeysFile, database_url: WorkerUrl = None, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Take a key out of the file, when it wraps nothing any more."""
    lines = _lines(file)
    _known(lines, key)
    if lines[0].startswith(f"{key}:"):
        raise CliError(f"{key} seals: promote another key first")
    with _jobs(database_url, state_dir) as connection:
        left = dict(connection.execute("select key_id, secrets from authz.secret_keys()").fetchall()).get(key, 0)
    if left:
        raise CliError(f"{key} wraps {left} keys still: `ringfence keys secrets rewrap` first")
    _write(file, [line for line in lines if not line.startswith(f"{key}:")])
    typer.echo(f"{key} is gone")


def rewrap_all(connection: psycopg.Connection[Any], ring: Keyring) -> tuple[int, list[str]]:
    """Wrap what another key than the first wraps, row by row, each in its own transaction; return how many, and the rows no key opens."""
    done, left, after = 0, [], None
    while rows := connection.execute("select org_id, id, wrapped_key, key_id from authz.wrapped_keys(%s, %s, %s)", [ring.first, after, BATCH]).fetchall():
        for org_id, row_id, wrapped, key_id in rows:
            after = row_id
            try:
                again, first = ring.rewrap(org_id, row_id, wrapped, key_id)
            except NotOpened:
                left.append(str(row_id))
                continue
            found = connection.execute("select authz.rewrap_key(%s, %s, %s, %s, %s)", [org_id, row_id, wrapped, again, first]).fetchone()
            done += bool(found and found[0])
    return done, left


@contextmanager
def _jobs(database_url: str | None, state_dir: Path) -> Iterator[psycopg.Connection[Any]]:
    """A connection as the log-in of the jobs. Raises: CliError."""
    import psycopg

    try:
        with psycopg.connect(database_url or worker_url(state_dir), autocommit=True, connect_timeout=10) as connection:
            yield connection
    except psycopg.Error as err:
        raise CliError(f"the database: {str(err).strip().splitlines()[0]}") from err


def _lines(file: Path) -> list[str]:
    Keyring.load(file)
    return file.read_text("ascii").split()


def _known(lines: list[str], key: str) -> None:
    if not any(line.startswith(f"{key}:") for line in lines):
        raise CliError(f"there is no key {key} in the file")


def _write(file: Path, lines: list[str]) -> None:
    """Replace the file in one step, readable by us alone. Raises: Misconfigured when an id is there twice."""
    Keyring.parse(lines, str(file))
    new = file.with_name(f"{file.name}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        opened.write("".join(f"{line}\n" for line in lines))
        opened.flush()
        os.fsync(opened.fileno())
    new.replace(file)
