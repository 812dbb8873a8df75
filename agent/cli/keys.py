"""`ringfence keys`: rotate the key that signs access tokens, with an overlap in which the old one is still accepted."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.errors import CliError
from agent.cli.options import DEFAULT_STATE_DIR, AsJson, StateDir

if TYPE_CHECKING:
    from edge_proxy.local.auth.keys import SigningKeys
    from edge_proxy.local.state import State

app = typer.Typer(help="The keys that sign access tokens: standby, in use, previously used, revoked.", no_args_is_help=True)

HOSTED = """the signing keys of a hosted project are Supabase's to change, not this command's:
  1. In the dashboard, Project Settings > JWT Keys, create a standby key (`supabase gen signing-key` makes one to import).
  2. Wait at least 20 minutes: Supabase caches its published set for 10, and clients for 10 more. The edge asks again after 5
     minutes, and within 30 seconds when it meets an unknown key.
  3. Rotate the keys. Tokens of the key before stay good.
  4. When the longest-lived of those has expired (an hour by default, and 15 minutes to be sure), revoke the previous key. The
     database refuses it at once, the edge within 5 minutes: SIGHUP to `ringfence serve` makes it now."""


@app.command("list")
def list_keys(state_dir: StateDir = DEFAULT_STATE_DIR, as_json: AsJson = False) -> None:
    """Show every key of the local stack, its state and since when."""
    state = _local(state_dir)
    if not state.signing_keys.exists():
        raise CliError(f"there are no keys in {state.root} yet: `ringfence up` makes the first")
    with _explained():
        from edge_proxy.local.auth.keys import SigningKeys

        _show(SigningKeys.load(state.signing_keys), as_json)


@app.command()
def standby(state_dir: StateDir = DEFAULT_STATE_DIR, as_json: AsJson = False) -> None:
    """Publish a new key that signs nothing yet, so that all who check tokens know it before it does."""
    from edge_proxy.local.auth.rotation import with_standby

    _change(state_dir, with_standby, as_json)


@app.command()
def rotate(state_dir: StateDir = DEFAULT_STATE_DIR, as_json: AsJson = False) -> None:
    """Sign with the standby key from now on; what the one before it signed is still accepted."""
    from edge_proxy.local.auth.rotation import rotated

    _change(state_dir, rotated, as_json)


@app.command()
def revoke(
    kid: Annotated[str, typer.Argument(help="Id of a key that is not in use; `ringfence keys list` shows them.")],
    state_dir: StateDir = DEFAULT_STATE_DIR, as_json: AsJson = False,
) -> None:
    """Refuse whatever a key signed, from now on; people signed in with it go on by refreshing. There is no way back."""
    from edge_proxy.local.auth.rotation import without

    _change(state_dir, lambda keys: without(keys, kid), as_json)


def _change(state_dir: Path, how: Callable[[SigningKeys], SigningKeys], as_json: bool) -> None:
    from edge_proxy.local import key_change

    state = _local(state_dir)
    if not state.signing_keys.exists():
        raise CliError(f"there are no keys in {state.root} yet: `ringfence up` makes the first")
    with _explained():
        _show(key_change.change(state, how), as_json)


def _local(state_dir: Path) -> State:
    """Return the state folder of the local stack. Raises: CliError for a hosted project."""
    from edge_proxy.local.state import State

    if os.environ.get("SUPABASE_URL") or os.environ.get("RINGFENCE_URL"):
        raise CliError(HOSTED)
    return State(state_dir)


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what a person can do something about into a CliError."""
    from edge_proxy.local.auth.config import ConfigError
    from edge_proxy.local.auth.rotation import ChangeRefused
    from edge_proxy.local.key_change import ChangeUnderWay, NotLearned

    try:
        yield
    except (ChangeRefused, ChangeUnderWay, NotLearned, ConfigError) as error:
        raise CliError(str(error)) from error


def _show(keys: SigningKeys, as_json: bool) -> None:
    states = keys.states()
    if as_json:
        print(json.dumps([{"kid": kid, "status": state, "changed_at": since} for kid, state, since in states], indent=2))
        return
    for kid, state, since in states:
        print(f"{kid}  {state.replace('_', ' '):<15}{'  since ' + since if since else ''}".rstrip())
