"""The log of the process: one JSON object a line, from a fixed list of facts. No token, no content, no path (R59, R95)."""

from __future__ import annotations

import hashlib
import json
import logging
import sys
import time
from functools import lru_cache
from typing import Any

LOGGER = logging.getLogger("edge_proxy")
_ENCODER = json.JSONEncoder(default=str)
_AGENT_FACTS = ("request_id", "run_id", "code", "rpc", "status")


@lru_cache(maxsize=10_000)
def fingerprint(value: str) -> str:
    """Return a short hash that tells two people or sessions apart without naming either."""
    return hashlib.sha256(value.encode()).hexdigest()[:16]


def write(event: str, **facts: Any) -> None:
    """Log one line. JSON escapes line breaks, so no value can start a line of its own."""
    if LOGGER.isEnabledFor(logging.INFO):
        line = _ENCODER.encode({"at": round(time.time(), 3), "event": event, **facts})
        # Not LOGGER.info(): that looks for the line of code that called it, a quarter of what a line costs.
        LOGGER.handle(LOGGER.makeRecord(LOGGER.name, logging.INFO, "", 0, line, (), None))


class _ServerLine(logging.Formatter):
    """A line of uvicorn's in our form; without its traceback, which can quote what people sent."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps({"at": round(record.created, 3), "event": "server", "message": record.getMessage()})


class _AgentLine(logging.Formatter):
    """A line of the agent's: its sentences are fixed, and what differs stands in members of its own."""

    def format(self, record: logging.LogRecord) -> str:
        facts = {name: vars(record)[name] for name in _AGENT_FACTS if vars(record).get(name) is not None}
        return _ENCODER.encode({"at": round(record.created, 3), "event": "agent", "message": record.getMessage(), **facts})


class _LibraryLine(logging.Formatter):
    """A warning of a library: who gives it and what was raised. Its words and its traceback can quote what people sent."""

    def format(self, record: logging.LogRecord) -> str:
        facts: dict[str, Any] = {"at": round(record.created, 3), "event": "library", "logger": record.name, "level": record.levelname}
        if record.exc_info and record.exc_info[0] is not None:
            facts["raised"] = record.exc_info[0].__name__
        return json.dumps(facts)


def configure() -> None:
    """Send our lines to standard error as they are, and everybody else's warnings in the same form."""
    logging.captureWarnings(True)
    for logger, formatter, level in (
        (LOGGER, logging.Formatter("%(message)s"), logging.INFO),
        (logging.getLogger("uvicorn.error"), _ServerLine(), logging.WARNING),
        (logging.getLogger("agent"), _AgentLine(), logging.WARNING),
        (logging.getLogger(), _LibraryLine(), logging.WARNING),
    ):
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(formatter)
        logger.handlers[:] = [handler]
        logger.setLevel(level)
        logger.propagate = False
