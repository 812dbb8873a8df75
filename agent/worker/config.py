"""Read the worker's settings from the environment, once."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from agent.config import Endpoint, model_settings, pseudonym_key
from agent.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """Where the database is, and how much one process takes on. The URLs hold passwords and are kept out of every repr."""

    worker_url: str = field(repr=False)
    """Logs in as ringfence_worker, for the queue."""
    analyst_url: str = field(repr=False)
    """Logs in as ringfence_analyst, for the SQL of jobs."""
    name: str
    """What leases and logs call this process; 1..100 characters."""
    concurrency: int = 2
    """Jobs at once."""
    poll_s: float = 2.0
    """Seconds between two looks at the queue when no notification comes."""
    drain_s: float = 20.0
    """Seconds that running jobs have to end after SIGTERM; then others take them."""
    model: Endpoint | None = None
    """What writes SQL for questions; None: they are refused, and SQL is answered."""
    model_style: Literal["tools", "schema"] = "tools"
    pseudonym_key: bytes = field(default_factory=lambda: pseudonym_key(None), repr=False)
    """As of the agent: what takes the place of personal data where an organization lets none out."""

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> "WorkerConfig":
        """Return the settings in `env`. Raises: Misconfigured, naming what is missing or out of bounds."""
        model, style = model_settings(env)
        return cls(
            model=model,
            model_style=style,
            pseudonym_key=pseudonym_key(env.get("RINGFENCE_PSEUDONYM_KEY")),
            worker_url=_required(env, "RINGFENCE_WORKER_DATABASE_URL"),
            analyst_url=_required(env, "RINGFENCE_ANALYST_DATABASE_URL"),
            name=(env.get("RINGFENCE_WORKER_NAME") or f"{socket.gethostname()}:{os.getpid()}")[:100],
            concurrency=int(_number(env, "RINGFENCE_WORKER_CONCURRENCY", 2, 1, 64)),
            poll_s=_number(env, "RINGFENCE_WORKER_POLL_S", 2, 0.1, 60),
            drain_s=_number(env, "RINGFENCE_WORKER_DRAIN_S", 20, 0, 600),
        )


def _required(env: Mapping[str, str], name: str) -> str:
    if not env.get(name):
        raise Misconfigured(f"{name} is not set.")
    return env[name]


def _number(env: Mapping[str, str], name: str, default: float, least: float, most: float) -> float:
    text = env.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise Misconfigured(f"{name} must be a number from {least:g} to {most:g}.")
    return value
