"""`ringfence metric`: how things are counted in a data source, and whether that still holds (F55)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli.analytics import Source, Wait, named_source, plain
from agent.cli.errors import CliError
from agent.cli.login import call_as
from agent.cli.options import DEFAULT_STATE_DIR, AsEmail, StateDir, target
from agent.naming import organization_id

if TYPE_CHECKING:
    from agent.rpc import Rpc

app = typer.Typer(help="Metrics of a data source: list them, and ask their tests.", no_args_is_help=True)
Name = Annotated[str | None, typer.Argument(help="One metric; else all of the source.")]


@app.command("list")
def list_(source: Source, email: AsEmail = None, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """List the metrics that hold, each with its version and how many tests it has."""
    org, name = named_source(source)

    async def call(rpc: Rpc) -> list[dict[str, Any]]:
        return await _metrics(rpc, await organization_id(rpc, org), name)

    for one in call_as(target(state_dir), email, call):
        typer.echo(f"{one['name']} {one['version']}  {plain(one['sql'])}  ({len(one['tests'])} test(s)): {plain(one['description'])}")


@app.command()
def test(source: Source, metric: Name = None, wait: Wait = 120, email: AsEmail = None, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Ask the tests of metrics as yourself. A test is a SELECT; it passes when it gives no row.

    A test sees the rows that you may see, so it is asked best by who sees all. Exit status 1 when one gives a row or does not run, and
    when there is none to ask.
    """
    org, name = named_source(source)

    async def call(rpc: Rpc) -> tuple[int, int]:
        org_id = await organization_id(rpc, org)
        found = [one for one in await _metrics(rpc, org_id, name) if metric in (None, one["name"])]
        if metric is not None and not found:
            raise CliError(f"{source} has no metric {metric}")
        asked = failed = 0
        async for title, wrong in _asked(rpc, org_id, name, found, wait):
            asked, failed = asked + 1, failed + bool(wrong)
            typer.echo(f"FAIL  {title}: {wrong}" if wrong else f"ok    {title}")
        return asked, failed

    asked, failed = call_as(target(state_dir), email, call)
    if not asked:
        raise CliError(f"no metric of {source} has a test: api.create_metric takes them as `tests`" if metric is None else f"{metric} of {source} has no test")
    typer.echo(f"{asked} test(s), {failed} failed", err=True)
    if failed:
        raise typer.Exit(1)


async def _metrics(rpc: Rpc, org_id: str, source: str) -> list[dict[str, Any]]:
    described = await rpc.call("describe_data_source", {"org_id": org_id, "source": source})
    return list(described["metrics"])


async def _asked(rpc: Rpc, org_id: str, source: str, metrics: list[dict[str, Any]], wait: int) -> AsyncIterator[tuple[str, str]]:
    """Yield for each test what it is called, and what is wrong: nothing, or a sentence."""
    from agent.analytics import jobs
    from agent.analytics.results import read_head

    for metric in metrics:
        for number, sql in enumerate(metric["tests"], 1):
            title = f"{metric['name']} {metric['version']}, test {number}: {plain(sql)}"
            job_id = await jobs.submit(rpc, org_id, source, sql=sql)
            job = await jobs.ended(rpc, org_id, job_id, wait)
            if job["status"] != jobs.SUCCEEDED:
                yield title, plain(jobs.why(job))
            else:
                head = await read_head(rpc, org_id, job_id, rows=1)
                yield title, f"gives {head.row_count} row(s), job {job_id}" if head.row_count else ""
