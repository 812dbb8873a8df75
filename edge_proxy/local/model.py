"""The optional language model as a part of the stack: a process of its own, on loopback, with a key of its own."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from edge_proxy.local import processes, tools
from edge_proxy.local.ports import LOOPBACK, answers
from edge_proxy.local.state import State

# A gigabyte is read from the disk and set up on however many cores there are.
READY_S = 180.0


@dataclass(frozen=True)
class LocalModel:
    """Which file to serve, and the name it goes by in records; whoever makes one has checked the file."""

    name: str
    file: Path


def launch(state: State, model: LocalModel, port: int) -> processes.Child:
    """Start the server of the model."""
    environment = tools.environment(state.home) | {
        "PYTHONUNBUFFERED": "1",
        "GOMP_SPINCOUNT": "0",
        "RINGFENCE_MODEL_FILE": str(model.file),
        "RINGFENCE_MODEL_PORT": str(port),
        "RINGFENCE_MODEL_API_KEY": key(state),
        # On cores that others use, one thread that is never waited for beats two that wait for each other.
        "RINGFENCE_MODEL_THREADS": os.environ.get("RINGFENCE_MODEL_THREADS", ""),
    }
    return processes.start("model", [sys.executable, "-m", "agent.model.serve"], log=state.log("model"), env=environment)


def wait_until_ready(child: processes.Child, port: int) -> None:
    """Return when the model is loaded. Raises: PartFailed."""
    child.wait_until(lambda: answers(f"http://{LOOPBACK}:{port}/health"), READY_S)


def settings(state: State, model: LocalModel, port: int) -> dict[str, str]:
    """Return what the agent is told about it."""
    return {
        "RINGFENCE_MODEL_BASE_URL": f"http://{LOOPBACK}:{port}/v1",
        "RINGFENCE_MODEL_NAME": model.name,
        "RINGFENCE_MODEL_PROVIDER": "this-machine",
        "RINGFENCE_MODEL_API_KEY": key(state),
        "RINGFENCE_MODEL_STYLE": "schema",
    }


def key(state: State) -> str:
    return state.secret("model_key")
