"""`ringfence me`: what an organization holds about you, to take along, and its erasure. Both ask for a second factor used a moment ago."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent import csv_lines
from agent.cli.errors import CliError
from agent.cli.login import call_as
from agent.cli.options import DEFAULT_STATE_DIR, AsEmail, Org, StateDir, target
from agent.cli.org import MANIFEST, new_folder, private_file
from agent.naming import organization_id

if TYPE_CHECKING:
    from agent.rpc import Rpc

app = typer.Typer(help="What is held about you: export and erasure.", no_args_is_help=True)

FILES = "files"
PARTS = "document_part"
"""The table whose rows are pieces of files: they are put together, not written as rows."""


@app.command()
def export(
    out: Annotated[Path, typer.Option("--out", file_okay=False, help="A new or empty folder; only you will be able to read it.")],
    organization: Annotated[str | None, typer.Option("--org", metavar="ORG", help="One organization alone. Default: each of yours.")] = None,
    as_email: AsEmail = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Write what is held about you to DIR, a folder an organization: JSON and CSV a table, what others did to your membership, and the files you added."""
    new_folder(out)

    made = call_as(target(state_dir), as_email, lambda rpc: write_all(rpc, organization, out))
    typer.echo(f"{sum(sum(one['tables'].values()) for one in made)} rows and {sum(one['files'] for one in made)} files of {len(made)} organizations in {out}")


@app.command()
def erase(
    organization: Org,
    confirm: Annotated[str | None, typer.Option("--confirm", metavar="SLUG", help="The slug once more; asked for when left out.")] = None,
    as_email: AsEmail = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Have an organization erase what it holds about you, leave it, and print the receipt: it is shown this once."""
    slug = confirm or typer.prompt(f"This erases your conversations, tickets and private documents in {organization}, and you leave it. Type its slug to go on", err=True)

    async def call(rpc: Rpc) -> Any:
        return await rpc.call("erase_me", {"org_id": await organization_id(rpc, organization), "confirm_slug": slug})

    typer.echo(json.dumps(call_as(target(state_dir), as_email, call), indent=2))


async def write_all(rpc: Rpc, organization: str | None, out: Path) -> list[dict[str, Any]]:
    """Write what each organization, or one, holds about the caller to a folder of its own, and return the manifests. Raises: as `write_person`; StepUp."""
    orgs = (await rpc.call("whoami"))["organizations"]
    if organization is not None:
        wanted = await organization_id(rpc, organization)
        orgs = [one for one in orgs if one["id"] == wanted]
    # All of them before anything is written: one may ask for the second factor, and then this begins again.
    manifests = [await rpc.call("export_me", {"org_id": one["id"]}) for one in orgs]
    return [await write_person(rpc, one["id"], manifest, out / f"{one['slug']}-{one['id'][:8]}") for one, manifest in zip(orgs, manifests, strict=True)]


async def write_person(rpc: Rpc, org_id: str, manifest: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Write what one organization holds about the caller, by what `export_me` said, and return the manifest: {org_id, user_id, email, at, tables: {table: rows}, files}.

    Raises: CliError when a page is not what its digest says; AgentError.
    """
    folder.mkdir(mode=0o700)
    rows = {table: [row async for row in _rows(rpc, org_id, table)] for table in manifest["tables"]}
    names = {row["id"]: row["uri"] for row in rows.get("document", ())}
    parts = rows.pop(PARTS, [])
    for table, found in rows.items():
        with private_file(folder / f"{table}.json") as file:
            file.write(json.dumps(found, indent=1, ensure_ascii=False).encode())
        with private_file(folder / f"{table}.csv") as file:
            file.writelines(csv_lines.table(csv_lines.columns_of(found), found))
    written = 0
    for document, content in files(parts):
        (folder / FILES).mkdir(mode=0o700, exist_ok=True)
        with private_file(folder / FILES / file_name(document, names.get(document, ""))) as file:
            file.write(content)
        written += 1
    by_others = manifest.pop("by_others")
    with private_file(folder / "by_others.json") as file:
        file.write(json.dumps(by_others, indent=1).encode())
    with private_file(folder / "by_others.csv") as file:
        file.writelines(csv_lines.table(csv_lines.columns_of(by_others), by_others))
    manifest = manifest | {"tables": {table: len(found) for table, found in rows.items()}, "files": written}
    with private_file(folder / MANIFEST) as file:
        file.write(json.dumps(manifest, indent=2).encode())
    return manifest


async def _rows(rpc: Rpc, org_id: str, table: str) -> Any:
    """Yield the rows of one table."""
    page: dict[str, Any] = {"next": []}
    while page["next"] is not None:
        place = {"after": page["next"]} if page["next"] else {}
        page = await rpc.call("export_me", {"org_id": org_id, "table_name": table, **place})
        if hashlib.sha256("\n".join(page["rows"]).encode()).hexdigest() != page["sha256"]:
            raise CliError(f"a page of {table} did not arrive as it was sent: begin again")
        for row in page["rows"]:
            yield json.loads(row)


def files(parts: list[dict[str, Any]]) -> Iterator[tuple[str, bytes]]:
    """Yield (document id, content) of every file, its pieces put together in order."""
    found: dict[str, list[tuple[int, bytes]]] = {}
    for part in parts:
        found.setdefault(part["document_id"], []).append((part["position"], bytes.fromhex(part["content"].removeprefix("\\x"))))
    for document, pieces in sorted(found.items()):
        yield document, b"".join(piece for _, piece in sorted(pieces))


def file_name(document: str, uri: str) -> str:
    """Return a name for a file: the id, and what is harmless of the last part of its place."""
    return document + "-" + re.sub(r"[^A-Za-z0-9._-]", "_", uri.rsplit("/", 1)[-1])[-80:].lstrip(".")
