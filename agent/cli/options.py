"""Options that several commands share, and the deployment they point at."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli.errors import CliError, NotRunning

if TYPE_CHECKING:
    from edge_proxy.local.state import State

DEFAULT_STATE_DIR = Path(".ringfence")
StateDir = Annotated[
    Path, typer.Option("--state-dir", envvar="RINGFENCE_STATE_DIR", file_okay=False, help="Folder with everything the stack keeps.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output and nothing else.")]


@dataclass(frozen=True)
class Target:
    """The edge a command talks to."""

    url: str
    publishable_key: str
    state: State
    users: list[dict[str, Any]] = field(default_factory=list)

    def known_password(self, email: str) -> str | None:
        """Return the password of one of the example people."""
        return next((str(user["password"]) for user in self.users if user["email"] == email), None)


def target(state_dir: Path) -> Target:
    """Return the edge at RINGFENCE_URL if that is set, else the running local stack's. Raises: CliError, NotRunning."""
    from edge_proxy.local.state import State

    if url := os.environ.get("RINGFENCE_URL"):
        key = os.environ.get("SUPABASE_PUBLISHABLE_KEY")
        if not key:
            raise CliError("RINGFENCE_URL is set, so SUPABASE_PUBLISHABLE_KEY must be too")
        return Target(url.rstrip("/"), key, State(state_dir))
    stack = running_stack(state_dir)
    return Target(stack["url"], stack["publishable_key"], State(state_dir), stack["users"])


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
