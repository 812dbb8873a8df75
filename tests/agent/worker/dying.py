"""A worker that kills itself at one step of its first job: `python -m tests.agent.worker.dying STEP`."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from agent.worker import analyst, executor, queue
from agent.worker.__main__ import main


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def after(holder: Any, name: str) -> None:
    """Die when the method has done its work."""
    method = getattr(holder, name)

    async def dying(*arguments: Any, **more: Any) -> Any:
        result = await method(*arguments, **more)
        if result is not None or name in ("finish", "settle"):
            die()
        return result

    setattr(holder, name, dying)


def before(holder: Any, name: str) -> None:
    setattr(holder, name, die)


QUESTION_STEPS = {
    "when the call of the model is reserved": lambda: after(queue.Queue, "reserve"),
    "when the model has answered": lambda: before(queue.Queue, "settle"),
    "when its draft is settled": lambda: after(queue.Queue, "settle"),
}
"""Of a question, beside those of SQL."""
STEPS = {
    "taken": lambda: after(queue.Queue, "next"),
    "before the guard": lambda: before(executor.guard, "check"),
    "before it is begun as the analyst": lambda: before(analyst.Analyst, "_within"),
    "before its plan": lambda: before(analyst.Analyst, "_fetch"),
    "when it has its rows": lambda: after(analyst.Analyst, "run"),
    "before its end is written": lambda: before(queue.Queue, "finish"),
    "when its end is written": lambda: after(queue.Queue, "finish"),
}

if __name__ == "__main__":
    (STEPS | QUESTION_STEPS)[sys.argv[1]]()
    sys.exit(main())
