"""End what an earlier start recorded: for `down`, and before a new start after a supervisor was killed."""

from __future__ import annotations

import os

from edge_proxy.local import processes
from edge_proxy.local.state import State

SUPERVISOR = "supervisor"


def recorded(state: State) -> list[processes.ProcessRecord]:
    """Return the processes the last start recorded, the supervisor first."""
    return [processes.ProcessRecord.from_json(data) for data in state.read("stack.json").get("processes", [])]


def running(state: State) -> bool:
    """Return whether the supervisor of this folder lives."""
    return any(record.name == SUPERVISOR and record.process() for record in recorded(state))


def end(state: State, *, grace_s: float = 30.0) -> list[str]:
    """End whatever of the recorded stack still runs and return the names.

    grace_s: seconds the supervisor has to stop its children in order.
    """
    ended = []
    records = [record for record in recorded(state) if record.pid != os.getpid()]
    for record in records:
        if record.name == SUPERVISOR and (supervisor := record.process()):
            supervisor.terminate()
            processes.still_running([supervisor], grace_s)
            ended.append(record.name)
    # The database was started first and goes last.
    ended += [record.name for record in reversed(records) if processes.stop(record)]
    state.stack_file.unlink(missing_ok=True)
    return ended
