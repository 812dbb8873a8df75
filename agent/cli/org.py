"""`ringfence org`: take an organization along, and end it. Both ask for a second factor used a moment ago: `ringfence login EMAIL --code CODE`."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent import csv_lines
from agent.cli.errors import CliError
from agent.cli.login import call_as
from agent.cli.options import DEFAULT_STATE_DIR, AsEmail, Org, StateDir, target
from agent.naming import organization_id

if TYPE_CHECKING:
    from agent.rpc import Rpc

app = typer.Typer(help="The last pages of an organization: export and purge.", no_args_is_help=True)

MANIFEST = "manifest.json"


@app.command()
def export(
    organization: Org,
    out: Annotated[Path, typer.Option("--out", file_okay=False, help="A new or empty folder; only you will be able to read it.")],
    as_email: AsEmail = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Write every row you may read to DIR: JSON Lines and CSV a table, and manifest.json with counts and digests of the JSON Lines."""
    new_folder(out)

    async def call(rpc: Rpc) -> Any:
        return await write_export(rpc, await organization_id(rpc, organization), out)

    manifest = call_as(target(state_dir), as_email, call)
    rows = sum(table["rows"] for table in manifest["tables"].values())
    typer.echo(f"{rows} rows of {len(manifest['tables'])} tables in {out}; what others keep private is not among them")


@app.command()
def purge(
    organization: Org,
    confirm: Annotated[str | None, typer.Option("--confirm", metavar="SLUG", help="The slug once more; asked for when left out.")] = None,
    as_email: AsEmail = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Delete an organization with everything in it, for good, and print the receipt: it is shown this once."""
    slug = confirm or typer.prompt(f"This deletes {organization} with everything in it, for good. Type its slug to go on", err=True)

    async def call(rpc: Rpc) -> Any:
        return await rpc.call("purge_organization", {"org_id": await organization_id(rpc, organization), "confirm_slug": slug})

    typer.echo(json.dumps(call_as(target(state_dir), as_email, call), indent=2))


async def write_export(rpc: Rpc, org_id: str, folder: Path) -> dict[str, Any]:
    """Write the tables and the manifest, and return it: {org_id, export_id, requested_at, tables: {table: {rows, sha256}}}.

    Raises: CliError when a page is not what its digest says or fewer rows came than were counted at the beginning; AgentError.
    """
    begun = await rpc.call("export_organization", {"org_id": org_id})
    tables = {}
    for table, promised in begun["tables"].items():
        rows, digest = 0, hashlib.sha256()
        with private_file(folder / f"{table}.jsonl") as file:
            page: dict[str, Any] = {"next": []}
            while page["next"] is not None:
                place = {"after": page["next"]} if page["next"] else {}
                page = await rpc.call("export_rows", {"org_id": org_id, "export_id": begun["export_id"], "table_name": table, **place})
                if hashlib.sha256("\n".join(page["rows"]).encode()).hexdigest() != page["sha256"]:
                    raise CliError(f"a page of {table} did not arrive as it was sent: begin again")
                text = "".join(f"{row}\n" for row in page["rows"]).encode()
                file.write(text)
                digest.update(text)
                rows += len(page["rows"])
        if rows < promised:
            raise CliError(f"{table}: {promised} rows at the beginning, {rows} came; somebody deletes meanwhile: begin again")
        with private_file(folder / f"{table}.csv") as file:
            # Read back from the disk: a table may be larger than memory.
            file.writelines(csv_lines.table(csv_lines.columns_of(read_lines(folder / f"{table}.jsonl")), read_lines(folder / f"{table}.jsonl")))
        tables[table] = {"rows": rows, "sha256": digest.hexdigest()}
    manifest = {name: begun[name] for name in ("org_id", "export_id", "requested_at")} | {"tables": tables}
    with private_file(folder / MANIFEST) as file:
        file.write(json.dumps(manifest, indent=2).encode())
    return manifest


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file of JSON Lines."""
    with path.open("rb") as file:
        yield from map(json.loads, file)


def new_folder(path: Path) -> None:
    """Make a folder that others cannot read. Raises: CliError when there is something in it."""
    if path.exists() and any(path.iterdir()):
        raise CliError(f"{path} is not empty")
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)


def private_file(path: Path) -> Any:
    """Open a new file that others cannot read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
