"""Child processes we started ourselves, recorded so that a later command can end them and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

# The kernel derives start times from the boot time, which a clock adjustment may move by a little.
CLOCK_SLACK_S = 2.0
LARGEST_LOG_BYTES = 10_000_000


class PartFailed(Exception):
    """A part of the stack ended or did not become ready; the message holds the end of its log."""


@dataclass(frozen=True)
class ProcessRecord:
    """A process by id *and* start time: an id alone may belong to somebody else after a restart."""

    name: str
    pid: int
    created: float
    stop_signal: int = int(signal.SIGTERM)

    @classmethod
    def of(cls, name: str, pid: int, stop_signal: int = int(signal.SIGTERM)) -> ProcessRecord:
        return cls(name, pid, psutil.Process(pid).create_time(), stop_signal)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ProcessRecord:
        return cls(**data)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def process(self) -> psutil.Process | None:
        """Return the live process, or nothing when it ended or its id was given to another process."""
        try:
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.created) > CLOCK_SLACK_S:
                return None
        except psutil.NoSuchProcess:
            return None
        return process if is_alive(process) else None


@dataclass(frozen=True)
class Child:
    """A process of ours that we may wait for, and its record."""

    popen: subprocess.Popen[bytes]
    record: ProcessRecord
    log: Path

    def ended(self) -> bool:
        """Ask the kernel without reaping: `Popen.poll()` interrupted by a signal may keep its lock, and `stop()` would wait for it for ever."""
        if self.popen.returncode is not None:
            return True
        try:
            return os.waitid(os.P_PID, self.popen.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    def stop(self) -> None:
        stop(self.record)
        self.popen.wait()

    def wait_until(self, ready: Callable[[], bool], timeout_s: float = 30.0) -> None:
        """Poll `ready()` until it is true; on failure the child is stopped.

        Raises: PartFailed when the child ends first, or after `timeout_s` seconds.
        """
        deadline = time.monotonic() + timeout_s
        try:
            while not ready():
                if self.ended():
                    raise PartFailed(f"{self.record.name} ended with status {self.popen.wait()}:\n{tail(self.log)}")
                if time.monotonic() > deadline:
                    raise PartFailed(f"{self.record.name} was not ready within {timeout_s:.0f} s:\n{tail(self.log)}")
                time.sleep(0.03)
        except BaseException:
            self.stop()
            raise


def start(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str],
    stop_signal: int = int(signal.SIGTERM),
    user: str | None = None,
) -> Child:
    """Start a child with its output in `log` (0600); a log grown large is put aside first, and one such is kept.

    The child gets its own session: a Ctrl-C in the terminal reaches the supervisor alone, which then stops its children in order.
    """
    if log.exists() and log.stat().st_size > LARGEST_LOG_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        popen = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=subprocess.STDOUT,
            env=dict(env),
            start_new_session=True,
            user=user,
            group=user,
            extra_groups=[] if user else None,
        )
    finally:
        os.close(descriptor)
    return Child(popen, ProcessRecord.of(name, popen.pid, stop_signal), log)


def stop(record: ProcessRecord, *, grace_s: float = 10.0) -> bool:
    """End a recorded process and everything below it; return whether it was running.

    grace_s: seconds between the polite signal and the kill.
    """
    process = record.process()
    if process is None:
        return False
    try:
        family = [process, *process.children(recursive=True)]
        process.send_signal(record.stop_signal)
    except psutil.NoSuchProcess:
        return True
    for survivor in still_running(family, grace_s):
        try:
            survivor.kill()
        except psutil.NoSuchProcess:
            continue
    still_running(family, 5.0)
    return True


def still_running(family: Sequence[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait until all have ended, at most some seconds; return those that have not."""
    deadline = time.monotonic() + seconds
    alive = [process for process in family if is_alive(process)]
    while alive and time.monotonic() < deadline:
        time.sleep(0.02)
        alive = [process for process in alive if is_alive(process)]
    return alive


def is_alive(process: psutil.Process) -> bool:
    """Return whether a process runs. One that has ended but that its parent has not yet asked about does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def tail(log: Path, lines: int = 15) -> str:
    """Return the last lines of a log file, empty when there is none."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
