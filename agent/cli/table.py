"""`ringfence table load`: a file becomes a table of a data source."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.cli.analytics import Source, named_source
from agent.cli.errors import CliError
from agent.cli.login import token_for
from agent.cli.options import DEFAULT_STATE_DIR, AsEmail, StateDir, target
from agent.errors import Denied
from agent.naming import organization_id

app = typer.Typer(help="Tables of your own, to be asked about.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `load` a sub-command although it is the only one so far."""


@app.command()
def load(
    source: Source,
    name: Annotated[str, typer.Argument(help="What the table is called in SQL: a-z, 0-9 and _.")],
    file: Annotated[Path, typer.Argument(help="CSV (UTF-8) or Parquet.", exists=True, dir_okay=False)],
    types: Annotated[list[str] | None, typer.Option("--type", metavar="COLUMN=TYPE", help="The type of a column, not guessed: rows that do not fit are reported. Repeat for more.")] = None,
    meanings: Annotated[list[str] | None, typer.Option("--meaning", metavar="COLUMN=TEXT", help="What a column means, for people and models. Repeat for more.")] = None,
    email: AsEmail = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Load a table into a data source, all of it or nothing: 50 MB, 200,000 rows and 200 columns at most.

    It takes the place of one of the same name. A bad row is reported with its line, and nothing is loaded then.
    """
    wanted = dict(one.partition("=")[::2] for one in types or ())
    meant = dict(one.partition("=")[::2] for one in meanings or ())
    org, source_name = named_source(source)
    if not all(wanted.values()):
        raise CliError("write each --type as COLUMN=TYPE")
    where = target(state_dir)
    token = token_for(where, email)

    async def run() -> dict[str, Any]:
        from agent.analytics.table import TableReader
        from agent.analytics.upload import upload_table
        from agent.cli.client import EdgeClient

        async with EdgeClient(where.url, where.publishable_key) as client:
            rpc = client.as_person(token)
            org_id = await organization_id(rpc, org)
            with file.open("rb") as opened:
                try:
                    return await upload_table(rpc, TableReader(), org_id, source_name, name, opened, types=wanted, meanings=meant)
                except Denied as err:
                    raise CliError(f"loading a table takes level editor on {source}: who owns the source, or has analytics.manage, gives it with share_data_source") from err

    done = asyncio.run(run())
    print(f"{name}: {done['rows']} row(s); " + ", ".join(f"{one['name']} {one['type']}" for one in done["columns"]))
