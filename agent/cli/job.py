"""`ringfence job`: questions of yours that were asked before: what became of them, and their rows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from agent.cli.analytics import Chart, Csv, Parquet, answered, known_form, plain
from agent.cli.login import call_as, token_for
from agent.cli.options import DEFAULT_STATE_DIR, AsEmail, Org, StateDir, target
from agent.naming import organization_id

if TYPE_CHECKING:
    from agent.rpc import Rpc

app = typer.Typer(help="Questions asked of data sources: list them, read a result again, end one.", no_args_is_help=True)

Id = Annotated[UUID, typer.Argument(metavar="ID", help="The id of the job.")]


@app.command("list")
def list_(
    organization: Org,
    most: Annotated[int, typer.Option("--most", min=1, max=200, help="How many.")] = 50,
    as_email: AsEmail = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """List your jobs, the newest first."""

    async def call(rpc: Rpc) -> Any:
        return await rpc.call("list_analytics_jobs", {"org_id": await organization_id(rpc, organization), "max_rows": most})

    for one in call_as(target(state_dir), as_email, call):
        typer.echo(f"{one['job_id']}  {one['status']:<17}  {one['created_at'][:19]}  {one['source']}: {plain(one['question'] or one['sql'] or '')}")


@app.command()
def show(organization: Org, job: Id, csv: Csv = None, parquet: Parquet = None, chart: Chart = None,
         wait: Annotated[int, typer.Option("--wait", min=0, max=3600, help="Seconds to wait for the answer.")] = 0,
         as_email: AsEmail = None, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Say what became of a job; its rows come as from `ringfence sql`. Exit status as of `ringfence ask`."""
    known_form(chart)
    where = target(state_dir)
    token = token_for(where, as_email)

    async def run() -> int:
        from agent.cli.client import EdgeClient

        async with EdgeClient(where.url, where.publishable_key) as client:
            rpc = client.as_person(token)
            return await answered(rpc, organization, await organization_id(rpc, organization), str(job), wait, csv, parquet, chart, cancels=False)

    raise typer.Exit(asyncio.run(run()))


@app.command()
def cancel(organization: Org, job: Id, as_email: AsEmail = None, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """End a job that waits or runs."""

    async def call(rpc: Rpc) -> Any:
        return await rpc.call("cancel_analytics_job", {"org_id": await organization_id(rpc, organization), "job_id": str(job)})

    typer.echo(f"job {job} is {call_as(target(state_dir), as_email, call)['status']}")
