"""`ringfence token`: API tokens for scripts and integrations, each for one organization and some permissions."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli.errors import CliError
from agent.cli.login import KEPT, ask_password, call_as, token_for
from agent.cli.options import DEFAULT_STATE_DIR, AsEmail, AsJson, Org, StateDir, Target, target
from agent.naming import organization_id

if TYPE_CHECKING:
    from agent.rpc import Rpc

app = typer.Typer(help="API tokens: what scripts and integrations use instead of a password.", no_args_is_help=True)

_DAY_S = 24 * 3600


@app.command()
def create(
    organization: Org,
    name: Annotated[str, typer.Argument(help="What to call it in the list.")],
    permissions: Annotated[list[str], typer.Option("--permission", "-p", help="A permission of yours, for example documents.read. Repeat for more.")],
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="How long it lasts.")] = 90,
    email: AsEmail = None,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read your password from standard input.")] = False,
    code: Annotated[str | None, typer.Option("--code", help="Six digits of your authenticator app, if you have one.")] = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Make a token and print it, this once: only its hash is kept.

    It takes your password again, whoever is signed in. The token can do what its permissions say and you may, at each moment;
    nothing that is for people alone (members, roles, tokens).
    """
    where = target(state_dir)
    if not where.is_edge:
        raise CliError("API tokens are made by an edge: set RINGFENCE_URL, or start a stack with `ringfence up`")
    access_token = token_for(where, email)
    owner = email or str(where.state.read(KEPT)["email"])
    password = sys.stdin.readline().rstrip("\n") if password_stdin else where.known_password(owner)
    password = password or ask_password(owner)
    wish: dict[str, Any] = {"name": name, "permissions": permissions, "expires_in": days * _DAY_S, "password": password}
    made = asyncio.run(_create(where, access_token, organization, wish | ({"code": code} if code else {})))
    print(f"token {made['id']} of {owner} in {organization}, until {made['expires_at'][:10]}: {', '.join(made['permissions'])}", file=sys.stderr)
    print(made["token"])


@app.command("list")
def list_tokens(organization: Org, email: AsEmail = None, as_json: AsJson = False, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """List your tokens in an organization; with members.manage, everybody's."""
    rows = _call(target(state_dir), email, organization, "list_api_tokens")
    if as_json:
        print(json.dumps(rows))
        return
    if not rows:
        print(f"no API token in {organization}: `ringfence token create {organization} NAME -p PERMISSION` makes one", file=sys.stderr)
    for row in rows:
        until = f"revoked {row['revoked_at'][:10]}" if row["revoked_at"] else f"until {row['expires_at'][:10]}"
        used = f"used {row['last_used_at'][:16]}" if row["last_used_at"] else "never used"
        print(f"{row['id']}  {row['prefix']}…  {until}, {used}  {row['name']}: {', '.join(row['permissions'])}")


@app.command()
def revoke(
    organization: Org,
    token_id: Annotated[str, typer.Argument(help="The id that `token list` shows.")],
    email: AsEmail = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Revoke a token; it is refused from the next request on."""
    revoked = _call(target(state_dir), email, organization, "revoke_api_token", token_id=token_id)
    print(f"token {revoked['id']} is revoked since {revoked['revoked_at'][:19]}")


async def _create(where: Target, token: str, organization: str, wish: dict[str, Any]) -> dict[str, Any]:
    """Return what POST /v1/tokens answers. Raises: CliError with the edge's reason."""
    from agent.cli.client import EdgeClient

    async with EdgeClient(where.url, where.publishable_key) as client:
        org_id = await organization_id(client.as_person(token), organization)
        answer = await client.post("/v1/tokens", {"org_id": org_id, **wish}, token)
    if answer.body.get("code") == "code_needed":
        raise CliError("no token was made: give six digits of your authenticator app with --code")
    if answer.body.get("code") == "aal_required":
        raise CliError(f"no token was made: {answer.body['message']}: `ringfence login EMAIL --code CODE`, then this command again with --code and the code after that")
    if answer.status != 201:
        raise CliError(f"no token was made: {answer.body.get('message', answer.body)}")
    return dict(answer.body)


def _call(where: Target, email: str | None, organization: str, function: str, **arguments: Any) -> Any:
    async def call(rpc: Rpc) -> Any:
        return await rpc.call(function, {"org_id": await organization_id(rpc, organization), **arguments})

    return call_as(where, email, call)
