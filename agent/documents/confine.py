"""Take every right away from the process that parses: called by that process, before it reads the first byte of the file.

Everywhere: ceilings of memory, processor time, output, files and processes, an alarm, and an audit hook that refuses to open,
connect or run anything. On Linux also a seccomp filter, which the kernel enforces whatever the process becomes: it may compute,
use its memory, and read and write what is already open; it can open no file and no socket, start nothing and signal nobody.
"""

import ctypes
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Mapping
from typing import Any, Protocol

# System call numbers on x86_64 and aarch64, by the kernel's own tables; what is missing here is refused with EPERM.
_ALLOWED = {
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "fstat": (5, 80), "lseek": (8, 62), "mmap": (9, 222),
    "mprotect": (10, 226), "munmap": (11, 215), "brk": (12, 214), "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139), "pread64": (17, 67), "readv": (19, 65), "writev": (20, 66), "sched_yield": (24, 124),
    "mremap": (25, 216), "madvise": (28, 233), "getpid": (39, 172), "exit": (60, 93), "gettimeofday": (96, 169),
    "sysinfo": (99, 179), "sigaltstack": (131, 132), "gettid": (186, 178), "futex": (202, 98), "restart_syscall": (219, 128),
    "clock_gettime": (228, 113), "exit_group": (231, 94), "newfstatat": (262, 79), "getrandom": (318, 278),
}
# Of a process with threads: what its pools of them and a just-in-time compiler do all the time.
_ALLOWED_TO_THREADS = {"epoll_wait": (232, None), "epoll_pwait": (281, 22), "sched_getaffinity": (204, 123), "poll": (7, None), "ppoll": (271, 73)}
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _KILL, _EPERM = 0x7FFF0000, 0x80000000, 0x00050001
_NO_NEW_PRIVS, _FILTER_MODE, _EVERY_THREAD = 38, 1, 1
_SECCOMP = (317, 277)

_REFUSED = ("open", "socket.", "subprocess.", "os.", "ctypes.", "shutil.", "tempfile.", "mmap.", "fcntl.", "pty.", "urllib.", "ftplib.",
            "smtplib.", "http.", "signal.", "syslog.", "resource.", "sqlite3.", "webbrowser.")


class ProcessLimits(Protocol):
    """Ceilings of one process."""

    @property
    def cpu_seconds(self) -> int: ...
    @property
    def wall_seconds(self) -> int: ...
    @property
    def output_bytes(self) -> int: ...
    @property
    def memory_bytes(self) -> int: ...
    @property
    def open_files(self) -> int: ...


class NotConfined(Exception):
    """The kernel did not take a limit: nothing is parsed."""


def limit_resources(limits: ProcessLimits, *, threads: bool = False) -> None:
    """Set the ceilings, which only root could raise again, and the alarm that ends a process nobody waits for any more.

    `threads`: the process has yet to start some, and reserves far more addresses than it uses; what it uses is limited.
    """
    # With a higher hard limit the signal is SIGXCPU, which says why the process ended.
    _ceiling(resource.RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + 2)
    _ceiling(resource.RLIMIT_FSIZE, limits.output_bytes)
    _ceiling(resource.RLIMIT_NOFILE, limits.open_files)
    _ceiling(resource.RLIMIT_CORE, 0)
    if not threads:
        _ceiling(resource.RLIMIT_NPROC, 0)
    if sys.platform != "darwin":
        # macOS has the name and does not enforce it.
        _ceiling(resource.RLIMIT_DATA if threads else resource.RLIMIT_AS, limits.memory_bytes)
    signal.alarm(limits.wall_seconds)
    os.nice(5)


def _ceiling(kind: int, soft: int, hard: int | None = None) -> None:
    most = resource.getrlimit(kind)[1]
    wanted = (soft, soft if hard is None else hard)
    resource.setrlimit(kind, wanted if most == resource.RLIM_INFINITY else (min(wanted[0], most), min(wanted[1], most)))


def close_everything(kernel: bool = True, *, threads: bool = False) -> bool:
    """Refuse what is not computing; return whether the kernel enforces it. `threads`: there are some, which go on. Raises: NotConfined."""
    _ceiling(resource.RLIMIT_NPROC, 0)
    enforced = kernel and sys.platform == "linux" and platform.machine() in _MACHINES
    if enforced:
        _seccomp(*_MACHINES[platform.machine()], _ALLOWED | _ALLOWED_TO_THREADS if threads else _ALLOWED)
    sys.addaudithook(_refuse)
    return enforced


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith(_REFUSED) and not (event == "open" and isinstance(arguments[0], int)):
        raise PermissionError(f"{event} is refused")


def _seccomp(column: int, architecture: int, allowed: Mapping[str, tuple[int | None, ...]]) -> None:
    numbers = [number for both in allowed.values() if (number := both[column]) is not None]
    steps = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    for place, number in enumerate(numbers):
        # To the last step when it is this one.
        steps.append((_EQUAL, len(numbers) - place, 0, number))
    steps += [(_RETURN, 0, 0, _EPERM), (_RETURN, 0, 0, _ALLOW)]
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    program = ctypes.create_string_buffer(code, len(code))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(steps), ctypes.addressof(program)))
    libc = ctypes.CDLL(None, use_errno=True)
    # By the call itself and not by prctl, which would bind the calling thread alone.
    if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.syscall(_SECCOMP[column], _FILTER_MODE, _EVERY_THREAD, header):
        raise NotConfined(os.strerror(ctypes.get_errno()))
