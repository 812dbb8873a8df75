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
AsEmail = Annotated[str | None, typer.Option("--as", metavar="EMAIL", help="Act as one of the example people. Default: the last login.")]
Org = Annotated[str, typer.Argument(metavar="ORG", help="Slug or id of an organization of yours, for example acme.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output and nothing else.")]


def writable(path: Path | None) -> Path | None:
    """Return where a command will write: asked before it does anything. Raises: typer.BadParameter, which ends it with 2."""
    if path is not None and not path.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {path.parent}")
    if path is not None and not os.access(path if path.exists() else path.parent, os.W_OK):
        raise typer.BadParameter(f"{path} cannot be written")
    return path


@dataclass(frozen=True)
class Target:
    """What a command talks to: an edge, or a Supabase project, whose sign-in and RPCs are at the same paths."""

    url: str
    publishable_key: str
    state: State
    users: list[dict[str, Any]] = field(default_factory=list)
    database_url: str | None = None
    is_edge: bool = True

    def known_password(self, email: str) -> str | None:
        """Return the password of one of the example people."""
        return next((str(user["password"]) for user in self.users if user["email"] == email), None)


def target(state_dir: Path) -> Target:
    """Return what RINGFENCE_URL names, else SUPABASE_URL, else the running local stack. Raises: CliError, NotRunning."""
    from edge_proxy.local.state import State

    for name in ("RINGFENCE_URL", "SUPABASE_URL"):
        if url := os.environ.get(name):
            key = os.environ.get("SUPABASE_PUBLISHABLE_KEY")
            if not key:
                raise CliError(f"{name} is set, so SUPABASE_PUBLISHABLE_KEY must be too")
            return Target(url.rstrip("/"), key, State(state_dir), is_edge=name == "RINGFENCE_URL")
    stack = running_stack(state_dir)
    return Target(stack["url"], stack["publishable_key"], State(state_dir), stack["users"], stack["database_url"])


def worker_url(state_dir: Path) -> str:
    """Return how the jobs of the running local stack log in to its database. Raises: NotRunning."""
    return str(running_stack(state_dir)["worker_database_url"])


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
