"""`ringfence audit`: the story of an answer, the chain computed again, its end to keep elsewhere, events for a SIEM."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.audit import chain, sources, story
from agent.cli.errors import CliError
from agent.cli.login import call_as
from agent.cli.options import DEFAULT_STATE_DIR, AsEmail, AsJson, Org, StateDir, target, writable
from agent.naming import organization_id

if TYPE_CHECKING:
    from agent.rpc import Rpc

app = typer.Typer(help="Read and check the audit trail.", no_args_is_help=True)

DatabaseUrl = Annotated[str | None, typer.Option("--database-url", metavar="URL", help="Read the rows as the operator, of every organization; without it as a member.")]
Some = Annotated[str | None, typer.Argument(metavar="[ORG]", help="Slug or id of one organization. Default: all whose trail you may read.")]


@app.command()
def show(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run id that an answer came with.")],
    as_email: AsEmail = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Tell the whole story of one answer without its text. Yours; an auditor's: everybody's."""
    async def call(rpc: Rpc) -> Any:
        return await rpc.call("audit_narrative", {"run_id": run})

    told = call_as(target(state_dir), as_email, call)
    typer.echo(json.dumps(told) if as_json else "\n".join(story.lines(told)))


@app.command()
def verify(
    organization: Some = None,
    anchors: Annotated[Path | None, typer.Option("--anchors", dir_okay=False, help="Lines that `audit anchor` printed before: a cut or rewritten chain is found with them alone.")] = None,
    database_url: DatabaseUrl = None,
    as_email: AsEmail = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Compute the chains again and look for what has no record. Exits with 1 when something is wrong; run it every night."""
    known = _anchors(anchors)

    async def ask(rpc: Rpc) -> Any:
        return {o: await sources.check(rpc, o, known) for o in await _organizations(rpc, organization)}

    checked: dict[str, tuple[int, list[chain.Finding]]] = _read(
        database_url, organization, lambda db, org: db.check(org, known)) if database_url else call_as(target(state_dir), as_email, ask)
    findings = [finding for _, found in checked.values() for finding in found]
    # Of an organization that is gone altogether nothing is left to look at but the anchor; a purge leaves a receipt.
    gone = sorted({a.org_id for a in known} - checked.keys()) if organization is None and database_url else []
    findings += [chain.Finding(org, "cut", "all", "an anchor is there, the organization is not: was it purged?") for org in gone]
    for finding in findings:
        typer.echo(str(finding))
    typer.echo(f"{sum(count for count, _ in checked.values())} events of {len(checked)} organizations, {len(findings)} findings", err=True)
    if findings:
        raise typer.Exit(1)


@app.command()
def anchor(
    organization: Some = None,
    database_url: DatabaseUrl = None,
    as_email: AsEmail = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Print where the chains end now, one line of JSON an organization. Keep it where the database's operator cannot change it."""
    async def ask(rpc: Rpc) -> Any:
        return {o: await sources.anchor(rpc, o) for o in await _organizations(rpc, organization)}

    told = _read(database_url, organization, lambda db, org: db.anchor(org)) if database_url else call_as(target(state_dir), as_email, ask)
    for line in told.values():
        typer.echo(line)


@app.command()
def export(
    organization: Org,
    since: Annotated[str, typer.Option("--since", metavar="CURSOR", help="Go on after this: the cursor that the last export ended with.")] = "",
    cursor_file: Annotated[Path | None, typer.Option("--cursor-file", dir_okay=False, callback=writable, help="Read the cursor from this file, and keep it there after each page.")] = None,
    as_email: AsEmail = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Print the events as OCSF JSON Lines; the cursor to go on from is the last line on standard error.

    A page is flushed before its cursor is kept: what is stopped in between comes once more, and never not at all.
    """
    if cursor_file is not None and not since and cursor_file.exists():
        since = cursor_file.read_text().strip()

    async def call(rpc: Rpc) -> str:
        org_id, cursor = await organization_id(rpc, organization), since
        while True:
            page = await rpc.call("export_audit_events", {"org_id": org_id, "since": cursor})
            for event in page["events"]:
                typer.echo(json.dumps(event, ensure_ascii=False))
            sys.stdout.flush()
            if page["cursor"] == cursor or not page["events"] and not cursor:
                return cursor
            cursor = str(page["cursor"])
            if cursor_file is not None:
                cursor_file.write_text(f"{cursor}\n")

    typer.echo(f"cursor: {call_as(target(state_dir), as_email, call)}", err=True)


async def _organizations(rpc: Rpc, name: str | None) -> list[str]:
    """Raises: CliError, AgentError."""
    found = [await organization_id(rpc, name)] if name else await sources.audited(rpc)
    if not found:
        raise CliError("there is no organization whose audit trail you may read: that takes audit.read")
    return found


def _read(url: str, name: str | None, ask: Callable[[sources.Database, str], Any]) -> dict[str, Any]:
    """Return what is asked of each organization, or of the one named. Raises: CliError."""
    import psycopg

    try:
        with sources.Database(url) as database:
            found = [org for org, slug in database.organizations() if name in (None, org, slug)]
            if not found:
                raise CliError(f"no organization {name!r}" if name else "no organization is there")
            return {org: ask(database, org) for org in found}
    except psycopg.Error as err:
        # The message of a failed connection may hold host and user, never the password.
        raise CliError(f"the database cannot be read: {str(err).strip().splitlines()[0]}") from err


def _anchors(path: Path | None) -> list[chain.Anchor]:
    """Raises: CliError."""
    try:
        return chain.read_anchors(path.read_text().splitlines()) if path is not None else []
    except (ValueError, KeyError, TypeError) as err:
        raise CliError(f"{path} does not hold lines of `ringfence audit anchor`") from err
