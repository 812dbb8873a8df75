"""`ringfence ask` and `ringfence sql`: questions about an organization's data."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.errors import CliError
from agent.cli.login import token_for
from agent.cli.options import DEFAULT_STATE_DIR, AsEmail, StateDir, target, writable
from agent.naming import organization_id

if TYPE_CHECKING:
    from agent.analytics.results import Head
    from agent.rpc import Rpc

REFUSED, CANCELLED, WAITING = 3, 4, 5
"""Exit statuses, beside 0 (there is a result), 1 (it failed) and 2 (wrong arguments)."""
_SHOWN_ROWS = 50
_FORMS = (".svg", ".png", ".json")

Source = Annotated[str, typer.Argument(metavar="ORG/SOURCE", help="For example acme/shop; each by slug or id.")]
Csv = Annotated[Path | None, typer.Option("--csv", metavar="FILE", dir_okay=False, callback=writable, help="Write all rows there as CSV.")]
Parquet = Annotated[Path | None, typer.Option("--parquet", metavar="FILE", dir_okay=False, callback=writable, help="Write all rows there as Parquet.")]
Chart = Annotated[Path | None, typer.Option("--chart", metavar="FILE", dir_okay=False, callback=writable, help="Draw the chart there: .svg, .png, or .json for Vega-Lite.")]
Wait = Annotated[int, typer.Option("--wait", min=1, max=3600, help="Seconds to wait for the answer.")]


def ask(source: Source, question: Annotated[str, typer.Argument(help="In plain words.")], csv: Csv = None, parquet: Parquet = None, chart: Chart = None,
        wait: Wait = 120, email: AsEmail = None, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Ask a data source in words: a model writes SQL, which is checked and runs as you. Into a pipe the rows come as CSV.

    Exit status: 0 answered, 1 failed, 3 refused (it says why), 4 cancelled or no longer allowed, 5 not done in time.
    """
    _run(source, {"question": question}, csv, parquet, chart, wait, email, state_dir)


