"""`ringfence kb`: put documents into a knowledge base."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import typer

from agent.cli.errors import CliError
from agent.cli.login import token_for
from agent.cli.options import DEFAULT_STATE_DIR, AsEmail, StateDir, Target, target
from agent.documents.kinds import SUFFIXES
from agent.naming import knowledge_base_ids

if TYPE_CHECKING:
    from agent.rpc import Rpc

app = typer.Typer(help="Knowledge bases: the documents a bot may quote.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `add` a sub-command although it is the only one so far."""


@app.command()
def add(
    knowledge_base: Annotated[str, typer.Argument(metavar="ORG/KB", help="For example acme/handbook; each by slug or id.")],
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, or folders with them.", exists=True)],
    email: AsEmail = None,
    private: Annotated[bool, typer.Option("--private", help="Only you may read the documents.")] = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Add files: Markdown, text, HTML, PDF, DOCX, PPTX, XLSX, CSV and e-mail (.eml), up to 50 MB each.

    A file that has changed replaces its earlier version, an unchanged one is left alone, one that cannot be read is reported and
    the rest is done.
    """
    files = dict(sorted(_files(paths)))
    if not files:
        raise CliError(f"no file of a known kind ({', '.join(sorted(SUFFIXES))}) in {', '.join(map(str, paths))}")
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
    from agent.documents.sandbox import Sandbox
    from agent.errors import BadArguments, BadDocument
    from agent.ingest import Place, ingest_file

    failed = 0
    sandbox = Sandbox()
    with _Bar() as bar:
        async with configured_embedder() as embedder, EdgeClient(where.url, where.publishable_key) as client:
            rpc = client.as_person(token)
            org_id, base_id = await _find(rpc, knowledge_base)
            for file, name in files.items():
                try:
                    with file.open("rb") as opened:
                        place = Place(org_id, base_id, name, file.as_uri(), "private" if private else None)
                        done = await ingest_file(rpc, embedder, sandbox, place, opened, name, progress=bar.of(name))
                except (BadDocument, BadArguments, OSError) as err:
                    bar.say(f"{name}: not added: {err}", error=True)
                    failed += 1
                else:
                    what = "unchanged" if done.state == "unchanged" else f"{done.chunks} passage(s)" + (", replaced" if done.replaced else "")
                    bar.say(f"{name}: {what}")
    if failed:
        raise CliError(f"{failed} of {len(files)} files not added")


class _Bar:
    """How far the document in work is, on a terminal; elsewhere only the line that ends each document."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TextColumn("passages"), TimeRemainingColumn(),
            console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty(),
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def of(self, name: str) -> Callable[[int, int], None]:
        """Return the callback that draws the bar of one document."""
        task = self._progress.add_task(name, total=None, visible=False)

        def draw(done: int, total: int) -> None:
            self._progress.update(task, completed=done, total=total, visible=done < total)

        return draw

    def say(self, line: str, *, error: bool = False) -> None:
        """Print a line above the bar."""
        stream = sys.stderr if error else sys.stdout
        if self._progress.disable:
            print(line, file=stream, flush=True)
        else:
            from rich.markup import escape

            self._progress.console.print(escape(line), highlight=False)


async def _find(rpc: Rpc, knowledge_base: str) -> tuple[str, str]:
    """Return the ids of organization and knowledge base. Raises: CliError, NotVisible naming those there are, Conflict."""
    if not knowledge_base.partition("/")[2]:
        raise CliError(f"{knowledge_base!r}: write ORG/KB, for example acme/handbook")
    return await knowledge_base_ids(rpc, knowledge_base)
