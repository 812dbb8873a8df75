"""`ringfence retention apply`: delete what is over, as the log-in of the jobs, which can delete nothing else. For a scheduler, hourly."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from agent.cli.errors import CliError
from agent.cli.options import DEFAULT_STATE_DIR, AsJson, StateDir, worker_url

app = typer.Typer(help="How long organizations keep what: set with set_retention, carried out here.", no_args_is_help=True)

WorkerUrl = Annotated[str | None, typer.Option("--database-url", envvar="RINGFENCE_WORKER_DATABASE_URL", help="Log-in ringfence_worker. Default: the local stack's.")]


@app.command()
def apply(database_url: WorkerUrl = None, state_dir: StateDir = DEFAULT_STATE_DIR, as_json: AsJson = False) -> None:
    """Delete what is over by the rules of each organization and held by nothing, and print the receipts."""
    import psycopg

    receipts = []
    try:
        with psycopg.connect(database_url or worker_url(state_dir), autocommit=True, connect_timeout=10) as connection:
            while found := connection.execute("select org_id, class, deleted from authz.apply_retention()").fetchall():
                receipts += [{"org_id": str(org_id), "class": class_, "deleted": deleted} for org_id, class_, deleted in found]
    except psycopg.Error as err:
        raise CliError(f"retention stopped: {str(err).strip().splitlines()[0]}") from err
    if as_json:
        typer.echo(json.dumps(receipts, indent=2))
        return
    for one in receipts:
        typer.echo(f"{one['org_id']}  {one['class']:<14}" + ", ".join(f"{table} {rows}" for table, rows in sorted(one["deleted"].items())))
    typer.echo(f"{len(receipts)} receipts" if receipts else "nothing is over")
