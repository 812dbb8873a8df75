"""`ringfence kb`: put documents into a knowledge base."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.errors import CliError
from agent.cli.login import token_for
from agent.cli.options import DEFAULT_STATE_DIR, StateDir, Target, target

if TYPE_CHECKING:
    from agent.rpc import Rpc

app = typer.Typer(help="Knowledge bases: the documents a bot may quote.", no_args_is_help=True)
SUFFIXES = {".md", ".markdown", ".txt", ".text", ".rst"}
LARGEST_BYTES = 5_000_000


@app.callback()
def _group() -> None:
    """Keep `add` a sub-command although it is the only one so far."""


@app.command()
def add(
    knowledge_base: Annotated[str, typer.Argument(metavar="ORG/KB", help="For example acme/handbook.")],
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Markdown or text files, or folders with them.", exists=True)],
    email: Annotated[str | None, typer.Option("--as", metavar="EMAIL", help="Add as one of the example people. Default: the last login.")] = None,
    private: Annotated[bool, typer.Option("--private", help="Only you may read the documents.")] = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Add Markdown and text files; a file that has changed replaces its earlier version, an unchanged one is left alone."""
    files = dict(sorted(_files(paths)))
    if not files:
        raise CliError(f"no Markdown or text file ({', '.join(sorted(SUFFIXES))}) in {', '.join(map(str, paths))}")
    where = target(state_dir)
    asyncio.run(_add(where, token_for(where, email), knowledge_base, files, private))


def _files(paths: list[Path]) -> Iterator[tuple[Path, str]]:
    """Yield each file and its name: below the folder it was found in, or its own."""
    for path in paths:
        if path.is_dir():
            yield from ((file.resolve(), str(file.relative_to(path))) for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
        else:
            yield path.resolve(), path.name


async def _add(where: Target, token: str, knowledge_base: str, files: dict[Path, str], private: bool) -> None:
    from agent.cli.client import EdgeClient
    from agent.cli.embedding import configured_embedder
    from agent.errors import BadDocument
    from agent.ingest import ingest

    async with configured_embedder() as embedder, EdgeClient(where.url, where.publishable_key) as client:
        rpc = client.as_person(token)
        org_id, base_id = await _find(rpc, knowledge_base)
        failed = 0
        for file, name in files.items():
            try:
                done = await ingest(
                    rpc, embedder, org_id=org_id, knowledge_base_id=base_id, title=name, uri=file.as_uri(), text=_read(file),
                    visibility="private" if private else "organization",
                )
            except (BadDocument, CliError) as err:
                print(f"{name}: not added: {err}", file=sys.stderr)
                failed += 1
            else:
                what = "unchanged" if done.state == "unchanged" else f"{done.chunks} passage(s)" + (", replaced" if done.replaced else "")
                print(f"{name}: {what}")
    if failed:
        raise CliError(f"{failed} of {len(files)} files not added")


async def _find(rpc: Rpc, knowledge_base: str) -> tuple[str, str]:
    """Return the ids of organization and knowledge base. Raises: CliError naming those there are."""
    org_slug, _, base_slug = knowledge_base.partition("/")
    if not base_slug:
        raise CliError(f"{knowledge_base!r}: write ORG/KB, for example acme/handbook")
    orgs = {row["slug"]: row["id"] for row in (await rpc.call("whoami"))["organizations"]}
    if org_slug not in orgs:
        raise CliError(f"you are not in an organization {org_slug!r}; yours: {', '.join(orgs) or 'none'}")
    bases = {row["slug"]: row["id"] for row in await rpc.call("list_knowledge_bases", {"org_id": orgs[org_slug]})}
    if base_slug not in bases:
        raise CliError(f"{org_slug} has no knowledge base {base_slug!r}; those you may see: {', '.join(bases) or 'none'}")
    return orgs[org_slug], bases[base_slug]


def _read(file: Path) -> str:
    if file.stat().st_size > LARGEST_BYTES:
        raise CliError(f"{file} is larger than {LARGEST_BYTES:,} bytes")
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as err:
        raise CliError(f"{file} is not UTF-8 text") from err