def sql(source: Source, statement: Annotated[str, typer.Argument(metavar="SELECT", help="One SELECT over the relations of the source.")], csv: Csv = None,
        parquet: Parquet = None, chart: Chart = None, wait: Wait = 120, email: AsEmail = None, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Ask a data source in SQL; it is checked and runs as you. Works without a model. Exit status as of `ringfence ask`."""
    _run(source, {"sql": statement}, csv, parquet, chart, wait, email, state_dir)


def named_source(text: str) -> tuple[str, str]:
    """Return the organization and the source of ORG/SOURCE. Raises: CliError."""
    org, slash, name = text.partition("/")
    if not slash:
        raise CliError(f"{text!r}: write ORG/SOURCE, for example acme/shop")
    return org, name


def known_form(chart: Path | None) -> None:
    """Return if a chart can be drawn into a file of that name. Raises: CliError."""
    if chart is not None and chart.suffix not in _FORMS:
        raise CliError(f"--chart: the file has to end in {', '.join(_FORMS)}")


def _run(source: str, what: dict[str, str], csv: Path | None, parquet: Path | None, chart: Path | None, wait: int, email: str | None, state_dir: Path) -> None:
    known_form(chart)
    org, name = named_source(source)
    where = target(state_dir)
    token = token_for(where, email)

    async def run() -> int:
        from agent.analytics.jobs import submit
        from agent.cli.client import EdgeClient

        async with EdgeClient(where.url, where.publishable_key) as client:
            rpc = client.as_person(token)
            org_id = await organization_id(rpc, org)
            return await answered(rpc, org, org_id, await submit(rpc, org_id, name, **what), wait, csv, parquet, chart, cancels=True)

    raise typer.Exit(asyncio.run(run()))


async def answered(rpc: Rpc, org: str, org_id: str, job_id: str, wait: int, csv: Path | None, parquet: Path | None, chart: Path | None, *, cancels: bool) -> int:
    """Return the exit status; the result is on standard output, what is said about it on standard error. `cancels`: who stops waiting ends the job."""
    from agent.analytics import jobs
    from agent.analytics.results import read_head

    with _progress(job_id) as tell:
        try:
            job = await jobs.ended(rpc, org_id, job_id, wait, tell)
        except asyncio.CancelledError:
            if cancels:
                await _stopped(rpc, org, org_id, job_id)
            raise
    if job.get("sql"):
        _say(f"sql: {plain(str(job['sql']))}")
    if job["status"] != jobs.SUCCEEDED:
        _say(f"{job['status'].replace('_', ' ')}: {plain(jobs.why(job))}")
        _say(f"job {job_id}")
        if job["status"] in jobs.WAITING:
            _say(f"`ringfence job show {org} {job_id}` looks again, `ringfence job cancel {org} {job_id}` ends it")
        return {"refused": REFUSED, "cancelled": CANCELLED, "cancelled_revoked": CANCELLED, "failed": 1}.get(job["status"], WAITING)
    head = await read_head(rpc, org_id, job_id)
    await _show(rpc, org_id, job_id, head, written=csv is not None or parquet is not None)
    await _write(rpc, org_id, job_id, head, csv, parquet, chart)
    _say(f"{head.row_count} row(s){', cut off there' if head.truncated else ''}, job {job_id}")
    return 0


async def _stopped(rpc: Rpc, org: str, org_id: str, job_id: str) -> None:
    try:
        status = (await asyncio.shield(rpc.call("cancel_analytics_job", {"org_id": org_id, "job_id": job_id})))["status"]
    except Exception:
        _say(f"\nstopped waiting; job {job_id} may go on: `ringfence job cancel {org} {job_id}`")
    else:
        _say(f"\nstopped: job {job_id} is {status}")


async def _show(rpc: Rpc, org_id: str, job_id: str, head: Head, *, written: bool) -> None:
    from agent.analytics.export import as_csv
    from agent.analytics.results import pages

    if not sys.stdout.isatty():
        if not written:
            async for part in as_csv(head.columns, pages(rpc, org_id, job_id, head)):
                sys.stdout.buffer.write(part)
            sys.stdout.buffer.flush()
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(header_style="bold")
    for column in head.columns:
        table.add_column(Text(plain(column.name)), justify="right" if column.kind == "number" else "left", overflow="fold")
    for row in head.rows[:_SHOWN_ROWS]:
        table.add_row(*[Text("" if value is None else plain(str(value))) for value in row])
    Console().print(table)
    if head.row_count > _SHOWN_ROWS:
        _say(f"the first {_SHOWN_ROWS} of {head.row_count} rows; --csv FILE writes all")


async def _write(rpc: Rpc, org_id: str, job_id: str, head: Head, csv: Path | None, parquet: Path | None, chart: Path | None) -> None:
    from agent.analytics.export import as_csv, as_parquet
    from agent.analytics.results import pages
    from agent.analytics.routes import whole_chart

    for file, write in ((csv, as_csv), (parquet, as_parquet)):
        if file is not None:
            with file.open("wb") as out:
                async for part in write(head.columns, pages(rpc, org_id, job_id, head)):
                    out.write(part)
    if chart is not None:
        import json

        from agent.analytics.render import Renderer

        specification = await whole_chart(rpc, org_id, job_id, head)
        if chart.suffix == ".json":
            chart.write_text(json.dumps(specification, ensure_ascii=False, indent=1) + "\n")
        else:
            chart.write_bytes(await Renderer().draw(specification, "svg" if chart.suffix == ".svg" else "png"))


@contextlib.contextmanager
def _progress(job_id: str) -> Iterator[Callable[[str], Awaitable[None]]]:
    """Yield what shows the status of the job while somebody waits at a terminal."""
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("queued") if sys.stderr.isatty() else contextlib.nullcontext() as shown:

        async def tell(status: str) -> None:
            if shown is not None:
                shown.update(f"{status}, job {job_id}")

        yield tell


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def plain(text: str) -> str:
    """Return the text on one line, without what moves a cursor."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())
