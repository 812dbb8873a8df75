"""A second factor used a moment ago, asked for where a function demands one (F07)."""

from __future__ import annotations

import secrets
import sys

import typer

from agent.cli.client import EdgeClient
from agent.cli.errors import CliError

TRIES = 3


def require_terminal(reason: str, email: str | None) -> None:
    """Raises: CliError with what to do instead, where nobody sits at a terminal. `email`: what --as says."""
    if not sys.stdin.isatty():
        raise CliError(f"{reason}: `ringfence login {email or 'EMAIL'} --code CODE`, then this command again{' without --as' if email else ''}; "
                       "at a terminal it asks for the code itself, and adds an authenticator app where there is none")


async def step_up(client: EdgeClient, token: str, reason: str) -> str:
    """Ask the person for a code of their authenticator app, and return an access token of the same session that used it.

    Whoever has no authenticator app is walked through adding one first. Raises: CliError after three codes that are not accepted.
    """
    typer.echo(reason, err=True)
    factor = None if await client.totp_factors(token) else await _enrol(client, token)
    for left in reversed(range(TRIES)):
        code = str(typer.prompt("Six digits of your authenticator app", err=True)).strip()
        try:
            return await client.confirm(token, code, factor)
        except CliError as err:
            if not left:
                raise
            typer.echo(str(err), err=True)
    raise AssertionError("unreachable")


async def _enrol(client: EdgeClient, token: str) -> str:
    """Add an authenticator app to the account, and return the id of the factor; its first code verifies it."""
    typer.confirm("This account has no authenticator app. Add one now?", default=True, abort=True, err=True)
    answer = await client.post("/auth/v1/factors", {"factor_type": "totp", "friendly_name": f"ringfence {secrets.token_hex(3)}"}, token)
    if answer.status != 200:
        raise CliError(f"no authenticator app was added: {answer.body.get('msg') or answer.body}")
    typer.echo(f"Add this key to your authenticator app: {answer.body['totp']['secret']}", err=True)
    return str(answer.body["id"])
