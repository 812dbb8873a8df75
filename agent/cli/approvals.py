"""`ringfence approvals`: calls of tools that wait for a person. Approving asks for a second factor used a moment ago."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli.login import call_as
from agent.cli.options import DEFAULT_STATE_DIR, AsEmail, Org, StateDir, target
from agent.naming import organization_id

if TYPE_CHECKING:
    from agent.rpc import Rpc

app = typer.Typer(help="Calls of tools that wait for a person: list, approve and deny.", no_args_is_help=True)
Id = Annotated[str, typer.Argument(metavar="ID", help="As `ringfence approvals list` or the answer told it.")]


@app.command("list")
def list_(
    organization: Org,
    decided: Annotated[bool, typer.Option("--decided", help="Also those that wait no more.")] = False,
    as_email: AsEmail = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """List what waits: of your own runs, and with approvals.decide of everybody's."""

    async def call(rpc: Rpc) -> Any:
        return await rpc.call("list_approvals", {"org_id": await organization_id(rpc, organization), "waiting": not decided})

    for one in call_as(target(state_dir), as_email, call):
        typer.echo("\n".join(lines(one)))


@app.command()
def approve(organization: Org, approval: Id, as_email: AsEmail = None, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Let one call be made, once, with the arguments that the list shows."""
    _decide(organization, approval, "approve", as_email, state_dir)
    typer.echo("the person who asked goes on with `ringfence chat --approval ID`; an MCP client makes the same call again", err=True)


@app.command()
def deny(organization: Org, approval: Id, as_email: AsEmail = None, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Let one call not be made."""
    _decide(organization, approval, "deny", as_email, state_dir)


def lines(one: dict[str, Any]) -> list[str]:
    """Return a row of list_approvals as lines for a terminal; the arguments are what decides, so they stand whole."""
    who = one["email"] or one["user_id"]
    head = f"{one['id']}  {one['state']:<9} {one['tool']} for {who}{' by ' + one['bot'] if one['bot'] else ''}: {one['reason']}, until {one['expires_at']}"
    arguments = one["arguments"]
    told = [] if arguments is None else [f"  {_visible(line)}" for line in json.dumps(arguments, ensure_ascii=False, indent=2).split("\n")]
    return [head, *told]


def _visible(text: str) -> str:
    """Return text with everything that shows as nothing, or turns what follows around, written out: a person decides by what they see."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def _decide(organization: str, approval: str, decision: str, as_email: str | None, state_dir: Any) -> None:
    async def call(rpc: Rpc) -> Any:
        return await rpc.call("decide_approval", {"org_id": await organization_id(rpc, organization), "approval_id": approval, "decision": decision})

    decided = call_as(target(state_dir), as_email, call)
    typer.echo(f"{decided['tool']} is {decided['state']}, until {decided['expires_at']}")
