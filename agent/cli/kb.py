"""`ringfence kb`: put documents into a knowledge base."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self
from urllib.parse import quote

import typer

from agent.cli.errors import CliError
from agent.cli.login import token_for
from agent.cli.options import DEFAULT_STATE_DIR, AsEmail, StateDir, Target, target
from agent.documents import classification as classes
from agent.documents.kinds import SUFFIXES
from agent.naming import knowledge_base_ids

if TYPE_CHECKING:
    from agent.ingest import Ingested
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
    private: Annotated[bool, typer.Option("--private", help="Only you read the documents, and whom you shared them with. Default: as your earlier version, else as the knowledge base.")] = False,
    shared: Annotated[bool, typer.Option("--open", help="Whoever reads the knowledge base reads them, also where your earlier version is private.")] = False,
    classification: Annotated[str | None, typer.Option("--classification", metavar="CLASS", help="public, internal, confidential or secret. Default: as the earlier version, else internal.")] = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Add files: Markdown, text, HTML, PDF, DOCX, PPTX, XLSX, CSV and e-mail (.eml), up to 50 MB each.

    A file that has changed replaces its earlier version; of an unchanged one the class and who reads it become what is asked for; one that
    cannot be read is reported and the rest is done. Its place is its path below the folder given, or its name: the same from another machine.
    """
    if private and shared:
        raise CliError("--private and --open: one of them")
    known = None if classification is None else classes.classification(classification)
    if classification is not None and known is None:
        raise CliError(f"--classification: one of {', '.join(classes.CLASSES)}, or 0 to 3")
    files, skipped = found(paths)
    for name in skipped:
        print(f"{name}: skipped: not a kind of file that is taken", file=sys.stderr)
    if not files:
        raise CliError(f"no file of a known kind ({', '.join(sorted(SUFFIXES))}) in {', '.join(map(str, paths))}")
    where = target(state_dir)
    asyncio.run(_add(where, token_for(where, email), knowledge_base, files, "private" if private else "knowledge_base" if shared else None, known))


def found(paths: list[Path]) -> tuple[dict[str, Path], list[str]]:
    """Return the files by name (their path below the folder given, or their own) and the names of those of no known kind.

    A file that is named itself is always taken, so that what is wrong with it is said. Raises: CliError for two of one name.
    """
    files: dict[str, Path] = {}
    skipped = []
    for path in paths:
        within = sorted((file.relative_to(path).as_posix(), file) for file in path.rglob("*") if file.is_file()) if path.is_dir() else [(path.name, path)]
        for name, file in within:
            if path.is_dir() and file.suffix.lower() not in SUFFIXES:
                skipped.append(name)
            elif files.setdefault(name, file.resolve()) != file.resolve():
                raise CliError(f"two files are called {name}: the second would replace the first; add the folders one by one")
    return dict(sorted(files.items())), skipped


async def _add(
    where: Target, token: str, knowledge_base: str, files: dict[str, Path], visibility: Literal["private", "knowledge_base"] | None, classification: int | None
) -> None:
    from agent.cli.client import EdgeClient
    from agent.cli.embedding import configured_embedder
    from agent.documents.sandbox import Sandbox
    from agent.errors import BadArguments, BadDocument, Conflict, Denied
    from agent.ingest import Place, ingest_file

    failed = 0
    sandbox = Sandbox()
    with _Bar() as bar:
        async with configured_embedder() as embedder, EdgeClient(where.url, where.publishable_key) as client:
            rpc = client.as_person(token)
            org_id, base_id = await _find(rpc, knowledge_base)
            person = str((await rpc.call("whoami"))["user_id"])
            for name, file in files.items():
                try:
                    with file.open("rb") as opened:
                        place = Place(org_id, base_id, name, f"file:{quote(name)}", visibility, classification)
                        done = await ingest_file(rpc, embedder, sandbox, place, opened, name, person=person, progress=bar.of(name))
                except (BadDocument, BadArguments, Conflict, Denied, OSError) as err:
                    bar.say(f"{name}: not added: {err}", error=True)
                    failed += 1
                else:
                    bar.say(f"{name}: {said(done)}")
    if failed:
        raise CliError(f"{failed} of {len(files)} files not added")


def said(done: Ingested) -> str:
    """Return what became of a file."""
    how = {"unchanged": "unchanged", "changed": "same content"}.get(done.state) or f"{done.chunks} passage(s)" + (", replaced" if done.replaced else "")
    now = [classes.CLASSES[done.changed["classification"]]] if "classification" in done.changed else []
    if visibility := done.changed.get("visibility"):
        now.append("private" if visibility == "private" else "open to whoever reads the knowledge base")
    return f"{how}, now {' and '.join(now)}" if now else how


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
