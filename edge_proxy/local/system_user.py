"""The unprivileged system user that PostgreSQL runs as when we are root (it refuses to run as root)."""

from __future__ import annotations

import os
import pwd
import shlex
import stat
import subprocess
from pathlib import Path

from edge_proxy.local import access_list

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


class NoWay(PermissionError):
    """A folder that is not ours to open keeps PostgreSQL's user from its files or programs."""


def open_way_to(path: Path, *, ours: Path) -> None:
    """Let the system user pass through the folders above `path`: traverse only, never list.

    ours: the folder we made; it and what is in it are opened to all. A folder above it, somebody's home perhaps, is opened to the
    system user alone, by an access control list. Raises: NoWay naming the folder that blocks the way and what to do.
    """
    if not needed():
        return
    for ancestor in path.resolve().parents:
        found = ancestor.stat()
        if found.st_mode & stat.S_IXOTH or (found.st_mode & stat.S_IXGRP and found.st_gid == group_id()):
            continue
        if ancestor.is_relative_to(ours.resolve()):
            ancestor.chmod(found.st_mode | stat.S_IXOTH)
            continue
        try:
            access_list.let_pass(ancestor, user_id())
        except OSError as err:
            raise NoWay(
                f"PostgreSQL does not run as root but as the system user {NAME}, which may not pass through {ancestor} to {path}, and "
                f"this file system keeps no access control lists ({err.strerror}): "
                f"work in a folder that others may pass through (both the checkout and --state-dir), run this as another user "
                f"than root, or let every user of the machine pass through (not list) that folder: chmod o+x {shlex.quote(str(ancestor))}"
            ) from err


def name_of(user_id: int) -> str:
    """Return the name of a user of the machine, or the number when it has none."""
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return f"user {user_id}"


def user_id() -> int:
    return pwd.getpwnam(NAME).pw_uid


def group_id() -> int:
    return pwd.getpwnam(NAME).pw_gid


def give(path: Path) -> None:
    """Make the system user own `path`."""
    if needed():
        entry = pwd.getpwnam(NAME)
        os.chown(path, entry.pw_uid, entry.pw_gid)
