"""Options that several commands share, and the running stack they point at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from agent.cli.errors import CliError, NotRunning

StateDir = Annotated[
    Path, typer.Option("--state-dir", envvar="RINGFENCE_STATE_DIR", help="Folder with everything the stack keeps.", file_okay=False)
]
DEFAULT_STATE_DIR = Path(".ringfence")
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output and nothing else.")]


def running_stack(state_dir: Path) -> dict[str, Any]:
    """Return what stack.json says about the running stack. Raises: NotRunning."""
    from edge_proxy.local import leftovers
    from edge_proxy.local.state import State

    state = State(state_dir)
    described = state.read("stack.json")
    if not leftovers.running(state):
        raise NotRunning(f"no stack is running in {state.root}: start one with `ringfence up`")
    if "url" not in described:
        raise NotRunning(f"the stack in {state.root} is still starting")
    return described


def person(stack: dict[str, Any], email: str) -> dict[str, Any]:
    """Return the seeded person of that address. Raises: CliError naming those there are."""
    for user in stack["users"]:
        if user["email"] == email:
            return dict(user)
    known = ", ".join(user["email"] for user in stack["users"]) or "nobody (started with --no-seed)"
    raise CliError(f"{email} is not among the people of this stack: {known}")
