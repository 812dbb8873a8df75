"""`ringfence up | status | down | serve`: the local stack, and the edge alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli.errors import CliError
from agent.cli.options import DEFAULT_STATE_DIR, AsJson, StateDir, running_stack

if TYPE_CHECKING:
    from edge_proxy.local.stack import Stack

Port = Annotated[int | None, typer.Option("--port", min=0, max=65535, help="Port of the edge; 0 picks a free one. Default: the last one, else 8787.")]
LocalModel = Annotated[bool, typer.Option("--local-model", help="Answer with the model that `ringfence model install` has put on this machine.")]
NoSeed = Annotated[bool, typer.Option("--no-seed", help="Do not create the example people, organizations and documents.")]
START_TIMEOUT_S = 300.0


def up(
    state_dir: StateDir = DEFAULT_STATE_DIR,
    port: Port = None,
    detach: Annotated[bool, typer.Option("--detach", help="Return when the stack is ready and leave it running.")] = False,
    no_seed: NoSeed = False,
    local_model: LocalModel = False,
    as_json: AsJson = False,
) -> None:
    """Start the local stack: PostgreSQL, migrations, PostgREST, the auth emulator, the edge with the agent.

    Without --detach it serves until Ctrl-C. A second start with the same state folder uses what is there.
    """
    if detach:
        described = _start_detached(state_dir, port, no_seed, local_model)
        _show(described, as_json)
        return
    report = _to_stderr if as_json else print
    with interruptible(), serving(state_dir, port, no_seed, report, local_model) as (stack, described):
        serve_until_told(stack, lambda: _show(described, as_json))


def status(state_dir: StateDir = DEFAULT_STATE_DIR, as_json: AsJson = False) -> None:
    """Say whether the stack runs and where; exit status 1 when it does not."""
    described = running_stack(state_dir)
    parts = described.pop("processes")
    if as_json:
        print(json.dumps(described | {"parts": {part["name"]: part["pid"] for part in parts}}, indent=2))
        return
    _show(described, as_json)
    print("parts: " + ", ".join(f"{part['name']} ({part['pid']})" for part in parts))


def down(state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """End every process of the stack, also those a killed supervisor left behind; the data stays."""
    from edge_proxy.local import leftovers
    from edge_proxy.local.state import State

    ended = leftovers.end(State(state_dir))
    print(f"ended: {', '.join(ended)}" if ended else "nothing was running")


def serve() -> None:
    """Run the edge with the agent, configured by the environment (SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, ...)."""
    from edge_proxy.serve import main

    raise typer.Exit(main())


@contextmanager
def serving(
    state_dir: Path, port: int | None, no_seed: bool, report: Callable[[str], None], local_model: bool = False
) -> Iterator[tuple[Stack, dict[str, Any]]]:
    """Yield a started, seeded stack and its description; everything is ended on the way out.

    Raises: CliError for what the person can do something about.
    """
    from agent.cli.model import installed
    from agent.cli.seed import seed
    from edge_proxy.local.auth.config import ConfigError
    from edge_proxy.local.migrate import MigrationFailed
    from edge_proxy.local.processes import PartFailed
    from edge_proxy.local.stack import AlreadyRunning, PortTaken, Stack
    from edge_proxy.local.state import State

    began = time.monotonic()
    model = installed(report) if local_model else None
    state = State(state_dir)
    report(f"starting the stack in {state.root}")
    try:
        with Stack(state, port=port, report=report, local_model=model) as stack:
            described = stack.start()
            users = state.read("users.json").get("users", []) if no_seed else seed(described, state, report)
            described["users"] = users
            stack.publish(described)
            report(f"ready in {time.monotonic() - began:.1f} s: {described['url']}")
            yield stack, described
    except (AlreadyRunning, PortTaken, ConfigError, MigrationFailed, FileNotFoundError, PartFailed, PermissionError) as err:
        raise CliError(str(err)) from err


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn SIGTERM and a closed terminal into the same orderly end as Ctrl-C; once ending, further signals wait.

    Raises: typer.Exit with status 130 for what was interrupted before it was done.
    """

    def end(number: int, frame: FrameType | None) -> None:
        for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(each, end)
    try:
        yield
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        raise typer.Exit(130) from None


def serve_until_told(stack: Stack, announce: Callable[[], None]) -> None:
    """Serve until a signal says to stop, which is the ordinary end as soon as anything is announced. Raises: PartFailed."""
    with suppress(KeyboardInterrupt):
        announce()
        stack.wait()


def _start_detached(state_dir: Path, port: int | None, no_seed: bool, local_model: bool) -> dict[str, Any]:
    """Start `ringfence up` in a session of its own, relay its lines, return when it is ready."""
    from edge_proxy.local import leftovers
    from edge_proxy.local.state import State

    state = State(state_dir)
    if leftovers.running(state):
        running = running_stack(state_dir)
        if port and not running["url"].endswith(f":{port}"):
            raise CliError(f"the stack already runs at {running['url']}: run `ringfence down` before it moves to port {port}")
        if local_model and "model" not in running:
            raise CliError("the stack already runs, without the model: run `ringfence down` first")
        return running
    leftovers.end(state)  # of a killed supervisor; its stack.json would look like ours being ready
    state.create()
    command = [sys.executable, "-u", "-m", "agent.cli", "up", "--state-dir", str(state.root)]
    command += [] if port is None else ["--port", str(port)]
    command += ["--no-seed"] if no_seed else []
    command += ["--local-model"] if local_model else []
    log = state.log("supervisor")
    if log.exists():
        log.replace(log.with_name("supervisor.log.1"))  # why the last one ended stands there
    with os.fdopen(os.open(log, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)) as output:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        _follow(child, log, ready=lambda: "url" in state.read("stack.json"))
    except BaseException:
        child.terminate()
        child.wait()
        raise
    child.returncode = 0  # it goes on without us: nothing is left to wait for
    return running_stack(state_dir)


def _follow(child: subprocess.Popen[bytes], log: Path, *, ready: Callable[[], bool]) -> None:
    """Relay what the child writes until it is ready. Raises: CliError."""
    deadline = time.monotonic() + START_TIMEOUT_S
    with log.open() as lines:
        while not ready():
            ended = child.poll() is not None
            _to_stderr(lines.read(), end="")
            if ended:
                raise CliError("the stack did not start")
            if time.monotonic() > deadline:
                raise CliError(f"the stack was not ready within {START_TIMEOUT_S:.0f} s; see {log}")
            time.sleep(0.05)
        _to_stderr(lines.read(), end="")


def _to_stderr(text: str, end: str = "\n") -> None:
    print(text, end=end, file=sys.stderr, flush=True)


def _show(described: dict[str, Any], as_json: bool) -> None:
    described = {name: value for name, value in described.items() if name != "processes"}
    if as_json:
        print(json.dumps(described, indent=2), flush=True)
        return
    print(f"url:              {described['url']}")
    print(f"publishable key:  {described['publishable_key']}")
    if "model" in described:
        print(f"model:            {described['model']['RINGFENCE_MODEL_NAME']}, on this machine")
    print(f"people:           {len(described['users'])}, passwords in {described['state_dir']}/users.json", flush=True)
