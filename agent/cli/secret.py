"""`ringfence secret`: secrets of connectors and providers, sealed here before they leave this machine and sealed anew when they are changed.

For who holds the operator's keys (`ringfence keys secrets`). The database keeps what it cannot open; who may set and read is its policies' say.
"""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli.errors import CliError
from agent.cli.login import call_as
from agent.cli.options import DEFAULT_STATE_DIR, AsEmail, AsJson, Org, StateDir, target
from agent.cli.secret_keys import KeysFile
from agent.errors import NotVisible
from agent.naming import organization_id
from agent.sealing import MAX_SECRET_BYTES, Keyring

if TYPE_CHECKING:
    from agent.rpc import Rpc

app = typer.Typer(help="Secrets of connectors and providers: put, list, delete.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="What it is for: 2..40 of a-z 0-9 -.")]
Own = Annotated[bool, typer.Option("--own", help="Yours alone, before the organization's of the same name.")]


class Purpose(StrEnum):
    """What a secret opens."""

    connector = "connector"
    provider = "provider"


For = Annotated[Purpose, typer.Option("--for", help="What it opens.")]


@app.command()
def put(
    organization: Org, name: Name, file: KeysFile, purpose: For = Purpose.connector, own: Own = False,
    as_email: AsEmail = None, state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Seal a secret read from standard input (a line feed at its end is not part of it) and keep it; one of the same name is replaced."""
    secret = sys.stdin.buffer.read(MAX_SECRET_BYTES + 2).removesuffix(b"\n")
    if not 0 < len(secret) <= MAX_SECRET_BYTES:
        raise CliError(f"standard input has to be a secret of 1..{MAX_SECRET_BYTES} bytes")
    ring = Keyring.load(file)

    async def call(rpc: Rpc) -> Any:
        from agent.secret_store import put_secret

        return await put_secret(rpc, ring, await organization_id(rpc, organization), purpose.value, name, secret, own=own)

    typer.echo(f"{name} is kept as {call_as(target(state_dir), as_email, call)}, sealed by {ring.first}")


@app.command("list")
def list_secrets(organization: Org, as_json: AsJson = False, as_email: AsEmail = None, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """List the organization's secrets and your own, with when each was last set: never what is sealed."""
    async def call(rpc: Rpc) -> Any:
        return await rpc.call("list_secrets", {"org_id": await organization_id(rpc, organization)})

    rows = call_as(target(state_dir), as_email, call)
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    for one in rows:
        typer.echo(f"{one['purpose']:<10}{one['name']:<41}{'own' if one['own'] else 'organization':<13}set {one['set_at'][:10]}, key {one['key_id']} of {one['wrapped_at'][:10]}")


@app.command()
def delete(
    organization: Org, name: Name, purpose: For = Purpose.connector, own: Own = False, as_email: AsEmail = None, state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Delete a secret: your own with --own, the organization's without."""
    async def call(rpc: Rpc) -> Any:
        org_id = await organization_id(rpc, organization)
        for one in await rpc.call("list_secrets", {"org_id": org_id}):
            if (one["purpose"], one["name"], one["own"]) == (purpose.value, name, own):
                return await rpc.call("delete_secret", {"org_id": org_id, "secret_id": one["id"]})
        raise NotVisible(f"no {purpose.value} secret {name!r} {'of yours' if own else 'of the organization'} that you may see")

    call_as(target(state_dir), as_email, call)
    typer.echo(f"{name} is gone")
