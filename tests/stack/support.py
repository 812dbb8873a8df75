"""Run the real command line, and look at the processes it leaves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil


def ringfence(*arguments: str | Path, environment: dict[str, str] | None = None, timeout_s: float = 120, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run `ringfence ...` to its end and return what it said."""
    return subprocess.run(
        [sys.executable, "-m", "agent.cli", *map(str, arguments)],
        env={**os.environ, **(environment or {})}, input=stdin, capture_output=True, text=True, timeout=timeout_s,
    )


def processes_of(folder: Path) -> list[str]:
    """Return the command lines of living processes that mention a state folder, or have it in their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            command = process.cmdline()
            if process.pid != os.getpid() and any(str(folder) in text for text in (*command, *process.environ().values())):
                found.append(" ".join(command))
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found
