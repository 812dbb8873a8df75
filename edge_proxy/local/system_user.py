"""The unprivileged system user that PostgreSQL runs as when we are root (it refuses to run as root)."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from pathlib import Path

NAME = "ringfence-postgres"


def needed() -> bool:
    return os.geteuid() == 0


def ensure() -> str | None:
    """Return the name of the user to run PostgreSQL as, created if absent, or nothing when we are not root."""
    if not needed():
        return None
    try:
        pwd.getpwnam(NAME)
    except KeyError:
        command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]
        done = subprocess.run(command, capture_output=True, text=True)
        try:
            pwd.getpwnam(NAME)  # two stacks starting at once: the other one may have created it first
        except KeyError:
            raise PermissionError(f"PostgreSQL refuses to run as root and the user {NAME} cannot be made: {done.stderr}") from None
    return NAME


def open_way_to(folder: Path) -> None:
    """Let the system user pass through the folders above `folder`: traverse only, never list.

    Raises: PermissionError naming the folder that blocks the way.
    """
    if not needed():
        return
    for ancestor in folder.resolve().parents:
        mode = ancestor.stat().st_mode
        if mode & stat.S_IXOTH or (mode & stat.S_IXGRP and ancestor.stat().st_gid == group_id()):
            continue
        try:
            ancestor.chmod(mode | stat.S_IXOTH)
        except PermissionError as err:
            raise PermissionError(f"PostgreSQL runs as {NAME} and cannot pass through {ancestor}") from err


def group_id() -> int:
    return pwd.getpwnam(NAME).pw_gid


def give(path: Path) -> None:
    """Make the system user own `path`."""
    if needed():
        entry = pwd.getpwnam(NAME)
        os.chown(path, entry.pw_uid, entry.pw_gid)
