"""`ringfence login`: sign in with e-mail and password, keep the token for the commands that follow."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli.errors import CliError
from agent.cli.options import DEFAULT_STATE_DIR, StateDir, Target, target

if TYPE_CHECKING:
    from agent.rpc import Rpc

KEPT = "session.json"


def login(
    email: Annotated[str, typer.Argument(help="E-mail address to sign in with.")],
    state_dir: StateDir = DEFAULT_STATE_DIR,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")] = False,
    code: Annotated[str | None, typer.Option("--code", help="Six digits of your authenticator app: what you see may need them.")] = None,
) -> None:
    """Sign in and print the access token; `ringfence chat` uses it until the next login.

    The example people need no password here: it lies in the state folder. Others are asked for theirs.
    """
    where = target(state_dir)
    password = sys.stdin.readline().rstrip("\n") if password_stdin else where.known_password(email)
    token = sign_in(where, email, password or ask_password(email), code)
    where.state.create()
    where.state.write(KEPT, {"url": where.url, "email": email, "access_token": token})
    print(f"signed in as {email} at {where.url}", file=sys.stderr)
    if where.is_edge and asyncio.run(_second_factor_missing(where, token)):
        print(f"an organization of yours asks for a second factor: run `ringfence login {email} --code CODE` to see it", file=sys.stderr)
    print(token)


def ask_password(email: str) -> str:
    """Ask whoever sits at the terminal. Raises: CliError saying what else there is, where nobody does."""
    if not sys.stdin.isatty():
        raise CliError(f"the password of {email} is not known here, and there is no terminal to ask at: give it on standard input with --password-stdin")
    return str(typer.prompt(f"Password of {email}", hide_input=True, err=True))


def sign_in(where: Target, email: str, password: str, code: str | None = None) -> str:
    """Return an access token; with `code`, one of a session with a second factor. Raises: CliError."""
    from agent.cli.client import EdgeClient

    async def call() -> str:
        async with EdgeClient(where.url, where.publishable_key) as client:
            token = await client.sign_in(email, password)
            return await client.confirm(token, code) if code else token

    return asyncio.run(call())


async def _second_factor_missing(where: Target, token: str) -> bool:
    from agent.cli.client import EdgeClient

    async with EdgeClient(where.url, where.publishable_key) as client:
        return bool((await client.as_person(token).call("whoami"))["second_factor_missing"])


def token_for(where: Target, email: str | None) -> str:
    """Return a token of `email`, or the one of the last login. Raises: CliError saying how to get one."""
    if email is not None:
        password = where.known_password(email)
        if password is None:
            raise CliError(f"the password of {email} is not known here: run `ringfence login {email}` and leave --as out")
        return sign_in(where, email, password)
    kept: dict[str, Any] = where.state.read(KEPT)
    if kept.get("url") != where.url:
        raise CliError(f"nobody is signed in at {where.url}: run `ringfence login EMAIL`, or use --as EMAIL")
    return str(kept["access_token"])


def call_as(where: Target, email: str | None, call: Callable[[Rpc], Awaitable[Any]]) -> Any:
    """Return what `call` makes of the functions called as `email`, or as who signed in last.

    Where a function demands a second factor used a moment ago, the person at the terminal is asked for it and `call` begins again: the
    demand must come from the first function that does something. Raises: CliError, AgentError.
    """
    from agent.cli.client import EdgeClient
    from agent.cli.step_up import require_terminal, step_up
    from agent.errors import StepUp

    token = token_for(where, email)

    async def run() -> Any:
        async with EdgeClient(where.url, where.publishable_key) as client:
            try:
                return await call(client.as_person(token))
            except StepUp as err:
                require_terminal(err.message, email)
                stronger = await step_up(client, token, err.message)
            if email is None:
                where.state.write(KEPT, where.state.read(KEPT) | {"access_token": stronger})
            return await call(client.as_person(stronger))

    return asyncio.run(run())
