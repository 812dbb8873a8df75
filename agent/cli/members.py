"""`ringfence invite`, `join` and `members`: who belongs to an organization. Nobody is added: people are invited and accept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli.errors import CliError
from agent.cli.login import call_as
from agent.cli.options import DEFAULT_STATE_DIR, AsEmail, Org, StateDir, target
from agent.errors import NotVisible
from agent.naming import organization_id

if TYPE_CHECKING:
    from agent.rpc import Rpc


async def join(manager: Rpc, person: Rpc, org_id: str, email: str, role: str) -> None:
    """Have a manager invite this address, and the person whose it is accept."""
    made = await manager.call("create_invitation", {"org_id": org_id, "email": email, "role": role})
    await person.call("accept_invitation", {"token": made["token"]})


def invite(
    organization: Org,
    email: Annotated[str, typer.Argument(help="Address of the account that may accept.")],
    role: Annotated[str, typer.Option("--role", help="Name of a role whose permissions you hold yourself.")] = "member",
    hours: Annotated[int, typer.Option("--hours", min=1, max=720, help="How long it can be accepted.")] = 168,
    service: Annotated[bool, typer.Option("--service", help="For an account that no person uses: you answer for it, and it may nothing you may not.")] = False,
    as_email: AsEmail = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Invite somebody, and print the token to hand them: it is shown this once."""

    async def call(rpc: Rpc) -> Any:
        arguments = {"org_id": await organization_id(rpc, organization), "email": email, "role": role, "expires_in_hours": hours, "service": service}
        try:
            return await rpc.call("create_invitation", arguments)
        except NotVisible as err:
            roles = [one["name"] for one in await rpc.call("list_roles", {"org_id": arguments["org_id"]})]
            if role in roles:
                raise
            raise CliError(f"{err}: {role}; there are: {', '.join(roles)}") from err

    made = call_as(target(state_dir), as_email, call)
    kind = "a service account of yours, " if service else ""
    typer.echo(f"{made['email']} may join as {kind}{made['role']} until {made['expires_at']} with `ringfence join TOKEN`:", err=True)
    typer.echo(made["token"])


def accept(
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="As the invitation gave it.")],
    as_email: AsEmail = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Join the organization that invited you."""
    joined = call_as(target(state_dir), as_email, lambda rpc: rpc.call("accept_invitation", {"token": token}))
    typer.echo(f"you are {joined['role']} of {joined['slug']} ({joined['name']})")


def members(organization: Org, as_email: AsEmail = None, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """List who belongs to an organization."""

    async def call(rpc: Rpc) -> Any:
        return await rpc.call("list_members", {"org_id": await organization_id(rpc, organization)})

    for one in call_as(target(state_dir), as_email, call):
        active = f"last active {one['last_active_on']}" if one["last_active_on"] else "not active yet"
        typer.echo(f"{one['user_id']}  {one['email'] or 'no address':<30} {one['role']:<12} {one['status']:<10} {active}")
